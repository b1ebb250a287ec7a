"""The errors for a registry's refusals."""

from __future__ import annotations

import json

import pytest

from ghcrctl.errors import (
    BlobUnknownError,
    DeniedError,
    ExitStatus,
    GhcrctlError,
    InvalidResponseError,
    ManifestUnknownError,
    RateLimitedError,
    RegistryUnavailableError,
    RepositoryUnknownError,
    UnauthorizedError,
    UnsupportedError,
)
from ghcrctl.registry.refusals import Refusal, explain_refusal


def body(code: str, message: str) -> str:
    return json.dumps({"errors": [{"code": code, "message": message}]})


def quoted(text: str) -> str:
    """Return the quote of a body."""
    try:
        said = json.loads(text)["errors"][0]
    except ValueError:
        return text
    return f"{said['code']}: {said['message']}"


def refusal(status: int, text: str = "", *, what: str = "1.0", signed_in: str = "") -> Refusal:
    return Refusal("ghcr.io", "octo/image", "push to", what, status, text, {}, signed_in)


@pytest.mark.parametrize(
    ("given", "kind", "hint"),
    [
        (
            refusal(403, body("DENIED", "denied"), signed_in="the keyring"),
            DeniedError,
            "the keyring may have expired",
        ),
        (
            refusal(403, body("DENIED", "requested access to the resource is denied")),
            DeniedError,
            "does not exist, or is private",
        ),
        (
            refusal(401, body("UNAUTHORIZED", "authentication required")),
            UnauthorizedError,
            "https://github.com/orgs/octo/packages/container/image/settings",
        ),
        (
            refusal(
                401,
                body("UNAUTHORIZED", "unauthenticated: User cannot be authenticated"),
                signed_in="GHCRCTL_TOKEN",
            ),
            UnauthorizedError,
            "ghcrctl login ghcr.io",
        ),
        (
            refusal(404, body("MANIFEST_UNKNOWN", "manifest unknown")),
            ManifestUnknownError,
            "ghcrctl tags ghcr.io/octo/image",
        ),
        (
            refusal(404, body("MANIFEST_UNKNOWN", "x"), what=f"sha256:{'a' * 64}"),
            ManifestUnknownError,
            "deleted, for example",
        ),
        (
            refusal(403, body("DENIED", "permission_denied: write_package"), signed_in="x"),
            DeniedError,
            "Manage Actions access",
        ),
        (
            refusal(403, body("DENIED", "permission_denied: create_package"), signed_in="x"),
            DeniedError,
            "https://github.com/organizations/octo/settings/packages",
        ),
        (
            refusal(
                403,
                body("DENIED", "installation not allowed to Create organization package"),
                signed_in="x",
            ),
            DeniedError,
            "permissions: packages: write",
        ),
        (
            refusal(
                403,
                body(
                    "DENIED",
                    "permission_denied: The token provided does not match expected scopes",
                ),
                signed_in="x",
            ),
            DeniedError,
            "write:packages",
        ),
        (
            refusal(
                403,
                body("DENIED", "installation not allowed to Write organization package"),
                signed_in="GITHUB_TOKEN",
            ),
            DeniedError,
            "permissions: packages: write",
        ),
        (
            refusal(403, "permission_denied: write_package"),
            DeniedError,
            "https://github.com/orgs/octo/packages/container/image/settings",
        ),
        (refusal(404, body("NAME_UNKNOWN", "x")), RepositoryUnknownError, "spelling"),
        # Without a tag or digest, the repository itself is missing.
        (
            refusal(404, body("NOT_FOUND", "project octo not found"), what=""),
            RepositoryUnknownError,
            "spelling",
        ),
        (refusal(404, body("BLOB_UPLOAD_UNKNOWN", "x"), what=""), BlobUnknownError, ""),
        (refusal(404, body("BLOB_UNKNOWN", "unknown blob")), BlobUnknownError, ""),
        (refusal(429, body("TOOMANYREQUESTS", "retry-after: 2s")), RateLimitedError, "in 2 s"),
        (
            refusal(503, "Egress is over the account limit"),
            RegistryUnavailableError,
            "githubstatus",
        ),
        (refusal(405, ""), UnsupportedError, ""),
        (refusal(400, body("UNSUPPORTED", "x")), UnsupportedError, ""),
        (refusal(418, "a teapot"), InvalidResponseError, ""),
    ],
)
def test_each_refusal_is_explained(given: Refusal, kind: type[GhcrctlError], hint: str) -> None:
    error = explain_refusal(given)
    assert type(error) is kind
    assert hint in (error.hint or "")
    # The message does not depend on the registry's wording.
    assert error.message[0].islower()
    assert not error.message.endswith(".")
    assert "``" not in error.message
    if given.text:
        assert error.message.endswith(f'(ghcr.io says: "{quoted(given.text)}")')


