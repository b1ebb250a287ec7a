"""JSON of a foreign hand.

What belongs here: what any manifest or config must be before anybody looks at what it says. What
does not: what it says (``manifest``, ``config``).
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, NoReturn

from ghcrctl.errors import InvalidManifestError
from ghcrctl.oci.quoting import shortened

# Bytes a manifest or config may have: the limit of the distribution spec 1.1, "Pushing Manifests".
MAX_METADATA_SIZE = 4 * 1024 * 1024
# Objects and lists inside each other; manifests have four, configs of images about six.
MAX_JSON_DEPTH = 100


def load_object(raw: bytes, what: str) -> dict[str, Any]:
    """Read a JSON object of a foreign hand.

    Raises:
        InvalidManifestError: it is too large, too deep, no JSON or no object, or says two things
            under one key, of which programs believe now the first and now the last.
    """
    if len(raw) > MAX_METADATA_SIZE:
        raise InvalidManifestError(f"the {what} is larger than {MAX_METADATA_SIZE} bytes")
    try:
        # The library would take UTF-16, and numbers that JSON does not have.
        data = json.loads(raw.decode(), object_pairs_hook=unique_keys, parse_constant=_no_number)
        _check_depth(data)
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ShapeError) else "no valid JSON"
        if isinstance(error, RecursionError):
            reason = "nested too deeply"
        raise InvalidManifestError(f"invalid {what}: {reason}") from None
    if not isinstance(data, dict):
        raise InvalidManifestError(f"invalid {what}: no JSON object")
    return data


class ShapeError(ValueError):
    """JSON that parsers read, each in its own way."""


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build a JSON object; pass this to `json.loads` as ``object_pairs_hook``.

    Raises:
        ShapeError: a key is there twice.
    """
    data = dict(pairs)
    if len(data) != len(pairs):
        twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise ShapeError(f"`{shortened(twice)}` is a duplicate key")
    return data


def _no_number(text: str) -> NoReturn:
    raise ShapeError(f"{text} is not a number")


def _check_depth(data: object) -> None:
    """Refuse what other code, or another machine with less of a stack, could not walk."""
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
