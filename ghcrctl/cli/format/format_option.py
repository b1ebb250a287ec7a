"""Split ``--format`` of commands for which it also selects the format of the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def split_format_option(
    given: Iterable[str], kinds: Sequence[str]
) -> tuple[str | None, str | None]:
    """Split the values of ``--format`` into the image format and the output format.

    Args:
        given: the values of the option.
        kinds: the image formats. Other values are ``json`` or a Go template.

    Returns:
        The image format and the output format; ``None`` if not given.

    Raises:
        UsageError: a value is neither.
    """
    kind = format_ = None
    for value in given:
        if value in kinds:
            kind = value
        elif value == "json" or "{{" in value:
            format_ = value
        else:
            raise UsageError(
                f"invalid format `{value}`: expected {', '.join(kinds)}, json or a Go template"
            )
    return kind, format_
