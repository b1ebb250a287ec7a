"""The journal of a run: what it set out to delete, and what became of it.

What belongs here: the file, one JSON object a line, each on disk before the next act. A run that
was killed goes on from it, and a whole run is undone from it.
"""

from __future__ import annotations

import json
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.disk.durability import AppendedFile
from ghcrctl.errors import InvalidDigestError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import is_tag
from ghcrctl.store.files import disk_errors
from ghcrctl.store.locks import alone_at

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

SCHEMA = "ghcrctl/journal/1"


class State(Enum):
    """What became of a version."""

    BEGUN = "begun"
    DELETED = "deleted"
    GONE = "already gone"
    CHANGED = "changed"
    RETAINED = "retained"
    BLOCKED = "blocked"
    DENIED = "denied"
    FAILED = "failed"


DONE = frozenset({State.DELETED, State.GONE})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``package``: registry, owner and name; ``id`` 0: the package as a whole."""

    package: str
    id: int
    digest: str
    tags: tuple[str, ...]
    state: State
    why: str = ""


class Journal:
    """A journal that is open for writing; `opened` opens one."""

    def __init__(self, path: Path, file: AppendedFile, earlier: list[Entry]) -> None:
        self.path = path
        self._file = file
        self._last = {(entry.package, entry.id): entry.state for entry in earlier}

    def state(self, package: str, number: int) -> State | None:
        """Return what is noted last of a version."""
        return self._last.get((package, number))

    def note(self, entry: Entry) -> None:
        """Write a line, and wait until the disk has it."""
        data = {
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "package": entry.package,
            "id": entry.id,
            "digest": entry.digest,
            "tags": list(entry.tags),
            "state": entry.state.value,
            **({"why": entry.why} if entry.why else {}),
        }
        with disk_errors(f"write {self.path}"):
            self._file.append(_line(data))
        self._last[entry.package, entry.id] = entry.state


def journal_beside(plan_file: Path) -> Path:
    """Return where it stands what was done of a file of plans."""
    return plan_file.with_name(f"{plan_file.name}.journal")


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """Open a journal to go on with it, for this process alone.

    Raises:
        RefusedError: another process is at it.
        UsageError: the file is something else.
        StoreError: the disk says so.
    """
    with alone_at(path):
        earlier = read_journal(path) if path.exists() else []
        with disk_errors(f"write {path}"):
            file = AppendedFile(path)
        with closing(file):
            _begin(path, file)
            yield Journal(path, file, earlier)


def _begin(path: Path, file: AppendedFile) -> None:
    """Write the first line, or end the last one, which a crash may have cut."""
    with disk_errors(f"write {path}"):
        file.append(b"\n" if file.size else _line({"schema": SCHEMA}))


def _line(data: Mapping[str, object]) -> bytes:
    return json.dumps(data).encode() + b"\n"


def read_journal(path: Path) -> list[Entry]:
    """Read a journal; lines that a crash cut are passed over.

    Raises:
        UsageError: it is none.
    """
    with disk_errors(f"read {path}"):
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [_parsed(line) for line in lines if line.strip()]
    if found and (found[0] is None or found[0].get("schema") != SCHEMA):
        raise UsageError(f"{path} is no journal of deletions")
    return [entry for data in found[1:] if data is not None and (entry := _entry(data))]


def _parsed(line: str) -> dict[str, object] | None:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None


def _entry(data: dict[str, object]) -> Entry | None:
    try:
        tags = data["tags"]
        return Entry(
            package=str(data["package"]),
            id=int(str(data["id"])),
            digest=str(Digest.parse(str(data["digest"]))) if data["digest"] else "",
            tags=tuple(t for t in tags if isinstance(t, str) and is_tag(t))
            if isinstance(tags, list)
            else (),
            state=State(data["state"]),
            why=str(data.get("why", "")),
        )
    except (KeyError, ValueError, TypeError, InvalidDigestError):
        return None
