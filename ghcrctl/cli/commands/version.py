"""``ghcrctl version``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from ghcrctl import __version__
from ghcrctl.cli.options import Command, pass_app

if TYPE_CHECKING:
    from ghcrctl.cli.app import App

_LIBRARIES = ("click", "requests", "rich", "keyring", "truststore")


@click.command(cls=Command, short_help="Show versions", examples="ghcrctl version")
@pass_app
def command(app: App) -> None:
    """Show the versions of ghcrctl, of Python and of the libraries it uses."""
    app.out(f"ghcrctl:   {__version__}")
    app.out(f"Python:    {platform.python_version()} ({platform.python_implementation()})")
    app.out(f"System:    {platform.system().lower()}/{platform.machine()}")
    for name in _LIBRARIES:
        try:
            app.out(f"{name + ':':<10} {version(name)}")
        except PackageNotFoundError:
            continue
