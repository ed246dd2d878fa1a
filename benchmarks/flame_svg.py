"""A flame graph as a static picture: every bar is a function, as wide as its share of the samples, above its caller."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape

from stacks import LAYERS, OURS, Frame, Stacks

COLOURS = {
    "http": "#8ecae6", "workflows": "#ffb703", "modules": "#95d5b2", "core": "#f4a3a3", "actors": "#cdb4db", "system calls": "#b0b7c0",
}  # fmt: skip
LIBRARY = "#e3e0d6"
WIDTH, ROW, LETTER = 1200, 16, 6.15
LEAST = 0.003
"""Share of all samples below which a bar isn't drawn."""


@dataclass
class Bar:
    """A function at its place in the graph."""

    samples: int = 0
    above: dict[Frame, Bar] = field(default_factory=dict)


def tree_of(stacks: Stacks) -> Bar:
    root = Bar()
    for frames, count in stacks.items():
        bar = root
        bar.samples += count
        for frame in frames:
            bar = bar.above.setdefault(frame, Bar())
            bar.samples += count
    return root


def _bars(bar: Bar, total: int, left: int = 0, level: int = 0) -> Iterator[tuple[Frame, int, int, int]]:
    """(frame, samples to the left, samples, level), without those that are too narrow to see."""
    for frame, above in sorted(bar.above.items(), key=lambda pair: (pair[0].name, pair[0].where)):
        if above.samples >= LEAST * total:
            yield frame, left, above.samples, level
            yield from _bars(above, total, left, level + 1)
        left += above.samples


def drawn(stacks: Stacks, title: str) -> str:
    """The SVG. Tooltips name the bars."""
    root = tree_of(stacks)
    total = max(1, root.samples)
    bars = list(_bars(root, total))
    levels = max((level for *_, level in bars), default=0) + 1
    height = (levels + 3) * ROW + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="ui-monospace,Menlo,Consolas,monospace" '
        'font-size="10.2">',
        "<style>" + "".join(f".{_class(layer)}{{fill:{COLOURS.get(layer, LIBRARY)}}}" for layer in LAYERS) + "</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="6" y="15" font-size="13">{escape(title)}</text>',
        *_legend(),
    ]
    for frame, left, samples, level in bars:
        x, width = WIDTH * left / total, WIDTH * samples / total
        y = height - 6 - (level + 1) * ROW
        where = f" ({frame.where})" if frame.where else ""
        tip = escape(f"{frame.name}{where}: {100 * samples / total:.1f} %")
        text = _fitting(frame.name, width)
        label = f'<text x="{x + 3:.1f}" y="{y + 11}">{escape(text)}</text>' if text else ""
        rect = f'<rect class="{_class(frame.layer)}" x="{x:.1f}" y="{y}" width="{max(0.4, width - 0.6):.1f}" height="{ROW - 1}"/>'
        parts.append(f"<g><title>{tip}</title>{rect}{label}</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _legend() -> Iterator[str]:
    x = 6.0
    for name in (*OURS, "libraries", "system calls"):
        yield f'<rect x="{x:.0f}" y="{ROW + 8}" width="11" height="11" fill="{COLOURS.get(name, LIBRARY)}"/>'
        yield f'<text x="{x + 15:.0f}" y="{ROW + 17}">{name}</text>'
        x += 32 + LETTER * len(name)


def _class(layer: str) -> str:
    return layer.partition(" ")[0].strip(",") if layer in COLOURS else "lib"


def _fitting(name: str, width: float) -> str:
    """As much of the name as fits the bar; the end of a qualified name says most."""
    room = int((width - 5) / LETTER)
    if len(name) <= room:
        return name
    name = name.rpartition(".")[2].strip("<>")
    if len(name) <= room:
        return name
    return f"{name[: room - 1]}…" if room >= 4 else ""
