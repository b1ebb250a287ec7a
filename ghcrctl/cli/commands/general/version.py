"""``ghcrctl version``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

import click

from ghcrctl import __version__
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.values import Struct
from ghcrctl.cli.options import pass_app, short_format_option
from ghcrctl.cli.results import Results
from ghcrctl.oci.host_processor import machine_name
from ghcrctl.oci.platform import Platform

if TYPE_CHECKING:
    from ghcrctl.cli.app import App

_LIBRARIES = ("click", "requests", "rich", "keyring", "truststore")


@click.command(cls=Command, short_help="Show versions", examples="ghcrctl version")
@short_format_option
@pass_app
def command(app: App, *, format_: str | None) -> None:
    """Show the versions of ghcrctl, Python and the libraries in use."""
    results = Results(app, format_)
    python = f"{platform.python_version()} ({platform.python_implementation()})"
    system = Platform(platform.system(), machine_name()).normalized()
    libraries = _libraries()
    results.out(f"ghcrctl:   {__version__}")
    results.out(f"Python:    {python}")
    results.out(f"System:    {system.os}/{system.architecture}")
    for name, found in libraries.items():
        results.out(f"{name + ':':<10} {found}")
    document = {
        "Version": __version__,
        "Python": python,
        "System": f"{system.os}/{system.architecture}",
        "Libraries": libraries,
    }
    results.add(Struct(document | {"Client": _client(system)}, noun="version", shown=document))
    results.end(single=True)


def _client(system: Platform) -> Struct:
    """Return the client fields of docker's version, which scripts use."""
    fields = {
        "Version": __version__,
        "Os": system.os,
        "Arch": system.architecture,
        **dict.fromkeys(("ApiVersion", "BuildTime", "GitCommit", "GoVersion"), ""),
        "Context": "default",
    }
    return Struct(fields, noun="client")


def _libraries() -> dict[str, str]:
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
