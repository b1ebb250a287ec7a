"""``ghcrctl manifest``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.commands.artifact import read_annotations
from ghcrctl.cli.commands.flatten import local_option, place_options
from ghcrctl.cli.format.docker_types import MANIFEST
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.made import report_made
from ghcrctl.cli.options import (
    Command,
    Group,
    digest_file_option,
    format_option,
    pass_app,
    registry_options,
)
from ghcrctl.cli.progress import COPY_WORDS, LineObserver, watching
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.manifest import Manifest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.indexes import (
    Change,
    NewImage,
    add_to_index,
    annotate_index,
    create_index,
    end_of,
    read_entries,
    read_manifest,
    remove_from_index,
)
from ghcrctl.operations.push import push
from ghcrctl.operations.remove import remove as remove_name
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index
    from ghcrctl.operations.indexes import End


@click.group(cls=Group, short_help="Look at manifests, and make and change indexes")
def command() -> None:
    """Look at manifests, and make and change indexes, at a registry or in the local store.

    An index lists images, mostly one a platform; docker calls it a manifest list.
    """


@command.command(
    "inspect",
    cls=Command,
    short_help="Print a manifest or an index",
    examples="""
    ghcrctl manifest inspect OWNER/IMAGE:1.0
    ghcrctl manifest inspect --raw OWNER/IMAGE:1.0 | sha256sum
    ghcrctl manifest inspect --verbose OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
@click.option("--raw", is_flag=True, help="Print the bytes as they are.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Print what an index lists too, as docker does."
)
@local_option
@format_option
@registry_options
@pass_app
def inspect(
    app: App, *, name: str, raw: bool, verbose: bool, local: bool, format_: str | None
) -> None:
    """Print a manifest or an index, pulling nothing.

    It is JSON in any case, with the registry's own keys; a template asks for these.
    """
    if raw and (verbose or format_):
        raise UsageError("--raw prints bytes as they are, and goes with no --verbose or --format")
    documents = Documents(format_ or "json")
    with app.session() as session:
        end = end_of(session, name, local=local)
        if verbose:
            found = [_verbose(end, *entry) for entry in read_entries(session, end)]
            single = len(found) == 1 and "platform" not in found[0]["Descriptor"]
            app.write(documents.one(found[0]) if single else documents.many(found))
            return
        content = read_manifest(session, end).raw
    if raw:
        app.write_bytes(content)
    else:
        parsed = json.loads(content)
        app.write(documents.one(MANIFEST.value(parsed) if documents.has_template else parsed))


def _verbose(end: End, descriptor: Descriptor, parsed: Manifest | Index) -> dict[str, Any]:
    """Put an entry into docker's words."""
    oci = "oci" in parsed.descriptor.media_type
    key = ("OCI" if oci else "SchemaV2") + ("Manifest" if isinstance(parsed, Manifest) else "Index")
    return {
        "Ref": f"{end.reference.name}@{descriptor.digest}",
        "Descriptor": descriptor.to_json(),
        key: json.loads(parsed.raw),
    }


