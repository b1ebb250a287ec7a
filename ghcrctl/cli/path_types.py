"""Types of parameters that name files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import os


class _NonEmptyPath(click.Path):
    """A path that is not empty.

    Python reads an empty path as the current directory, which is never what an unset variable in
    ``--to "$DIR"`` means.
    """

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        """Return the path.

        Raises:
            click.BadParameter: the path is empty.
        """
        if value == "":
            self.fail("'' is not a path", param, ctx)
        return super().convert(value, param, ctx)


PATH = _NonEmptyPath(path_type=Path)
"""A path, given to the command as a `Path`."""

DIRECTORY = _NonEmptyPath(path_type=Path, file_okay=False)
"""A directory, or where one can be created."""

PATH_OR_DASH = _NonEmptyPath(path_type=str)
"""A path, or ``-`` or an address where the command takes one, given to the command as text."""
