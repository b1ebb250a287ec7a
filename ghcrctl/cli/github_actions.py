"""What a job of GitHub Actions is told besides its log: outputs, a summary, annotations.

What belongs here: the files and the marks that Actions reads. Nothing is written elsewhere. Source:
GitHub's documentation, "Workflow commands for GitHub Actions".
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
        settings: of this run.
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
        # A value of several lines ends with a mark that it cannot hold.
        mark = f"end-{secrets.token_hex(8)}"
        text = "".join(f"{name}<<{mark}\n{value}\n{mark}\n" for name, value in values.items())
        _append(self._output, text)

    def summary(self, markdown: str) -> None:
        """Add to the summary of the job."""
        if self._summary:
            _append(self._summary, f"{markdown.rstrip()}\n\n")

    def warning(self, text: str) -> None:
        """Mark a warning on the job's page."""
        self._mark("warning", text)

    def error(self, text: str, code: str = "") -> None:
        """Mark an error on the job's page. ``code``: the error's, for its title."""
        self._mark("error", text, f"ghcrctl ({code})" if code else "ghcrctl")

    def group(self, title: str) -> None:
        """Begin lines that the job's log shows folded."""
        self._put(f"::group::{_escaped(title)}")

    def end_group(self) -> None:
        """End them."""
        self._put("::endgroup::")

    def _mark(self, kind: str, text: str, title: str = "ghcrctl") -> None:
        # In a property a colon and a comma mean something, too.
        named = _escaped(title).replace(":", "%3A").replace(",", "%2C")
        self._put(f"::{kind} title={named}::{_escaped(text)}")

    def _put(self, mark: str) -> None:
        if self._is_job:
            self._write(mark)


def _is_wanted(settings: Settings) -> bool:
    try:
        return bool(settings.get("ci"))
    except GhcrctlError:
        # The settings cannot be read; that is told on the page, too.
        return True


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in text)


def _append(path: str, text: str) -> None:
    with disk_errors(f"write {path}"), Path(path).open("a", encoding="utf-8") as file:
        file.write(text)
