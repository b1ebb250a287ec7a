"""How far a long act of many small ones has come, on the display of the run.

What belongs here: what of it is worth to be shown. What does not: how it looks (``bars``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


class Counting:
    """Shows how far something has come; it is a `loading.Progress`.

    Args:
        app: whose display it is.
        quiet: show nothing to people.
    """

    def __init__(self, app: App, *, quiet: bool = False) -> None:
        self._app = app
        self._quiet = quiet

    def __call__(self, what: str, done: int, total: int) -> None:
        """Take note; what is done is shown no more."""
        display = self._app.display
        if total < 2 or (self._quiet and not display.is_for_programs):
            return
        display.count(what, done, total)
        if done >= total:
            display.uncount(what)

    def clear(self) -> None:
        """Show nothing, so that somebody can be asked something."""
        self._app.display.uncount()
