"""Text of strangers made harmless for a terminal.

What belongs here: which characters may reach a terminal, and what stands in for the others. What
does not: layout (``table``) and JSON (``gojson``, which has its own escapes).
"""

from __future__ import annotations

_JOINERS = frozenset("\u200c\u200d")
_NAMED = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def is_harmful(character: str) -> bool:
    """Tell whether a character could steer a terminal or hide how a text reads.

    Those are control characters (C0, DEL, C1), line and paragraph separators, lone surrogates and
    invisible format characters such as the bidirectional overrides. The two joiners stay, because
    scripts and emoji need them.
    """
    if character.isprintable() or character in _JOINERS:
        return False
    import unicodedata

    return unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def printable(text: str, *, keep: str = "") -> str:
    r"""Make control characters and terminal escape sequences visible.

    An escape character becomes the four characters ``\x1b``, a bidirectional override ``\u202e``;
    a backslash of the text itself stays as it is.

    Args:
        text: anything, also what a registry sent.
        keep: control characters to leave alone, as ``"\n\t"`` where lines are wanted.
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
