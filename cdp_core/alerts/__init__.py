"""Alerts on their way: through Apprise, and signed to a webhook."""
