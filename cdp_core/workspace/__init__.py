"""The folder in which everything of one installation lies, its settings, and the rules for its files."""
