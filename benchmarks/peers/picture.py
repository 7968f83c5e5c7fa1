"""The picture of the peers: for each size a bar of seconds for either day, and who is right after them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from benchmarks.peers.contestants import FLOOR, OURS
from benchmarks.peers.days import Results, Seen, median

WIDTH, LEFT, BAR, LINE = 990, 170, 430, 46
PALE, STRONG, GREY, PALE_GREY = "#9db8e8", "#2757b5", "#6b7280", "#c3c8d0"
_STYLE = "font: 13px system-ui, 'Helvetica Neue', Arial, sans-serif"


def picture(sizes: Mapping[int, Results]) -> str:
    """The SVG, on white so that it can be read on a dark page too."""
    parts, top = [], 44
    for rows, results in sizes.items():
        parts += list(_panel(f"{rows:,} profiles", results, top))
        top += 40 + LINE * len(results)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top + 8}" role="img" '
        f'aria-label="Seconds of each tool on two days" style="{_STYLE}">'
    )
    legend = (
        f'<rect x="{LEFT}" y="16" width="12" height="12" fill="{PALE}"/>{_text(LEFT + 18, 27, "first day")}'
        f'<rect x="{LEFT + 100}" y="16" width="12" height="12" fill="{STRONG}"/>'
        f"{_text(LEFT + 118, 27, 'second day, 1% of the people changed; less is better')}"
    )
    return "\n".join([head, '<rect width="100%" height="100%" fill="#fff"/>', legend, *parts, "</svg>", ""])


def _panel(title: str, results: Results, top: int) -> Iterator[str]:
    yield _text(12, top + 20, title, weight="bold")
    longest = max(median(days) for seen in results.values() for days in (seen.first, seen.second))
    for number, (name, seen) in enumerate(results.items()):
        yield from _line(name, seen, top + 34 + number * LINE, BAR / longest)


def _line(name: str, seen: Seen, top: int, scale: float) -> Iterator[str]:
    weight = "bold" if name == OURS else "normal"
    yield _text(LEFT - 10, top + 22, name, weight=weight, anchor="end")
    colours = (PALE_GREY, GREY) if name == FLOOR else (PALE, STRONG)
    for at, days, colour in ((0, seen.first, colours[0]), (17, seen.second, colours[1])):
        width = max(1.0, median(days) * scale)
        yield f'<rect x="{LEFT}" y="{top + at}" width="{width:.1f}" height="15" fill="{colour}"/>'
        yield _text(LEFT + width + 6, top + at + 12, f"{median(days):.1f} s")
    yield _text(LEFT + BAR + 60, top + 22, _verdict(seen), weight=weight)


def _verdict(seen: Seen) -> str:
    found = seen.audience
    if found is None:
        return ""
    if found.is_right:
        return "audience right"
    return f"{found.left:,} still there who have left, {found.missing:,} missing"


def _text(x: float, y: float, text: str, *, weight: str = "normal", anchor: str = "start") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-weight="{weight}" text-anchor="{anchor}" fill="#1f2430">'
        f"{escape(text)}</text>"
    )
