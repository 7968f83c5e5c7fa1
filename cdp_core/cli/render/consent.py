"""The consent texts as people read them before they agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.panel import Panel
from rich.text import Text

from cdp_core.cli.render.words import plain, plain_lines
from cdp_core.model.configuration import ConsentPrompt


def texts(prompts: Sequence[ConsentPrompt], *, framed: bool) -> Iterator[RenderableType]:
    """Each prompt's title and text; `framed` in a panel."""
    for prompt in prompts:
        title, text = plain(prompt.title), plain_lines(prompt.text)
        if framed:
            yield Panel(Text(text), title=Text(title, style="bold"), title_align="left", padding=(1, 2))
        else:
            yield Text(f"{title}\n\n{text}\n")
