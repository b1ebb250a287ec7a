"""Translates a registry's refusals into errors with hints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.credentials.renewal_hints import renewal_hint
from ghcrctl.errors import (
    BlobUnknownError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    ManifestUnknownError,
    NotFoundError,
    RateLimitedError,
    RedirectError,
    RegistryUnavailableError,
    RepositoryUnknownError,
    TimedOutError,
    UnauthorizedError,
    UnsupportedError,
)
from ghcrctl.registry.endpoint import host_shown
from ghcrctl.registry.error_bodies import error_codes, quote_body
from ghcrctl.registry.github_denials import denial_hint, is_github, settings_pages
from ghcrctl.registry.redirects import FORWARDED_PROTO
from ghcrctl.registry.retry_after import least_wait, requested_wait, underlying_status

if TYPE_CHECKING:
    from collections.abc import Mapping

GHCR = "ghcr.io"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that refuses a request.

    Args:
        registry: the registry that the request was for.
        repository: the repository; may be empty.
        action: the action, such as ``push to`` or ``pull from``.
        what: the tag or digest; may be empty.
        status: the HTTP status.
        text: the start of the body.
        headers: the response headers.
        signed_in: the source of the credential that was sent; empty if there was none.
        other_host: the host that responded, if the registry redirected the request.
    """

    registry: str
    repository: str
    action: str
    what: str
    status: int
    text: str
    headers: Mapping[str, str]
    signed_in: str = ""
    other_host: str = ""

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}" if self.repository else self.registry

    @property
    def sender(self) -> str:
        """The host that responded."""
        return self.other_host or self.registry

    @property
    def underlying_status(self) -> int:
        """The actual status behind a 403, see `underlying_status`."""
        return underlying_status(self.status, self.text)

    @property
    def codes(self) -> set[str]:
        """The error codes in the body."""
        return error_codes(self.text)

    @property
    def quoted(self) -> str:
        """The sender's message in quotes; empty if there is none."""
        return quote_body(self.text, self.sender)


# Client error statuses that may go away on their own.
_TRANSIENT = {408, 425, 429, 499}


def explain_refusal(refusal: Refusal) -> GhcrctlError:
    """Return the error for a refusal."""
    status = refusal.underlying_status
    elsewhere = _elsewhere(refusal, status)
    if elsewhere:
        return elsewhere
    build = {401: _unauthorized, 403: _denied, 404: _not_found, 429: _rate_limited}.get(status)
    if build and (refusal.repository or status != 404):
        return build(refusal)
    if status >= 500 or status in {425, 499}:
        return _unavailable(refusal)
    if status == 408:
        return TimedOutError(
            f"{refusal.sender} timed out waiting for the request{refusal.quoted}", retryable=True
        )
    if status == 405 or "UNSUPPORTED" in refusal.codes:
        return UnsupportedError(
            f"cannot {refusal.action} {refusal.name}: {refusal.registry} does not support this"
            f"{refusal.quoted}"
        )
    return InvalidResponseError(
        f"cannot {refusal.action} {refusal.name}: {refusal.registry} returned status "
        f"{status}{refusal.quoted}"
    )


def _elsewhere(refusal: Refusal, status: int) -> GhcrctlError | None:
    """Return the error for a redirect, or a refusal by another host; ``None`` otherwise."""
    if 300 <= status < 400 and refusal.headers.get("Location"):
        return _redirected(refusal)
    if refusal.other_host and 400 <= status < 500 and status not in _TRANSIENT:
        return _refused_elsewhere(refusal)
    return None


def _redirected(refusal: Refusal) -> RedirectError:
    """Return the error for a redirect that is not followed, since the body is for one host."""
    location = refusal.headers["Location"]
    target = host_shown(location) or refusal.sender
    is_here = target in {refusal.registry, refusal.sender}
    is_plain = location.startswith("http://") and is_here
    if refusal.status == 303 and is_here:
        # A 303 changes the request into a GET (RFC 9110, section 15.4.4).
        return RedirectError(
            f"cannot {refusal.action} {refusal.name}: {refusal.sender} redirects this request to "
            "another page (status 303)",
            hint="another server may have responded in its place: run with --debug to see requests",
        )
    return RedirectError(
        f"cannot {refusal.action} {refusal.name}: {refusal.sender} redirects the request to "
        f"{'http://' if is_plain else ''}{target} (status {refusal.status}); nothing was "
        "sent there",
        hint=FORWARDED_PROTO if is_plain else f"if {target} is the registry, use that name",
    )


