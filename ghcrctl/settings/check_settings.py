"""Checks all settings at once so that no invalid one is silently ignored."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ghcrctl.credentials.registry_names import registry_of
from ghcrctl.errors import InvalidSettingError
from ghcrctl.settings.setting_table import SETTINGS, VARIABLES
from ghcrctl.settings.setting_types import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ghcrctl.settings import Settings

_PREFIX = "GHCRCTL_"


def check_settings(settings: Settings) -> list[str]:
    """Check every setting, whether or not a command uses it.

    Returns:
        Warnings about unknown variables, which may belong to another version.

    Raises:
        InvalidSettingError: a value is invalid, or ``config.toml`` has an unknown key.
    """
    for setting in SETTINGS:
        settings.get(setting.name)
    _check_registry(settings.environ.get("GHCRCTL_REGISTRY", "").strip())
    return [_unknown(name) for name in sorted(settings.environ) if _is_unknown(name)]


def _check_registry(text: str) -> None:
    try:
        if text:
            REGISTRY.parse(registry_of(text))
    except ValueError as error:
        raise InvalidSettingError(
            f"invalid GHCRCTL_REGISTRY `{text}`: {error}", hint=VARIABLES["GHCRCTL_REGISTRY"]
        ) from None


def _known() -> Iterable[str]:
    return [*(setting.env for setting in SETTINGS), *VARIABLES]


def _is_unknown(name: str) -> bool:
    return name.startswith(_PREFIX) and name not in _known()


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name, _known(), 1, 0.8)
    meant = f": did you mean {near[0]}?" if near else ""
    return f"unknown variable {name} has no effect{meant}"
