"""Plugins: found by entry points, loaded one by one so that a bad one is named and skipped."""
