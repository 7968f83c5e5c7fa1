"""The state: what people set up, what ran, who holds what, and the log of every act, in one database."""
