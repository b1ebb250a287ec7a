"""``ghcrctl manifest``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ghcrctl.cli.command_classes import Command, Group
from ghcrctl.cli.commands.making.artifact import read_annotations
from ghcrctl.cli.commands.making.flatten import local_option, place_options
from ghcrctl.cli.format.docker_types import MANIFEST
from ghcrctl.cli.format.documents import Documents
from ghcrctl.cli.index_change import changing, push_option
from ghcrctl.cli.options import digest_file_option, format_option, pass_app, registry_options
from ghcrctl.cli.progress.transfer_lines import show_transfers
from ghcrctl.cli.results import Results
from ghcrctl.errors import UsageError
from ghcrctl.oci.manifest import Manifest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.common.index_entries import EntryChange
from ghcrctl.operations.making import index_changes
from ghcrctl.operations.making.indexes import (
    parse_index_target,
    parse_source,
    read_entries,
    read_manifest,
)
from ghcrctl.operations.making.manifest_lists import (
    read_list_entry,
    read_local_entries,
    read_local_index,
    remove_list,
)
from ghcrctl.operations.moving.push_index import push_index as publish_index
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.cli.app import App
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.manifest import Index
    from ghcrctl.operations.making.indexes import IndexTarget


@click.group(cls=Group, short_help="Manage image manifests and manifest lists")
def command() -> None:
    """Manage image manifests and manifest lists, at a registry or in the local store.

    A manifest list, which OCI calls an image index, has one image per platform.
    """


@command.command(
    "inspect",
    cls=Command,
    short_help="Display an image manifest, or manifest list",
    examples="""
    ghcrctl manifest inspect OWNER/IMAGE:1.0
    ghcrctl manifest inspect --raw OWNER/IMAGE:1.0 | sha256sum
    ghcrctl manifest inspect --verbose OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="[MANIFEST_LIST] MANIFEST")
@click.argument("manifest", metavar="", required=False)
@click.option("--raw", is_flag=True, help="Print the original bytes.")
@click.option("-v", "--verbose", is_flag=True, help="Also print the manifests in a manifest list.")
@local_option
@format_option
@registry_options
@pass_app
def inspect(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    name: str,
    manifest: str | None,
    raw: bool,
    verbose: bool,
    local: bool,
    format_: str | None,
) -> None:
    """Display an image manifest or manifest list, or one image of a list, without pulling.

    A local manifest list that is not pushed yet takes precedence. The output is always JSON with
    the keys of the manifest, and templates use the same keys.
    """
    if raw and (verbose or format_):
        raise UsageError("--raw cannot be combined with --verbose or --format")
    documents = Documents(format_ or "json")
    with app.session() as session:
        end = parse_source(session, name, local=local)
        if manifest:
            entry = read_list_entry(session, end, manifest)
            entries, content = [(entry.descriptor, entry)], entry.raw
        elif verbose:
            entries = read_local_entries(session, end) or read_entries(session, end)
        else:
            content = (read_local_index(session, end) or read_manifest(session, end)).raw
    if verbose:
        found = [_verbose(end, *entry) for entry in entries]
        single = len(found) == 1 and "platform" not in found[0]["Descriptor"]
        app.write(documents.one(found[0]) if single else documents.many(found))
    elif raw:
        app.write_bytes(content)
    else:
        parsed = json.loads(content)
        app.write(documents.one(MANIFEST.value(parsed) if documents.has_template else parsed))


