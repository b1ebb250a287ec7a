"""Format the differences between two images as text."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.size_bars import Bar, Bars
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table_layout import Cell, Shape, lay_out
from ghcrctl.layers.members import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.layers.compare_trees import FileChange
    from ghcrctl.layers.members import Member
    from ghcrctl.operations.inside.compare_indexes import FieldChange, PlatformChange
    from ghcrctl.operations.inside.diff import Difference, LayerChange

_MEANINGS = {"+": Meaning.GOOD, "-": Meaning.BAD, "~": Meaning.WARN}
_LEGEND = ((Meaning.GOOD, "added"), (Meaning.BAD, "removed"))
# The digests of layers shrink first. Directories do not shrink.
_LAYER_SHAPES = (Shape(21, 0), Shape(6, 1))
_DIRECTORY_SHAPES = (Shape(12, 0), Shape(6, 1), Shape(6, 1))
_MAXIMUM_DIRECTORIES = 10
# A directory with more than this share of the change is split into its subdirectories.
_DOMINANT_SHARE = 0.5
_MAXIMUM_DEPTH = 5


def sign_of(before: object, after: object) -> str:
    """Return the sign of a change: added, removed or changed."""
    return "+" if before is None else "-" if after is None else "~"


def as_text(found: Difference, style: Style, measure: Measure) -> str:
    """Return a difference as text, or as plain lines in a pipe."""
    return "".join(_sections(found, style, measure))


def _sections(found: Difference, style: Style, measure: Measure) -> Iterator[str]:
    which = f" ({printable(found.platform)})" if found.is_of_indexes and found.platform else ""
    whole = "Index" if found.is_of_indexes else "Manifest"
    for title, lines in (
        (whole, [_change_line(change) for change in found.manifest]),
        ("Platforms", [_platform_line(change) for change in found.platforms]),
        (f"Config{which}", [_change_line(change) for change in found.config]),
    ):
        if lines:
            yield _title(title, style)
            yield from (_line(line, style) for line in lines)
    if found.layers:
        shared = sum(layer.size for layer in found.shared)
        sizes = f"{len(found.shared)} shared, {measure.size(shared)}"
        yield _title(f"Layers ({which[2:-1]}; {sizes})" if which else f"Layers ({sizes})", style)
        if style.is_plain:
            yield from (_line(" ".join(_layer(change, measure)), style) for change in found.layers)
        else:
            yield _layers(found.layers, style, measure)
    if found.files:
        yield _title(f"Files{which}", style)
        yield from (_line(_file_line(change), style) for change in found.files)
        if not style.is_plain:
            yield _directories(found.files, style, measure)


def _title(text: str, style: Style) -> str:
    return f"{style.paint(text, Meaning.HEADER)}\n"


def _line(text: str, style: Style) -> str:
    return f"{style.paint(printable(text), _MEANINGS.get(text[0]))}\n"


def _change_line(change: FieldChange) -> str:
    shown = " -> ".join(value for value in (change.before, change.after) if value is not None)
    return f"{sign_of(change.before, change.after)} {change.field}: {shown}".rstrip(": ")


def _platform_line(change: PlatformChange) -> str:
    shown = " -> ".join(str(digest) for digest in (change.before, change.after) if digest)
    return f"{sign_of(change.before, change.after)} {change.platform}: {shown}"


def _layer(change: LayerChange, measure: Measure) -> tuple[str, str]:
    layers = [layer for layer in (change.before, change.after) if layer]
    names = " -> ".join(str(layer.digest) for layer in layers)
    sizes = " -> ".join(measure.size(layer.size) for layer in layers)
    how = " (recompressed)" if len(layers) > 1 else ""
    return f"{sign_of(change.before, change.after)} {names}", f"{sizes}{how}"


def _layers(changes: Iterable[LayerChange], style: Style, measure: Measure) -> str:
    table, bars = [], []
    for change in changes:
        meaning = _MEANINGS[sign_of(change.before, change.after)]
        table.append([Cell(text, meaning) for text in _layer(change, measure)])
        largest = max(layer.size for layer in (change.before, change.after) if layer)
        bars.append(Bar(((meaning, largest),)))
    return lay_out(table, _LAYER_SHAPES, style, Bars(bars))


def _file_line(change: FileChange) -> str:
    members = [member for member in (change.before, change.after) if member]
    sizes = [str(member.size) for member in members if member.size]
    if len(sizes) > 1 and sizes[0] == sizes[1]:
        sizes.pop()
    how = f" ({', '.join(change.what)})" if change.what else ""
    shown = f" {' -> '.join(sizes)}" if sizes else ""
    return f"{sign_of(change.before, change.after)} /{change.path}{shown}{how}"


def _directories(changes: Sequence[FileChange], style: Style, measure: Measure) -> str:
    """Return a table of the directories that grew and shrank most."""
    found = by_directory(changes)
    rows = sorted(found.items(), key=lambda item: -sum(item[1]))[:_MAXIMUM_DIRECTORIES]
    if not rows:
        return ""
    table = [[Cell(word, Meaning.HEADER) for word in ("Directory", "added", "removed")]]
    bars: list[Bar | None] = [None]
    for folder, (added, removed) in rows:
        plus = Cell(f"+{measure.size(added)}", Meaning.GOOD) if added else Cell("")
        minus = Cell(f"-{measure.size(removed)}", Meaning.BAD) if removed else Cell("")
        table.append([Cell(printable(f"/{folder}")), plus, minus])
        bars.append(Bar(((Meaning.GOOD, added), (Meaning.BAD, removed))))
    return lay_out(table, _DIRECTORY_SHAPES, style, Bars(bars, _LEGEND))


def by_directory(changes: Sequence[FileChange]) -> Mapping[str, tuple[int, int]]:
    """Return the size that was added to and removed from each directory (bytes)."""
    sizes = [(change.path, *_growth(change)) for change in changes]
    sizes = [item for item in sizes if item[1] or item[2]]
    whole = sum(added + removed for _, added, removed in sizes)
    return dict(_grouped(sizes, 1, whole * _DOMINANT_SHARE))


def _grouped(
    sizes: Iterable[tuple[str, int, int]], depth: int, most: float
) -> Iterator[tuple[str, tuple[int, int]]]:
    groups: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for item in sizes:
        groups["/".join(item[0].split("/")[:depth])].append(item)
    for folder, items in groups.items():
        added, removed = sum(item[1] for item in items), sum(item[2] for item in items)
        if (
            added + removed > most
            and depth < _MAXIMUM_DEPTH
            and any(item[0] != folder for item in items)
        ):
            yield from _grouped(items, depth + 1, most)
        else:
            yield folder, (added, removed)


def _growth(change: FileChange) -> tuple[int, int]:
    grown = _bytes(change.after) - _bytes(change.before)
    return max(0, grown), max(0, -grown)


def _bytes(member: Member | None) -> int:
    return member.size if member and member.kind is Kind.FILE else 0
