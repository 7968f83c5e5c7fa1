"""How often, and how far apart, a token endpoint is asked again when it is busy or answers nonsense."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_exponential_jitter

from cdp_core.contract.connection import SignInFault, Token

ATTEMPTS = 4


def patiently(ask: Callable[[], Token], *, attempts: int = ATTEMPTS, sleep: Callable[[float], None]) -> Token:
    """The token that `ask` yields, asking again with back-off and jitter (about 1, 2, 4 s).

    Raises the last `SignInFault`; one that is terminal at once.
    """
    return Retrying(
        stop=stop_after_attempt(attempts),
        wait=wait_exponential_jitter(initial=1.0, max=8.0, jitter=1.0),
        retry=retry_if_exception(lambda fault: isinstance(fault, SignInFault) and not fault.terminal),
        sleep=sleep,
        reraise=True,
    )(ask)
