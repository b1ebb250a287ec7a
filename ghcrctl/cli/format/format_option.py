"""``--format`` of commands where it chooses what is made too: ``oci``, ``docker``.

What belongs here: telling that apart from how the result is told. What does not: what is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def split_format_option(
    given: Iterable[str], kinds: Sequence[str]
) -> tuple[str | None, str | None]:
    """Read a ``--format`` that may be given twice: what is made, and how it is told.

    Args:
        given: the option's values.
        kinds: what may be made; everything else is ``json`` or a Go template.

    Returns:
        What is made, and the format of what is printed; ``None`` for what is not given.

    Raises:
        UsageError: a value is none of these.
    """
    kind = format_ = None
    for value in given:
        if value in kinds:
            kind = value
        elif value == "json" or "{{" in value:
            format_ = value
        else:
            raise UsageError(
                f"`{value}` is no format", hint=f"{', '.join(kinds)}, json or a Go template"
            )
    return kind, format_
