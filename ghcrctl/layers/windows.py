"""Which names Windows cannot have, or takes for something else.

Source: Microsoft's documentation, "Naming Files, Paths, and Namespaces".
"""

from __future__ import annotations

# Parts of a path, another stream of a file, patterns.
_SIGNS = frozenset('\\:*?"<>|') | {chr(number) for number in range(32)}
_PORTS = tuple("0123456789\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT TWO}\N{SUPERSCRIPT THREE}")
_DEVICES = frozenset(
    {"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"}
    | {f"{kind}{number}" for kind in ("COM", "LPT") for number in _PORTS}
)


def is_foreign_to_windows(path: str) -> bool:
    r"""Tell whether a relative path with slashes would be another one there, or none.

    Windows drops dots and spaces at the end, so that ``.. `` would lead out of a directory, and
    takes ``nul.txt`` for a device in every directory.
    """
    return any(_is_foreign(part) for part in path.split("/") if part)


def _is_foreign(name: str) -> bool:
    stem = name.partition(".")[0].rstrip(" ").upper()
    return bool(_SIGNS & set(name)) or name[-1] in ". " or stem in _DEVICES
