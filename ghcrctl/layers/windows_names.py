"""File names that are invalid or have a special meaning on Windows.

Source: Microsoft's documentation, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Separators, alternate data streams and patterns.
_SIGNS = frozenset('\\:*?"<>|') | {chr(number) for number in range(32)}
_PORTS = tuple("0123456789\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}")
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{kind}{number}" for kind in ("COM", "LPT") for number in _PORTS}
)
# The limits of Windows, in UTF-16 units: a name, a path (MAX_PATH without the terminating zero),
# and a directory, which must have room for a short file name of 12 characters.
_MAX_NAME = 255
_MAX_PATH = 259
_MAX_DIRECTORY = 247
# "A required privilege is not held by the client."
_PRIVILEGE_NOT_HELD = 1314


def is_invalid_on_windows(path: str) -> bool:
    """Return whether a relative path with slashes is invalid on Windows."""
    return windows_name_error(path) is not None


def windows_name_error(path: str) -> str | None:
    r"""Return why a relative path with slashes is invalid on Windows, or ``None`` if it is valid.

    Windows removes trailing dots and spaces, so ``.. `` would point outside a directory, and
    treats ``nul.txt`` as a device in every directory.
    """
    for name in path.split("/"):
        reason = _name_error(name) if name else None
        if reason:
            return reason
    return None


def _name_error(name: str) -> str | None:
    stem = name.partition(".")[0].rstrip(" ").upper()
    if signs := _SIGNS & set(name):
        return f"a name must not contain {min(signs)!r}"
    if name[-1] in ". ":
        return "a name must not end with a dot or a space"
    if stem in _DEVICES:
        return f"{stem} is a device name"
    if utf16_length(name) > _MAX_NAME:
        return f"a name must not be longer than {_MAX_NAME} characters"
    return None


def is_too_long(path: Path, *, is_directory: bool) -> bool:
    """Return whether a path is longer than Windows allows without LongPathsEnabled."""
    longest = _MAX_DIRECTORY if is_directory else _MAX_PATH
    return utf16_length(os.path.abspath(path)) > longest  # noqa: PTH100 links stay as they are


def has_long_paths() -> bool:
    """Return whether LongPathsEnabled is set in Windows."""
    if sys.platform == "win32":
        import ctypes

        try:
            enabled = ctypes.WinDLL("ntdll").RtlAreLongPathsEnabled
        except (AttributeError, OSError):
            # Windows before version 10.0.14393 has neither the setting nor the function.
            return False
        enabled.restype = ctypes.c_ubyte
        return bool(enabled())
    else:  # noqa: RET505 the type checker knows the platform
        return False


def lacks_privilege(error: OSError) -> bool:
    """Return whether an error means that Windows does not let the user create symbolic links."""
    return getattr(error, "winerror", None) == _PRIVILEGE_NOT_HELD


def utf16_length(text: str) -> int:
    """Return the length of a string in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
