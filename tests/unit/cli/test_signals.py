"""Signals that end a run, those of Windows too."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.signals import TerminatedError, obey_sigterm

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("signals")


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGUSR1)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_sigterm_ends_the_run() -> None:
    obey_sigterm()
    with pytest.raises(TerminatedError):
        signal.raise_signal(signal.SIGTERM)


def test_ctrl_break_on_windows_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    obey_sigterm()
    with pytest.raises(TerminatedError):
        signal.raise_signal(signal.SIGUSR1)


def test_no_other_signal_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGBREAK", raising=False)
    before = signal.getsignal(signal.SIGUSR1)
    obey_sigterm()
    assert signal.getsignal(signal.SIGUSR1) == before
