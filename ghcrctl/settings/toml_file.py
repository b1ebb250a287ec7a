"""TOML files, read the same way everywhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ghcrctl.errors import InvalidSettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def read_toml(raw: bytes, path: Path) -> Mapping[str, object]:
    """Read a TOML file, with or without a byte order mark.

    Raises:
        InvalidSettingError: the file is not valid TOML.
    """
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        data: dict[str, object] = tomllib.loads(raw.decode("utf-8-sig"))
    except ValueError as error:
        raise InvalidSettingError(f"{path} is not valid TOML: {error}") from None
    except RecursionError:
        raise InvalidSettingError(f"{path} is nested too deeply") from None
    return data
