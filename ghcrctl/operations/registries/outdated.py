"""Compare local names with their registries to find outdated images."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.content.threads import thread_pool
from ghcrctl.errors import GhcrctlError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.records import Record


class State(Enum):
    """The state of a local name compared with its registry."""

    CURRENT = "current"
    OUTDATED = "outdated"
    GONE = "gone"
    NEVER_PUSHED = "never pushed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Compared:
    """A local name compared with its registry.

    Args:
        reference: the name.
        here: the digest that the repository had for the local image; ``None`` if it never had it.
        there: the digest that the name resolves to at the registry now.
        state: the result of the comparison.
        error: why the registry could not be read.
    """

    reference: Reference
    here: Digest | None
    there: Digest | None
    state: State
    error: GhcrctlError | None = None


def compare(session: Session, names: Sequence[Reference] = ()) -> list[Compared]:
    """Compare local names with their registries, with one request for each name.

    Args:
        session: the run.
        names: repositories, or names with tags; by default, all local names.

    Raises:
        StoreDamagedError: the list of images is damaged.
    """
    wanted = {(name.name, name.tag) for name in names}
    chosen: list[tuple[Reference, Record]] = []
    for record in session.store.records():
        name = record.reference
        if name is None or name.is_local or not name.tag:
            continue
        if not wanted or {(name.name, None), (name.name, name.tag)} & wanted:
            chosen.append((name, record))
    with thread_pool(session.jobs, "outdated") as pool:
        found = pool.map(lambda pair: _compare(session, *pair), chosen)
        return sorted(found, key=lambda one: one.reference)


def _compare(session: Session, name: Reference, record: Record) -> Compared:
    here = record.origin or record.index_digest
    try:
        there = session.source(name).digest_of(name.target)
    except NotFoundError:
        return Compared(name, here, None, State.GONE if here else State.NEVER_PUSHED)
    except GhcrctlError as error:
        return Compared(name, here, None, State.UNKNOWN, error)
    state = State.CURRENT if there in {here, record.descriptor.digest} else State.OUTDATED
    return Compared(name, here, there, state)
