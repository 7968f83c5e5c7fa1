"""Opens the file system that a URL names. The libraries for it are extras, imported only here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cdp_core.errors import Code, InvalidFault
from cdp_core.remote.faults import fault_of

_EXTRAS = {
    "s3": "s3",
    "s3a": "s3",
    "gs": "gcs",
    "gcs": "gcs",
    "abfs": "azure",
    "abfss": "azure",
    "az": "azure",
}
_EXTRAS |= {"sftp": "sftp", "ssh": "sftp"}

CONNECT_SECONDS = 10.0


def file_system(url: str, options: Mapping[str, str]) -> tuple[Any, str]:
    """The file system, and the URL's path in it. `options` are in the clear by now."""
    protocol = url.partition("://")[0]
    kind = _kind(protocol, url)
    given: dict[str, Any] = {**_defaults(protocol), **options}
    try:
        given = {**kind._get_kwargs_from_urls(url), **given}
        if kind.async_impl:
            given["use_listings_cache"] = False
        found = kind(**given, skip_instance_cache=True)
        return found, str(kind._strip_protocol(url)).rstrip("/")
    except (TypeError, ValueError) as error:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"the options of the ledgers' URL are not {protocol}'s ({type(error).__name__})",
            where=url,
            hint="see [ledger.options] in cdp.toml, and the library's own page for what it takes",
        ) from None
    except Exception as error:  # noqa: BLE001 - each library has faults of its own
        raise fault_of(error, url, "connect") from None


def _kind(protocol: str, url: str) -> Any:
    try:
        if protocol in ("sftp", "ssh"):
            from cdp_core.remote.sftp import HostChecked

            return HostChecked
        from fsspec import get_filesystem_class

        return get_filesystem_class(protocol)
    except ImportError:
        extra = _EXTRAS.get(protocol)
        raise InvalidFault(
            Code.LEDGER_PLACE_REFUSED,
            f"the library for {protocol}:// is not installed",
            where=url,
            hint=f"pip install 'cdp-core[{extra}]'" if extra else f"install fsspec's library for {protocol}",
        ) from None
    except ValueError:
        raise InvalidFault(
            Code.SETTING_INVALID,
            f"fsspec knows no {protocol}://",
            where=url,
            hint="s3://, gs://, abfs:// and sftp:// are what the extras s3, gcs, azure and sftp bring",
        ) from None


def _defaults(protocol: str) -> dict[str, Any]:
    """Patience is ours (tenacity), so that a library that waits by itself does not multiply it."""
    if protocol in ("s3", "s3a"):
        return {
            "config_kwargs": {
                "connect_timeout": CONNECT_SECONDS,
                "read_timeout": 60.0,
                "retries": {"max_attempts": 1},
            }
        }
    if protocol in ("abfs", "abfss", "az"):
        # Without it, an account that is named without a key would be asked as nobody.
        return {"anon": False}
    return {}
