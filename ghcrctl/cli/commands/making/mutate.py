"""``ghcrctl mutate``, and what it shares with ``append``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.commands.making.artifact import read_annotations
from ghcrctl.cli.commands.making.flatten import naming_options
from ghcrctl.cli.options import Command, pass_app, registry_options
from ghcrctl.cli.progress.transfer_lines import COPY_WORDS, LineObserver, watching
from ghcrctl.cli.report_created import report_made
from ghcrctl.cli.results import Results
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.indexes import end_of, source_end
from ghcrctl.operations.making.mutate import Mutation, mutate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ghcrctl.cli.app import App

    Function = TypeVar("Function", bound=Callable[..., Any])


def mutation_options(function: Function) -> Function:
    """Add the options of commands that make an image of another one."""
    for option in reversed(
        (
            click.option(
                "-c",
                "--change",
                "changes",
                multiple=True,
                help="Apply a Dockerfile instruction to the config: ENV, CMD, LABEL, USER, ...",
            ),
            click.option(
                "--annotation",
                "annotations",
                metavar="KEY=VALUE",
                multiple=True,
                help="Annotation of the manifest; one without a value is taken away.",
            ),
            click.option(
                "--platform",
                "platforms",
                metavar="OS/ARCH[/VARIANT]",
                multiple=True,
                help="Image of an index to take; all without it.",
            ),
            click.option("-m", "--message", default="", help="Comment of the image's history."),
        )
    ):
        function = option(function)
    return function


@click.command(
    cls=Command,
    short_help="Make an image of another one with a changed config",
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

    This works directly on a registry, without transferring layers, or on the local store.
    SOURCE_DATE_EPOCH, if set, becomes the creation time. Without --tag or --replace, the new image
    is pushed by digest and no tag moves.
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
    """Make an image of another one, as the options say."""
    results = Results(app, format_, digest_file)
    with app.session() as session, watching(app.display, quiet=quiet) as watch:
        mutation = Mutation(
            changes=changes,
            annotations=read_annotations(annotations, empty=True),
            layers=tuple(layers),
            platforms=tuple(Platform.parse(text) for text in platforms),
            message=message,
            created=session.settings.source_date,
        )
        old = source_end(session, source, local=local)
        new = end_of(session, target, local=local) if target else None
        lines = LineObserver(results.out, app.warn, COPY_WORDS, "", quiet=quiet)
        observer = watch(lines, str((new or old).reference))
        made = mutate(session, old, new, mutation, observer, replace=replace)
        report_made(results, session, made, quiet=quiet)
