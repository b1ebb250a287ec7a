"""Compare values like Go: eq, ne, lt, le, gt, ge."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import Kind, kind_of
from ghcrctl.cli.format.values import NILS

if TYPE_CHECKING:
    from collections.abc import Callable

_BASIC = frozenset({Kind.BOOL, Kind.INT, Kind.FLOAT, Kind.TEXT})
_ORDERED = _BASIC - {Kind.BOOL}


def equal(values: list[Any]) -> bool:
    """Check whether the first value equals any of the others."""
    first, *others = values
    return any(_same(first, other) for other in others)


def unequal(values: list[Any]) -> bool:
    """Check whether two values differ."""
    return not _same(values[0], values[1])


def ordering(compare: Callable[[Any, Any], bool]) -> Callable[[list[Any]], bool]:
    """Return a function that compares the order of two values of the same kind."""

    def ordered(values: list[Any]) -> bool:
        kinds = [kind_of(value) for value in values]
        if kinds[0] is not kinds[1]:
            raise _incompatible(kinds[0], kinds[1])
        if kinds[0] not in _ORDERED:
            raise TemplateFaultError(f"{kinds[0].value} has no order")
        return bool(compare(values[0], values[1]))

    return ordered


less = ordering(operator.lt)
less_or_equal = ordering(operator.le)
greater = ordering(operator.gt)
greater_or_equal = ordering(operator.ge)


def _same(first: Any, second: Any) -> bool:
    kinds = kind_of(first), kind_of(second)
    if Kind.NIL in kinds:
        return _is_nil(first) and _is_nil(second)
    if kinds[0] is not kinds[1]:
        raise _incompatible(*kinds)
    if kinds[0] not in _BASIC:
        raise TemplateFaultError(f"{kinds[0].value} cannot be compared")
    return bool(first == second)


def _is_nil(value: Any) -> bool:
    return kind_of(value) is Kind.NIL or isinstance(value, NILS)


def _incompatible(first: Kind, second: Kind) -> TemplateFaultError:
    return TemplateFaultError(f"{first.value} cannot be compared with {second.value}")