@pytest.mark.parametrize(
    ("status", "exit_status", "retryable"),
    [
        (401, ExitStatus.AUTH, False),
        (403, ExitStatus.AUTH, False),
        (404, ExitStatus.NOT_FOUND, False),
        (405, ExitStatus.UNSUPPORTED, False),
        (408, ExitStatus.NETWORK, True),
        (429, ExitStatus.NETWORK, True),
        (500, ExitStatus.NETWORK, True),
        (504, ExitStatus.NETWORK, True),
    ],
)
def test_each_status_has_its_exit_status(
    status: int, exit_status: ExitStatus, retryable: bool
) -> None:
    error = explain_refusal(refusal(status))
    assert error.exit_status is exit_status
    assert error.retryable is retryable


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        (body("DENIED", "denied"), 'ghcr.io says: "DENIED: denied"'),
        ("plain\n  words", 'ghcr.io says: "plain words"'),
        ("\x1b[31mred\x07", 'ghcr.io says: "?[31mred?"'),
        ('{"errors": [{"code": "A"}, {"message": "b"}]}', 'ghcr.io says: "A; b"'),
    ],
)
def test_the_registrys_message_is_quoted(text: str, quoted: str) -> None:
    assert quoted in str(explain_refusal(refusal(403, text)))


@pytest.mark.parametrize("text", ["<html>sorry</html>", "", "   ", "<Error/>"])
def test_a_body_without_a_message_is_not_quoted(text: str) -> None:
    assert "says" not in str(explain_refusal(refusal(403, text)))


def test_a_long_message_is_truncated() -> None:
    assert len(str(explain_refusal(refusal(500, "x" * 5000)))) < 500


@pytest.mark.parametrize("text", ["[" * 99_999, '{"errors": 7}', '{"errors": ["x"]}', "{}"])
def test_any_body_can_be_parsed(text: str) -> None:
    assert explain_refusal(refusal(404, text)).exit_status is ExitStatus.NOT_FOUND


def test_a_host_that_is_not_a_registry_is_detected() -> None:
    given = Refusal("www.example", "", "sign in to", "", 404, "<html>", {})
    error = explain_refusal(given)
    assert type(error) is InvalidResponseError
    assert error.message == (
        "cannot sign in to www.example: www.example returned status 404 "
        "(www.example sent an HTML page)"
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<!DOCTYPE html><html><head><title>Sign &amp; in\n</title>", ': "Sign & in"'),
        ("\n <HTML><body><h1>502 <b>Bad</b> Gateway</h1>", ': "502 Bad Gateway"'),
        ("<html><title></title>", ""),
        ('\ufeff<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x"><title>X</title>', ': "X"'),
        ("<!-- padding --><html><title>Y</title>", ': "Y"'),
        ("<html>" + "<title" * 9999, ""),
    ],
)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 502])
def test_an_html_page_is_reported_as_one(text: str, words: str, status: int) -> None:
    message = explain_refusal(refusal(status, text)).message
    assert message.endswith(f"(ghcr.io sent an HTML page{words})")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            {"errors": [{"code": "DENIED", "detail": "quota is used up"}]},
            "DENIED: quota is used up",
        ),
        ({"errors": [{"code": "A", "message": "", "detail": {"n": 1}}]}, 'A: {"n": 1}'),
        ({"errors": [{"code": "A", "message": "said", "detail": "more"}]}, "A: said"),
        ({"errors": [{"code": "A", "detail": None}]}, "A"),
        ({"errors": [{"detail": [{"Type": "repository"}]}]}, '[{"Type": "repository"}]'),
        ({"details": "incorrect username or password"}, "incorrect username or password"),
        ({"error": "invalid_grant", "error_description": "it expired"}, "it expired"),
        ({"message": "Not Found"}, "Not Found"),
    ],
)
def test_the_detail_is_shown_without_a_message(text: object, words: str) -> None:
    message = explain_refusal(refusal(403, json.dumps(text))).message
    assert message.endswith(f'(ghcr.io says: "{words}")')


_INTERMEDIARY = "permission_denied: Error from intermediary with HTTP status code"


