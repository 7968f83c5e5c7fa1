"""The way of the state's tables from version to version, oldest first in `versions/`."""