def _refused_elsewhere(refusal: Refusal) -> GhcrctlError:
    """Return the error for a refusal by a host that the registry redirected to.

    Registries redirect to signed URLs and no credential is sent there, so the user's credential
    is not the cause.
    """
    message = (
        f"cannot {refusal.action} {refusal.name}: {refusal.registry} redirected the request to "
        f"{refusal.other_host}, which returned status {refusal.status}{refusal.quoted}"
    )
    hint = (
        f"no credential was sent to {refusal.other_host}; its URL may have expired, or a proxy "
        "or firewall may block it: run with --debug to see requests"
    )
    kinds = {401: UnauthorizedError, 403: DeniedError, 404: BlobUnknownError, 410: BlobUnknownError}
    return kinds.get(refusal.status, InvalidResponseError)(message, hint=hint)


def _rate_limited(refusal: Refusal) -> RateLimitedError:
    wait = requested_wait(refusal.headers.get("Retry-After"), refusal.text)
    least = least_wait(refusal.status, refusal.text)
    when = f"in {wait:.0f} s" if wait else "in a few minutes" if least else "later"
    more = f", or sign in for a higher limit: ghcrctl login {refusal.registry}"
    if least or refusal.signed_in or refusal.other_host:
        more = ", with fewer parallel requests: --jobs 2"
    return RateLimitedError(
        f"{refusal.sender} is rate limiting requests{refusal.quoted}",
        hint=f"try again {when}{more}",
        retryable=True,
        retry_after=wait,
        least_wait=least,
    )


def _unavailable(refusal: Refusal) -> RegistryUnavailableError:
    state = "; GitHub's status: https://www.githubstatus.com"
    return RegistryUnavailableError(
        f"{refusal.sender} failed with status {refusal.underlying_status}{refusal.quoted}",
        hint=f"try again later{state if refusal.registry == GHCR else ''}",
        retryable=True,
        retry_after=requested_wait(refusal.headers.get("Retry-After"), refusal.text),
    )


def _unauthorized(refusal: Refusal) -> UnauthorizedError:
    if refusal.signed_in:
        return UnauthorizedError(
            f"{refusal.registry} rejects the credential from {refusal.signed_in}{refusal.quoted}",
            hint=renewal_hint(refusal.signed_in, refusal.registry),
        )
    hint = f"sign in: ghcrctl login {refusal.registry}"
    if is_github(refusal.registry) and refusal.repository:
        hint += (
            "; new packages are private and can be made public at "
            f"{settings_pages(refusal.registry, refusal.repository)}"
        )
    return UnauthorizedError(
        f"cannot {refusal.action} {refusal.name}: sign-in is required{refusal.quoted}", hint=hint
    )


def _denied(refusal: Refusal) -> DeniedError:
    message = f"cannot {refusal.action} {refusal.name}: access denied{refusal.quoted}"
    if is_github(refusal.registry):
        hint = denial_hint(
            refusal.registry,
            refusal.repository,
            refusal.text,
            headers=refusal.headers,
            signed_in=refusal.signed_in,
        )
    elif refusal.signed_in and "expired" in refusal.text.lower():
        hint = renewal_hint(refusal.signed_in, refusal.registry)
    elif refusal.signed_in:
        hint = "check the spelling and your account's permissions"
    else:
        hint = f"sign in: ghcrctl login {refusal.registry}"
    return DeniedError(message, hint=hint)


def _not_found(refusal: Refusal) -> NotFoundError:
    codes = refusal.codes
    if "BLOB_UPLOAD_UNKNOWN" in codes:
        return BlobUnknownError(
            f"{refusal.name} no longer knows the upload{refusal.quoted}", retryable=True
        )
    if "NAME_UNKNOWN" in codes or not refusal.what:
        return RepositoryUnknownError(
            f"repository not found: {refusal.name}{refusal.quoted}",
            hint="check the spelling, and that your account may read it if it is private",
        )
    if "BLOB_UNKNOWN" in codes:
        return BlobUnknownError(f"blob {refusal.what} not found in {refusal.name}{refusal.quoted}")
    is_digest = ":" in refusal.what
    hint = f"list the tags: ghcrctl tags {refusal.name}"
    if refusal.registry == GHCR and is_digest:
        hint = "it may have been deleted, for example by a cleanup of untagged versions"
    kind = "manifest" if is_digest else "tag"
    return ManifestUnknownError(
        f"{kind} `{refusal.what}` not found in {refusal.name}{refusal.quoted}", hint=hint
    )
