"""Check the local store, and fetch damaged content again."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import Overlay
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
    """The result of a check.

    Args:
        images: number of images checked.
        content: amount of data read (bytes).
        faults: the faults, each with the names that it affects.
    """

    images: int
    content: int
    faults: tuple[tuple[Fault, tuple[str, ...]], ...]

    @property
    def broken(self) -> set[Digest]:
        """The digests of missing or damaged content."""
        return {f.descriptor.digest for f, _ in self.faults if f.problem != MISNAMED}

    @property
    def misnamed(self) -> set[Digest]:
        """The digests of images with a wrong name or ID in the list."""
        return {f.descriptor.digest for f, _ in self.faults if f.problem == MISNAMED}


@dataclass(frozen=True, slots=True)
class Repair:
    """The result of repairing one image. ``error``: the reason of a failure."""

    name: str
    error: GhcrctlError | None = None


def check(
    session: Session, *, progress: Callable[[int, int], None] = lambda _done, _all: None
) -> CheckResult:
    """Read all content that images need, and verify its digests.

    Args:
        session: the run.
        progress: receives the bytes read so far, and the total.

    Raises:
        StoreDamagedError: the list of images is damaged.
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
    concerned = _affected_names(session, records, set(faults))
    broken = [(fault, concerned[digest]) for digest, fault in faults.items()]
    misnamed = [(fault, (name,)) for fault, name in check_names(blobs, session.store.entries())]
    return CheckResult(len(roots), read[0], (*broken, *misnamed))


def repair(session: Session, result: CheckResult, observer: Observer = ignore) -> list[Repair]:
    """Fetch damaged content again from its origin; change nothing else.

    The damaged content of an image is set aside just before it is fetched again, and restored if
    that fails, so nothing is lost.
    """
    done: dict[Digest, Repair] = {}
    for record in session.store.records():
        digest = record.descriptor.digest
        touched = result.broken & set(closure(session.store.blobs, [record.descriptor]))
        if touched and (digest not in done or done[digest].error):
            done[digest] = _repair(session, record, touched, observer)
    return list(done.values())


def repair_all(
    session: Session,
    result: CheckResult,
    tell: Callable[[Repair], None] = lambda _: None,
    observer: Observer = ignore,
) -> CheckResult:
    """Repair and check again until nothing more can be repaired: damage may hide other damage.

    Args:
        session: the run.
        result: the result of the last check.
        tell: called with the result for each image.
        observer: receives progress events.

    Returns:
        The result of the last check.
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
    """Remove wrong names and IDs from the list of images, and keep the images.

    Returns:
        The removed entries.
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
        return Repair(name, IntegrityError("it has no registry to fetch it from"))
    try:
        with session.store.blobs.ignore_damaged(broken):
            # An index of selected platforms only exists locally, but the registry has all of its
            # content.
            source = Overlay(session.source(reference), session.store.blobs)
            plan = make_plan(source, StorePlace(session.store), record.descriptor)
            execute(plan, TransferOptions(retry=session.retry), observer)
    except GhcrctlError as error:
        return Repair(name, error)
    return Repair(name)


def _affected_names(
    session: Session, records: list[Record], broken: set[Digest]
) -> dict[Digest, tuple[str, ...]]:
    names: dict[Digest, list[str]] = {digest: [] for digest in broken}
    if not broken:
        return {}
    for record in records:
        for digest in broken & set(closure(session.store.blobs, [record.descriptor])):
            names[digest].append(record.name or record.facts.image_id.short)
    return {digest: tuple(found) for digest, found in names.items()}
