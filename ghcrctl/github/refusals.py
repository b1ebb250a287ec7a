"""What a refusal of GitHub's API means, and what to do about it.

What belongs here: from status and message to one of our errors. GitHub's own words are quoted as
its words. Evidence: GitHub's documentation "REST API endpoints for packages", and public reports of
the same messages.
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
    from ghcrctl.github.instance import Instance

_LONGEST_QUOTE = 300
# A scope that another one includes (GitHub's documentation, "Scopes for OAuth apps").
_IMPLIED = {"write:packages": ("read:packages",)}
_SSO_URL = re.compile(r"url=(https://[^\s;,]+)")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer that is none.

    Args:
        instance: who refused.
        action: what was asked, as ``delete``.
        what: what it was about, for people.
        status: HTTP's.
        text: the start of the body.
        headers: the answer's.
        credential: what was shown; ``None`` for none.
        scope: what the action needs of a classic token.
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
        """GitHub's own words; empty where it said nothing."""
        try:
            said = json.loads(self.text)["message"]
        except (ValueError, KeyError, TypeError, RecursionError):
            said = ""
        return str(said)[:_LONGEST_QUOTE] if isinstance(said, str) else ""

    @property
    def words(self) -> str:
        """GitHub's own words, quoted and set in parentheses."""
        if is_html(self.text):
            return quote_body(self.text, "GitHub")
        said = "".join(c if c.isprintable() else "?" for c in self.message)
        return f' (GitHub says: "{said}")' if said else ""

    @property
    def cannot(self) -> str:
        """What cannot be done."""
        return f"cannot {self.action} {self.what}"


def explain(refusal: Refusal) -> GhcrctlError:
    """Turn a refusal into an error that says what it means."""
    said = refusal.message.lower()
    if "last tagged version" in said or "last version" in said:
        return RetainedError(
            f"{refusal.cannot}: GitHub keeps the last tagged version of a package{refusal.words}",
            hint="delete the package itself, or push what is to stay first",
        )
    if "5000 downloads" in said or "5,000 downloads" in said:
        return BlockedError(
            f"{refusal.cannot}: it is public and was downloaded more than 5,000 times"
            f"{refusal.words}",
            hint="make the package private first, or ask GitHub's support",
        )
    words = {401: _unauthorized, 403: _denied, 404: _not_found, 409: _taken, 429: rate_limited}
    word = words.get(refusal.status)
    if word:
        return word(refusal)
    if refusal.status >= 500:
        return RegistryUnavailableError(
            f"{refusal.cannot}: GitHub failed with status {refusal.status}{refusal.words}",
            hint="try again later; GitHub's state is at https://www.githubstatus.com",
        )
    return InvalidResponseError(
        f"{refusal.cannot}: GitHub answered with status {refusal.status}{refusal.words}"
    )


def rate_limited(refusal: Refusal, wait: float | None = None) -> RateLimitedError:
    """Word the error for too many requests."""
    when = f"in {wait:.0f} s" if wait else "later"
    return RateLimitedError(
        f"{refusal.cannot}: GitHub refuses for too many requests{refusal.words}",
        hint=f"try again {when}; what was done is kept, and the same command goes on",
        retry_after=wait,
    )


def _unauthorized(refusal: Refusal) -> UnauthorizedError:
    if refusal.credential is None:
        return UnauthorizedError(
            f"{refusal.cannot}: GitHub's packages API wants a token, also for what is public",
            hint=f"sign in: ghcrctl login {refusal.instance.registry}; a token is made at "
            + refusal.instance.new_token_page(*dict.fromkeys(("read:packages", refusal.scope))),
        )
    return UnauthorizedError(
        f"{refusal.cannot}: GitHub rejects the token from {refusal.credential.source}"
        f"{refusal.words}",
        hint="it may have expired or been revoked; "
        + renewal_hint(refusal.credential.source, refusal.instance.registry),
    )


def _denied(refusal: Refusal) -> DeniedError:
    page = sso_page(refusal.headers)
    if page:
        return DeniedError(
            f"{refusal.cannot}: the organisation wants single sign-on for this token"
            f"{refusal.words}",
            hint=f"authorise the token: {page}",
        )
    return DeniedError(f"{refusal.cannot}: access denied{refusal.words}", hint=_needs(refusal))


def sso_page(headers: Mapping[str, str]) -> str | None:
    """Return where a token is authorised for an organisation's single sign-on, if that lacks.

    Source: GitHub's documentation, "Authenticating to the REST API", SAML single sign-on.
    """
    match = _SSO_URL.search(headers.get("X-GitHub-SSO", ""))
    return match[1] if match else None


def _needs(refusal: Refusal) -> str:
    """Say what an action needs of the token at hand."""
    kind = token_kind(refusal.credential.secret) if refusal.credential else TokenKind.UNKNOWN
    if kind is TokenKind.ACTIONS:
        return (
            "a job's token needs `permissions: packages: write`, and the role Admin for the job's "
            "repository under `Manage Actions access` in the package's settings; it can never list "
            "the packages of an owner: name each one, or use a classic token"
        )
    if kind is TokenKind.FINE_GRAINED:
        return (
            "packages do not know fine-grained tokens; make a classic one: "
            + refusal.instance.new_token_page(refusal.scope)
        )
    return _lacks_scope(refusal) or (
        f"it needs the scope {refusal.scope}, and the role Admin of the package to change it: "
        "ghcrctl packages doctor OWNER/IMAGE shows what the token may do"
    )


def _lacks_scope(refusal: Refusal) -> str:
    """Return the hint for a token without the scope that an action needs; empty for others.

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
    hint = "check the spelling; a private package is shown only to those who may see it"
    if refusal.action in {"delete", "restore"}:
        hint = (
            "it may be gone already; GitHub says the same to a token without the role Admin of "
            f"the package or without the scope {refusal.scope}"
        )
    hint = _lacks_scope(refusal) or hint
    return PackageUnknownError(
        f"{refusal.cannot}: GitHub does not have it, or does not show it{refusal.words}", hint=hint
    )


def _taken(refusal: Refusal) -> RefusedError:
    return RefusedError(
        f"{refusal.cannot}: something else has its name by now{refusal.words}",
        hint="delete that first, if it is not wanted: ghcrctl packages delete OWNER/IMAGE",
    )
