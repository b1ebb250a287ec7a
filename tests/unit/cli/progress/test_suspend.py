"""Ctrl-Z while the progress display is written."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.progress.suspend import Suspension

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("signals")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a log of restored terminals and of signals that would stop this process."""
    log: list[str] = []
    monkeypatch.setattr(os, "kill", lambda _, number: log.append(signal.Signals(number).name))
    return log


@pytest.fixture
def suspension(log: list[str]) -> Iterator[Suspension]:
    suspension = Suspension(lambda: log.append("restored"))
    suspension.begin()
    yield suspension
    suspension.end()


@pytest.mark.usefixtures("suspension")
def test_the_terminal_is_restored_before_the_process_stops(log: list[str]) -> None:
    signal.raise_signal(signal.SIGTSTP)
    signal.raise_signal(signal.SIGTSTP)
    assert log == ["restored", "SIGTSTP"] * 2


def test_the_process_does_not_stop_in_the_middle_of_a_write(
    suspension: Suspension, log: list[str]
) -> None:
    with suspension.deferred():
        with suspension.deferred():
            signal.raise_signal(signal.SIGTSTP)
        assert log == []
    assert log == ["restored", "SIGTSTP"]


def test_another_handler_is_kept(log: list[str]) -> None:
    previous = signal.signal(signal.SIGTSTP, signal.SIG_IGN)
    try:
        suspension = Suspension(lambda: log.append("restored"))
        suspension.begin()
        suspension.end()
        assert signal.getsignal(signal.SIGTSTP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTSTP, previous)
