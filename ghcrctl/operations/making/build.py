"""Build an image with a build engine, and load it into the local store."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.disk.removal import remove_tree
from ghcrctl.engines.choose_engine import choose_engine
from ghcrctl.engines.command_runner import Runner
from ghcrctl.engines.run_build import run_build
from ghcrctl.errors import NotFoundError, RefusedError, UsageError
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.archives.load import load
from ghcrctl.operations.images.tag import tag
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.scratch import held, scratch_name
from ghcrctl.transfer.events import ignore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ghcrctl.engines.build_request import BuildRequest, Engine
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Observer

# Contexts that engines fetch themselves: URLs, git's short form, and docker's for GitHub.
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:|github\.com/")


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build.

    Args:
        names: the names in the store, each with its tag.
        descriptor: the manifest or index in the store.
        image_id: the image's ID.
    """

    names: tuple[Reference, ...]
    descriptor: Descriptor
    image_id: Digest


def parse_names(
    session: Session, names: Sequence[str], *, push: bool = False
) -> tuple[Reference, ...]:
    """Parse the names for a new image before it is built.

    Args:
        session: the run.
        names: the names as the user wrote them.
        push: whether the image will be pushed.

    Raises:
        UsageError: a name has a digest or looks like one; or there is no name to push to.
        RefusedError: a name to push to is local.
    """
    references = [session.parse(name) for name in names]
    for reference in map(check_new_name, references):
        if reference.digest:
            raise UsageError(f"cannot name an image {reference}: expected a tag, not a digest")
        if push and reference.is_local:
            raise _local_name_error(reference)
    if push and not references:
        raise UsageError("nothing to push: the image has no name", hint="add: -t NAME")
    return tuple(dict.fromkeys(reference.tagged() for reference in references))


def configured_engine(session: Session) -> Engine:
    """Choose the build engine.

    Raises:
        UnsupportedError: no engine is available, or not the one in the settings.
    """
    engine = choose_engine(session.settings.get("builder"), session.settings.environ)
    if session.debug:
        session.debug(f"build with {engine.name}")
    return engine


@contextmanager
def build_image(
    session: Session,
    engine: Engine,
    order: BuildRequest,
    *,
    quiet: bool = False,
    tell: Callable[[str], None],
    relay: Callable[[str], None] | None = None,
) -> Iterator[Path]:
    """Build an image.

    The engine writes to standard output and error. The result is deleted at the end of the block.

    Args:
        session: the run.
        engine: the engine.
        order: the build request; SOURCE_DATE_EPOCH sets its time.
        quiet: hide the engine's output.
        tell: receives the hidden output of a failed build.
        relay: receives the engine's output line by line; the engine then does not write it.

    Yields:
        An archive, or a directory with an OCI layout.

    Raises:
        NotFoundError: the context does not exist.
        UnsupportedError: the engine lacks a feature, or failed.
        StoreError: a temporary directory cannot be created next to the store.
    """
    _check_context(order.context)
    date = session.settings.source_date
    order = replace(order, timestamp=int(date.timestamp()) if date else None)
    with _build_directory(session) as folder:
        runner = Runner(
            session.settings.environ,
            folder / "log",
            quiet=quiet,
            tell=tell,
            debug=session.debug,
            relay=relay,
        )
        yield run_build(engine, order, folder, runner)


def load_build(
    session: Session, image: Path, names: Sequence[Reference], observer: Observer = ignore
) -> Built:
    """Load a built image into the local store.

    Args:
        session: the run.
        image: an archive or a layout with one image.
        names: the names in the store; may be empty.
        observer: receives progress events.

    Raises:
        IntegrityError: the engine's output is not a valid image.
    """
    [loaded] = load(session, image, name=names[0] if names else None, observer=observer)
    if len(names) > 1:
        tag(session, str(names[0]), names[1:])
    return Built(tuple(names), loaded.descriptor, loaded.image_id)


def _local_name_error(reference: Reference) -> RefusedError:
    named = f"ghcr.io/OWNER/{reference.tagged()}"
    return RefusedError(
        f"`{reference}` is a local name: it belongs to no registry",
        hint=f"use a name with a registry: ghcrctl build -t {named} --push",
    )


def _check_context(context: str) -> None:
    if context == "-" or _REMOTE.match(context):
        return
    if not Path(context).is_dir():
        raise NotFoundError(
            f"no such directory: {context}",
            hint="to build from the current directory: ghcrctl build .",
        )


@contextmanager
def _build_directory(session: Session) -> Iterator[Path]:
    """Yield a temporary directory next to the store."""
    session.store.prepare()
    session.store.sweep()
    beside = session.store.root / "ghcrctl"
    with disk_errors(f"write into {beside}"):
        folder = (beside / scratch_name("build")).absolute()
        folder.mkdir(mode=0o700)
    try:
        with held(folder):
            yield folder
    finally:
        remove_tree(folder)
