"""Calls a WSGI application and keeps its response, so that it can be modified."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Environ = dict[str, Any]


@dataclass(slots=True)
class Answer:
    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: Iterable[bytes] = ()

    def send(self, start_response: Callable[..., object]) -> Iterable[bytes]:
        start_response(f"{self.status} {_phrase(self.status)}", list(self.headers.items()))
        return self.body

    def close(self) -> None:
        close = getattr(self.body, "close", None)
        if close:
            close()


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A request. ``host`` is ``registry`` or ``storage``."""

    method: str
    path: str
    had_authorization: bool
    status: int
    host: str = "registry"
    query: str = ""
    range: str = ""


def call(app: Callable[..., Iterable[bytes]], environ: Environ) -> Answer:
    answer = Answer(500)

    def start_response(status: str, headers: list[tuple[str, str]]) -> None:
        answer.status = int(status.split(" ", 1)[0])
        answer.headers = dict(headers)

    answer.body = app(environ, start_response)
    return answer


def error(status: int, code: str, message: str, **headers: str) -> Answer:
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    length = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return Answer(status, {**length, **named}, [body])


def redirect(status: int, location: str) -> Answer:
    return Answer(status, {"Location": location, "Content-Length": "0"})


def query_of(environ: Environ) -> dict[str, list[str]]:
    return parse_qs(str(environ.get("QUERY_STRING", "")), keep_blank_values=True)


def drain(environ: Environ) -> None:
    while environ["wsgi.input"].read(65536):
        pass


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
