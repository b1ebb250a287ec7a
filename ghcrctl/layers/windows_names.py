"""File names that Windows cannot hold, or takes for something else.

Source: Microsoft's documentation, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Parts of a path, another stream of a file, patterns.
_SIGNS = frozenset('\\:*?"<>|') | {chr(number) for number in range(32)}
_PORTS = tuple("0123456789\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}")
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{kind}{number}" for kind in ("COM", "LPT") for number in _PORTS}
)
# UTF-16 units, as Windows counts: of one name, and of a whole path (MAX_PATH without its zero). A
# directory must leave room for a short file name of 12 characters.
_LONGEST_NAME = 255
_LONGEST_PATH = 259
_LONGEST_DIRECTORY = 247
# "A required privilege is not held by the client."
_PRIVILEGE_NOT_HELD = 1314


def is_foreign_to_windows(path: str) -> bool:
    """Return whether Windows cannot hold a relative path with slashes under these names."""
    return windows_objection(path) is not None


def windows_objection(path: str) -> str | None:
    r"""Return why Windows cannot hold a relative path with slashes, or None if it can.

    Windows drops dots and spaces at the end of a name, so that ``.. `` would lead out of a
    directory, and takes ``nul.txt`` for a device in every directory.
    """
    for name in path.split("/"):
        reason = _objection(name) if name else None
        if reason:
            return reason
    return None


def _objection(name: str) -> str | None:
    stem = name.partition(".")[0].rstrip(" ").upper()
    if signs := _SIGNS & set(name):
        return f"a name must not contain {min(signs)!r}"
    if name[-1] in ". ":
        return "a name must not end with a dot or a space"
    if stem in _DEVICES:
        return f"{stem} is a device"
    if utf16_length(name) > _LONGEST_NAME:
        return f"a name must not be longer than {_LONGEST_NAME} characters"
    return None


def is_too_long(path: Path, *, is_directory: bool) -> bool:
    """Return whether a path is longer than Windows allows programs without a special setting."""
    longest = _LONGEST_DIRECTORY if is_directory else _LONGEST_PATH
    return utf16_length(os.path.abspath(path)) > longest  # noqa: PTH100 links stay as they are


def has_long_paths() -> bool:
    """Return whether this system takes long paths (the setting LongPathsEnabled of Windows)."""
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
    """Return whether Windows refused a symbolic link because the user may not create any."""
    return getattr(error, "winerror", None) == _PRIVILEGE_NOT_HELD


def utf16_length(text: str) -> int:
    """Return the length of a text in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
