"""Signals that end a run, including those of Windows."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli import signals
from ghcrctl.cli.signals import (
    TerminatedError,
    TimeIsUpError,
    end_time_limit,
    handle_sigterm,
    limit_time,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.needs("signals")


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    used = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT, signal.SIGALRM)
    before = {each: signal.getsignal(each) for each in used}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_sigterm_ends_the_run() -> None:
    handle_sigterm()
    with pytest.raises(TerminatedError):
        signal.raise_signal(signal.SIGTERM)


def test_ctrl_break_ends_the_run_on_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "SIGBREAK", signal.SIGUSR1, raising=False)
    handle_sigterm()
    with pytest.raises(TerminatedError):
        signal.raise_signal(signal.SIGUSR1)


def test_no_other_signal_is_handled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "SIGBREAK", raising=False)
    before = signal.getsignal(signal.SIGUSR1)
    handle_sigterm()
    assert signal.getsignal(signal.SIGUSR1) == before


def test_a_time_limit_ends_the_run_and_is_reported() -> None:
    limit_time(0.05, lambda _: 3)
    with pytest.raises(TimeIsUpError) as caught:
        threading.Event().wait(20)
    assert "longer than 0.05 s" in str(caught.value.reason)
    assert "--timeout" in str(caught.value.reason.hint)


def test_a_time_limit_ends_with_the_command() -> None:
    limit_time(60, lambda _: 3)
    end_time_limit()
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("is_heard", [True, False])
def test_without_timers_a_thread_ends_the_run(
    monkeypatch: pytest.MonkeyPatch, *, is_heard: bool
) -> None:
    ended: list[int] = []
    monkeypatch.delattr(signal, "setitimer")
    monkeypatch.setattr(signals, "_GRACE_SECONDS", 20 if is_heard else 0.01)
    monkeypatch.setattr(os, "_exit", ended.append)
    limit_time(0.05, lambda _: 3)
    [thread] = [each for each in threading.enumerate() if each.name == "time limit"]
    with pytest.raises(TimeIsUpError):
        threading.Event().wait(20)
    if is_heard:
        end_time_limit()
    thread.join(20)
    assert ended == ([] if is_heard else [3])


def test_without_timers_ctrl_c_is_still_ctrl_c(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "setitimer")
    limit_time(60, lambda _: 3)
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    end_time_limit()
