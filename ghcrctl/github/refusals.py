"""Translates refusals of GitHub's API into errors with hints.

Source: GitHub's documentation, "REST API endpoints for packages", and public reports of the same
messages.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.renewal_hints import renewal_hint, scope_hint
from ghcrctl.credentials.token_kinds import TokenKind, token_kind
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
from ghcrctl.registry.error_bodies import is_html, quote_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ghcrctl.credentials.credential import Credential
    from ghcrctl.github.github_hosts import Instance

_LONGEST_QUOTE = 300
# Scopes that include other scopes (GitHub's documentation, "Scopes for OAuth apps").
_IMPLIED = {"write:packages": ("read:packages",)}
_SSO_URL = re.compile(r"url=(https://[^\s;,]+)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that refuses a request.

    Args:
        instance: the GitHub instance.
        action: the verb for messages, such as ``delete``.
        what: the object for messages.
        status: the HTTP status.
        text: the start of the body.
        headers: the response headers.
        credential: the credential that was sent, if any.
        scope: the scope that a classic token needs for the action.
    """

    instance: Instance
    action: str
    what: str
    status: int
    text: str
    headers: Mapping[str, str]
    credential: Credential | None
    scope: str

    @property
    def message(self) -> str:
        """GitHub's message; may be empty."""
        try:
            found = json.loads(self.text)["message"]
        except (ValueError, KeyError, TypeError, RecursionError):
            found = ""
        return str(found)[:_LONGEST_QUOTE] if isinstance(found, str) else ""

    @property
    def quoted(self) -> str:
        """GitHub's message in quotes and parentheses; may be empty."""
        if is_html(self.text):
            return quote_body(self.text, "GitHub")
        message = "".join(c if c.isprintable() else "?" for c in self.message)
        return f' (GitHub says: "{message}")' if message else ""

    @property
    def cannot(self) -> str:
        """The first part of the error message."""
        return f"cannot {self.action} {self.what}"


def explain_refusal(refusal: Refusal) -> GhcrctlError:
    """Return the error for a refusal."""
    message = refusal.message.lower()
    if "last tagged version" in message or "last version" in message:
        return RetainedError(
            f"{refusal.cannot}: GitHub keeps the last tagged version of a package{refusal.quoted}",
            hint="delete the package, or push the version to keep first",
        )
    if "5000 downloads" in message or "5,000 downloads" in message:
        return BlockedError(
            f"{refusal.cannot}: it is public and has more than 5,000 downloads{refusal.quoted}",
            hint="make the package private first, or contact GitHub support",
        )
    builders = {401: _unauthorized, 403: _denied, 404: _not_found, 409: _taken, 429: rate_limited}
    build = builders.get(refusal.status)
    if build:
        return build(refusal)
    if refusal.status >= 500:
        return RegistryUnavailableError(
            f"{refusal.cannot}: GitHub failed with status {refusal.status}{refusal.quoted}",
            hint="try again later; GitHub's status: https://www.githubstatus.com",
        )
    return InvalidResponseError(
        f"{refusal.cannot}: GitHub returned status {refusal.status}{refusal.quoted}"
    )


def rate_limited(refusal: Refusal, wait: float | None = None) -> RateLimitedError:
    """Return the error for a rate limit."""
    when = f"in {wait:.0f} s" if wait else "later"
    return RateLimitedError(
        f"{refusal.cannot}: GitHub is rate limiting requests{refusal.quoted}",
        hint=f"run the command again {when}; it resumes where it stopped",
        retry_after=wait,
    )


def _unauthorized(refusal: Refusal) -> UnauthorizedError:
    if refusal.credential is None:
        return UnauthorizedError(
            f"{refusal.cannot}: GitHub's packages API requires a token, even for public packages",
            hint=f"sign in: ghcrctl login {refusal.instance.registry}; create a token at "
            + refusal.instance.new_token_page(*dict.fromkeys(("read:packages", refusal.scope))),
        )
    return UnauthorizedError(
        f"{refusal.cannot}: GitHub rejects the token from {refusal.credential.source}"
        f"{refusal.quoted}",
        hint="it may have expired or been revoked; "
        + renewal_hint(refusal.credential.source, refusal.instance.registry),
    )


def _denied(refusal: Refusal) -> DeniedError:
    page = sso_page(refusal.headers)
    if page:
        return DeniedError(
            f"{refusal.cannot}: the organization requires single sign-on for this token"
            f"{refusal.quoted}",
            hint=f"authorize the token: {page}",
        )
    return DeniedError(
        f"{refusal.cannot}: access denied{refusal.quoted}", hint=_token_hint(refusal)
    )


def sso_page(headers: Mapping[str, str]) -> str | None:
    """Return the page to authorize a token for an organization's single sign-on, if required.

    Source: GitHub's documentation, "Authenticating to the REST API", SAML single sign-on.
    """
    match = _SSO_URL.search(headers.get("X-GitHub-SSO", ""))
    return match[1] if match else None


def _token_hint(refusal: Refusal) -> str:
    """Return the hint about the permissions that the token lacks."""
    kind = token_kind(refusal.credential.secret) if refusal.credential else TokenKind.UNKNOWN
    if kind is TokenKind.ACTIONS:
        return (
            "a job's token needs `permissions: packages: write`, and the role Admin for the job's "
            "repository under `Manage Actions access` in the package's settings; it can never list "
            "an owner's packages: name each package, or use a classic token"
        )
    if kind is TokenKind.FINE_GRAINED:
        return (
            "packages do not support fine-grained tokens; create a classic token: "
            + refusal.instance.new_token_page(refusal.scope)
        )
    return _lacks_scope(refusal) or (
        f"the token needs the scope {refusal.scope}, and the role Admin on the package to change "
        "it: ghcrctl packages doctor OWNER/IMAGE shows the token's permissions"
    )


def _lacks_scope(refusal: Refusal) -> str:
    """Return the hint for a token that lacks the scope for an action; empty otherwise.

    Source: GitHub's documentation, "Scopes for OAuth apps", ``X-OAuth-Scopes``.
    """
    given = refusal.headers.get("X-OAuth-Scopes")
    if given is None or refusal.credential is None:
        return ""
    scopes = {scope for scope in re.split(r"[,\s]+", given) if scope}
    if refusal.scope in scopes | {more for scope in scopes for more in _IMPLIED.get(scope, ())}:
        return ""
    has = f"has only the scopes `{given}`" if scopes else "has no scope"
    return (
        f"the token from {refusal.credential.source} {has} and lacks {refusal.scope}; "
        + scope_hint(
            refusal.credential.source,
            refusal.scope,
            refusal.instance.new_token_page(*dict.fromkeys(("read:packages", refusal.scope))),
        )
    )


def _not_found(refusal: Refusal) -> PackageUnknownError:
    hint = "check the spelling, and that your account may read the package if it is private"
    if refusal.action in {"delete", "restore"}:
        hint = (
            "it may be deleted already; GitHub also returns 404 to a token without the role Admin "
            f"on the package or without the scope {refusal.scope}"
        )
    hint = _lacks_scope(refusal) or hint
    return PackageUnknownError(
        f"{refusal.cannot}: it does not exist, or the token has no access to it{refusal.quoted}",
        hint=hint,
    )


def _taken(refusal: Refusal) -> RefusedError:
    return RefusedError(
        f"{refusal.cannot}: its name is taken by another package or version{refusal.quoted}",
        hint="delete that one if it is not needed: ghcrctl packages delete OWNER/IMAGE",
    )
