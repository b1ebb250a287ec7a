"""Processes: the only place where a program is started.

A program is given by its absolute path, so that no system searches for it. Windows would look in
the current directory first (Microsoft's documentation, "CreateProcessW", lpApplicationName).
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
# Tells Windows' own search, and so the programs that a child starts, to skip the current directory.
_NO_CURRENT_DIRECTORY = "NoDefaultCurrentDirectoryInExePath"
_BATCH = frozenset({".bat", ".cmd"})
# cmd.exe reads these in the arguments of a batch file, whatever quotes are around them.
_READ_BY_CMD = frozenset('"%&|<>^!\r\n')
# How long the last output of a program that has ended is awaited.
_REST_SECONDS = 1.0
# Windows notices Ctrl-C only between two waits for a program.
_STEP_SECONDS = 0.1 if os.name == "nt" else None
_READ_BYTES = 64 * 1024


class ProgramError(Exception):
    """A program cannot be run, or did not end as it should; the text completes a message."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a program ended.

    Args:
        status: its exit status; a negative number for the signal that ended the program.
        stdout: its output.
        stderr: its error output, cut at the limit.
    """

    status: int
    stdout: bytes = field(repr=False)
    stderr: bytes = field(repr=False)


def start_program(
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    stdin: IO[bytes] | int | None = None,
    stdout: IO[bytes] | int | None = None,
    stderr: IO[bytes] | int | None = None,
    on_windows: bool = os.name == "nt",
) -> Process:
    """Start a program.

    Args:
        words: its absolute path, and its arguments.
        environ: its environment.
        stdin: its input; our own by default.
        stdout: where its output goes; to ours by default.
        stderr: where its errors go; to ours by default.
        on_windows: whether Windows' rules apply.

    Raises:
        ProgramError: the program cannot be started.
    """
    _check_words(words)
    more = {_NO_CURRENT_DIRECTORY: "1"} if on_windows else {}
    try:
        return subprocess.Popen(
            words, stdin=stdin, stdout=stdout, stderr=stderr, env={**environ, **more}
        )
    except (OSError, ValueError) as error:
        raise ProgramError(getattr(error, "strerror", None) or str(error)) from None


def has_ended(process: Process, seconds: float) -> bool:
    """Wait for a program; return whether it ended in time."""
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
    """Wait for a program as long as it takes; return its exit status."""
    while True:
        try:
            return process.wait(_STEP_SECONDS)
        except subprocess.TimeoutExpired:
            continue


def _check_words(words: Sequence[str]) -> None:
    program, *arguments = words
    if not Path(program).is_absolute():
        raise ProgramError("its path is relative to the current directory")
    is_batch = Path(program).suffix.lower() in _BATCH
    if is_batch and any(_READ_BY_CMD & set(argument) for argument in arguments):
        raise ProgramError(
            "it is a batch file, and cmd.exe would run part of an argument as a command"
        )


def run_program(
    words: Sequence[str],
    environ: Mapping[str, str],
    *,
    given: bytes = b"",
    seconds: float,
    limit: int = 1024 * 1024,
) -> Finished:
    """Run a program to its end, with its input and output in memory.

    Args:
        words: its absolute path, and its arguments.
        environ: its environment.
        given: its input.
        seconds: how long it may run.
        limit: how many bytes it may print.

    Raises:
        ProgramError: the program cannot be started, runs too long or prints too much.
    """
    pipe = subprocess.PIPE
    process = start_program(words, environ, stdin=pipe, stdout=pipe, stderr=pipe)
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
        """Write the input; a program that does not read all of its input may still work."""
        if self._stream is None:
            return
        with suppress(OSError):
            self._stream.write(self._given)
        with suppress(OSError):
            self._stream.close()


class _Reader(threading.Thread):
    """A thread that reads what a program prints.

    Args:
        process: the program; it is killed when it prints too much.
        stream: its output or its error output.
        limit: how many bytes it may print.
    """

    def __init__(self, process: Process, stream: IO[bytes] | None, limit: int) -> None:
        super().__init__(name="program output", daemon=True)
        self._process = process
        self._stream = stream
        self._limit = limit
        self._read = bytearray()

    def run(self) -> None:
        """Read until the end, or until it is too much."""
        if self._stream is None:
            return
        with self._stream:
            # What is there, without waiting for a full buffer.
            while piece := os.read(self._stream.fileno(), _READ_BYTES):
                self._read += piece
                if len(self._read) > self._limit:
                    self._process.kill()
                    return

    def finish(self) -> bytes:
        """Return what was read when the program has ended.

        A process that the program left behind may hold the stream open, so the end of the stream is
        not awaited for long.

        Raises:
            ProgramError: the program printed too much.
        """
        self.join(_REST_SECONDS)
        if len(self._read) > self._limit:
            raise ProgramError(f"it printed more than {self._limit} bytes")
        return bytes(self._read)
