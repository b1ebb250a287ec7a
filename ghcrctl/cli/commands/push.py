"""``ghcrctl push``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.cli.progress import PUSH_WORDS, LineObserver, watching
from ghcrctl.errors import UsageError
from ghcrctl.operations.push import push, tags_of

if TYPE_CHECKING:
    from ghcrctl.cli.app import App
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.session import Session


@click.command(
    cls=Command,
    short_help="Send images to a registry",
    examples="""
    ghcrctl push ghcr.io/OWNER/IMAGE:1.0
    ghcrctl push -a OWNER/IMAGE
    ghcrctl push --allow-nondistributable-artifacts registry.local:5000/windows:ltsc2022
    """,
)
@click.argument("names", metavar="NAME[:TAG]...", nargs=-1, required=True)
@click.option("-a", "--all-tags", is_flag=True, help="Push all local tags of the repository.")
@click.option(
    "--allow-nondistributable-artifacts",
    is_flag=True,
    help="Upload foreign layers too, which are otherwise left where their publisher keeps them.",
)
@click.option("-q", "--quiet", is_flag=True, help="Print the names of what was pushed, no more.")
@registry_options
@pass_app
def command(
    app: App,
    *,
    names: tuple[str, ...],
    all_tags: bool,
    allow_nondistributable_artifacts: bool,
    quiet: bool,
) -> None:
    """Send images of the local store to their registry.

    Layers that the registry has are not sent again.
    """
    with app.session() as session:
        references = [session.parse(name) for name in names]
        if all_tags:
            references = [tag for name in references for tag in _all_tags(session, name)]
        previous = ""
        for reference in references:
            header = "" if reference.name == previous else _header(reference)
            previous = reference.name
            _push(
                app,
                session,
                reference,
                header,
                foreign=allow_nondistributable_artifacts,
                quiet=quiet,
            )


def _header(reference: Reference) -> str:
    return f"The push refers to repository [{reference.name}]"


def _all_tags(session: Session, reference: Reference) -> list[Reference]:
    if reference.tag or reference.digest:
        raise UsageError(
            "tag can't be used with --all-tags/-a", hint=f"ghcrctl push -a {reference.name}"
        )
    return tags_of(session, reference)


def _push(
    app: App,
    session: Session,
    reference: Reference,
    header: str,
    *,
    foreign: bool,
    quiet: bool,
) -> None:
    if not (reference.tag or reference.digest or quiet):
        app.out("Using default tag: latest")
    lines = LineObserver(app, PUSH_WORDS, lambda: header, quiet=quiet, always=True)
    with watching(lines, quiet=quiet) as observer:
        result = push(session, reference, include_foreign=foreign, observer=observer)
    if quiet:
        app.out(str(result.reference))
        return
    descriptor = result.descriptor
    app.out(f"{result.reference.tag}: digest: {descriptor.digest} size: {descriptor.size}")
