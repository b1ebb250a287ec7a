"""Set outputs, summaries and annotations of a GitHub Actions job.

Source: GitHub's documentation, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.errors import GhcrctlError
from ghcrctl.store.disk_errors import disk_errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ghcrctl.settings import Settings

_ESCAPES = {"%": "%25", "\r": "%0D", "\n": "%0A"}


class Actions:
    """The GitHub Actions job of this run, if it runs in one.

    Args:
        settings: the settings of the run.
        write: writes a workflow command to the log.
    """

    def __init__(self, settings: Settings, write: Callable[[str], None]) -> None:
        environ = settings.environ
        self._write = write
        self._is_job = environ.get("GITHUB_ACTIONS") == "true" and _is_wanted(settings)
        self._output = environ.get("GITHUB_OUTPUT", "") if self._is_job else ""
        self._summary = environ.get("GITHUB_STEP_SUMMARY", "") if self._is_job else ""

    def outputs(self, values: Mapping[str, object]) -> None:
        """Set outputs of the step."""
        if not self._output:
            return
        # A random delimiter cannot be part of a value.
        delimiter = f"end-{secrets.token_hex(8)}"
        text = "".join(
            f"{name}<<{delimiter}\n{value}\n{delimiter}\n" for name, value in values.items()
        )
        _append(self._output, text)

    def summary(self, markdown: str) -> None:
        """Add to the summary of the job."""
        if self._summary:
            _append(self._summary, f"{markdown.rstrip()}\n\n")

    def warning(self, text: str) -> None:
        """Annotate the job with a warning."""
        self._annotate("warning", text)

    def error(self, text: str, code: str = "") -> None:
        """Annotate the job with an error, with its code in the title."""
        self._annotate("error", text, f"ghcrctl ({code})" if code else "ghcrctl")

    def group(self, title: str) -> None:
        """Begin a group of lines that the log shows folded."""
        self._put(f"::group::{_escaped(title)}")

    def end_group(self) -> None:
        """End the group."""
        self._put("::endgroup::")

    def _annotate(self, kind: str, text: str, title: str = "ghcrctl") -> None:
        # Colons and commas separate properties.
        escaped_title = _escaped(title).replace(":", "%3A").replace(",", "%2C")
        self._put(f"::{kind} title={escaped_title}::{_escaped(text)}")

    def _put(self, command: str) -> None:
        if self._is_job:
            self._write(command)


def _is_wanted(settings: Settings) -> bool:
    try:
        return bool(settings.get("ci"))
    except GhcrctlError:
        # Report invalid settings as annotations, too.
        return True


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in text)


def _append(path: str, text: str) -> None:
    with disk_errors(f"write {path}"), Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
