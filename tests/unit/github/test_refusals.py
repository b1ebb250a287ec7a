"""The errors for GitHub's refusals."""

from __future__ import annotations

import json

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import (
    BlockedError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    PackageUnknownError,
    RateLimitedError,
    RefusedError,
    RegistryUnavailableError,
    RetainedError,
    UnauthorizedError,
)
from ghcrctl.github.github_hosts import instance_of
from ghcrctl.github.refusals import Refusal, explain_refusal
from tests.packages_double.api import LAST_TAGGED, POPULAR


def refused(
    status: int,
    message: str = "",
    *,
    token: str | None = "ghp_secret",
    action: str = "delete",
    scope: str = "delete:packages",
    text: str | None = None,
    **headers: str,
) -> GhcrctlError:
    return explain_refusal(
        Refusal(
            instance=instance_of("ghcr.io"),
            action=action,
            what="version 7 of octo/app",
            status=status,
            text=json.dumps({"message": message}) if text is None else text,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            credential=Credential("octo", token, source="the environment") if token else None,
            scope=scope,
        )
    )


@pytest.mark.parametrize(
    ("status", "message", "expected"),
    [
        (400, LAST_TAGGED, RetainedError),
        (400, "You cannot delete the last version of a package.", RetainedError),
        (400, POPULAR, BlockedError),
        (400, POPULAR.replace("package versions", "packages with a version"), BlockedError),
        (401, "Bad credentials", UnauthorizedError),
        (403, "Resource not accessible by integration", DeniedError),
        (404, "Package not found.", PackageUnknownError),
        (409, "The namespace of the package has been reused.", RefusedError),
        (429, "Slow down", RateLimitedError),
        (500, "Server Error", RegistryUnavailableError),
        (418, "I'm a teapot", InvalidResponseError),
    ],
)
def test_each_refusal_has_its_error_and_quotes_github(
    status: int, message: str, expected: type[GhcrctlError]
) -> None:
    error = refused(status, message)
    assert type(error) is expected
    assert "version 7 of octo/app" in error.message
    assert f'GitHub says: "{message}"' in error.message


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
@pytest.mark.parametrize(
    "text", ["", "<html>", "[]", '{"message": 7}', '{"message": null}', "[" * 9999]
)
def test_an_empty_response_is_explained_by_its_status(status: int, text: str) -> None:
    error = refused(status, text=text)
    assert "GitHub says" not in error.message


def test_control_characters_and_long_messages_do_not_reach_the_terminal() -> None:
    error = refused(403, "\x1b[31m" + "x" * 5000)
    assert "\x1b" not in error.message
    assert len(error.message) < 500


def test_without_a_token_the_hint_links_to_a_new_one() -> None:
    error = refused(401, token=None, action="get", scope="read:packages")
    assert "requires a token" in error.message
    assert "https://github.com/settings/tokens/new?scopes=read:packages" in (error.hint or "")


def test_single_sign_on_links_to_the_authorization_page() -> None:
    page = "https://github.com/orgs/octo/sso?authorization_request=abc"
    error = refused(403, "SAML", X_GitHub_SSO=f"required; url={page}")
    assert isinstance(error, DeniedError)
    assert (error.hint or "").endswith(page)


def test_an_invalid_single_sign_on_link_is_not_shown() -> None:
    error = refused(403, "SAML", X_GitHub_SSO="required; url=javascript:alert(1)")
    assert "javascript" not in (error.hint or "")


@pytest.mark.parametrize(
    ("token", "headers", "said"),
    [
        ("ghs_job", {}, "`permissions: packages: write`"),
        ("ghs_job", {}, "never list an owner's packages"),
        ("github_pat_x", {}, "packages do not support fine-grained tokens"),
        ("ghp_x", {"X_OAuth_Scopes": "repo, read:packages"}, "lacks delete:packages"),
        ("ghp_x", {"X_OAuth_Scopes": ""}, "lacks delete:packages"),
        ("ghp_x", {"X_OAuth_Scopes": "delete:packages"}, "the role Admin on the package"),
    ],
)
def test_a_denial_explains_what_the_token_lacks(
    token: str, headers: dict[str, str], said: str
) -> None:
    assert said in (refused(403, "denied", token=token, **headers).hint or "")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500])
def test_errors_contain_no_secret(status: int) -> None:
    error = refused(status, "x", token="ghp_topsecret")
    assert "topsecret" not in f"{error.message} {error.hint} {error!r}"
