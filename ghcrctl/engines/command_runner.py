"""Execution of an engine's commands, with their output and errors."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING, Any

from ghcrctl.engines.output_relay import relay_lines
from ghcrctl.errors import BuildFailedError, UnsupportedError
from ghcrctl.programs.process import DISCARD, ProgramError, has_ended, start_program, wait_for_end

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ghcrctl.engines.build_request import Command
    from ghcrctl.programs.process import Process

# A command that must stop gets these signals, each with this many seconds to react. At Ctrl-C in a
# terminal, the command receives SIGINT from the terminal, so the first step sends nothing.
_STOP_SIGNALS = ((None, 1.0), (signal.SIGINT, 10.0), (signal.SIGTERM, 5.0))
_MAX_REASON = 300


class Runner:
    """A runner of engine commands.

    Args:
        environ: environment variables of the user, which may configure the engine.
        log: file for output that is not shown.
        quiet: do not show the output of builds.
        tell: called with the hidden output of a failed build.
        debug: called with each command line.
        relay: called with each line of build output; by default, builds write to the terminal.
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
        """Run a build, which shows its output and may prompt the user.

        Raises:
            BuildFailedError: the build failed.
            UnsupportedError: the program cannot be run.
        """
        status = self._run(command, is_shown=not self._quiet)
        if status:
            if self._quiet and (output := self._hidden_output()):
                self._tell(output)
            raise BuildFailedError(_failure(command, status))

    def step(self, command: Command) -> None:
        """Run a command without showing its output.

        Raises:
            UnsupportedError: the command failed.
        """
        status = self._run(command, is_shown=False, is_interactive=False)
        if status:
            last = self._hidden_output().splitlines()[-1:]
            why = f": {last[0][:_MAX_REASON]}" if last else ""
            raise UnsupportedError(f"{_failure(command, status)}{why}")

    def attempt(self, command: Command) -> bool:
        """Run a command that may fail, without showing its output; return whether it succeeded."""
        return self._run(command, is_shown=False, is_interactive=False) == 0

    def _hidden_output(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace").strip()

    def _run(self, command: Command, *, is_shown: bool, is_interactive: bool = True) -> int:
        if self._debug:
            self._debug(f"run {command.loggable}")
        with self._outputs(command, is_shown=is_shown) as (stdout, stderr):
            try:
                process = start_program(
                    command.argv,
                    {**self._environ, **command.environ},
                    stdin=None if is_interactive else DISCARD,
                    stdout=stdout,
                    stderr=stderr,
                )
            except ProgramError as error:
                raise UnsupportedError(f"cannot run {command.program}: {error}") from None
            with process:
                return _wait(process)

    @contextmanager
    def _outputs(self, command: Command, *, is_shown: bool) -> Iterator[tuple[Any, Any]]:
        """Yield the targets of standard output and error; ``None`` means inherited."""
        with ExitStack() as stack:
            stderr: IO[bytes] | int | None = None
            if not is_shown:
                stderr = stack.enter_context(self._log.open("wb"))
            elif self._relay:
                stderr = stack.enter_context(relay_lines(self._relay))
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
    """Stop a command and wait until it has cleaned up; a second Ctrl-C kills it."""
    try:
        for number, seconds in _STOP_SIGNALS:
            if number is not None:
                _send_signal(process, number)
            if has_ended(process, seconds):
                return
    finally:
        process.kill()


def _send_signal(process: Process, number: signal.Signals) -> None:
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(number)


def _failure(command: Command, status: int) -> str:
    if status < 0:
        return f"{command.label} was killed by signal {-status}"
    return f"{command.label} failed with status {status}"
