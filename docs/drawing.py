"""Draw the import graph of a package's folders as SVG."""

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


def drawing(package: str = "ghcrctl") -> str:
    """Return the drawing: each folder imports from the ones below it.

    Args:
        package: dotted name of the package whose folders are drawn.
    """
    graph = _stepwise(_reduced(_folders(package)))
    rows = _rows(graph)
    places = _places(rows, graph)
    width = max(len(row) for row in rows) * _COLUMN + 2 * _MARGIN - (_COLUMN - _WIDTH)
    height = len(rows) * _ROW + 2 * _MARGIN - (_ROW - _HEIGHT)
    arrows = [
        _arrow(places[folder], places[below], passes=_passes(below))
        for folder in sorted(graph)
        for below in sorted(graph[folder])
    ]
    through = [_line(places[folder]) for folder in sorted(graph) if _passes(folder)]
    boxes = [
        _box(package, folder, places[folder]) for folder in sorted(graph) if not _passes(folder)
    ]
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


def _folders(package: str) -> Graph:
    """Return the folders that each folder of a package imports directly."""
    modules = grimp.build_graph("ghcrctl", cache_dir=None)
    graph: Graph = {}
    for module in modules.modules:
        folder = _folder(package, module)
        imported = modules.find_modules_directly_imported_by(module)
        if folder:
            others = {_folder(package, name) for name in imported}
            graph.setdefault(folder, set()).update(others - {folder, ""})
    return graph


def _folder(package: str, module: str) -> str:
    """Return the folder of a module; empty outside the package and for its own modules."""
    if not module.startswith(f"{package}."):
        return ""
    name = module.removeprefix(f"{package}.").split(".")[0]
    return "" if name.startswith("_") else name


def _reduced(graph: Graph) -> Graph:
    """Return the graph without arrows that follow from other arrows."""
    return {
        folder: {
            name
            for name in below
            if not any(name in _reached(graph, other) for other in below - {name})
        }
        for folder, below in graph.items()
    }


def _reached(graph: Graph, folder: str) -> set[str]:
    found: set[str] = set()
    waiting = [folder]
    while waiting:
        new = graph[waiting.pop()] - found
        found |= new
        waiting += new
    return found


def _stepwise(graph: Graph) -> Graph:
    """Split arrows over several rows into one arrow a row."""
    level = _levels(graph)
    steps: Graph = {folder: set() for folder in graph}
    for folder, below in graph.items():
        for name in below:
            last = folder
            for row in range(level[folder] + 1, level[name]):
                place = f"{folder}>{name}>{row}"
                steps[last].add(place)
                last = place
                steps.setdefault(place, set())
            steps[last].add(name)
    return steps


def _passes(folder: str) -> bool:
    return ">" in folder


def _levels(graph: Graph) -> dict[str, int]:
    """Return the row of each folder, from 0, below every folder that imports it."""
    level = dict.fromkeys(graph, 0)
    # No path is longer than the number of folders.
    for _ in graph:
        for folder, below in graph.items():
            for name in below:
                level[name] = max(level[name], level[folder] + 1)
    return level


def _rows(graph: Graph) -> list[list[str]]:
    level = _levels(graph)
    return [sorted(r for r in graph if level[r] == row) for row in range(max(level.values()) + 1)]


def _places(rows: list[list[str]], graph: Graph) -> dict[str, tuple[float, float]]:
    """Return the center of each box, close to the folders that it imports."""
    widest = max(len(row) for row in rows)
    places: dict[str, tuple[float, float]] = {}
    for number, row in reversed(list(enumerate(rows))):
        ordered = sorted(row, key=lambda folder: (_middle(places, graph[folder]), folder))
        left = _MARGIN + _WIDTH / 2 + (widest - len(row)) * _COLUMN / 2
        for column, folder in enumerate(ordered):
            places[folder] = (left + column * _COLUMN, _MARGIN + _HEIGHT / 2 + number * _ROW)
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


def _box(package: str, folder: str, place: tuple[float, float]) -> str:
    x, y = place
    summary = (import_module(f"{package}.{folder}").__doc__ or "").strip().splitlines()[0]
    return (
        f'<g><title>{escape(summary)}</title><rect x="{x - _WIDTH / 2:g}" y="{y - _HEIGHT / 2:g}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" rx="6" />'
        f'<text x="{x:g}" y="{y + 5:g}">{folder}</text></g>'
    )
