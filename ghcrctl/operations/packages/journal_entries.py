"""The entries of a journal: one JSON object per line, written to disk before the next step."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidDigestError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import is_tag
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ghcrctl.disk.durability import AppendedFile

SCHEMA = "ghcrctl/journal/1"


class State(Enum):
    """The state of a version."""

    PLANNED = "planned"
    BEGUN = "begun"
    DELETED = "deleted"
    GONE = "already gone"
    CHANGED = "changed"
    RETAINED = "retained"
    BLOCKED = "blocked"
    DENIED = "denied"
    FAILED = "failed"
    RESTORED = "restored"


DONE = frozenset({State.DELETED, State.GONE})


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``package``: registry, owner and name; ``id``: 0 for the whole package."""

    package: str
    id: int
    digest: str
    tags: tuple[str, ...]
    state: State
    why: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """The content of a journal.

    Args:
        entries: the entries, oldest first.
        plan: the digest of the plans; empty in journals of older versions.
        run: the ID of the run; empty in journals of older versions.
    """

    entries: tuple[Entry, ...] = ()
    plan: str = ""
    run: str = ""


class Journal:
    """A journal in use.

    Args:
        file: the file, open for appending; ``None`` keeps new entries in memory only.
        earlier: the entries in the file.
        path: the path of the file, for messages.
        set_aside: the new path of another plan's journal that had the same path.
    """

    def __init__(
        self,
        file: AppendedFile | None,
        earlier: Iterable[Entry],
        path: Path | None = None,
        set_aside: Path | None = None,
    ) -> None:
        self.path = path
        self.set_aside = set_aside
        self._file = file
        self._last: dict[tuple[str, int], Entry] = {}
        self._remember(earlier)

    @property
    def last(self) -> list[Entry]:
        """The last entry of each version, in the order in which they were written."""
        return list(self._last.values())

    def state(self, package: str, number: int) -> State | None:
        """Return the last state of a version; ``None`` if it has no entry."""
        entry = self._last.get((package, number))
        return entry.state if entry else None

    def note(self, *entries: Entry) -> None:
        """Append entries, and sync them to disk."""
        if self._file:
            with disk_errors(f"write {self.path}"):
                self._file.append(b"".join(map(_line, entries)))
        self._remember(entries)

    def _remember(self, entries: Iterable[Entry]) -> None:
        for entry in entries:
            key = entry.package, entry.id
            self._last.pop(key, None)
            self._last[key] = entry


def _line(entry: Entry) -> bytes:
    data = {
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "package": entry.package,
        "id": entry.id,
        "digest": entry.digest,
        "tags": list(entry.tags),
        "state": entry.state.value,
        **({"why": entry.why} if entry.why else {}),
    }
    return json.dumps(data).encode() + b"\n"


def head_line(run: str, plan: str) -> bytes:
    """Return the first line of a journal."""
    data = {"schema": SCHEMA, "run": run, **({"plan": plan} if plan else {})}
    return json.dumps(data).encode() + b"\n"


def read_journal(path: Path) -> list[Entry]:
    """Read the entries of a journal; skip lines that a crash truncated.

    Raises:
        UsageError: the file is not a journal.
    """
    return list(read_content(path).entries)


def read_content(path: Path) -> Content:
    """Read a journal; skip lines that a crash truncated.

    Raises:
        UsageError: the file is not a journal.
    """
    with disk_errors(f"read {path}"):
        # Reading a device such as /dev/full would never end.
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UsageError(f"cannot read {path}: it is not a journal of deletions")
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    found = [_parsed(line) for line in lines if line.strip()]
    if lines and _is_cut_head(lines[0]):
        del found[0]
    if found and (found[0] is None or found[0].get("schema") != SCHEMA):
        raise UsageError(f"cannot read {path}: it is not a journal of deletions")
    read = [data for data in found if data is not None]
    heads = [data for data in read if data.get("schema") == SCHEMA]
    return Content(
        tuple(entry for data in read if (entry := _entry(data))),
        *(
            next((str(h[key]) for h in reversed(heads) if h.get(key)), "")
            for key in ("plan", "run")
        ),
    )


def _is_cut_head(line: str) -> bool:
    """Return whether a crash truncated the first line, which precedes all deletions."""
    whole = head_line("", "").decode().partition(",")[0]
    return (
        bool(line) and _parsed(line) is None and (whole.startswith(line) or line.startswith(whole))
    )


def read_plan_digest(path: Path) -> str:
    """Return the digest of the plans that a journal belongs to; empty if unknown."""
    digest = ""
    with suppress(OSError), path.open(encoding="utf-8", errors="replace") as file:
        for line in filter(str.strip, file):
            data = _parsed(line)
            if data is None:
                continue
            if data.get("schema") != SCHEMA:
                break
            digest = str(data.get("plan", digest))
    return digest


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