def _verbose(end: IndexTarget, descriptor: Descriptor, parsed: Manifest | Index) -> dict[str, Any]:
    """Return an entry of the list under docker's names."""
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
    short_help="Create a local manifest list for annotating and pushing",
    examples="""
    ghcrctl manifest create OWNER/IMAGE:1.0 OWNER/IMAGE:1.0-amd64 OWNER/IMAGE:1.0-arm64
    ghcrctl manifest create --push --annotation org.opencontainers.image.version=1.0 OWNER/X:1 A B
    ghcrctl manifest create --local both:1.0 one:1.0 other:1.0
    """,
)
@click.argument("target", metavar="MANIFEST_LIST")
@click.argument("sources", metavar="MANIFEST...", nargs=-1, required=True)
@click.option("-a", "--amend", is_flag=True, help="Amend an existing manifest list.")
@click.option(
    "--replace", is_flag=True, help="Start from an empty list and replace an existing tag."
)
@click.option(
    "--annotation",
    "annotations",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set an annotation on the manifest list.",
)
@push_option
@place_options
@registry_options
@pass_app
def create(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    sources: tuple[str, ...],
    amend: bool,
    replace: bool,
    annotations: tuple[str, ...],
    push: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Create a manifest list from images, or from the images of indexes.

    The list is stored locally until you run `ghcrctl manifest push`. --push pushes it immediately.
    An existing list or tag is only replaced with --amend or --replace. With --local or a local
    name, the list is written to the local store.
    """
    results = Results(app, format_, digest_file)
    with changing(app, results, target, local=local, quiet=quiet) as change:
        created = index_changes.create(
            change.session,
            change.end,
            change.sources(sources),
            annotations=read_annotations(annotations),
            amend=amend,
            replace=replace,
            push=push,
            observer=change.observer,
        )
        change.report(created, push=push, word="Created")


@command.command(
    "add",
    cls=Command,
    short_help="Add images to a manifest list",
    examples="""
    ghcrctl manifest add --push OWNER/IMAGE:1.0 OWNER/IMAGE:1.0-s390x
    """,
)
@click.argument("target", metavar="MANIFEST_LIST")
@click.argument("sources", metavar="MANIFEST...", nargs=-1, required=True)
@push_option
@place_options
@registry_options
@pass_app
def add(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    sources: tuple[str, ...],
    push: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Add images to a manifest list, stored locally or at the registry.

    An image for the same platform is replaced. Nothing is pushed until you run `ghcrctl manifest
    push`, unless --push is given.
    """
    results = Results(app, format_, digest_file)
    with changing(app, results, target, local=local, quiet=quiet) as change:
        ends = change.sources(sources)
        created = index_changes.add(
            change.session, change.end, ends, push=push, observer=change.observer
        )
        change.report(created, push=push)


@command.command(
    "remove",
    cls=Command,
    short_help="Remove images from a manifest list",
    examples="""
    ghcrctl manifest remove --push OWNER/IMAGE:1.0 linux/s390x
    """,
)
@click.argument("target", metavar="MANIFEST_LIST")
@click.argument("chosen", metavar="MANIFEST|PLATFORM|DIGEST...", nargs=-1, required=True)
@push_option
@place_options
@registry_options
@pass_app
def remove(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    chosen: tuple[str, ...],
    push: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Remove images and their attestations from a manifest list.

    The images themselves are kept. Nothing is pushed until you run `ghcrctl manifest push`, unless
    --push is given.
    """
    results = Results(app, format_, digest_file)
    with changing(app, results, target, local=local, quiet=quiet) as change:
        created = index_changes.remove(
            change.session, change.end, chosen, push=push, observer=change.observer
        )
        change.report(created, push=push)


@command.command(
    "annotate",
    cls=Command,
    short_help="Add additional information to a local image manifest",
    examples="""
    ghcrctl manifest annotate --arch arm64 --variant v8 OWNER/IMAGE:1.0 OWNER/IMAGE:1.0-arm64
    ghcrctl manifest annotate --annotation org.opencontainers.image.title=Hello OWNER/IMAGE:1.0
    ghcrctl manifest annotate --set-platform windows/amd64 OWNER/IMAGE:1.0 sha256:82d1e9d7...
    """,
)
@click.argument("target", metavar="MANIFEST_LIST")
@click.argument("chosen", metavar="[MANIFEST|PLATFORM|DIGEST]", required=False, default="")
@click.option("--os", metavar="OS", help="Set operating system.")
@click.option("--arch", metavar="ARCH", help="Set architecture.")
@click.option("--variant", metavar="VARIANT", help="Set architecture variant.")
@click.option("--os-version", metavar="VERSION", help="Set operating system version.")
@click.option(
    "--os-features", metavar="FEATURES", multiple=True, help="Set operating system feature."
)
@click.option("--set-platform", metavar="OS/ARCH[/VARIANT]", help="Set the whole platform.")
@click.option(
    "--annotation",
    "annotations",
    metavar="KEY=VALUE",
    multiple=True,
    help="Set an annotation, or remove it with an empty value.",
)
@push_option
@place_options
@registry_options
@pass_app
def annotate(  # noqa: PLR0913 one argument an option
    app: App,
    *,
    target: str,
    chosen: str,
    os: str | None,
    arch: str | None,
    variant: str | None,
    os_version: str | None,
    os_features: tuple[str, ...],
    set_platform: str | None,
    annotations: tuple[str, ...],
    push: bool,
    local: bool,
    quiet: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Set the platform or annotations of an entry, or annotations of the list itself.

    Nothing is pushed until you run `ghcrctl manifest push`, unless --push is given.
    """
    results = Results(app, format_, digest_file)
    features = tuple(each for text in os_features for each in text.split(",") if each)
    wanted = EntryChange(
        read_annotations(annotations, empty=True),
        Platform.parse(set_platform) if set_platform else None,
        os_version,
        os,
        arch,
        variant,
        features if os_features else None,
    )
    with changing(app, results, target, local=local, quiet=quiet) as change:
        created = index_changes.annotate(
            change.session, change.end, chosen, wanted, push=push, observer=change.observer
        )
        change.report(created, push=push)


@command.command(
    "push",
    cls=Command,
    short_help="Push a manifest list to a repository",
    examples="""
    ghcrctl manifest create OWNER/IMAGE:1.0 OWNER/IMAGE:amd64 OWNER/IMAGE:arm64
    ghcrctl manifest push --purge OWNER/IMAGE:1.0
    """,
)
@click.argument("name", metavar="MANIFEST_LIST")
@click.option("-p", "--purge", is_flag=True, help="Remove the local manifest list after push.")
@click.option("--replace", is_flag=True, help="Replace the tag, no matter what it points to.")
@digest_file_option
@format_option
@registry_options
@pass_app
def push_index(
    app: App,
    *,
    name: str,
    purge: bool,
    replace: bool,
    digest_file: Path | None,
    format_: str | None,
) -> None:
    """Push a manifest list with all of its images, and print its digest."""
    results = Results(app, format_, digest_file)
    with app.session() as session, show_transfers(app.display, quiet=False) as watch:
        created = publish_index(
            session,
            parse_index_target(session, name, local=False),
            purge=purge,
            replace=replace,
            observer=watch(ignore, name),
        )
    previous = str(created.previous) if created.previous else None
    results.add_created(str(created.reference), created.descriptor, Previous=previous)
    results.out(str(created.digest))
    results.end(single=True)


@command.command(
    "rm",
    cls=Command,
    short_help="Delete one or more manifest lists from local storage",
    examples="""
    ghcrctl manifest rm OWNER/IMAGE:1.0
    """,
)
@click.argument("names", metavar="MANIFEST_LIST...", nargs=-1, required=True)
@format_option
@pass_app
def remove_lists(app: App, *, names: tuple[str, ...], format_: str | None) -> None:
    """Delete local manifest lists. Registries are not changed."""
    results = Results(app, format_)
    with app.session() as session:
        for name in names:
            end = parse_index_target(session, name, local=False)
            remove_list(session, end)
            results.add({"Name": str(end.reference)})
    results.end()
