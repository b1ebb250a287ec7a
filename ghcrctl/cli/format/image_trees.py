"""Images as trees and as tables of platforms, as people and as programs read them.

What belongs here: columns and field names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.safe import printable
from ghcrctl.cli.format.table import align
from ghcrctl.cli.format.tree import branches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.image_tree import ImageTree
    from ghcrctl.operations.platforms import Part


def as_text(trees: Sequence[ImageTree], *, full: bool) -> str:
    """Draw trees: an image with its names, below it its platforms, below these what attests them.

    Args:
        trees: the images.
        full: whether digests are shown in full.
    """
    # Every line has all cells, lest the columns end at one that has not.
    text = align("".join(f"{line}\n" for line in _lines(trees, full=full)))
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def _lines(trees: Iterable[ImageTree], *, full: bool) -> Iterator[str]:
    yield "IMAGE\tDIGEST\tSIZE\tUNIQUE"
    for tree in trees:
        *others, last = tree.names
        yield from (f"{printable(name)}\t\t\t" for name in others)
        what = "" if tree.root.parts else f" ({tree.root.what})"
        shown = f"{_digest(tree.root.descriptor.digest, full=full)}\t{human_size(tree.root.size)}"
        yield f"{printable(last + what)}\t{shown}\t{human_size(tree.unique)}"
        for lead, part in branches(tree.root.parts, lambda part: part.parts):
            size = human_size(part.size)
            digest = _digest(part.descriptor.digest, full=full)
            yield f"{lead}{printable(part.what)}\t{digest}\t{size}\t"


def _digest(digest: Digest, *, full: bool) -> str:
    return str(digest) if full else digest.short


def as_json(trees: Iterable[ImageTree]) -> str:
    """Write each image as one line of JSON."""
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