@pytest.mark.parametrize(
    ("status", "text", "kind", "least"),
    [
        (403, "You have exceeded a secondary rate limit. Please wait", RateLimitedError, 60),
        (403, "You have triggered an abuse detection mechanism", RateLimitedError, 60),
        (403, body("TOOMANYREQUESTS", "slow down"), RateLimitedError, 60),
        (429, "You have exceeded a secondary rate limit", RateLimitedError, 60),
        (429, body("TOOMANYREQUESTS", "slow down"), RateLimitedError, None),
        (403, body("DENIED", f'{_INTERMEDIARY} 429 "Too Many"'), RateLimitedError, None),
        (403, body("DENIED", f'{_INTERMEDIARY} 503 "No"'), RegistryUnavailableError, None),
        (403, body("DENIED", f"{_INTERMEDIARY} 500"), RegistryUnavailableError, None),
        (403, body("DENIED", f"{_INTERMEDIARY} 404"), DeniedError, None),
    ],
)
@pytest.mark.parametrize("signed_in", ["", "the keyring"])
def test_a_403_of_ghcr_may_be_a_rate_limit_or_a_fault(
    status: int, text: str, kind: type[GhcrctlError], least: float | None, signed_in: str
) -> None:
    error = explain_refusal(refusal(status, text, signed_in=signed_in))
    assert type(error) is kind
    assert error.least_wait == least
    if kind is not DeniedError:
        assert error.exit_status is ExitStatus.NETWORK
        assert error.retryable
    if least or (kind is RateLimitedError and signed_in):
        assert "sign" not in f"{error.hint} {error.message}".replace("rate limiting", "")


def test_a_package_that_a_workflow_may_not_read_has_its_page_named() -> None:
    given = refusal(403, body("DENIED", "permission_denied: read_package"), signed_in="the job")
    hint = explain_refusal(given).hint or ""
    assert "Manage Actions access" in hint
    assert "https://github.com/orgs/octo/packages/container/image/settings" in hint
    assert "sign in" not in hint


@pytest.mark.parametrize(
    ("headers", "text", "page"),
    [
        (
            {},
            "Resource protected by organization SAML enforcement. You must grant your token access",
            "https://github.com/settings/tokens",
        ),
        (
            {},
            "SAML enforcement: visit https://github.com/orgs/octo/sso?authorization_request=AB",
            "https://github.com/orgs/octo/sso?authorization_request=AB",
        ),
        (
            {"X-GitHub-SSO": "required; url=https://github.com/orgs/octo/sso?a=1"},
            "denied",
            "https://github.com/orgs/octo/sso?a=1",
        ),
    ],
)
def test_saml_names_the_page_that_authorizes_the_token(
    headers: dict[str, str], text: str, page: str
) -> None:
    given = Refusal("ghcr.io", "octo/image", "pull from", "1.0", 403, text, headers, "the keyring")
    error = explain_refusal(given)
    assert (error.hint or "").endswith(page)
    assert "authorize" in (error.hint or "")


def test_an_enterprise_registry_has_its_own_pages() -> None:
    given = Refusal("containers.git.example", "octo/image", "pull from", "1.0", 403, "", {})
    assert "https://git.example/orgs/octo/packages" in (explain_refusal(given).hint or "")


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_by_another_host_does_not_blame_the_credential(status: int) -> None:
    given = Refusal(
        "ghcr.io", "octo/image", "push to", "", status, "", {}, other_host="storage.example"
    )
    error = explain_refusal(given)
    assert "ghcr.io redirected the request to storage.example" in error.message
    assert "no credential was sent to storage.example" in (error.hint or "")
    assert "login" not in (error.hint or "")


def test_a_package_of_several_parts_has_one_page() -> None:
    given = Refusal("ghcr.io", "octo/a/b", "pull from", "1.0", 401, "", {})
    assert "https://github.com/users/octo/packages/container/a%2Fb/settings" in str(
        explain_refusal(given).hint
    )


@pytest.mark.parametrize(
    ("headers", "text", "asked"),
    [
        ({"Retry-After": "30"}, "", 30.0),
        (
            {},
            body("TOOMANYREQUESTS", "retry-after: 880.092\N{MICRO SIGN}s, allowed: 44000/minute"),
            1.0,
        ),
        ({}, "", None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_the_requested_wait_is_passed_on(
    status: int, headers: dict[str, str], text: str, asked: float | None
) -> None:
    error = explain_refusal(
        Refusal("ghcr.io", "octo/image", "pull from", "", status, text, headers)
    )
    assert error.retry_after == asked
    assert error.retryable


def test_a_denial_by_another_registry_suggests_login() -> None:
    given = Refusal("quay.io", "octo/image", "pull from", "1.0", 403, "", {})
    assert "ghcrctl login quay.io" in (explain_refusal(given).hint or "")


def test_an_expired_credential_of_another_registry_is_renewed_with_login() -> None:
    text = body("DENIED", "Your authorization token has expired")
    given = Refusal("reg.example", "octo/image", "push to", "1.0", 403, text, {}, "the keyring")
    assert (explain_refusal(given).hint or "").startswith(
        "sign in again: ghcrctl login reg.example"
    )
