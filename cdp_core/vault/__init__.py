"""Where secrets lie, how they are referred to, and how they are kept out of logs."""
