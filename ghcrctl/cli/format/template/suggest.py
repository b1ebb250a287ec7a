"""What people may have meant by a name that does not exist.

What belongs here: the wording of such hints. What does not: where names are looked up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, names: Iterable[str], *, label: str, prefix: str = "") -> str:
    """Suggest the name that looks most like a word, or list them all.

    Args:
        word: what was written.
        names: what exists.
        label: how the list begins, such as ``"the fields are"``.
        prefix: what stands before each name in a template (``"."`` for fields).
    """
    import difflib

    known = sorted(names)
    by_case = [name for name in known if name.lower() == word.lower()]
    matches = by_case or difflib.get_close_matches(word, known, n=1)
    listed = f"{label}: {' '.join(prefix + name for name in known)}"
    return f'did you mean "{prefix}{matches[0]}"? {listed}' if matches else listed
