"""Progress of streams."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.app import App
from ghcrctl.cli.byte_progress import byte_counter, count_reads, count_writes
from ghcrctl.cli.progress.displays import Display

if TYPE_CHECKING:
    from pathlib import Path


class RecordingDisplay(Display):
    """A display that records its counters."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.counts: list[tuple[str, int, int | None]] = []
        self.ended: list[str | None] = []

    def show_count(
        self, label: str, done: int, total: int | None, *, of_bytes: bool = False
    ) -> None:
        assert of_bytes
        self.counts.append((label, done, total))

    def hide_count(self, label: str | None = None) -> None:
        self.ended.append(label)


class Run(App):
    """A run with a display that records."""

    def __init__(self) -> None:
        super().__init__()
        self.recorded = RecordingDisplay()

    @property
    def display(self) -> Display:
        return self.recorded


def test_a_file_has_a_known_size(tmp_path: Path) -> None:
    run = Run()
    path = tmp_path / "rootfs.tar"
    path.write_bytes(bytes(1000))
    with path.open("rb") as file, count_reads(run, file, "rootfs.tar") as stream:
        while stream.read(300):
            pass
    assert run.recorded.counts[0] == ("rootfs.tar", 300, 1000)
    assert run.recorded.counts[-1] == ("rootfs.tar", 1000, 1000)
    assert run.recorded.ended == ["rootfs.tar"]


def test_a_pipe_has_no_known_size() -> None:
    run = Run()
    with count_reads(run, io.BytesIO(bytes(10)), "standard input") as stream:
        assert stream.read(20) == bytes(10)
    assert run.recorded.counts == [("standard input", 10, None)]


def test_writes_are_complete_but_not_every_one_updates_the_display() -> None:
    run = Run()
    out = io.BytesIO()
    with count_writes(run, out.write, "archive") as write:
        for _ in range(5000):
            write(bytes(512))
    assert out.tell() == 5000 * 512
    assert 1 <= len(run.recorded.counts) < 500


def test_a_failure_hides_the_counter() -> None:
    run = Run()

    def fail() -> None:
        with byte_counter(run, "content"):
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    assert run.recorded.ended == ["content"]


def test_quiet_shows_nothing() -> None:
    run = Run()
    with byte_counter(run, "content", quiet=True) as update:
        update(1, 2)
    assert run.recorded.counts == []
