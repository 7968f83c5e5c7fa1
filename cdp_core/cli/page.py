"""The last step of every command: what the facade gave back, as one JSON document or as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cdp_core.cli.render.console import out, remark, show
from cdp_core.cli.render.documents import print_document

if TYPE_CHECKING:
    from rich.console import RenderableType


def give(
    value: Any,
    picture: Callable[[], RenderableType | Iterable[RenderableType]],
    *,
    as_json: bool,
    said: str = "",
) -> None:
    """Print the result. `said`, a sentence about what was done, stands above the picture; beside a
    document it goes to standard error."""
    if as_json:
        if said:
            remark(said)
        print_document(value)
        return
    if said:
        show(said)
    shown = picture()
    show(
        *(shown if isinstance(shown, Iterable) and not hasattr(shown, "__rich_console__") else (shown,)),
        to=out(),
    )
