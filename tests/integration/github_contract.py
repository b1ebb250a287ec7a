"""Checks that requests to GitHub and its responses match GitHub's OpenAPI description.

The description is OpenAPI 3.0.3, whose schemas are a dialect of JSON schema's draft 4.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from jsonschema import Draft4Validator, FormatChecker

from tests.integration.github_openapi import get_description

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.registry_double.wsgi import Answer, Environ

_RATE_LIMITS = "https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"
# Statuses that GitHub returns but the description omits, for all or some operations.
UNDECLARED_STATUSES = {
    400: "the last tagged version and the much downloaded are not deleted, many tools saw it",
    401: "an invalid token is refused everywhere",
    403: f"rate limits, tokens of jobs and single sign-on refuse everywhere, {_RATE_LIMITS}",
    404: "what is not there, or not shown, is declared for some operations only",
    409: "a package whose name was taken again cannot be restored",
    422: "an invalid body or number is refused like this, https://github.com/cli/cli/issues/4286",
    429: f"the secondary rate limit, {_RATE_LIMITS}",
    500: "seen at long lists and at deletions; the same request succeeds later",
    502: "any service may fail so",
    503: "any service may fail so",
    504: "any service may fail so",
}
# Query parameters that work but are missing in the description.
UNDECLARED_PARAMETERS: dict[str, dict[str, dict[str, Any]]] = {
    # The lists of organizations and of the user have these three, and tools use them here.
    "/users/{username}/packages/{package_type}/{package_name}/versions": {
        "page": {"type": "integer"},
        "per_page": {"type": "integer"},
        "state": {"type": "string", "enum": ["active", "deleted"]},
    },
}
_FORMATS = FormatChecker(formats=())


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: object) -> bool:
    # `fromisoformat` accepts the `Z` since Python 3.11.
    return not isinstance(value, str) or bool(datetime.strptime(value, "%Y-%m-%dT%H:%M:%S%z"))


@_FORMATS.checks("uri", raises=ValueError)
def _is_address(value: object) -> bool:
    return not isinstance(value, str) or bool(urlsplit(value).scheme and urlsplit(value).netloc)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its response.

    Args:
        method: in capital letters.
        target: path and query, encoded as they were sent.
        headers: of the request, with names in small letters.
        sent: bytes of the request's body.
        status: of the response.
        answer_type: the response's media type, with its parameters.
        response: the response's body.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    sent: int = 0
    status: int = 200
    answer_type: str = ""
    response: bytes = b""


class Contract:
    """GitHub's description, which exchanges are checked against."""

    def __init__(self, description: Mapping[str, Any]) -> None:
        self.paths: Mapping[str, Any] = description["paths"]
        self._components: Mapping[str, Any] = description["components"]
        self._patterns = {re.compile(_pattern(path)): path for path in self.paths}

    def operation_of(self, exchange: Exchange) -> str:
        """Return method and path as in the description; ``None`` if they are missing there."""
        path = urlsplit(exchange.target).path
        for pattern, template in self._patterns.items():
            if pattern.fullmatch(path) and exchange.method.lower() in self.paths[template]:
                return f"{exchange.method} {template}"
        return ""

    def violations(self, exchange: Exchange) -> list[str]:
        """Return all violations of an exchange."""
        name = self.operation_of(exchange)
        if not name:
            return [f"{exchange.method} {exchange.target}: no such operation"]
        template = name.partition(" ")[2]
        operation = self.paths[template][exchange.method.lower()]
        found = [
            *self._of_parameters(exchange, template, operation),
            *self._of_headers_and_body(exchange, operation),
            *self._of_answer(exchange, operation),
        ]
        return [f"{name} ({exchange.target}) {exchange.status}: {what}" for what in found]

    # The request

    def _of_parameters(
        self, exchange: Exchange, template: str, operation: Mapping[str, Any]
    ) -> Iterator[str]:
        path, query = urlsplit(exchange.target)[2:4]
        match = re.fullmatch(_pattern(template), path)
        in_path = {key: unquote(value) for key, value in match.groupdict().items()} if match else {}
        declared = [self._resolved(parameter) for parameter in operation.get("parameters", [])]
        schemas = {p["name"]: p["schema"] for p in declared if p["in"] == "path"}
        yield from self._of_values(list(in_path.items()), schemas)
        schemas = {p["name"]: p["schema"] for p in declared if p["in"] == "query"}
        values = parse_qsl(query, keep_blank_values=True)
        yield from self._of_values(values, {**UNDECLARED_PARAMETERS.get(template, {}), **schemas})
        needed = {p["name"] for p in declared if p["in"] == "query" and p.get("required")}
        for name in sorted(needed - {name for name, _ in values}):
            yield f"lacks the parameter `{name}`"

    def _of_values(
        self, values: list[tuple[str, str]], schemas: Mapping[str, Any]
    ) -> Iterator[str]:
        names = [name for name, _ in values]
        for name, value in values:
            if name not in schemas:
                yield f"the parameter `{name}` is not declared"
            elif names.count(name) > 1:
                yield f"the parameter `{name}` is there twice"
            else:
                yield from self._unfit(_typed(value, schemas[name]), schemas[name], name)

    def _of_headers_and_body(
        self, exchange: Exchange, operation: Mapping[str, Any]
    ) -> Iterator[str]:
        if not exchange.headers.get("user-agent"):
            yield "says no `User-Agent`"
        if "application/json" not in exchange.headers.get("accept", ""):
            yield "accepts no `application/json`"
        if "requestBody" not in operation:
            if exchange.sent:
                yield f"has a body of {exchange.sent} bytes, and none is declared"
            if exchange.headers.get("content-type"):
                yield "says the type of a body that it has not"

    # The response

    def _of_answer(self, exchange: Exchange, operation: Mapping[str, Any]) -> Iterator[str]:
        declared = operation["responses"].get(str(exchange.status))
        if declared is None and exchange.status not in UNDECLARED_STATUSES:
            yield "the status is not declared"
            return
        content = self._resolved(declared or {}).get("content", {})
        media_type = exchange.answer_type.partition(";")[0].strip()
        if exchange.status < 400 and not content:
            if exchange.response:
                yield "the response has a body, and none is declared"
            return
        if media_type not in (content or {"application/json": {}}):
            yield f"the response's type `{media_type}` is not declared"
            return
        # Errors without a schema have the same form as those with one.
        basic = {"$ref": "#/components/schemas/basic-error"}
        schema = content.get(media_type, {}).get("schema", basic)
        try:
            data = json.loads(exchange.response)
        except ValueError:
            yield "the response is no JSON"
            return
        yield from self._unfit(data, schema, "response")

    def _resolved(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in node:
            _, _, kind, name = node["$ref"].split("/")
            node = self._components[kind][name]
        return node

    def _unfit(self, value: object, schema: Mapping[str, Any], what: str) -> Iterator[str]:
        # The references need one root, which is the schema of the description.
        root = {"allOf": [schema], "components": self._components}
        validator = Draft4Validator(root, format_checker=_FORMATS)
        for error in validator.iter_errors(value):
            where = "".join(f"[{part!r}]" for part in error.absolute_path)
            reasons = "; ".join(inner.message[:200] for inner in error.context or ())
            yield f"{what}{where}: {error.message[:300]}{f' ({reasons})' if reasons else ''}"


class Recorder:
    """A recorder that checks all requests to the API and their responses."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.exchanges: list[Exchange] = []

    def note(self, environ: Environ, response: Answer) -> None:
        headers = {
            name.removeprefix("HTTP_").replace("_", "-").lower(): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or (name == "CONTENT_TYPE" and value)
        }
        exchange = Exchange(
            environ["REQUEST_METHOD"],
            str(environ["REQUEST_URI"]),
            headers,
            int(environ.get("CONTENT_LENGTH") or 0),
            response.status,
            response.headers.get("Content-Type", ""),
            b"".join(response.body),
        )
        self.exchanges.append(exchange)

    @property
    def operations(self) -> set[str]:
        """All requests by method and path as in the description."""
        return {self.contract.operation_of(exchange) for exchange in self.exchanges}

    @property
    def statuses(self) -> set[int]:
        return {exchange.status for exchange in self.exchanges}

    def assert_all_fit(self) -> None:
        assert self.exchanges
        found = [what for exchange in self.exchanges for what in self.contract.violations(exchange)]
        assert not found, "\n".join(found[:20])


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return GitHub's description, which is fetched before tests get their own home."""
    return Contract(get_description())


def _pattern(template: str) -> str:
    """Return a path template as a regular expression, in which names have no slash."""
    return re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))


def _typed(value: str, schema: Mapping[str, Any]) -> object:
    """Convert a parameter to the type in its schema."""
    if schema.get("type") == "integer" and re.fullmatch("-?[0-9]+", value):
        return int(value)
    if schema.get("type") == "boolean" and value in {"false", "true"}:
        return value == "true"
    return value
