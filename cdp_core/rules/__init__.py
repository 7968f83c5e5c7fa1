"""Pure rules: the same answer for the same question, and nothing read or written on the way."""
