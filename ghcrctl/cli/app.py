"""The application object of a run: settings, session, output, warnings and errors."""

from __future__ import annotations

import sys
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any, TextIO

from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.streams import translate_write_errors
from ghcrctl.errors import ExitStatus, GhcrctlError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.cli.format.style import Style
    from ghcrctl.cli.format.units import Measure
    from ghcrctl.cli.github_actions import Actions
    from ghcrctl.cli.progress.displays import Display
    from ghcrctl.content.wait_events import Wait
    from ghcrctl.operations.common.session import Session
    from ghcrctl.settings import Settings


class App:
    """One run of the program.

    Args:
        as_json: write errors and warnings as JSON, one object per line.

    Attributes:
        flags: settings given on the command line, by name.
        command: the command without ``ghcrctl``, such as ``packages prune``.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.flags: dict[str, object] = {}
        self.command = ""
        self._warned: set[str] = set()
        self._explained: set[str] = set()
        self._display: Display | None = None
        self._lock = threading.Lock()

    @cached_property
    def settings(self) -> Settings:
        """The settings; flags added later still take precedence."""
        from ghcrctl.settings import Settings

        return Settings(flags=self.flags)

    @property
    def is_debugging(self) -> bool:
        """Whether to show requests and tracebacks; false if the settings are unreadable."""
        try:
            return bool(self.settings.get("debug"))
        except GhcrctlError:
            return False

    @cached_property
    def actions(self) -> Actions:
        """Outputs and annotations of a GitHub Actions job; inactive elsewhere."""
        from ghcrctl.cli.github_actions import Actions

        return Actions(self.settings, self.workflow_command)

    @property
    def display(self) -> Display:
        """The progress display, shared by the whole run."""
        with self._lock:
            if self._display is None:
                from ghcrctl.cli.progress.choose_display import display_for

                self._display = display_for(
                    self.settings, self.warn, self.error_line, self.event_line
                )
            return self._display

    def close(self) -> None:
        """Close the progress display and restore the terminal."""
        if self._display:
            self._display.close()

    @property
    def can_prompt(self) -> bool:
        """Whether prompts are possible: stdin is a terminal and ``--no-input`` is not given."""
        # CI jobs may run without standard input.
        return sys.stdin is not None and sys.stdin.isatty() and not self.settings.get("no_input")

    def no_prompt_reason(self, otherwise: str) -> str:
        """Return why prompts are impossible.

        Args:
            otherwise: the message if there is no terminal.
        """
        forbidden = self.settings.get("no_input")
        return "prompts are disabled by --no-input" if forbidden else otherwise

    @property
    def can_draw(self) -> bool:
        """Whether prompts are possible and a full screen can be drawn on standard error."""
        from ghcrctl.cli.format.style import understands_sequences

        if not self.can_prompt or sys.stderr is None or not sys.stderr.isatty():
            return False
        return self.settings.environ.get("TERM") != "dumb" and understands_sequences(sys.stderr)

    def session(self) -> Session:
        """Return a new session that prints its warnings."""
        from ghcrctl.cli.signals import limit_time
        from ghcrctl.operations.common.session import Session

        allowed = self.settings.get("timeout")
        if allowed:
            limit_time(allowed, self.report)
        debug = self.debug if self.is_debugging else None
        return Session(self.settings, warn=self.warn, debug=debug, waiting=self.waiting)

    @property
    def width(self) -> int | None:
        """Width of standard output in cells; ``None`` if it is not a terminal."""
        if not sys.stdout.isatty():
            return None
        import shutil

        return shutil.get_terminal_size().columns

    @property
    def style(self) -> Style:
        """The style of standard output: width, colors and glyphs."""
        from ghcrctl.cli.format.style import style_of

        return style_of(sys.stdout, self.settings.environ, self.width)

    @property
    def error_style(self) -> Style:
        """The style of standard error: width, colors and glyphs."""
        import shutil

        from ghcrctl.cli.format.style import style_of

        width = shutil.get_terminal_size().columns if sys.stderr.isatty() else None
        return style_of(sys.stderr, self.settings.environ, width)

    @property
    def measure(self) -> Measure:
        """The format of sizes and times."""
        from datetime import datetime, timezone

        from ghcrctl.cli.format.units import Measure

        return Measure(datetime.now(timezone.utc), bool(self.settings.get("human")))

    def out(self, text: str) -> None:
        """Print a line of output, with control characters escaped."""
        self.write(f"{printable(text)}\n")

    def write(self, text: str) -> None:
        """Print output as it is."""
        self._put(sys.stdout, text)

    def workflow_command(self, command: str) -> None:
        """Print a workflow command for the runner, unless the log is JSON.

        Args:
            command: the command, with untrusted text in it escaped.
        """
        if self.as_json:
            return
        from ghcrctl.cli.job_log import without_old_commands

        self._write(sys.stderr, f"{without_old_commands(printable(command))}\n")

    def _put(self, stream: TextIO, text: str) -> None:
        """Write to a stream; in a job, neutralize text that the runner reads as a command."""
        if self.is_in_job:
            from ghcrctl.cli.job_log import without_commands

            text = without_commands(text)
        self._write(stream, text)

    @cached_property
    def is_in_job(self) -> bool:
        """Whether the output is the log of a GitHub Actions job, regardless of settings."""
        return self.settings.environ.get("GITHUB_ACTIONS") == "true"

    def _write(self, stream: TextIO, text: str) -> None:
        """Write to a stream, above any bars on the same terminal."""
        with translate_write_errors(stream):
            if self._display and stream.isatty():
                self._display.write_above(stream, text)
            else:
                stream.write(text)
                stream.flush()

    def write_bytes(self, content: bytes) -> None:
        """Print bytes to standard output."""
        with translate_write_errors(sys.stdout):
            sys.stdout.flush()
            sys.stdout.buffer.write(content)
            sys.stdout.buffer.flush()

    def warn(self, text: str) -> None:
        """Print a warning, once."""
        from ghcrctl.content.redaction import redact_userinfo

        text = redact_userinfo(text)
        if text not in self._warned:
            self._warned.add(text)
            if self.as_json:
                self.json_line({"warning": {"message": text}})
            else:
                from ghcrctl.cli.errors_out import warning

                self._put(sys.stderr, warning(text, self.error_style))

    def waiting(self, wait: Wait) -> None:
        """Display the start of a wait. Called from any thread."""
        self.display.show_wait(wait)

    def debug(self, text: str) -> None:
        """Print a debug line without secrets."""
        from ghcrctl.content.redaction import redact

        self.error_line(f"debug: {redact(text)}")

    def error_line(self, text: str) -> None:
        """Print a line to standard error."""
        lines = "\n".join(printable(line) for line in text.split("\n"))
        self._put(sys.stderr, f"{lines}\n")

    def foreign_line(self, text: str) -> None:
        """Print a line of another program to standard error, keeping its colors."""
        self._put(sys.stderr, f"{text}\n")

    def json_line(self, document: dict[str, Any]) -> None:
        """Print an object to standard error as one line of JSON."""
        from ghcrctl.cli.format.gojson import dumps
        from ghcrctl.cli.format.values import Struct

        self._put(sys.stderr, dumps({k: Struct(v) for k, v in document.items()}) + "\n")

    def event_line(self, document: Mapping[str, object]) -> None:
        """Print a progress event to standard error as one line of JSON."""
        import json

        self._put(sys.stderr, f"{json.dumps(document)}\n")

    def report(self, error: GhcrctlError) -> int:
        """Print an error with its hint and return its exit status."""
        hint = error.hint
        if hint is None and error.exit_status is ExitStatus.USAGE and self.command:
            hint = f"see `ghcrctl {self.command} --help`"
        self.failure(error.code, str(error), hint, error.exit_status)
        if self.is_debugging:
            self.debug(f"code {error.code}, exit status {error.exit_status.value}")
            self.show_traceback(error)
        return error.exit_status

    def failure(self, code: str, message: str, hint: str | None, status: int) -> None:
        """Report a failure as text, as JSON and as a job annotation, without secrets."""
        from ghcrctl.content.redaction import redact

        message = redact(message)
        if self.as_json:
            fields = {"code": code, "message": message, "hint": hint, "exit_status": int(status)}
            self.json_line({"error": fields})
        else:
            from ghcrctl.cli.errors_out import Failure

            failure = Failure(code, message, hint, int(status))
            is_new = code not in self._explained
            self._explained.add(code)
            self._put(sys.stderr, failure.lines(self.error_style, more=is_new))
        self.actions.error(message if hint is None else f"{message}\n{hint}", code)

    def show_traceback(self, error: Exception) -> None:
        """Print a traceback, redacted because messages of libraries may contain secrets."""
        style = self.error_style
        if style.is_full_terminal and not self.as_json:
            from ghcrctl.cli import console

            self._put(sys.stderr, console.traceback(error, style))
            return
        import traceback

        from ghcrctl.content.redaction import redact

        self.error_line(redact("".join(traceback.format_exception(error)).rstrip("\n")))
