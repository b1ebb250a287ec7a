"""Show the progress of commands that process many items."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


class ItemCounter:
    """A callback that shows the number of processed items.

    Args:
        app: the run.
        quiet: show nothing, except to programs that requested JSON events.
    """

    def __init__(self, app: App, *, quiet: bool = False) -> None:
        self._app = app
        self._quiet = quiet

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show the progress; hide it once all items are done."""
        display = self._app.display
        if total < 2 or (self._quiet and not display.is_machine_readable):
            return
        display.show_count(what, done, total)
        if done >= total:
            display.hide_count(what)

    def clear(self) -> None:
        """Hide all progress, for example before a prompt."""
        self._app.display.hide_count()
