"""``ghcrctl referrers``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.format.human import human_size
from ghcrctl.cli.format.tree import branches
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.operations.referrers import Way, referrers_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.cli.app import App
    from ghcrctl.cli.format.style import Glyphs
    from ghcrctl.operations.referrers import Node


@click.command(
    cls=Command,
    short_help="Show what signs, attests or describes an image",
    examples="""
    ghcrctl referrers OWNER/IMAGE:1.0
    ghcrctl referrers --format json OWNER/IMAGE@sha256:82d1e9d7...
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.option("--no-trunc", is_flag=True, help="Show digests in full.")
@click.option(
    "--format", "format_", type=click.Choice(["tree", "json"]), default="tree", show_default=True
)
@registry_options
@pass_app
def command(app: App, *, name: str, no_trunc: bool, format_: str) -> None:
    """Show what signs, attests or describes an image at its registry, as a tree.

    Found are referrers (by the registry's list or the tag kept in its place), cosign's tags and
    buildx's attestations, of the image and of each of its platforms.
    """
    with app.session() as session:
        reference = session.parse(name).tagged()
        root = referrers_tree(session, reference)
    if format_ == "json":
        app.write(f"{json.dumps(_document(root), indent=4)}\n")
        return
    app.out(f"{reference} {_digest(root, full=no_trunc)}")
    for line in _branches(root, app.style.glyphs, full=no_trunc):
        app.out(line)
    if not root.count:
        app.out("Nothing refers to it")


def _branches(root: Node, glyphs: Glyphs, *, full: bool) -> Iterator[str]:
    for lead, node in branches(root.children, lambda node: node.children, glyphs):
        how = "" if node.way is Way.PLATFORM else f"  ({node.way.value})"
        kind = node.kind or node.descriptor.media_type
        size = human_size(node.descriptor.size)
        yield f"{lead}{kind} {_digest(node, full=full)} {size}{how}"


def _digest(node: Node, *, full: bool) -> str:
    return str(node.descriptor.digest) if full else node.descriptor.digest.short


def _document(node: Node) -> dict[str, Any]:
    return {
        "digest": str(node.descriptor.digest),
        "mediaType": node.descriptor.media_type,
        "size": node.descriptor.size,
        "kind": node.kind,
        "way": node.way.value,
        "annotations": dict(node.descriptor.annotations),
        "referrers": [_document(child) for child in node.children],
    }
