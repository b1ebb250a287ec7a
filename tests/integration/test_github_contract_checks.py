"""Violations of GitHub's OpenAPI description are found."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.integration.github_contract import Contract, Exchange, contract
from tests.integration.github_openapi import cut, fixed_description

__all__ = ["contract"]

pytestmark = pytest.mark.integration

_MOMENT = "2026-01-02T03:04:05Z"
_VERSION_OF_ONE: dict[str, Any] = {
    "id": 1001,
    "name": f"sha256:{'a' * 64}",
    "url": "https://api.github.com/versions/1001",
    "package_html_url": "https://github.com/orgs/acme/packages/container/package/app",
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
    "metadata": {"package_type": "container", "container": {"tags": ["1.0"]}},
}
_PACKAGE_OF_ONE: dict[str, Any] = {
    "id": 1,
    "name": "app",
    "package_type": "container",
    "visibility": "internal",
    "url": "https://api.github.com/packages/1",
    "html_url": "https://github.com/orgs/acme/packages/container/package/app",
    "version_count": 1,
    "created_at": _MOMENT,
    "updated_at": _MOMENT,
    "repository": None,
}
_HEADERS = {"user-agent": "a client", "accept": "application/vnd.github+json, application/json"}
_APP = "/orgs/acme/packages/container/tools%2Fapp"


def _got(target: str, response: object) -> Exchange:
    body = json.dumps(response).encode()
    return Exchange("GET", target, _HEADERS, 0, 200, "application/json; charset=utf-8", body)


_LIST = _got("/orgs/acme/packages?package_type=container&per_page=100", [_PACKAGE_OF_ONE])
_VERSIONS = _got(f"{_APP}/versions?state=active&page=2", [_VERSION_OF_ONE])
_GET = _got(f"{_APP}/versions/1001", _VERSION_OF_ONE)
_DELETE = Exchange("DELETE", f"{_APP}/versions/1001", _HEADERS, status=204)
_REFUSED = replace(_got("", {"message": "Not Found"}), method="GET", target=_APP, status=404)
_OTHERS = _got("/users/hubot/packages/container/app/versions?state=deleted", [_VERSION_OF_ONE])


@pytest.mark.parametrize("exchange", [_LIST, _VERSIONS, _GET, _DELETE, _REFUSED, _OTHERS])
def test_matching_exchange_has_no_violation(contract: Contract, exchange: Exchange) -> None:
    assert contract.violations(exchange) == []


def _with(exchange: Exchange, **fields: object) -> Exchange:
    """Change fields of the object in a response; ``...`` removes a field."""
    data = json.loads(exchange.response)
    one = data[0] if isinstance(data, list) else data
    for name, value in fields.items():
        one.pop(name, None)
        if value is not ...:
            one[name] = value
    return replace(exchange, response=json.dumps(data).encode())


def _to(exchange: Exchange, before: str, after: str) -> Exchange:
    return replace(exchange, target=exchange.target.replace(before, after))


@pytest.mark.parametrize(
    ("exchange", "found"),
    [
        (_with(_GET, name=...), "response: 'name' is a required property"),
        (_with(_VERSIONS, name=...), "response[0]: 'name' is a required property"),
        (_with(_GET, name=None), "response['name']: None is not of type 'string'"),
        (_with(_GET, id="1001"), "response['id']: '1001' is not of type 'integer'"),
        (_with(_GET, created_at="yesterday"), "'yesterday' is not a 'date-time'"),
        (_with(_GET, metadata={"container": {"tags": []}}), "'package_type' is a required"),
        (_with(_LIST, package_type="image"), "response[0]['package_type']: 'image' is not one of"),
        (_with(_LIST, visibility="secret"), "response[0]['visibility']: 'secret' is not one of"),
        (_with(_LIST, repository={}), "response[0]['repository']: {} is not valid under any"),
        (replace(_LIST, response=b"{}"), "response: {} is not of type 'array'"),
        (replace(_LIST, response=b"<html>"), "the response is no JSON"),
        (
            replace(_LIST, answer_type="text/html"),
            "the response's type `text/html` is not declared",
        ),
        (replace(_LIST, status=202), "the status is not declared"),
        (replace(_REFUSED, status=418), "the status is not declared"),
        (_with(_REFUSED, message=404), "response['message']: 404 is not of type 'string'"),
        (replace(_DELETE, response=b"{}"), "the response has a body, and none is declared"),
        (replace(_DELETE, sent=2), "has a body of 2 bytes, and none is declared"),
        (
            replace(_DELETE, headers={**_HEADERS, "content-type": "application/json"}),
            "says the type of a body that it has not",
        ),
        (replace(_GET, headers={"accept": _HEADERS["accept"]}), "says no `User-Agent`"),
        (replace(_GET, headers={"user-agent": "a client"}), "accepts no `application/json`"),
        (_to(_LIST, "package_type=container&", ""), "lacks the parameter `package_type`"),
        (_to(_LIST, "type=container", "type=image"), "package_type: 'image' is not one of"),
        (_to(_LIST, "per_page=100", "per_page=all"), "per_page: 'all' is not of type 'integer'"),
        (_to(_LIST, "per_page=100", "size=100"), "the parameter `size` is not declared"),
        (_to(_LIST, "per_page=100", "page=1&page=2"), "the parameter `page` is there twice"),
        (_to(_LIST, "per_page", "state=active&per_page"), "parameter `state` is not declared"),
        (_to(_VERSIONS, "active", "gone"), "state: 'gone' is not one of"),
        (_to(_OTHERS, "deleted", "gone"), "state: 'gone' is not one of"),
        (_to(_GET, "/container/", "/image/"), "package_type: 'image' is not one of"),
        (_to(_GET, "1001", "latest"), "package_version_id: 'latest' is not of type 'integer'"),
        (_to(_GET, "%2F", "/"), "no such operation"),
        (replace(_GET, method="PATCH"), "no such operation"),
    ],
)
def test_violation_is_found(contract: Contract, exchange: Exchange, found: str) -> None:
    violations = contract.violations(exchange)

    assert any(found in violation for violation in violations), violations


def test_extract_has_all_package_operations(contract: Contract) -> None:
    paths = contract.paths
    operations = [
        (method, path) for path, item in paths.items() if "/packages" in path for method in item
    ]

    assert len(operations) == 24
    assert {"/user", "/users/{username}", "/rate_limit"} < paths.keys()
    assert {"/repos/{owner}/{repo}/pulls", "/repos/{owner}/{repo}/branches"} < paths.keys()


def test_extract_keeps_only_referenced_components() -> None:
    def refer(name: str) -> dict[str, str]:
        return {"$ref": f"#/components/schemas/{name}"}

    loop = {"properties": {"example": refer("leaf"), "self": refer("package")}, "example": 1}
    schemas = {"package": loop, "leaf": {"type": "string", "title": "a leaf"}, "unused": {}}
    paths = {"/user/packages": refer("package"), "/gists": refer("unused")}

    found = cut({"paths": paths, "components": {"schemas": schemas}})

    kept = {"package": {"properties": loop["properties"]}, "leaf": {"type": "string"}}
    assert found == {
        "paths": {"/user/packages": refer("package")},
        "components": {"schemas": kept},
    }


def test_nullable_types_may_be_null() -> None:
    one = {"type": "string", "enum": ["a"], "nullable": True}
    visibility = {"type": "string", "enum": ["private"]}
    package = {"properties": {"one": one, "visibility": visibility}}

    found = fixed_description({"components": {"schemas": {"package": package}}})

    assert found["components"]["schemas"]["package"]["properties"] == {
        "one": {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]},
        "visibility": {"type": "string", "enum": ["private", "internal"]},
    }
