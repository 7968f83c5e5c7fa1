"""What it means that no answer came: whether the request had left decides what may have happened."""

from __future__ import annotations

import ssl
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from cdp_core.contract.faults import DestinationFault, NeverSent, ServiceFailed, Unanswered


def lost_on_the_way(failure: requests.RequestException, host: str) -> DestinationFault:
    """The fault that a failure on the way to `host` means: `NeverSent`, `Unanswered` or `ServiceFailed`."""
    said = in_words(failure, host)
    if never_left(failure):
        return NeverSent(said)
    if isinstance(failure, requests.exceptions.ContentDecodingError):
        return ServiceFailed(said)
    return Unanswered(said)


def never_left(failure: requests.RequestException) -> bool:
    """Whether it is certain that the service has seen nothing of the request."""
    if isinstance(failure, requests.exceptions.ProxyError):
        return _stopped_at_proxy(failure)
    # ValueError: requests refuses a URL or header before it connects anywhere.
    if isinstance(failure, (requests.ConnectTimeout, ValueError)):
        return True
    return isinstance(_reason(failure), NewConnectionError) or _is_untrusted(failure)


def _stopped_at_proxy(failure: requests.RequestException) -> bool:
    """urllib3 calls it the proxy's fault, too, where a connection was cut after the request had left."""
    if isinstance(failure, ValueError):  # the proxy's address itself
        return True
    first = getattr(_reason(failure), "original_error", None)
    if isinstance(first, (NewConnectionError, ConnectTimeoutError)):
        return True
    causes: tuple[Any, ...] = getattr(first, "args", ())
    if causes and isinstance(causes[0], ssl.SSLCertVerificationError):
        return True
    return type(first) is OSError  # "Tunnel connection failed: 407 …"


def in_words(failure: requests.RequestException, host: str) -> str:
    """What was the matter on the way to `host`, without anything of the request."""
    if isinstance(failure, requests.exceptions.ProxyError) and never_left(failure):
        return f"the proxy on the way to {host} cannot be reached, or lets nothing through"
    if _is_untrusted(failure):
        return f"the certificate of {host} is not trusted (the connection's ca_bundle says which are)"
    if never_left(failure):
        return f"{host} cannot be reached"
    if isinstance(failure, requests.exceptions.ContentDecodingError):
        return f"{host} gave an answer that cannot be decoded"
    if isinstance(failure, requests.Timeout):
        return f"{host} did not answer in time"
    return f"{host} cut the connection before its answer was whole"


def _is_untrusted(failure: requests.RequestException) -> bool:
    causes: tuple[Any, ...] = getattr(_reason(failure), "args", ())
    return bool(causes) and isinstance(causes[0], ssl.SSLCertVerificationError)


def _reason(failure: requests.RequestException) -> Any:
    """What urllib3 says was the matter."""
    inner = failure.args[0] if failure.args else None
    return getattr(inner, "reason", None)
