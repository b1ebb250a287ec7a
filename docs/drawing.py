"""Draws which room imports which, from the imports themselves.

What belongs here: the graph of rooms, and its picture as SVG. `docs/generate.py` writes it and
checks that it is in step.
"""

from __future__ import annotations

from html import escape
from importlib import import_module
from typing import TYPE_CHECKING

import grimp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Graph = dict[str, set[str]]

_WIDTH, _HEIGHT = 132, 44
_COLUMN, _ROW = 156, 92
_MARGIN = 24
_STYLE = """
  text { font: 14px system-ui, sans-serif; text-anchor: middle; fill: #1c2534; }
  rect { fill: #eef2f9; stroke: #5f7397; }
  .paper { fill: #fff; stroke: none; }
  path { fill: none; stroke: #8494b3; }
"""
_HEAD = (
    '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><path d="M0,1 L7,4 L0,7" /></marker>'
)


def drawing() -> str:
    """Return the picture of the rooms: what is above imports what is below."""
    graph = _stepwise(_reduced(rooms()))
    rows = _rows(graph)
    places = _places(rows, graph)
    width = max(len(row) for row in rows) * _COLUMN + 2 * _MARGIN - (_COLUMN - _WIDTH)
    height = len(rows) * _ROW + 2 * _MARGIN - (_ROW - _HEIGHT)
    arrows = [
        _arrow(places[room], places[below], passes=_passes(below))
        for room in sorted(graph)
        for below in sorted(graph[room])
    ]
    through = [_line(places[room]) for room in sorted(graph) if _passes(room)]
    boxes = [_box(room, places[room]) for room in sorted(graph) if not _passes(room)]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}">',
        f"<style>{_STYLE}</style><defs>{_HEAD}</defs>",
        f'<rect class="paper" width="{width}" height="{height}" rx="8" />',
        *arrows,
        *through,
        *boxes,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def rooms() -> Graph:
    """Return which rooms each room imports directly."""
    modules = grimp.build_graph("ghcrctl", cache_dir=None)
    graph: Graph = {}
    for module in modules.modules:
        room = _room(module)
        imported = {_room(name) for name in modules.find_modules_directly_imported_by(module)}
        if room:
            graph.setdefault(room, set()).update(imported - {room, ""})
    return graph


def _room(module: str) -> str:
    """Return the room of a module; none for the package itself and how it is started."""
    parts = module.split(".")
    return "" if len(parts) < 2 or parts[1].startswith("_") else parts[1]


def _reduced(graph: Graph) -> Graph:
    """Leave out what follows from other imports."""
    return {
        room: {
            name
            for name in below
            if not any(name in _reached(graph, other) for other in below - {name})
        }
        for room, below in graph.items()
    }


def _reached(graph: Graph, room: str) -> set[str]:
    found: set[str] = set()
    waiting = [room]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _stepwise(graph: Graph) -> Graph:
    """Let each arrow lead to the next row: where it passes a row, it has a place there."""
    level = _levels(graph)
    steps: Graph = {room: set() for room in graph}
    for room, below in graph.items():
        for name in below:
            last = room
            for row in range(level[room] + 1, level[name]):
                place = f"{room}>{name}>{row}"
                steps[last].add(place)
                last = place
                steps.setdefault(place, set())
            steps[last].add(name)
    return steps


def _passes(room: str) -> bool:
    return ">" in room


def _levels(graph: Graph) -> dict[str, int]:
    """Return the row of each room, from 0: right below the lowest that imports it."""
    level = dict.fromkeys(graph, 0)
    # As often as there are rooms, since no way through them is longer.
    for _ in graph:
        for room, below in graph.items():
            for name in below:
                level[name] = max(level[name], level[room] + 1)
    return level


def _rows(graph: Graph) -> list[list[str]]:
    level = _levels(graph)
    return [sorted(r for r in graph if level[r] == row) for row in range(max(level.values()) + 1)]


def _places(rows: list[list[str]], graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the middle of each box: each row in the middle, near to what its rooms import."""
    widest = max(len(row) for row in rows)
    places: dict[str, tuple[float, float]] = {}
    for number, row in reversed(list(enumerate(rows))):
        ordered = sorted(row, key=lambda room: (_middle(places, graph[room]), room))
        left = _MARGIN + _WIDTH / 2 + (widest - len(row)) * _COLUMN / 2
        for column, room in enumerate(ordered):
            places[room] = (left + column * _COLUMN, _MARGIN + _HEIGHT / 2 + number * _ROW)
    return places


def _middle(places: Mapping[str, tuple[float, float]], names: Iterable[str]) -> float:
    across = [places[name][0] for name in names]
    return sum(across) / len(across) if across else 0


def _arrow(start: tuple[float, float], end: tuple[float, float], *, passes: bool) -> str:
    (x, top), (to, bottom) = start, end
    top, bottom = top + _HEIGHT / 2, bottom - _HEIGHT / 2
    bend = (bottom - top) / 2
    curve = f"M{x:g},{top:g} C{x:g},{top + bend:g} {to:g},{bottom - bend:g} {to:g},{bottom:g}"
    head = "" if passes else ' marker-end="url(#head)"'
    return f'<path d="{curve}"{head} />'


def _line(place: tuple[float, float]) -> str:
    x, y = place
    return f'<path d="M{x:g},{y - _HEIGHT / 2:g} V{y + _HEIGHT / 2:g}" />'


def _box(room: str, place: tuple[float, float]) -> str:
    x, y = place
    summary = (import_module(f"ghcrctl.{room}").__doc__ or "").strip().splitlines()[0]
    return (
        f'<g><title>{escape(summary)}</title><rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" rx="6" />'
        f'<text x="{x:g}" y="{y + 5:g}">{room}</text></g>'
    )
