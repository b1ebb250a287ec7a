"""The journal, from which an interrupted run is resumed."""

from __future__ import annotations

import json
import multiprocessing
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import RefusedError, StoreError, UsageError
from ghcrctl.github.plan import Plan, plans_digest
from ghcrctl.operations.packages.journal import Entry, State, open_journal, read_journal
from ghcrctl.operations.packages.journal_entries import read_plan_digest

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event
    from pathlib import Path

DIGEST = f"sha256:{'ab' * 32}"
ONE = Entry("ghcr.io/octo/app", 1, DIGEST, ("v1", "latest"), State.BEGUN)
TWO = Entry("ghcr.io/octo/app", 2, DIGEST, (), State.FAILED, "why")
PLAN = Plan("ghcr.io", "octo", "app", datetime(2026, 1, 31, tzinfo=timezone.utc))


def test_entries_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal"
    with open_journal(path) as journal:
        journal.note(ONE)
    with open_journal(path) as journal:
        assert journal.state(ONE.package, 1) is State.BEGUN
        assert journal.state(ONE.package, 2) is None
        journal.note(TWO)
    assert read_journal(path) == [ONE, TWO]
    assert sorted(p.name for p in path.parent.iterdir()) == ["journal"]


@pytest.mark.parametrize("kept", range(1, 40, 6))
def test_a_truncated_line_is_skipped_and_the_next_is_complete(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "journal"
    with open_journal(path) as journal:
        journal.note(ONE)
        journal.note(TWO)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]) + lines[-1][:kept])
    with open_journal(path) as journal:
        assert journal.state(ONE.package, 1) is State.BEGUN
        assert journal.state(TWO.package, 2) is None
        journal.note(TWO)
    assert read_journal(path) == [ONE, TWO]


@pytest.mark.parametrize(
    "line",
    [
        "7",
        "[]",
        "{}",
        '{"package": "x", "id": "y", "digest": "", "tags": [], "state": "deleted"}',
        '{"package": "x", "id": 1, "digest": "../x", "tags": [], "state": "deleted"}',
        '{"package": "x", "id": 1, "digest": "", "tags": [], "state": "nonsense"}',
    ],
)
def test_meaningless_lines_are_skipped(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal"
    with open_journal(path) as journal:
        journal.note(ONE)
    with path.open("a") as file:
        file.write(line + "\n")
    assert read_journal(path) == [ONE]


def test_invalid_tags_are_not_restored(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with open_journal(path) as journal:
        journal.note(ONE)
    data = path.read_text().splitlines()
    entry = {**json.loads(data[-1]), "tags": ["../../x", "ok", 7]}
    path.write_text("\n".join([data[0], json.dumps(entry)]))
    assert read_journal(path)[0].tags == ("ok",)


@pytest.mark.parametrize("kept", [1, 12, 31, 45])
def test_a_truncated_first_line_is_skipped(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "journal"
    path.write_text('{"schema": "ghcrctl/journal/1", "run": "20260131T120000Z-00"}'[:kept])
    assert read_journal(path) == []
    with open_journal(path, [PLAN]) as journal:
        assert journal.set_aside is None
        journal.note(ONE)
    assert read_journal(path) == [ONE]
    assert read_plan_digest(path) == plans_digest([PLAN])


@pytest.mark.parametrize("text", ["mine\n", '{\n  "mine": 1\n}\n'])
def test_a_file_that_is_not_a_journal_is_not_written(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text)
    with pytest.raises(UsageError, match="not a journal"), open_journal(path):
        pass
    assert path.read_text() == text


def test_a_device_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "plan.json.journal"
    path.symlink_to("/dev/full")
    with pytest.raises(UsageError, match="not a journal"), open_journal(path, [PLAN]):
        pass


def hold(path: Path, held: Event, end: Event) -> None:
    with open_journal(path):
        held.set()
        end.wait(30)


def test_one_process_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, end = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path / "journal", held, end))
    other.start()
    try:
        assert held.wait(30)
        with (
            pytest.raises(RefusedError, match="another process"),
            open_journal(tmp_path / "journal"),
        ):
            pass
    finally:
        end.set()
        other.join(30)
    with open_journal(tmp_path / "journal") as journal:
        journal.note(ONE)


def test_an_unwritable_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="journal"), open_journal(tmp_path / "file" / "journal"):
        pass
