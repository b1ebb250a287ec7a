"""Escape control characters in untrusted text, which could manipulate the terminal."""

from __future__ import annotations

_JOINERS = frozenset("\u200c\u200d")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def is_harmful(character: str) -> bool:
    """Check whether a character can control a terminal or disguise text.

    These are control characters (C0, DEL, C1), line and paragraph separators, lone surrogates and
    invisible format characters such as bidirectional overrides. The two joiners are harmless:
    scripts and emoji need them.
    """
    if character.isprintable() or character in _JOINERS:
        return False
    import unicodedata

    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str, *, keep: str = "") -> str:
    r"""Return text with visible escapes instead of control characters.

    An escape character becomes the four characters ``\x1b``, a bidirectional override ``\u202e``.
    Backslashes in the text do not change.

    Args:
        text: any text, for example from a registry.
        keep: control characters that are not escaped, such as ``"\n\t"``.
    """
    if text.isprintable():
        return text
    return "".join(
        _visible(character) if character not in keep and is_harmful(character) else character
        for character in text
    )


def _visible(character: str) -> str:
    number = ord(character)
    if character in _NAMED:
        return _NAMED[character]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
