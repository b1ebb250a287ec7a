"""The journal of a run: what it set out to delete, and what became of it.

What belongs here: which file belongs to which plan, and opening it for one process alone. A run
that was killed is resumed from its journal, and a whole run is undone from it. What does not: the
entries (`journal_entries`).
"""

from __future__ import annotations

import glob
import os
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import AppendedFile, move
from ghcrctl.errors import NotFoundError, StoreReadOnlyError, UsageError
from ghcrctl.github.plan import plans_digest, plans_from_file
from ghcrctl.operations.packages.journal_entries import (
    DONE,
    Content,
    Entry,
    Journal,
    State,
    head_line,
    read_content,
    read_journal,
    read_plan_digest,
)
from ghcrctl.store.disk_errors import disk_errors
from ghcrctl.store.locks import exclusive_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ghcrctl.github.plan import Plan

__all__ = [
    "DONE",
    "Entry",
    "Journal",
    "State",
    "find_journal",
    "journal_beside",
    "opened",
    "opened_to_undo",
    "read_for",
    "read_journal",
]
_SUFFIX = ".journal"


def journal_beside(plan_file: Path) -> Path:
    """Return the path of the journal of a file of plans."""
    return plan_file.with_name(f"{plan_file.name}{_SUFFIX}")


@contextmanager
def opened(path: Path, plans: Sequence[Plan] = ()) -> Iterator[Journal]:
    """Open a journal to append to it, for this process alone.

    A journal belongs to one plan. That of another plan is set aside under a name of its own, so
    that its run can still be undone; one that was set aside earlier comes back for its plan.

    Args:
        path: the file; it is created if it does not exist.
        plans: that are carried out; without them, the file is opened whatever plan it belongs to.

    Raises:
        RefusedError: another process has it open.
        UsageError: the file is something else.
        StoreError: the disk refuses.
    """
    with exclusive_file(path):
        aside = _give_place(path, plans) if plans else None
        found = read_content(path) if path.exists() else Content()
        with disk_errors(f"write {path}"):
            file = AppendedFile(path)
        with closing(file):
            digest = plans_digest(plans) if plans else ""
            _begin(path, file, "" if digest == found.plan else digest)
            yield Journal(file, found.entries, path, aside)


@contextmanager
def opened_to_undo(path: Path, warn: Callable[[str], None]) -> Iterator[Journal]:
    """Open a journal whose run is undone; one that cannot be written is only read.

    Raises:
        RefusedError: another process has it open.
        UsageError: the file is not a journal.
    """
    with ExitStack() as held:
        try:
            journal = held.enter_context(opened(path))
        except StoreReadOnlyError as error:
            warn(f"{error.message}; what is restored is not recorded there")
            journal = Journal(None, read_content(path).entries)
        yield journal


def read_for(path: Path | None, plans: Sequence[Plan]) -> Journal:
    """Return the journal that carrying out plans would continue, without writing anything.

    Args:
        path: the file, which may not exist; ``None`` for none.
        plans: that would be carried out.

    Raises:
        UsageError: the file is something else.
    """
    if path is None:
        return Journal(None, ())
    found = read_content(path) if path.exists() else Content()
    if not (found.entries and _belongs(found, plans)):
        other = _set_aside_for(path, plans_digest(plans))
        found = read_content(other) if other else Content()
    return Journal(None, found.entries)


def find_journal(path: Path) -> Path:
    """Return the journal that a path means: of a journal, or of the plan that it belongs to.

    Raises:
        NotFoundError: there is no such file, and no journal beside it.
        UsageError: the plan was not carried out; the journal beside it belongs to another one.
    """
    beside = journal_beside(path)
    if path.suffix == _SUFFIX or not (beside.exists() or path.exists()):
        found = path
    else:
        found = _journal_of_plan(path, beside)
    if not found.exists():
        raise NotFoundError(f"no such file: {path}, and no journal beside it")
    return found


def _journal_of_plan(path: Path, beside: Path) -> Path:
    plans: list[Plan] = []
    with suppress(NotFoundError, UsageError):
        plans = plans_from_file(path)
    if not plans:
        return beside if beside.exists() else path
    if beside.exists() and _belongs(read_content(beside), plans):
        return beside
    if aside := _set_aside_for(beside, plans_digest(plans)):
        return aside
    if beside.exists():
        raise UsageError(
            f"{path} was not carried out: {beside} belongs to another plan",
            hint=f"undo that one: ghcrctl packages restore --run {beside}",
        )
    raise NotFoundError(f"{path} was not carried out: it has no journal")


def _belongs(content: Content, plans: Sequence[Plan]) -> bool:
    """Check whether a journal is the one of some plans.

    Journals of older versions do not name their plan: theirs is one that lists all their versions.
    """
    if content.plan and content.entries:
        return content.plan == plans_digest(plans)
    planned = {(plan.name, step.id, step.digest) for plan in plans for step in plan.steps}
    planned |= {(plan.name, 0, "") for plan in plans if plan.deletes_package}
    return all((entry.package, entry.id, entry.digest) in planned for entry in content.entries)


def _give_place(path: Path, plans: Sequence[Plan]) -> Path | None:
    """Set aside the journal of another plan; return where it is now."""
    found = read_content(path) if path.exists() else None
    if found and _belongs(found, plans):
        return None
    aside: Path | None = None
    with disk_errors(f"write {path}"):
        if found:
            aside = _name_aside(path, found)
            move(path, aside)
        if mine := _set_aside_for(path, plans_digest(plans)):
            move(mine, path)
    # The names are durable once the journal is open.
    return aside


def _name_aside(path: Path, content: Content) -> Path:
    written = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    run = content.run if _is_name(content.run) else f"{written:%Y%m%dT%H%M%SZ}"
    stem = f"{path.name.removesuffix(_SUFFIX)}.{run}"
    number = 1
    while (found := path.with_name(f"{stem}{_SUFFIX}")).exists():
        number += 1
        stem = f"{path.name.removesuffix(_SUFFIX)}.{run}-{number}"
    return found


def _is_name(run: str) -> bool:
    return run.isascii() and run.replace("-", "").isalnum() and len(run) <= 40


def _set_aside_for(path: Path, digest: str) -> Path | None:
    """Return the journal of a plan that was set aside before; ``None`` if there is none."""
    pattern = f"{glob.escape(path.name.removesuffix(_SUFFIX))}.*{_SUFFIX}"
    others = sorted(path.parent.glob(pattern))
    return next((other for other in others if read_plan_digest(other) == digest), None)


def _begin(path: Path, file: AppendedFile, plan: str) -> None:
    """Write the first line, or end the last one, which a crash may have cut."""
    now = datetime.now(timezone.utc)
    run = f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
    with disk_errors(f"write {path}"):
        is_new = not file.size
        file.append(b"" if is_new else b"\n")
        if is_new or plan:
            file.append(head_line(run, plan))
