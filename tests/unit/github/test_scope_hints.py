"""Refusals for a token without a scope, and malformed records of GitHub."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import GhcrctlError, InvalidResponseError
from ghcrctl.github.github_hosts import instance_of
from ghcrctl.github.records import read_package, read_version
from ghcrctl.github.refusals import Refusal, explain_refusal

PAGE = "https://github.com/settings/tokens/new?scopes="
VERSION = {
    "id": 1,
    "name": f"sha256:{'ab' * 32}",
    "created_at": "2026-01-01T00:00:00Z",
    "updated_at": "2026-01-01T00:00:00Z",
}


def refused(
    status: int, scope: str, given: str | None, source: str = "the environment (GHCRCTL_TOKEN)"
) -> GhcrctlError:
    return explain_refusal(
        Refusal(
            instance=instance_of("ghcr.io"),
            action="delete",
            what="version 7 of octo/app",
            status=status,
            text=json.dumps({"message": "No"}),
            headers={} if given is None else {"X-OAuth-Scopes": given},
            credential=Credential("octo", "ghp_secret", source=source),
            scope=scope,
        )
    )


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize("given", ["repo, read:packages", ""])
def test_a_missing_scope_is_named_with_the_page(status: int, given: str) -> None:
    hint = refused(status, "delete:packages", given).hint or ""
    assert "lacks delete:packages" in hint
    assert "GHCRCTL_TOKEN" in hint
    assert hint.endswith(f"{PAGE}read:packages,delete:packages")
    assert (f"`{given}`" in hint) == bool(given)


def test_a_missing_scope_of_ghs_token_is_added_with_gh() -> None:
    hint = refused(403, "delete:packages", "repo", "gh auth token, for github.com").hint or ""
    assert hint.endswith("gh auth refresh -h github.com -s delete:packages")


@pytest.mark.parametrize("status", [403, 404])
@pytest.mark.parametrize(
    ("scope", "given"),
    [
        ("delete:packages", "delete:packages"),
        ("read:packages", "write:packages"),
        ("read:packages", "repo,read:packages"),
        ("delete:packages", None),
    ],
)
def test_a_present_or_unknown_scope_is_not_called_missing(
    status: int, scope: str, given: str | None
) -> None:
    assert "lacks" not in (refused(status, scope, given).hint or "")


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"id": None}, "a field has an unexpected value"),
        ({"name": "nothing"}, "a field has an unexpected value"),
        ({"created_at": 5}, "a field has an unexpected value"),
        ({"updated_at": "yesterday"}, "a field has an unexpected value"),
    ],
)
def test_a_version_with_an_odd_field_is_invalid(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(InvalidResponseError) as caught:
        read_version({**VERSION, **changed})
    assert caught.value.message == f"GitHub returned an invalid version: {why}"


def test_a_missing_field_is_named() -> None:
    with pytest.raises(InvalidResponseError, match="the field `id` is missing") as caught:
        read_version({key: value for key, value in VERSION.items() if key != "id"})
    assert "Error(" not in caught.value.message
    with pytest.raises(InvalidResponseError, match="invalid package: the field `login` is missing"):
        read_package({"owner": {}})
