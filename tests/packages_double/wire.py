"""GitHub's responses: JSON, errors, pages and the links between them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tests.registry_double.wsgi import Answer, Environ

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.packages_double.versions import Package, Record


def page_of(
    items: Sequence[Any] | Newest,
    url: str,
    query: dict[str, list[str]],
    shown: Callable[[Any], Any],
) -> Answer:
    """Return the requested page of a list."""
    page, size = place_of(query)
    answer = as_json([shown(item) for item in items[(page - 1) * size : page * size]])
    last = max(1, -(-len(items) // size))
    kept = {key: values[0] for key, values in query.items() if key != "page"}
    links = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
    wanted = {"prev": page > 1, "next": page < last, "last": page < last, "first": page > 1}
    text = ", ".join(
        f'<{url}?{_query({**kept, "page": str(number)})}>; rel="{rel}"'
        for rel, number in links.items()
        if wanted[rel]
    )
    if text:
        answer.headers["Link"] = text
    return answer


class Newest:
    """A package's versions, newest first, without sorting them for each page."""

    def __init__(self, package: Package) -> None:
        hidden = [record for record in package.active[-50:] if record.hidden]
        for record in hidden:
            record.hidden -= 1
        self._active = [r for r in package.active if r not in hidden] if hidden else package.active

    def __len__(self) -> int:
        return len(self._active)

    def __getitem__(self, part: slice) -> list[Record]:
        count = len(self._active)
        start, stop = min(part.start, count), min(part.stop, count)
        return self._active[count - stop : count - start][::-1]


def token_of(environ: Environ) -> str:
    kind, _, value = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    return value.strip() if kind.lower() in {"bearer", "token"} else ""


def place_of(query: dict[str, list[str]]) -> tuple[int, int]:
    page = int(query.get("page", ["1"])[0])
    size = min(100, int(query.get("per_page", ["30"])[0]))
    return max(1, page), max(1, size)


def number_of(text: str) -> int:
    return int(text) if text.isdigit() else -1


def _query(values: dict[str, str]) -> str:
    return "&".join(f"{key}={quote(value)}" for key, value in values.items())


def as_json(data: Any, status: int = 200) -> Answer:
    body = json.dumps(data).encode()
    headers = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body))}
    return Answer(status, headers, [body])


def as_error(status: int, message: str, **headers: str) -> Answer:
    url = "https://docs.github.com/rest/packages/packages"
    answer = as_json({"message": message, "documentation_url": url, "status": str(status)}, status)
    answer.headers.update(headers)
    return answer
