"""What the facade's tests stand on besides a folder."""

from postgres_server import postgres  # noqa: F401 - a fixture
