"""Signing in to services, keeping what it yields, and the session that carries it."""
