"""The journal of a run of deletions: its planned deletions and their results.

A run that was killed is resumed from its journal, and a whole run is undone from it. A journal is
open in one process at a time.
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
    "open_journal",
    "open_journal_for_undo",
    "read_continued_journal",
    "read_journal",
]
_SUFFIX = ".journal"


def journal_beside(plan_file: Path) -> Path:
    """Return the path of the journal for a plan file."""
    return plan_file.with_name(f"{plan_file.name}{_SUFFIX}")


@contextmanager
def open_journal(path: Path, plans: Sequence[Plan] = ()) -> Iterator[Journal]:
    """Open a journal for appending, with exclusive access.

    A journal belongs to one plan. The journal of another plan is renamed so that its run can
    still be undone; a journal that was renamed earlier is used again for its plan.

    Args:
        path: the file; created if it does not exist.
        plans: the plans to apply; without them, the journal of any plan is opened.

    Raises:
        RefusedError: another process has it open.
        UsageError: the file is not a journal.
        StoreError: the file cannot be written.
    """
    with exclusive_file(path):
        aside = _set_aside_other(path, plans) if plans else None
        found = read_content(path) if path.exists() else Content()
        with disk_errors(f"write {path}"):
            file = AppendedFile(path)
        with closing(file):
            digest = plans_digest(plans) if plans else ""
            _write_head(path, file, "" if digest == found.plan else digest)
            yield Journal(file, found.entries, path, aside)


@contextmanager
def open_journal_for_undo(path: Path, warn: Callable[[str], None]) -> Iterator[Journal]:
    """Open a journal to undo its run; one that cannot be written is opened for reading.

    Raises:
        RefusedError: another process has it open.
        UsageError: the file is not a journal.
    """
    with ExitStack() as held:
        try:
            journal = held.enter_context(open_journal(path))
        except StoreReadOnlyError as error:
            warn(f"{error.message}; restored versions are not recorded there")
            journal = Journal(None, read_content(path).entries)
        yield journal


def read_continued_journal(path: Path | None, plans: Sequence[Plan]) -> Journal:
    """Return the journal that applying plans would continue, without writing anything.

    Args:
        path: the file, which may not exist; ``None`` for no file.
        plans: the plans.

    Raises:
        UsageError: the file is not a journal.
    """
    if path is None:
        return Journal(None, ())
    found = read_content(path) if path.exists() else Content()
    if not (found.entries and _is_journal_of(found, plans)):
        other = _find_set_aside(path, plans_digest(plans))
        found = read_content(other) if other else Content()
    return Journal(None, found.entries)


def find_journal(path: Path) -> Path:
    """Return the journal for a path, which may be a journal or the plan that it belongs to.

    Raises:
        NotFoundError: neither the file nor a journal next to it exists.
        UsageError: the plan was not applied; the journal next to it belongs to another one.
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
    if beside.exists() and _is_journal_of(read_content(beside), plans):
        return beside
    if aside := _find_set_aside(beside, plans_digest(plans)):
        return aside
    if beside.exists():
        raise UsageError(
            f"{path} was not applied: {beside} belongs to another plan",
            hint=f"undo that one: ghcrctl packages restore --run {beside}",
        )
    raise NotFoundError(f"{path} was not applied: it has no journal")


def _is_journal_of(content: Content, plans: Sequence[Plan]) -> bool:
    """Return whether a journal belongs to some plans.

    Journals of older versions do not name their plan; they match a plan that contains all of their
    versions.
    """
    if content.plan and content.entries:
        return content.plan == plans_digest(plans)
    planned = {(plan.name, step.id, step.digest) for plan in plans for step in plan.steps}
    planned |= {(plan.name, 0, "") for plan in plans if plan.deletes_package}
    return all((entry.package, entry.id, entry.digest) in planned for entry in content.entries)


def _set_aside_other(path: Path, plans: Sequence[Plan]) -> Path | None:
    """Rename the journal of another plan; return its new path."""
    found = read_content(path) if path.exists() else None
    if found and _is_journal_of(found, plans):
        return None
    aside: Path | None = None
    with disk_errors(f"write {path}"):
        if found:
            aside = _aside_path(path, found)
            move(path, aside)
        if mine := _find_set_aside(path, plans_digest(plans)):
            move(mine, path)
    # The renames are durable once the journal is open.
    return aside


def _aside_path(path: Path, content: Content) -> Path:
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


def _find_set_aside(path: Path, digest: str) -> Path | None:
    """Return the renamed journal of a plan; ``None`` if there is none."""
    pattern = f"{glob.escape(path.name.removesuffix(_SUFFIX))}.*{_SUFFIX}"
    others = sorted(path.parent.glob(pattern))
    return next((other for other in others if read_plan_digest(other) == digest), None)


def _write_head(path: Path, file: AppendedFile, plan: str) -> None:
    """Write the first line, or end the last one, which a crash may have truncated."""
    now = datetime.now(timezone.utc)
    run = f"{now:%Y%m%dT%H%M%SZ}-{os.urandom(3).hex()}"
    with disk_errors(f"write {path}"):
        is_new = not file.size
        file.append(b"" if is_new else b"\n")
        if is_new or plan:
            file.append(head_line(run, plan))
