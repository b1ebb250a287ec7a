"""What passes by the engine is counted too."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.app import App
from ghcrctl.cli.byte_progress import metered, reading, writing
from ghcrctl.cli.progress.displays import Display

if TYPE_CHECKING:
    from pathlib import Path


class Noting(Display):
    """Notes what is counted."""

    def __init__(self) -> None:
        super().__init__(lambda _: None)
        self.counts: list[tuple[str, int, int | None]] = []
        self.ended: list[str | None] = []

    def count(self, what: str, done: int, total: int | None, *, of_bytes: bool = False) -> None:
        assert of_bytes
        self.counts.append((what, done, total))

    def uncount(self, what: str | None = None) -> None:
        self.ended.append(what)


class Run(App):
    """A run with a display that notes."""

    def __init__(self) -> None:
        super().__init__()
        self.noting = Noting()

    @property
    def display(self) -> Display:
        return self.noting


def test_of_a_file_the_size_is_known(tmp_path: Path) -> None:
    run = Run()
    path = tmp_path / "rootfs.tar"
    path.write_bytes(bytes(1000))
    with path.open("rb") as file, reading(run, file, "rootfs.tar") as stream:
        while stream.read(300):
            pass
    assert run.noting.counts[0] == ("rootfs.tar", 300, 1000)
    assert run.noting.counts[-1] == ("rootfs.tar", 1000, 1000)
    assert run.noting.ended == ["rootfs.tar"]


def test_of_a_pipe_it_is_not() -> None:
    run = Run()
    with reading(run, io.BytesIO(bytes(10)), "standard input") as stream:
        assert stream.read(20) == bytes(10)
    assert run.noting.counts == [("standard input", 10, None)]


def test_what_is_written_arrives_and_is_not_counted_piece_by_piece() -> None:
    run = Run()
    out = io.BytesIO()
    with writing(run, out.write, "archive") as take:
        for _ in range(5000):
            take(bytes(512))
    assert out.tell() == 5000 * 512
    assert 1 <= len(run.noting.counts) < 500


def test_a_failure_leaves_nothing_shown() -> None:
    run = Run()

    def fail() -> None:
        with metered(run, "content"):
            raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        fail()
    assert run.noting.ended == ["content"]


def test_quiet_shows_nothing() -> None:
    run = Run()
    with metered(run, "content", quiet=True) as tell:
        tell(1, 2)
    assert run.noting.counts == []
