"""Starts and runs programs; no other module starts a process.

A program is given by its absolute path so that the system does not search for it. Windows would
search the current directory first (Microsoft's documentation, "CreateProcessW", lpApplicationName).
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DISCARD = subprocess.DEVNULL
Process = subprocess.Popen[bytes]
# Makes Windows skip the current directory when the started program searches for others.
_NO_CURRENT_DIRECTORY = "NoDefaultCurrentDirectoryInExePath"
_BATCH = frozenset({".bat", ".cmd"})
# cmd.exe interprets these in the arguments of a batch file, even within quotes.
_READ_BY_CMD = frozenset('"%&|<>^!\r\n')
# Time limit for reading the rest of the output after a program has exited.
_REST_SECONDS = 1.0
# Windows only handles Ctrl-C between two waits for a program.
_STEP_SECONDS = 0.1 if os.name == "nt" else None
_READ_BYTES = 64 * 1024


class ProgramError(Exception):
    """A program cannot be run, or failed; the text completes a message."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The result of a program.

    Args:
        status: the exit status, or the negative number of the signal that ended the program.
        stdout: the output.
        stderr: the error output.
    """

    status: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


def start_program(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: IO[bytes] | int | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
    on_windows: bool = os.name == "nt",
) -> Process:
    """Start a program.

    Args:
        command: the absolute path of the program, and its arguments.
        environ: the environment.
        stdin: the input; our own by default.
        stdout: the output; our own by default.
        stderr: the error output; our own by default.
        on_windows: whether to apply Windows' rules.

    Raises:
        ProgramError: the program cannot be started.
    """
    _check_command(command)
    more = {_NO_CURRENT_DIRECTORY: "1"} if on_windows else {}
    try:
        return subprocess.Popen(
            command, stdin=stdin, stdout=stdout, stderr=stderr, env={**environ, **more}
        )
    except (OSError, ValueError) as error:
        raise ProgramError(getattr(error, "strerror", None) or str(error)) from None


def has_ended(process: Process, seconds: float) -> bool:
    """Wait for a program; return whether it exited in time."""
    end = time.monotonic() + seconds
    while True:
        left = max(0.0, end - time.monotonic())
        try:
            process.wait(left if _STEP_SECONDS is None else min(left, _STEP_SECONDS))
        except subprocess.TimeoutExpired:
            if time.monotonic() >= end:
                return False
        else:
            return True


def wait_for_end(process: Process) -> int:
    """Wait for a program without a limit; return its exit status."""
    while True:
        try:
            return process.wait(_STEP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _check_command(command: Sequence[str]) -> None:
    program, *arguments = command
    if not Path(program).is_absolute():
        raise ProgramError("its path is relative to the current directory")
    is_batch = Path(program).suffix.lower() in _BATCH
    if is_batch and any(_READ_BY_CMD & set(argument) for argument in arguments):
        raise ProgramError(
            "it is a batch file, and cmd.exe would run part of an argument as a command"
        )


def run_program(
    command: Sequence[str],
    environ: Mapping[str, str],
    *,
    given: bytes = b"",
    seconds: float,
    limit: int = 1024 * 1024,
) -> Finished:
    """Run a program to its end, with its input and output in memory.

    Args:
        command: the absolute path of the program, and its arguments.
        environ: the environment.
        given: the input.
        seconds: the time limit (seconds).
        limit: the maximum size of the output (bytes).

    Raises:
        ProgramError: the program cannot be started, runs too long or prints too much.
    """
    pipe = subprocess.PIPE
    process = start_program(command, environ, stdin=pipe, stdout=pipe, stderr=pipe)
    readers = [_Reader(process, stream, limit) for stream in (process.stdout, process.stderr)]
    try:
        for thread in (_Writer(process, given), *readers):
            thread.start()
        if not has_ended(process, seconds):
            raise ProgramError(f"it did not finish within {seconds:g} seconds")
    finally:
        process.kill()
        process.wait()
    stdout, stderr = (reader.finish() for reader in readers)
    return Finished(process.returncode, stdout, stderr)


class _Writer(threading.Thread):
    """A thread that writes a program's input."""

    def __init__(self, process: Process, given: bytes) -> None:
        super().__init__(name="program input", daemon=True)
        self._stream = process.stdin
        self._given = given

    def run(self) -> None:
        """Write the input, ignoring errors: a program does not have to read all of its input."""
        if self._stream is None:
            return
        with suppress(OSError):
            self._stream.write(self._given)
        with suppress(OSError):
            self._stream.close()


class _Reader(threading.Thread):
    """A thread that reads a program's output.

    Args:
        process: the program, which is killed if it prints too much.
        stream: its output or error output.
        limit: the maximum size of the output (bytes).
    """

    def __init__(self, process: Process, stream: IO[bytes] | None, limit: int) -> None:
        super().__init__(name="program output", daemon=True)
        self._process = process
        self._stream = stream
        self._limit = limit
        self._read = bytearray()

    def run(self) -> None:
        """Read until the end or the limit."""
        if self._stream is None:
            return
        with self._stream:
            # `os.read` does not wait for a full buffer.
            while piece := os.read(self._stream.fileno(), _READ_BYTES):
                self._read += piece
                if len(self._read) > self._limit:
                    self._process.kill()
                    return

    def finish(self) -> bytes:
        """Return the output after the program has exited.

        A process that the program left behind may keep the stream open, so this does not wait
        long for its end.

        Raises:
            ProgramError: the program printed too much.
        """
        self.join(_REST_SECONDS)
        if len(self._read) > self._limit:
            raise ProgramError(f"it printed more than {self._limit} bytes")
        return bytes(self._read)
