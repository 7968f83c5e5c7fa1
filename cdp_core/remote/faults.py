"""What a provider's fault means to the one who runs `cdp`: wait and run again, or mend something.

Every library below fsspec has exceptions of its own, and none is imported here: they are known by their
names. Their texts are not handed on, since they may hold what is secret.
"""

from __future__ import annotations

import errno
import os

from cdp_core.errors import CdpError, Code, InvalidFault, TemporaryFault

# Ours, not the provider's: shown as what they are.
OUR_FAULTS = (TypeError, AttributeError, NameError, AssertionError, MemoryError, RecursionError)

_WITHOUT_CREDENTIALS = frozenset(
    {
        *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
        *("UnauthorizedSSOTokenError", "TokenRetrievalError"),
        *("DefaultCredentialsError", "RefreshError", "ClientAuthenticationError"),
        *("AuthenticationException", "BadAuthenticationType", "PasswordRequiredException"),
    }
)
_DENIED = frozenset({"PermissionError", "HttpForbidden", "AccessDenied"})
_UNKNOWN_HOST = frozenset({"BadHostKeyException", "UnknownHostKey"})


def fault_of(error: BaseException, url: str, doing: str) -> CdpError:
    """`doing` is what was attempted: `write`, `read`, `list` or `remove`."""
    names = {kind.__name__ for kind in type(error).__mro__}
    status = getattr(error, "code", None) or getattr(error, "status_code", None)
    if names & _UNKNOWN_HOST:
        return InvalidFault(
            Code.LEDGER_PLACE_REFUSED,
            "the server's host key is not the known one, or is not known",
            where=url,
            hint="compare its fingerprint with the server's, then: ssh-keyscan HOST >> ~/.ssh/known_hosts",
        )
    if names & _WITHOUT_CREDENTIALS or status in (401, "401"):
        return InvalidFault(
            Code.LEDGER_PLACE_REFUSED,
            f"there are no credentials that may {doing} at the ledgers' URL",
            where=url,
            hint="give them as the provider's own tools take them (environment, profile, role, key file); "
            "never in the URL",
        )
    if names & _DENIED or status in (403, "403"):
        return InvalidFault(
            Code.LEDGER_PLACE_REFUSED,
            f"the ledgers' URL does not let us {doing}",
            where=url,
            hint="let these credentials list, read, write and delete below it",
        )
    if isinstance(error, FileNotFoundError):
        return InvalidFault(
            Code.LEDGER_PLACE_REFUSED,
            f"there is nothing to {doing} at the ledgers' URL: no such bucket, container or folder",
            where=url,
            hint="make it, or mend the URL; cdp.toml names it as [ledger] url once the ledgers lie there",
        )
    return TemporaryFault(
        Code.LEDGER_PLACE_UNREACHABLE,
        f"the ledgers' URL cannot be reached, or does not answer ({_in_a_word(error)})",
        where=url,
        hint="run again; what was sent meanwhile is settled then",
    )


def _in_a_word(error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno is not None and error.errno in errno.errorcode:
        return os.strerror(error.errno).lower()
    return type(error).__name__