@command.command(
    "create",
    cls=Command,
    short_help="Make an index of images",
    examples="""
    ghcrctl manifest create OWNER/IMAGE:1.0 OWNER/IMAGE:1.0-amd64 OWNER/IMAGE:1.0-arm64
    ghcrctl manifest create --annotation org.opencontainers.image.version=1.0 OWNER/IMAGE:1 A B
    ghcrctl manifest create --local both:1.0 one:1.0 other:1.0
    """,
)
@click.argument("target", metavar="INDEX")
@click.argument("sources", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--annotation", "annotations", metavar="KEY=VALUE", multiple=True)
@place_options
@registry_options
@pass_app
def create(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    sources: tuple[str, ...],
    annotations: tuple[str, ...],
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Make an index of images, at a registry straight away or in the local store.

    Images of other repositories are copied to the index's. What has the name is replaced.
    """
    results = Results(app, format_, digest_file)
    with app.session() as session, watching(app, quiet=quiet) as watch:
        end = end_of(session, target, local=local)
        ends = [end_of(session, source, local=local) for source in sources]
        made = create_index(
            session,
            end,
            ends,
            annotations=read_annotations(annotations),
            observer=watch(_lines(app, results, quiet=quiet), str(end.reference)),
        )
        report_made(results, session, NewImage(end, made), quiet=quiet)


@command.command(
    "add",
    cls=Command,
    short_help="Add images to an index",
    examples="""
    ghcrctl manifest add OWNER/IMAGE:1.0 OWNER/IMAGE:1.0-s390x
    """,
)
@click.argument("target", metavar="INDEX")
@click.argument("sources", metavar="IMAGE...", nargs=-1, required=True)
@place_options
@registry_options
@pass_app
def add(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    sources: tuple[str, ...],
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Add images to an index; one for the same platform takes the place of another."""
    results = Results(app, format_, digest_file)
    with app.session() as session, watching(app, quiet=quiet) as watch:
        end = end_of(session, target, local=local)
        ends = [end_of(session, source, local=local) for source in sources]
        made = add_to_index(
            session, end, ends, watch(_lines(app, results, quiet=quiet), str(end.reference))
        )
        report_made(results, session, NewImage(end, made), quiet=quiet)


@command.command(
    "remove",
    cls=Command,
    short_help="Take images out of an index",
    examples="""
    ghcrctl manifest remove OWNER/IMAGE:1.0 linux/s390x
    """,
)
@click.argument("target", metavar="INDEX")
@click.argument("chosen", metavar="PLATFORM|DIGEST...", nargs=-1, required=True)
@place_options
@registry_options
@pass_app
def remove(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    chosen: tuple[str, ...],
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Take images out of an index, and what attests them; they themselves stay."""
    results = Results(app, format_, digest_file)
    with app.session() as session:
        end = end_of(session, target, local=local)
        made = remove_from_index(session, end, chosen)
        report_made(results, session, NewImage(end, made), quiet=quiet)


@command.command(
    "annotate",
    cls=Command,
    short_help="Set annotations of an index or of an entry",
    examples="""
    ghcrctl manifest annotate --annotation org.opencontainers.image.title=Hello OWNER/IMAGE:1.0
    ghcrctl manifest annotate --set-platform windows/amd64 OWNER/IMAGE:1.0 sha256:82d1e9d7...
    """,
)
@click.argument("target", metavar="INDEX")
@click.argument("chosen", metavar="[PLATFORM|DIGEST]", required=False, default="")
@click.option(
    "--annotation",
    "annotations",
    metavar="KEY=VALUE",
    multiple=True,
    help="Annotation to set; one without a value is taken away.",
)
@click.option("--set-platform", metavar="OS/ARCH[/VARIANT]", help="What the entry is for.")
@click.option("--os-version", metavar="VERSION", help="The entry's os.version (Windows).")
@place_options
@registry_options
@pass_app
def annotate(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    chosen: str,
    annotations: tuple[str, ...],
    set_platform: str | None,
    os_version: str | None,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Set annotations of an index, or of one of its entries, or what an entry is for."""
    results = Results(app, format_, digest_file)
    with app.session() as session:
        end = end_of(session, target, local=local)
        change = Change(
            read_annotations(annotations, empty=True),
            Platform.parse(set_platform) if set_platform else None,
            os_version,
        )
        made = annotate_index(session, end, chosen, change)
        report_made(results, session, NewImage(end, made), quiet=quiet)


@command.command(
    "push",
    cls=Command,
    short_help="Send an index of the local store to its registry",
    examples="""
    ghcrctl manifest create --local OWNER/IMAGE:1.0 OWNER/IMAGE:amd64 OWNER/IMAGE:arm64
    ghcrctl manifest push --purge OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="INDEX")
@click.option("-p", "--purge", is_flag=True, help="Remove the local name afterwards.")
@digest_file_option
@format_option
@registry_options
@pass_app
def push_index(
    app: App, *, name: str, purge: bool, digest_file: Path | None, format_: str | None
) -> None:
    """Send an index of the local store to its registry, with all that it lists; as `push` does.

    Prints the digest that it has there.
    """
    results = Results(app, format_, digest_file)
    with app.session() as session, watching(app, quiet=False) as watch:
        pushed = push(session, session.parse(name), observer=watch(ignore, name), force=True)
        if purge:
            remove_name(session, str(pushed.reference))
    results.made(str(pushed.reference), pushed.descriptor)
    results.out(str(pushed.descriptor.digest))
    results.end(single=True)


def _lines(app: App, results: Results, *, quiet: bool) -> LineObserver:
    return LineObserver(results.out, app.warn, COPY_WORDS, "", quiet=quiet)
