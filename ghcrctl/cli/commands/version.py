"""``ghcrctl version``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from ghcrctl import __version__
from ghcrctl.cli.options import Command, format_option, pass_app
from ghcrctl.cli.results import Results

if TYPE_CHECKING:
    from ghcrctl.cli.app import App

_LIBRARIES = ("click", "requests", "rich", "keyring", "truststore")


@click.command(cls=Command, short_help="Show versions", examples="ghcrctl version")
@format_option
@pass_app
def command(app: App, *, format_: str | None) -> None:
    """Show the versions of ghcrctl, of Python and of the libraries it uses."""
    results = Results(app, format_)
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    system = f"{platform.system().lower()}/{platform.machine()}"
    libraries = _libraries()
    results.out(f"ghcrctl:   {__version__}")
    results.out(f"Python:    {python}")
    results.out(f"System:    {system}")
    for name, found in libraries.items():
        results.out(f"{name + ':':<10} {found}")
    results.add(
        {"Version": __version__, "Python": python, "System": system, "Libraries": libraries}
    )
    results.end(single=True)


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
