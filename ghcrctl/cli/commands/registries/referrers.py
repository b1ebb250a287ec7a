"""``ghcrctl referrers``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.tree import branches
from ghcrctl.cli.format.units import human_size
from ghcrctl.cli.options import format_option_beside, pass_app, quiet_option, registry_options
from ghcrctl.cli.results import Results
from ghcrctl.operations.registries.referrers import Way, referrers_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.style import Glyphs
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.registries.referrers import Node


@click.command(
    cls=Command,
    examples="""
    ghcrctl referrers OWNER/IMAGE:1.0
    ghcrctl referrers --format json OWNER/IMAGE@sha256:82d1e9d7...
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.option("--no-trunc", is_flag=True, help="Don't truncate output.")
@quiet_option("the digests of referrers")
@format_option_beside("tree")
@registry_options
@pass_app
def command(app: App, *, name: str, no_trunc: bool, quiet: bool, format_: str | None) -> None:
    """Show the signatures, attestations and other referrers of an image as a tree.

    Finds OCI referrers (through the registry's API or the fallback tag), cosign tags and buildx
    attestations, both of the image and of each of its platforms.
    """
    results = Results(app, format_)
    with app.session() as session:
        reference = session.parse(name).tagged()
        root = referrers_tree(session, reference)
    glyphs = app.style.glyphs
    shown = _digests(root, glyphs) if quiet else _lines(reference, root, glyphs, full=no_trunc)
    for line in shown:
        results.out(line)
    results.add({"Name": str(reference), **_document(root)})
    results.end(single=True)


def _digests(root: Node, glyphs: Glyphs) -> Iterator[str]:
    for _, node in branches(root.children, lambda node: node.children, glyphs):
        if node.way is not Way.PLATFORM:
            yield str(node.descriptor.digest)


def _lines(reference: Reference, root: Node, glyphs: Glyphs, *, full: bool) -> Iterator[str]:
    yield f"{reference} {_digest(root, full=full)}"
    yield from _branches(root, glyphs, full=full)
    if not root.count:
        yield "Nothing refers to it"


def _branches(root: Node, glyphs: Glyphs, *, full: bool) -> Iterator[str]:
    for lead, node in branches(root.children, lambda node: node.children, glyphs):
        how = "" if node.way is Way.PLATFORM else f"  ({node.way.value})"
        kind = node.title or node.kind or node.descriptor.media_type
        size = human_size(node.descriptor.size)
        yield f"{lead}{kind} {_digest(node, full=full)} {size}{how}"


def _digest(node: Node, *, full: bool) -> str:
    return str(node.descriptor.digest) if full else node.descriptor.digest.short


def _document(node: Node) -> dict[str, Any]:
    return {
        "Digest": str(node.descriptor.digest),
        "MediaType": node.descriptor.media_type,
        "Size": node.descriptor.size,
        "Kind": node.kind or None,
        "Title": node.title or None,
        "Way": node.way.value,
        "Annotations": dict(node.descriptor.annotations),
        "Referrers": [_document(child) for child in node.children],
    }
