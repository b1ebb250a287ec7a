"""``ghcrctl build``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.format_option import split_format_option
from ghcrctl.cli.options import Option, digest_file_option, pass_app, registry_options
from ghcrctl.cli.ordered_output import run_in_parallel
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import PUSH_WORDS, LineObserver, show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.engines.build_request import BuildRequest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.build import build_image, configured_engine, load_build, parse_names
from ghcrctl.operations.moving.push import push
from ghcrctl.store.output_files import check_output_file, whole_file
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.cli.app import App
    from ghcrctl.cli.ordered_output import Out
    from ghcrctl.cli.progress.transfer_lines import Watch
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.build import Built
    from ghcrctl.operations.moving.push import PushResult
    from ghcrctl.transfer.workers import Workers

    Function = TypeVar("Function", bound=Callable[..., Any])


def _list(*names: str, metavar: str, help: str) -> Callable[[Function], Function]:  # noqa: A002 click's name
    """Return a repeatable option."""
    return click.option(*names, metavar=metavar, multiple=True, help=help)


@click.command(
    cls=Command,
    examples="""
    ghcrctl build -t hello_docker .
    ghcrctl build -t OWNER/IMAGE:1.0 --build-arg VERSION=1.0 --push .
    ghcrctl build -t OWNER/IMAGE --platform linux/amd64,linux/arm64 --builder buildah .
    """,
)
@click.argument("context", metavar="DIR|URL|-")
@_list(
    "-t",
    "--tag",
    "names",
    metavar="NAME[:TAG]",
    help="Set the name and optionally the tag of the image.",
)
@click.option(
    "-f",
    "--file",
    metavar="FILE",
    type=PATH_OR_DASH,
    help="Set the path of the Dockerfile.",
)
@_list(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    help="Set the target platforms of the build.",
)
@_list("--build-arg", "build_args", metavar="NAME[=VALUE]", help="Set build-time variables.")
@_list("--label", "labels", metavar="NAME=VALUE", help="Set metadata for the image.")
@click.option("--target", metavar="STAGE", help="Set the target build stage to build.")
@_list("--secret", "secrets", metavar="id=ID[,src=FILE]", help="Expose a secret to the build.")
@_list(
    "--ssh", metavar="default|ID=SOCKET", help="Expose an SSH agent socket or keys to the build."
)
@click.option("--network", metavar="MODE", help="Set the networking mode for RUN instructions.")
@_list("--cache-from", metavar="CACHE", help="Use an external cache source.")
@_list("--cache-to", metavar="CACHE", help="Export the build cache to this destination.")
@click.option("--no-cache", is_flag=True, help="Do not use cache when building the image.")
@click.option("--pull", "pull", is_flag=True, help="Always attempt to pull newer base images.")
@click.option(
    "--format",
    "formats",
    metavar="oci|docker|FORMAT",
    multiple=True,
    help="Image format, and output format (json or a Go template).",
)
@click.option(
    "--push", "is_pushed", is_flag=True, help="Push all names of the image after the build."
)
@click.option("--iidfile", metavar="FILE", type=PATH_OR_DASH, help="Write the image ID to a file.")
@click.option(
    "--metadata-file",
    metavar="FILE",
    type=PATH_OR_DASH,
    help="Write build result metadata to a file.",
)
@click.option(
    "-q", "--quiet", is_flag=True, help="Suppress the build output and print image ID on success."
)
@click.option(
    "--builder",
    metavar="auto|buildx|buildah|podman|docker",
    cls=Option,
    show_default="auto",
    help="Build with this engine.",
)
@_list(
    "--builder-arg",
    "more",
    metavar="ARG",
    help="Pass an option to the engine, such as --isolation=chroot.",
)
@digest_file_option
@registry_options
@pass_app
def command(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    context: str,
    names: tuple[str, ...],
    file: str | None,
    platforms: tuple[str, ...],
    build_args: tuple[str, ...],
    labels: tuple[str, ...],
    target: str | None,
    secrets: tuple[str, ...],
    ssh: tuple[str, ...],
    network: str | None,
    cache_from: tuple[str, ...],
    cache_to: tuple[str, ...],
    no_cache: bool,
    pull: bool,
    formats: tuple[str, ...],
    is_pushed: bool,
    iidfile: str | None,
    metadata_file: str | None,
    digest_file: Path | None,
    quiet: bool,
    builder: str | None,
    more: tuple[str, ...],
) -> None:
    """Build an image from a Dockerfile into the local store.

    Uses a build engine on this machine: the first of docker buildx, buildah, podman and docker that
    works. The engine itself keeps no name of the image.
    """
    app.flags["builder"] = builder
    kind, format_ = split_format_option(formats, ["oci", "docker"])
    results = _results(app, format_, digest_file, iidfile, metadata_file)
    order = BuildRequest(
        context=context,
        file=file,
        platforms=_platforms(platforms),
        build_args=build_args,
        labels=labels,
        target=target,
        secrets=secrets,
        ssh=ssh,
        network=network,
        cache_from=cache_from,
        cache_to=cache_to,
        no_cache=no_cache,
        pull=pull,
        format=kind,
        more=more,
    )
    with app.session() as session:
        references = parse_names(session, names, push=is_pushed)
        # The engine would write to the same stream as the document.
        held = quiet or results.are_documents
        result = _build(app, session, order, references, quiet=held)
        _write(iidfile, str(result.image_id))
        _write(metadata_file, f"{json.dumps(_metadata(result), indent=2)}\n")
        _finish(app, session, results, result, push=is_pushed, quiet=quiet)


def _results(
    app: App, format_: str | None, digest_file: Path | None, *others: str | None
) -> Results:
    """Check that the output files can be written before the long build."""
    for path in filter(None, others):
        check_output_file(Path(path))
    return Results(app, format_, digest_file)


def _platforms(given: tuple[str, ...]) -> tuple[Platform, ...]:
    texts = (text.strip() for value in given for text in value.split(","))
    return tuple(dict.fromkeys(Platform.parse(text) for text in texts))


def _build(
    app: App, session: Session, order: BuildRequest, names: tuple[Reference, ...], *, quiet: bool
) -> Built:
    engine = configured_engine(session)
    # The output of an engine may contain workflow commands, which the runner would obey.
    relay = app.foreign_line if app.is_in_job else None
    # Bars start after the engine has exited, since they would overwrite its output.
    with (
        build_image(session, engine, order, quiet=quiet, tell=app.error_line, relay=relay) as image,
        show_transfers(app.display, quiet=quiet) as watch,
    ):
        return load_build(session, image, names, watch(ignore, ", ".join(map(str, names))))


def _finish(
    app: App, session: Session, results: Results, result: Built, *, push: bool, quiet: bool
) -> None:
    """Report the built image and push it. A document is printed at the end."""
    pushed: list[str] = []
    _report(results, result, pushed, quiet=quiet)
    try:
        if push:
            _push(app, session, results, result.names, pushed, quiet=quiet)
    finally:
        results.end(single=True)


def _report(results: Results, result: Built, pushed: list[str], *, quiet: bool) -> None:
    """Report the built image. ``pushed`` is filled with names during the push."""
    names = [str(name) for name in result.names]
    name = names[0] if names else ""
    results.add_created(name, result.descriptor, result.image_id, Names=names, Pushed=pushed)
    if quiet:
        results.out(str(result.image_id))
        return
    results.out(f"Digest: {result.descriptor.digest}")
    results.out(f"Successfully built {result.image_id.short}")
    for name in names:
        results.out(f"Successfully tagged {name}")


def _metadata(result: Built) -> dict[str, Any]:
    """Return buildx's build result metadata."""
    return {
        "containerimage.config.digest": str(result.image_id),
        "containerimage.descriptor": result.descriptor.to_json(),
        "containerimage.digest": str(result.descriptor.digest),
        "image.name": ",".join(map(str, result.names)),
    }


def _write(path: str | None, text: str) -> None:
    if path:
        with whole_file(Path(path)) as write:
            write(text.encode())


def _push(
    app: App,
    session: Session,
    results: Results,
    names: tuple[Reference, ...],
    pushed: list[str],
    *,
    quiet: bool,
) -> None:
    def push_one(reference: Reference, out: Out, watch: Watch, workers: Workers) -> PushResult:
        header = f"The push refers to repository [{reference.name}]"
        lines = LineObserver(out, app.warn, PUSH_WORDS, header, quiet=quiet, always=True)
        return push(session, reference, observer=watch(lines, str(reference)), workers=workers)

    def show(result: PushResult) -> None:
        pushed.append(str(result.reference))
        if not quiet:
            root = result.descriptor
            results.out(f"{result.reference.tag}: digest: {root.digest} size: {root.size}")

    run_in_parallel(app, session, names, push_one, show, results=results, title=_title, quiet=quiet)


def _title(reference: Reference) -> str:
    return f"Pushing {reference}"
