"""Access fields, elements and parts of values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.template.arguments import int_of, text_of
from ghcrctl.cli.format.template.faults import TemplateFaultError
from ghcrctl.cli.format.template.kinds import NO_VALUE, Kind, kind_of, octets
from ghcrctl.cli.format.template.suggest import nearest
from ghcrctl.cli.format.values import SetMap, StringMap, Struct

if TYPE_CHECKING:
    from collections.abc import Iterable


def field(value: Any, name: str) -> Any:
    """Return a field of a struct or an entry of a map.

    Returns:
        The value; NO_VALUE for a missing key of a map and for a field of NO_VALUE.

    Raises:
        TemplateFaultError: the struct does not have this field, or the value has no fields.
    """
    if value is NO_VALUE:
        return NO_VALUE
    if isinstance(value, Struct):
        return _struct_field(value, name)
    kind = kind_of(value)
    if kind is Kind.MAP:
        return value.get(name, NO_VALUE)
    raise TemplateFaultError(f'{kind.value} has no field "{name}"')


def _struct_field(value: Struct, name: str) -> Any:
    try:
        return value[name]
    except KeyError:
        hint = nearest(name, value, label="the fields are", prefix=".")
        reason = f'the {value.noun} has no field "{name}"'
        raise TemplateFaultError(reason, hint=hint) from None


def index(values: list[Any]) -> Any:
    """Return ``x[1]["a"]`` for the arguments x, 1, "a"."""
    item, *keys = values
    for key in keys:
        item = _element(item, key)
    return item


def _element(item: Any, key: Any) -> Any:
    kind = kind_of(item)
    if kind is Kind.STRUCT:
        return _struct_field(item, text_of(key, "index of an object"))
    if kind is Kind.MAP:
        return item.get(text_of(key, "index of a map"), _zero_element(item))
    if kind not in (Kind.LIST, Kind.TEXT):
        raise TemplateFaultError(f"index cannot look into {kind.value}")
    whole = octets(str(item)) if kind is Kind.TEXT else item
    at = int_of(key, f"index of {kind.value}")
    if not 0 <= at < len(whole):
        raise TemplateFaultError(f"index {at} is out of range: there are {len(whole)}")
    return whole[at]


def _zero_element(item: Any) -> Any:
    """Return the value of a missing key in a map of this type."""
    if isinstance(item, SetMap):
        return Struct({})
    return "" if isinstance(item, StringMap) else None


def cut(values: list[Any]) -> Any:
    """Return ``x[1:2]`` for the arguments x, 1, 2; as in Go, text is cut by bytes."""
    item, *bounds = values
    kind = kind_of(item)
    if kind not in (Kind.LIST, Kind.TEXT) or (kind is Kind.TEXT and len(bounds) == 3):
        raise TemplateFaultError(f"slice cannot cut {kind.value} with {len(bounds)} indexes")
    whole = octets(str(item)) if kind is Kind.TEXT else list(item)
    limits = [int_of(bound, "slice") for bound in bounds]
    start = limits[0] if limits else 0
    end = limits[1] if len(limits) > 1 else len(whole)
    if not 0 <= start <= end <= (limits[2] if len(limits) == 3 else len(whole)) <= len(whole):
        raise TemplateFaultError(f"slice {start}:{end} is out of range: there are {len(whole)}")
    part = whole[start:end]
    return part.decode("utf-8", "replace") if isinstance(part, bytes) else part


def length(values: list[Any]) -> int:
    """Return the number of bytes of a string, elements of a list, or entries of a map."""
    value = values[0]
    kind = kind_of(value)
    if kind is Kind.TEXT:
        return len(octets(str(value)))
    if kind in (Kind.LIST, Kind.MAP, Kind.STRUCT):
        return len(value)
    raise TemplateFaultError(f"{kind.value} has no length")


def iterate(value: Any, variables: int) -> Iterable[tuple[Any, Any]]:
    """Return the elements for ``range``: indexes or sorted keys, and values.

    Args:
        value: a list, a map, an integer or nil.
        variables: the number of variables in the template; an integer allows only one.

    Raises:
        TemplateFaultError: ``range`` cannot iterate over the value.
    """
    kind = kind_of(value)
    if kind is Kind.NIL:
        return ()
    if kind is Kind.LIST:
        return enumerate(value)
    if kind in (Kind.MAP, Kind.STRUCT):
        return ((key, value[key]) for key in sorted(value, key=str))
    if kind is Kind.INT and variables < 2:
        return ((at, at) for at in range(value))
    raise TemplateFaultError(f"range cannot walk over {kind.value}")
