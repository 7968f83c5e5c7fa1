"""A mailing-list service as a destination of cdp: written from outside, against what is public alone."""
