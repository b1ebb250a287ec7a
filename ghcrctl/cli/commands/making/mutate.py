"""``ghcrctl mutate``, and code shared with ``append``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.commands.making.artifact import read_annotations
from ghcrctl.cli.commands.making.flatten import naming_options
from ghcrctl.cli.options import pass_app, platforms_option, registry_options
from ghcrctl.cli.progress.transfer_lines import COPY_WORDS, LineObserver, show_transfers
from ghcrctl.cli.report_created import report_created
from ghcrctl.cli.results import Results
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.indexes import parse_index_target, parse_source
from ghcrctl.operations.making.mutate import Mutation, mutate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.cli.app import App

    Function = TypeVar("Function", bound=Callable[..., Any])


def mutation_options(function: Function) -> Function:
    """Add the options for changes of an image."""
    for option in reversed(
        (
            click.option(
                "-c",
                "--change",
                "changes",
                multiple=True,
                help="Apply Dockerfile instruction to the image config.",
            ),
            click.option(
                "--annotation",
                "annotations",
                metavar="KEY=VALUE",
                multiple=True,
                help="Set an annotation, or remove it with an empty value.",
            ),
            platforms_option("Only keep this platform of an index (repeatable)."),
            click.option(
                "-m", "--message", default="", help="Set the comment in the image history."
            ),
        )
    ):
        function = option(function)
    return function


@click.command(
    cls=Command,
    examples="""
    ghcrctl mutate -c 'ENV STAGE=test' -c 'USER 1000' -t OWNER/IMAGE:1.0-test OWNER/IMAGE:1.0
    ghcrctl mutate --annotation org.opencontainers.image.title=Hello --replace OWNER/IMAGE:1.0
    ghcrctl mutate --local -c 'CMD ["/hello"]' hello_docker
    """,
)
@click.argument("source", metavar="IMAGE")
@naming_options
@mutation_options
@registry_options
@pass_app
def command(app: App, /, *, source: str, target: str | None, **options: Any) -> None:
    """Change the config or annotations of an image without running it.

    Works directly on a registry, without transferring layers, or on the local store. The creation
    time is SOURCE_DATE_EPOCH if it is set. Without --tag or --replace, the new image is pushed by
    digest and no tag changes.
    """
    run(app, source, target, (), **options)


def run(  # noqa: PLR0913 one argument an option
    app: App,
    source: str,
    target: str | None,
    layers: Sequence[Path],
    *,
    changes: tuple[str, ...],
    annotations: tuple[str, ...],
    platforms: tuple[str, ...],
    message: str,
    replace: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Create a changed image from another image and report the result."""
    results = Results(app, format_, digest_file)
    with app.session() as session, show_transfers(app.display, quiet=quiet) as watch:
        mutation = Mutation(
            changes=changes,
            annotations=read_annotations(annotations, empty=True),
            layers=tuple(layers),
            platforms=tuple(Platform.parse(text) for text in platforms),
            message=message,
            created=session.settings.source_date,
        )
        old = parse_source(session, source, local=local)
        new = parse_index_target(session, target, local=local) if target else None
        lines = LineObserver(results.out, app.warn, COPY_WORDS, "", quiet=quiet)
        observer = watch(lines, str((new or old).reference))
        created = mutate(session, old, new, mutation, observer, replace=replace)
        report_created(results, session, created, quiet=quiet)
