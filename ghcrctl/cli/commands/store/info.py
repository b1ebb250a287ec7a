"""``ghcrctl info``."""

from __future__ import annotations

import os
import platform
from typing import TYPE_CHECKING, Any

import click

from ghcrctl import __version__
from ghcrctl.cli.command_classes import Command
from ghcrctl.cli.format.values import Struct
from ghcrctl.cli.options import pass_app, short_format_option
from ghcrctl.cli.results import Results
from ghcrctl.operations.store.info import information

if TYPE_CHECKING:
    from ghcrctl.cli.app import App


@click.command(
    cls=Command,
    examples="""
    ghcrctl info
    ghcrctl info --format '{{.Images}}'
    """,
)
@short_format_option
@pass_app
def command(app: App, *, format_: str | None) -> None:
    """Show the version, the local store, the settings file and the default registry."""
    results = Results(app, format_)
    with app.session() as session:
        found = information(session)
    document = {
        "Version": __version__,
        "Images": found.images,
        "Store": str(found.store),
        "ConfigFile": str(found.config_file),
        "DefaultRegistry": found.default_registry,
        "Platform": str(found.platform),
        "OSType": platform.system().lower(),
        "Architecture": platform.machine(),
    }
    for title, key in _LINES:
        results.out(f"{title + ':':<18}{document[key]}")
    results.add(_with_dockers_fields(document))
    results.end(single=True)


_LINES = (
    ("Version", "Version"),
    ("Images", "Images"),
    ("Store", "Store"),
    ("Settings file", "ConfigFile"),
    ("Default registry", "DefaultRegistry"),
    ("Platform", "Platform"),
    ("OSType", "OSType"),
    ("Architecture", "Architecture"),
)


def _with_dockers_fields(document: dict[str, Any]) -> Struct:
    """Return a document that also has docker's fields, which scripts use."""
    more = {
        "ServerVersion": document["Version"],
        "DockerRootDir": document["Store"],
        "IndexServerAddress": document["DefaultRegistry"],
        "Name": platform.node(),
        "NCPU": os.cpu_count() or 1,
        "KernelVersion": platform.release(),
        "OperatingSystem": platform.platform(),
        **dict.fromkeys(
            ("Containers", "ContainersRunning", "ContainersPaused", "ContainersStopped"), 0
        ),
    }
    return Struct(document | more, noun="information", shown=document)
