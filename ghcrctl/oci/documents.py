"""Parses untrusted JSON with limits, for manifests and configs."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.quotes import shortened

# Limit of the distribution spec 1.1, "Pushing Manifests" (bytes).
MAX_METADATA_SIZE = 4 * 1024 * 1024
# Limit for nested objects and lists; manifests use four levels, image configs about six.
MAX_JSON_DEPTH = 100


def load_object(raw: bytes, what: str) -> dict[str, Any]:
    """Parse an untrusted JSON object.

    Raises:
        InvalidManifestError: the text is too large, nested too deeply or not a JSON object, or has
            a duplicate key, which parsers resolve differently.
    """
    if len(raw) > MAX_METADATA_SIZE:
        raise InvalidManifestError(f"the {what} is larger than {MAX_METADATA_SIZE} bytes")
    try:
        # `json.loads` accepts UTF-16, and numbers such as NaN that JSON does not allow.
        data = json.loads(raw.decode(), object_pairs_hook=unique_keys, parse_constant=_no_number)
        _check_depth(data)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ShapeError) else "not valid JSON"
        if isinstance(error, RecursionError):
            reason = "nested too deeply"
        raise InvalidManifestError(f"invalid {what}: {reason}") from None
    if not isinstance(data, dict):
        raise InvalidManifestError(f"invalid {what}: not a JSON object")
    return data


class ShapeError(ValueError):
    """JSON that different parsers interpret differently."""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; pass this to `json.loads` as ``object_pairs_hook``.

    Raises:
        ShapeError: a key occurs twice.
    """
    data = dict(pairs)
    if len(data) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ShapeError(f"`{shortened(twice)}` is a duplicate key")
    return data


def _no_number(text: str) -> NoReturn:
    raise ShapeError(f"{text} is not a number")


def _check_depth(data: object) -> None:
    """Reject nesting that recursive code might not be able to process."""
    level = [data]
    for _ in range(MAX_JSON_DEPTH):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return
    raise ShapeError("nested too deeply")
