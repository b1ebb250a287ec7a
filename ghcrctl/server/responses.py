"""Responses of the registry."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug import Response as WerkzeugResponse

if TYPE_CHECKING:
    from collections.abc import Mapping


class Response(WerkzeugResponse):
    """A werkzeug response that has a content type only if one is given."""

    default_mimetype = None


def json_response(
    data: object,
    *,
    status: int = 200,
    content_type: str = "application/json",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Build a JSON response."""
    return Response(json.dumps(data), status, headers, content_type=content_type)
