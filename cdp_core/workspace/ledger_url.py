"""What a URL of ledgers may look like: a place, and no secret. Nothing here imports fsspec."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

# What the libraries below fsspec call their secrets.
_SECRET = re.compile(r"secret|passw|passphrase|token|sas|credential|connection_string|(?:^|_)key$")
REFERENCE = re.compile(r"(?:env|file|keyring):.")
FORM = "s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, abfs://CONTAINER/PREFIX or sftp://USER@HOST/FOLDER"


def trouble_with_url(url: str) -> str | None:
    """What is wrong with a URL, in a sentence that does not repeat it; None where nothing is."""
    if not re.match(r"[a-z][a-z0-9+.-]*://.", url) or "::" in url:
        return f"Not a URL such as {FORM}."
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return f"Not a URL such as {FORM}."
    if password is not None:
        return "The URL holds a password: leave it out, and give it by the provider's own means."
    if parts.query or parts.fragment:
        return "The URL ends in ? or #, where secrets are often kept: give options beside it."
    return None


def trouble_with_options(options: Mapping[str, str]) -> str | None:
    """What is wrong with the options beside a URL: a secret belongs elsewhere, and is only referred to."""
    for name, value in options.items():
        if _SECRET.search(name) and not REFERENCE.match(value):
            return f"{name} may be a secret: give a reference (env:NAME, file:PATH or keyring:SERVICE/NAME)."
    return None


def normal(url: str) -> str:
    """The same place always under the same URL."""
    return url.rstrip("/")
