"""Build: have an engine make an image, and take that into the local store.

What belongs here: what is checked first, where the image is on its way, and its names here. What
does not: which engine, and how it is driven (``engines``).
"""

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

# What engines fetch by themselves: any address, git's short form, and docker's for GitHub.
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*://|[\w.-]+@[\w.-]+:|github\.com/")


@dataclass(frozen=True, slots=True)
class Built:
    """What a build made.

    Args:
        names: what it is called here, each with its tag.
        descriptor: what the store has.
        image_id: its ID.
    """

    names: tuple[Reference, ...]
    descriptor: Descriptor
    image_id: Digest


def checked_names(
    session: Session, names: Sequence[str], *, push: bool = False
) -> tuple[Reference, ...]:
    """Read the names that an image is to have, before any time goes into building it.

    Args:
        session: the run.
        names: as they were typed.
        push: whether they are to be pushed.

    Raises:
        UsageError: a name has a digest or reads as one; or none is given, and it is to be pushed.
        RefusedError: a name is local, where it is to be pushed.
    """
    references = [session.parse(name) for name in names]
    for reference in map(check_new_name, references):
        if reference.digest:
            raise UsageError(f"an image to be built cannot be called by a digest: {reference}")
        if push and reference.is_local:
            raise _unpushable(reference)
    if push and not references:
        raise UsageError("nothing to push: the image has no name", hint="name it with -t NAME")
    return tuple(dict.fromkeys(reference.tagged() for reference in references))


def engine_for(session: Session) -> Engine:
    """Choose the engine that builds.

    Raises:
        UnsupportedError: there is none, or not the one that is wanted.
    """
    engine = choose_engine(session.settings.get("builder"), session.settings.environ)
    if session.debug:
        session.debug(f"build with {engine.name}")
    return engine


@contextmanager
def built(
    session: Session,
    engine: Engine,
    order: BuildRequest,
    *,
    quiet: bool = False,
    tell: Callable[[str], None],
    relay: Callable[[str], None] | None = None,
) -> Iterator[Path]:
    """Build an image.

    The engine writes to our standard output and error. What it makes is gone when this ends.

    Args:
        session: the run.
        engine: who builds.
        order: what; where SOURCE_DATE_EPOCH is set, with its time.
        quiet: keep the engine's output back.
        tell: is given what was kept back of a build that fails.
        relay: is given the engine's output line by line, instead of letting the engine write it.

    Yields:
        An archive, or a directory with an OCI layout.

    Raises:
        NotFoundError: there is no such context.
        UnsupportedError: the engine lacks something, or failed.
        StoreError: there is no room, or no permission, beside the store.
    """
    _check_context(order.context)
    date = session.settings.source_date
    order = replace(order, timestamp=int(date.timestamp()) if date else None)
    with _workplace(session) as folder:
        runner = Runner(
            session.settings.environ,
            folder / "log",
            quiet=quiet,
            tell=tell,
            debug=session.debug,
            relay=relay,
        )
        yield run_build(engine, order, folder, runner)


def take_in(
    session: Session, image: Path, names: Sequence[Reference], observer: Observer = ignore
) -> Built:
    """Take a built image into the local store.

    Args:
        session: the run.
        image: an archive or a layout, of one image.
        names: what it is called here; without any it has no name.
        observer: watches.

    Raises:
        IntegrityError: the engine wrote something else.
    """
    [loaded] = load(session, image, name=names[0] if names else None, observer=observer)
    if len(names) > 1:
        tag(session, str(names[0]), names[1:])
    return Built(tuple(names), loaded.descriptor, loaded.image_id)


def _unpushable(reference: Reference) -> RefusedError:
    named = f"ghcr.io/OWNER/{reference.tagged()}"
    return RefusedError(
        f"`{reference}` is a local name: it belongs to no registry",
        hint=f"name it for one: ghcrctl build -t {named} --push",
    )


def _check_context(context: str) -> None:
    if context == "-" or _REMOTE.match(context):
        return
    if not Path(context).is_dir():
        raise NotFoundError(
            f"no such directory to build from: {context}",
            hint="often it is this one: ghcrctl build .",
        )


@contextmanager
def _workplace(session: Session) -> Iterator[Path]:
    """Make a directory beside the store, which goes when this ends."""
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
