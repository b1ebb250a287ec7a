"""Check the local store, and fetch anew what is broken.

What belongs here: which names a fault concerns, and where its content can come from. What does not:
finding faults (``store``).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory import Overlay
from ghcrctl.errors import GhcrctlError, IntegrityError
from ghcrctl.store.check import MISNAMED, check_content, check_names
from ghcrctl.store.garbage_collection import closure
from ghcrctl.store.image_facts import compute_facts
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.events import ignore
from ghcrctl.transfer.execute import TransferOptions, execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.check import Fault
    from ghcrctl.store.records import Record
    from ghcrctl.transfer.events import Observer


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What a check found.

    Args:
        images: how many were checked.
        content: bytes that were read.
        faults: what is wrong, with the names that it concerns.
    """

    images: int
    content: int
    faults: tuple[tuple[Fault, tuple[str, ...]], ...]

    @property
    def broken(self) -> set[Digest]:
        """The digests of content that is missing or damaged."""
        return {f.descriptor.digest for f, _ in self.faults if f.problem != MISNAMED}

    @property
    def misnamed(self) -> set[Digest]:
        """The digests of images that the list gives a false name or ID."""
        return {f.descriptor.digest for f, _ in self.faults if f.problem == MISNAMED}


@dataclass(frozen=True, slots=True)
class Repair:
    """What became of one image. ``error``: why it could not be mended, if so."""

    name: str
    error: GhcrctlError | None = None


def check(
    session: Session, *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> CheckResult:
    """Read everything that images need and compare it with its digests.

    Args:
        session: the run.
        progress: is told how many bytes were read, and how many there are.

    Raises:
        StoreDamagedError: the list of images itself is damaged.
    """
    records = session.store.records()
    read = [0]

    def count(size: int) -> None:
        read[0] += size
        progress(read[0], total)

    blobs = session.store.blobs
    roots = {record.descriptor.digest: record.descriptor for record in records}
    total = sum(map(blobs.size, closure(blobs, roots.values())))
    faults = check_content(blobs, roots.values(), jobs=session.jobs, progress=count)
    concerned = _concerned(session, records, set(faults))
    broken = [(fault, concerned[digest]) for digest, fault in faults.items()]
    misnamed = [(fault, (name,)) for fault, name in check_names(blobs, session.store.entries())]
    return CheckResult(len(roots), read[0], (*broken, *misnamed))


def repair(session: Session, result: CheckResult, observer: Observer = ignore) -> list[Repair]:
    """Fetch what is broken from where it came from; nothing else is touched.

    Damaged content is put away for each image just before it is fetched anew; where that fails it
    comes back, so that nothing is lost that was there.
    """
    done: dict[Digest, Repair] = {}
    for record in session.store.records():
        digest = record.descriptor.digest
        touched = result.broken & set(closure(session.store.blobs, [record.descriptor]))
        if touched and (digest not in done or done[digest].error):
            done[digest] = _repair(session, record, touched, observer)
    return list(done.values())


def mend(
    session: Session,
    result: CheckResult,
    tell: Callable[[Repair], None] = lambda _: None,
    observer: Observer = ignore,
) -> CheckResult:
    """Repair, and check again, as long as that brings something: below what was damaged is more.

    Args:
        session: the run.
        result: what was found so far.
        tell: is told what became of each image.
        observer: watches what is fetched.

    Returns:
        What is left.
    """
    for name in correct_names(session, result):
        tell(Repair(name))
    result = check(session) if result.misnamed else result
    before: set[Digest] = set()
    while result.broken and result.broken != before:
        before = result.broken
        for done in repair(session, result, observer):
            tell(done)
        result = check(session)
    return result


def correct_names(session: Session, result: CheckResult) -> list[str]:
    """Drop false names and IDs from the list of images; the images stay.

    Returns:
        The entries that were dropped.
    """
    store = session.store

    def correct(record: Record) -> Record:
        root = record.descriptor
        if root.digest not in result.misnamed:
            return record
        facts = record.facts
        # A damaged image keeps its entry until it is fetched again.
        with suppress(GhcrctlError):
            facts = compute_facts(store.blobs, root, store.prefer)
        return replace(record, facts=facts)

    if result.misnamed:
        store.edit(lambda records: [correct(record) for record in records], rewrite=True)
    return [name for f, names in result.faults if f.problem == MISNAMED for name in names]


def _repair(session: Session, record: Record, broken: set[Digest], observer: Observer) -> Repair:
    name = record.name or record.facts.image_id.short
    reference = record.reference
    if reference is None or reference.is_local:
        return Repair(name, IntegrityError("it came from no registry, so it cannot be fetched"))
    try:
        with session.store.blobs.put_away(broken):
            # Of an index of chosen platforms the registry knows nothing, only of what is below it.
            source = Overlay(session.source(reference), session.store.blobs)
            plan = make_plan(source, StorePlace(session.store), record.descriptor)
            execute(plan, TransferOptions(retry=session.retry), observer)
    except GhcrctlError as error:
        return Repair(name, error)
    return Repair(name)


def _concerned(
    session: Session, records: list[Record], broken: set[Digest]
) -> dict[Digest, tuple[str, ...]]:
    names: dict[Digest, list[str]] = {digest: [] for digest in broken}
    if not broken:
        return {}
    for record in records:
        for digest in broken & set(closure(session.store.blobs, [record.descriptor])):
            names[digest].append(record.name or record.facts.image_id.short)
    return {digest: tuple(found) for digest, found in names.items()}
