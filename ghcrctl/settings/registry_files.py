"""Configuration files of ghcrctl and other tools about registries.

Sources: containers-registries.conf(5); dockerd(8), "Daemon configuration file".
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidSettingError
from ghcrctl.registry.registries_conf import merged, read_rules
from ghcrctl.registry.registry_rules import Routes, rules_of_docker, rules_of_settings
from ghcrctl.settings.docker_files import daemon_files
from ghcrctl.settings.toml_file import read_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ghcrctl.registry.registry_rules import Rule
    from ghcrctl.settings import Settings

_SYSTEM_CONTAINERS = Path("/etc/containers")
# Podman reads both; the first one that is set takes precedence.
_GIVEN = ("CONTAINERS_REGISTRIES_CONF", "REGISTRIES_CONFIG_PATH")


def read_routes(settings: Settings) -> Routes:
    """Return the rules of our settings, ``registries.conf`` and ``daemon.json``.

    Raises:
        InvalidSettingError: a file or setting is invalid.
    """
    docker = [rule for data in docker_files(settings) for rule in rules_of_docker(data)]
    ours = rules_of_settings(settings.get("mirrors"))
    return Routes(ours, merged(_rules_of_containers(settings)), docker)


def docker_files(settings: Settings) -> list[Mapping[str, object]]:
    """Return the contents of readable ``daemon.json`` files, the user's first."""
    found = (_read_json(path) for path in _docker_paths(settings))
    return [data for data in found if data is not None]


def docker_faults(settings: Settings) -> list[str]:
    """Return a warning for each unreadable ``daemon.json``."""
    broken = (path for path in _docker_paths(settings) if _read_json(path) is None)
    return [f"ignoring {path}: expected a JSON object" for path in broken]


def _docker_paths(settings: Settings) -> list[Path]:
    paths = daemon_files(settings.environ, settings.home)
    # Unlike a method of `Path`, this skips a directory that only the daemon may enter.
    return [path for path in paths if os.path.isfile(path)]  # noqa: PTH113


def _rules_of_containers(settings: Settings) -> Iterator[list[Rule]]:
    main, drop_ins = files_of_containers(settings.environ, settings.home)
    if main:
        yield read_rules(_read(main), str(main))
    for path in drop_ins:
        yield read_rules(_read(path), str(path), drop_in=True)


def files_of_containers(
    environ: Mapping[str, str], home: Path, *, on_windows: bool = os.name == "nt"
) -> tuple[Path | None, list[Path]]:
    """Return the main ``registries.conf``, if any, and its drop-in files in order.

    A user's file replaces the system's; a user's drop-ins come after the system's. On Windows
    `/etc` is a directory of the current drive, which every user may create.
    """
    own = home / ".config" / "containers"
    system = [] if on_windows else [_SYSTEM_CONTAINERS]
    given = next((environ[name] for name in _GIVEN if environ.get(name)), None)
    main = Path(given) if given else _first_file(own, *system)
    folders = [own] if main and main.parent == own and not given else [*system, own]
    drop_ins = [p for f in folders for p in sorted((f / "registries.conf.d").glob("*.conf"))]
    return main, [path for path in drop_ins if path.is_file()]


def _first_file(*folders: Path) -> Path | None:
    found = (folder / "registries.conf" for folder in folders)
    return next((path for path in found if path.exists()), None)


def _read(path: Path) -> Mapping[str, object]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InvalidSettingError(f"cannot read {path}: {error.strerror}") from None
    return read_toml(raw, path)


def _read_json(path: Path) -> Mapping[str, object] | None:
    import json

    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) else None
