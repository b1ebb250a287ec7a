"""Check the arguments of template functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Function:
    """A template function, and how many arguments it takes.

    Args:
        body: the function.
        least: the minimum number of arguments.
        most: the maximum number of arguments; ``None`` for no limit.
    """

    body: Callable[[list[Any]], Any]
    least: int
    most: int | None

    def call(self, name: str, values: Sequence[Any]) -> Any:
        """Call the function.

        Raises:
            TemplateFaultError: the number or the kind of the arguments is wrong, or the result is
                too long.
        """
        if len(values) < self.least or (self.most is not None and len(values) > self.most):
            wanted = f"at least {self.least}" if self.most is None else str(self.least)
            if self.most not in (None, self.least):
                wanted += f" to {self.most}"
            reason = f"wrong number of arguments for {name}: it takes {wanted}, not {len(values)}"
            raise TemplateFaultError(reason)
        result = self.body(list(values))
        if isinstance(result, str) and len(result) > _LONGEST:
            raise TemplateFaultError(f"the result of {name} is too long")
        return result


def text_of(value: Any, name: str) -> str:
    """Return an argument of the function `name` as text, or raise an error."""
    if kind_of(value) is not Kind.TEXT:
        raise TemplateFaultError(f"{name} needs a string, not {kind_of(value).value}")
    return str(value)


def int_of(value: Any, name: str) -> int:
    """Return an argument of the function `name` as an integer, or raise an error."""
    if kind_of(value) is not Kind.INT:
        raise TemplateFaultError(f"{name} needs a whole number, not {kind_of(value).value}")
    return int(value)
