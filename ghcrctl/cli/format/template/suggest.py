"""Suggest names for a misspelled one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], *, label: str, prefix: str = "") -> str:
    """Return a hint with the most similar name, and a list of all names.

    Args:
        word: the misspelled name.
        names: the existing names.
        label: the start of the list, such as ``"the fields are"``.
        prefix: the prefix of names in a template (``"."`` for fields).
    """
    import difflib

    known = sorted(names)
    by_case = [name for name in known if name.lower() == word.lower()]
    matches = by_case or difflib.get_close_matches(word, known, n=1)
    listed = f"{label}: {' '.join(prefix + name for name in known)}"
    return f'did you mean "{prefix}{matches[0]}"? {listed}' if matches else listed
