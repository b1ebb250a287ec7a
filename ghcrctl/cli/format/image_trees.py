"""Format images and their platforms as trees and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.columns import headers_of, shapes_of
from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.size_bars import Bar, Bars
from ghcrctl.cli.format.style import Meaning
from ghcrctl.cli.format.table_layout import Cell, lay_out
from ghcrctl.cli.format.tree import branches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.images.platforms import Part
    from ghcrctl.operations.images.tree import ImageTree


# Length of the algorithm and twelve digits.
_SHORT_DIGEST = 19
_COLUMNS = ("Name", "Digest", "Size", "UniqueSize")
_LEGEND = ((Meaning.SHARED, "shared with other images"), (Meaning.UNIQUE, "only in this image"))


def as_text(trees: Sequence[ImageTree], style: Style, measure: Measure, *, full: bool) -> str:
    """Return images as trees: names, below them the platforms, and below these the attestations.

    Args:
        trees: the images.
        style: what the terminal can show.
        measure: the format of sizes.
        full: whether to show complete digests.
    """
    table = [headers_of(("IMAGE", "DIGEST", "SIZE", "UNIQUE"))]
    bars: list[Bar | None] = [None]
    for cells, bar in _lines(trees, style, measure, full=full):
        table.append([Cell(printable(cell.text), cell.meaning) for cell in cells])
        bars.append(bar)
    return lay_out(table, shapes_of(_COLUMNS), style, Bars(bars, _LEGEND))


def _lines(
    trees: Iterable[ImageTree], style: Style, measure: Measure, *, full: bool
) -> Iterator[tuple[Sequence[Cell], Bar]]:
    for tree in trees:
        # On a terminal, a name with a complete digest would leave no room for other columns.
        *others, last = tree.names if style.width is None else map(_brief, tree.names)
        for name in others:
            yield (Cell(name, Meaning.NAME), Cell(""), Cell(""), Cell("")), Bar()
        what = "" if tree.root.parts else f" ({tree.root.what})"
        shared = tree.root.size - tree.unique
        yield (
            (
                Cell(last + what, Meaning.NAME),
                Cell(_digest(tree.root.descriptor.digest, full=full), Meaning.ASIDE),
                Cell(measure.size(tree.root.size)),
                Cell(measure.size(tree.unique)),
            ),
            Bar(((Meaning.SHARED, shared), (Meaning.UNIQUE, tree.unique))),
        )
        for lead, part in branches(tree.root.parts, lambda part: part.parts, style.glyphs):
            yield (
                (
                    Cell(lead + part.what),
                    Cell(_digest(part.descriptor.digest, full=full), Meaning.ASIDE),
                    Cell(measure.size(part.size)),
                    Cell(""),
                ),
                Bar(((Meaning.PART, part.size),)),
            )


def _brief(name: str) -> str:
    repository, at, digest = name.partition("@")
    return f"{repository}{at}{digest[:_SHORT_DIGEST]}"


def _digest(digest: Digest, *, full: bool) -> str:
    return str(digest) if full else digest.short


def as_json(trees: Iterable[ImageTree]) -> str:
    """Return each image as one line of JSON."""
    return "".join(
        dumps(
            {
                "Names": list(tree.names),
                "ID": str(tree.image_id),
                "UniqueSize": tree.unique,
                **_document(tree.root),
            }
        )
        + "\n"
        for tree in trees
    )


def _document(part: Part) -> dict[str, Any]:
    return {
        "Digest": str(part.descriptor.digest),
        "MediaType": part.descriptor.media_type,
        "What": part.what,
        "Size": part.size,
        "Parts": [_document(inner) for inner in part.parts],
    }
