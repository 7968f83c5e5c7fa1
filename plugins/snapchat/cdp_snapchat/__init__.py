"""Snapchat: segments of customer profiles to Snapchat audiences of the customer-list kind."""
