"""``ghcrctl build``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from ghcrctl.cli.format.format_option import told_apart
from ghcrctl.cli.options import Command, digest_file_option, pass_app, registry_options
from ghcrctl.cli.ordered_output import in_turn
from ghcrctl.cli.path_types import PATH_OR_DASH
from ghcrctl.cli.progress.transfer_lines import PUSH_WORDS, LineObserver, watching
from ghcrctl.cli.results import Results
from ghcrctl.engines.build_request import BuildRequest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.build import built, checked_names, engine_for, take_in
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


def _list(*names: str, metavar: str, help: str) -> Callable[[Function], Function]:  # noqa: A002 click's word
    """Make an option that may be given several times."""
    return click.option(*names, metavar=metavar, multiple=True, help=help)


@click.command(
    cls=Command,
    short_help="Build an image from a Dockerfile",
    examples="""
    ghcrctl build -t hello_docker .
    ghcrctl build -t OWNER/IMAGE:1.0 --build-arg VERSION=1.0 --push .
    ghcrctl build -t OWNER/IMAGE --platform linux/amd64,linux/arm64 --builder buildah .
    """,
)
@click.argument("context", metavar="DIR|URL|-")
@_list("-t", "--tag", "names", metavar="NAME[:TAG]", help="Name of the image.")
@click.option(
    "-f",
    "--file",
    metavar="FILE",
    type=PATH_OR_DASH,
    help="Dockerfile, if not the context's usual one.",
)
@_list(
    "--platform",
    "platforms",
    metavar="OS/ARCH[/VARIANT]",
    help="Platform to build for; several make an index.",
)
@_list("--build-arg", "build_args", metavar="NAME[=VALUE]", help="Value of an ARG.")
@_list("--label", "labels", metavar="NAME=VALUE", help="Label of the image.")
@click.option("--target", metavar="STAGE", help="Stage to stop at.")
@_list("--secret", "secrets", metavar="id=ID[,src=FILE]", help="File that build steps may read.")
@_list("--ssh", metavar="default|ID=SOCKET", help="SSH agent that build steps may use.")
@click.option("--network", metavar="MODE", help="Network of build steps: `host`, `none`...")
@_list("--cache-from", metavar="PLACE", help="Where to look for steps that were done before.")
@_list("--cache-to", metavar="PLACE", help="Where to leave steps for the next build.")
@click.option("--no-cache", is_flag=True, help="Do every step, whatever was done before.")
@click.option("--pull", "pull", is_flag=True, help="Look for newer base images.")
@click.option(
    "--format",
    "formats",
    metavar="oci|docker|FORMAT",
    multiple=True,
    help="Format of the image, the engine's usual one by default; also json or a Go template, for "
    "what is printed.",
)
@click.option("--push", "is_pushed", is_flag=True, help="Push all names when it is built.")
@click.option(
    "--iidfile", metavar="FILE", type=PATH_OR_DASH, help="File to write the image's ID to."
)
@click.option(
    "--metadata-file",
    metavar="FILE",
    type=PATH_OR_DASH,
    help="File to write digest, ID and names to.",
)
@click.option(
    "-q", "--quiet", is_flag=True, help="Print the image's ID; of a build that fails, everything."
)
@click.option(
    "--builder",
    metavar="auto|buildx|buildah|podman|docker",
    help="What does the build steps; the first that is there, by default.",
)
@_list(
    "--builder-arg",
    "more",
    metavar="ARG",
    help="Further option of the engine's own, such as --builder-arg=--isolation=chroot.",
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
    """Build an image from a Dockerfile, and take it into the local store.

    An engine that is on this machine does the build steps: docker buildx, buildah, podman or
    docker, the first that works. It keeps no name of the image.
    """
    app.flags["builder"] = builder
    kind, format_ = told_apart(formats, ["oci", "docker"])
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
        references = checked_names(session, names, push=is_pushed)
        # The engine writes to where the document goes.
        held = quiet or results.are_documents
        result = _build(app, session, order, references, quiet=held)
        _write(iidfile, str(result.image_id))
        _write(metadata_file, f"{json.dumps(_metadata(result), indent=2)}\n")
        _tell(app, session, results, result, push=is_pushed, quiet=quiet)


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
    engine = engine_for(session)
    # What an engine prints may contain commands to the runner of a job.
    relay = app.foreign_line if app.is_in_job else None
    # Bars come second, when the engine has ended: they would write over its output.
    with (
        built(session, engine, order, quiet=quiet, tell=app.error_line, relay=relay) as image,
        watching(app.display, quiet=quiet) as watch,
    ):
        return take_in(session, image, names, watch(ignore, ", ".join(map(str, names))))


def _tell(
    app: App, session: Session, results: Results, result: Built, *, push: bool, quiet: bool
) -> None:
    """Tell of what was built, and push it; what is told as a document is told in the end."""
    pushed: list[str] = []
    _report(results, result, pushed, quiet=quiet)
    try:
        if push:
            _push(app, session, results, result.names, pushed, quiet=quiet)
    finally:
        results.end(single=True)


def _report(results: Results, result: Built, pushed: list[str], *, quiet: bool) -> None:
    """Tell of what was built. ``pushed``: gets the names that were pushed afterwards."""
    names = [str(name) for name in result.names]
    name = names[0] if names else ""
    results.made(name, result.descriptor, result.image_id, Names=names, Pushed=pushed)
    if quiet:
        results.out(str(result.image_id))
        return
    results.out(f"Digest: {result.descriptor.digest}")
    results.out(f"Successfully built {result.image_id.short}")
    for name in names:
        results.out(f"Successfully tagged {name}")


def _metadata(result: Built) -> dict[str, Any]:
    """Describe what was built in buildx's words."""
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
    def act(reference: Reference, out: Out, watch: Watch, workers: Workers) -> PushResult:
        header = f"The push refers to repository [{reference.name}]"
        lines = LineObserver(out, app.warn, PUSH_WORDS, header, quiet=quiet, always=True)
        return push(session, reference, observer=watch(lines, str(reference)), workers=workers)

    def show(result: PushResult) -> None:
        pushed.append(str(result.reference))
        if not quiet:
            root = result.descriptor
            results.out(f"{result.reference.tag}: digest: {root.digest} size: {root.size}")

    in_turn(app, session, names, act, show, results=results, title=_title, quiet=quiet)


def _title(reference: Reference) -> str:
    return f"Pushing {reference}"
