"""Running an engine's commands.

What belongs here: whose output is seen, what a failure says, and that no command outlives us. What
does not: which commands (`driving`).
"""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from ghcrctl.engines.output_relay import relayed
from ghcrctl.errors import BuildFailedError, UnsupportedError
from ghcrctl.programs.process import DISCARD, ProgramError, has_ended, start_program, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ghcrctl.engines.build_request import Command
    from ghcrctl.programs.process import Process

# Seconds that a command is left to end by itself: at Ctrl-C on a terminal it has been told already,
# then it is asked to, more and more firmly.
_PATIENCE = ((None, 1.0), (signal.SIGINT, 10.0), (signal.SIGTERM, 5.0))
_SAID_MAX = 300


class Runner:
    """Runs commands.

    Args:
        environ: the person's environment, which engines have settings of their own in.
        log: a file for output that is not seen.
        quiet: keep the output of builds back, too.
        tell: is given what was kept back of a build that fails.
        debug: is told each command.
        relay: is given the output of builds line by line, which otherwise is written directly.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        log: Path,
        *,
        quiet: bool = False,
        tell: Callable[[str], None],
        debug: Callable[[str], None] | None = None,
        relay: Callable[[str], None] | None = None,
    ) -> None:
        self._environ = environ
        self._log = log
        self._quiet = quiet
        self._tell = tell
        self._debug = debug
        self._relay = relay

    def build(self, command: Command) -> None:
        """Run a command that people watch, and that may read what they type.

        Raises:
            BuildFailedError: the engine reports a failure.
            UnsupportedError: the program cannot run.
        """
        status = self._run(command, is_seen=not self._quiet)
        if status:
            if self._quiet and (said := self._said()):
                self._tell(said)
            raise BuildFailedError(_ended(command, status))

    def step(self, command: Command) -> None:
        """Run a command that nobody sees.

        Raises:
            UnsupportedError: it failed.
        """
        status = self._run(command, is_seen=False, is_asked=False)
        if status:
            last = self._said().splitlines()[-1:]
            why = f": {last[0][:_SAID_MAX]}" if last else ""
            raise UnsupportedError(f"{_ended(command, status)}{why}")

    def attempt(self, command: Command) -> bool:
        """Run a command that nobody sees and that may fail; tell whether it worked."""
        return self._run(command, is_seen=False, is_asked=False) == 0

    def _said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace").strip()

    def _run(self, command: Command, *, is_seen: bool, is_asked: bool = True) -> int:
        if self._debug:
            self._debug(f"run {command.shown}")
        with self._outputs(command, is_seen=is_seen) as (stdout, stderr):
            try:
                process = start_program(
                    command.words,
                    {**self._environ, **command.environ},
                    stdin=None if is_asked else DISCARD,
                    stdout=stdout,
                    stderr=stderr,
                )
            except ProgramError as error:
                raise UnsupportedError(f"cannot run {command.program}: {error}") from None
            with process:
                return _wait(process)

    @contextmanager
    def _outputs(self, command: Command, *, is_seen: bool) -> Iterator[tuple[Any, Any]]:
        """Say where output and errors go; to where ours go, for what people see."""
        with ExitStack() as stack:
            stderr: IO[bytes] | int | None = None
            if not is_seen:
                stderr = stack.enter_context(self._log.open("wb"))
            elif self._relay:
                stderr = stack.enter_context(relayed(self._relay))
            stdout = stderr
            if command.stdout:
                stdout = stack.enter_context(command.stdout.open("wb"))
            yield stdout, stderr


def _wait(process: Process) -> int:
    try:
        return wait_for_end(process)
    except BaseException:
        _stop(process)
        raise


def _stop(process: Process) -> None:
    """End a command, and wait until it has cleared up; a second Ctrl-C waits no longer."""
    try:
        for number, seconds in _PATIENCE:
            if number is not None:
                _ask(process, number)
            if has_ended(process, seconds):
                return
    finally:
        process.kill()


def _ask(process: Process, number: signal.Signals) -> None:
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(number)


def _ended(command: Command, status: int) -> str:
    if status < 0:
        return f"{command.label} was ended by signal {-status}"
    return f"{command.label} ended with status {status}"
