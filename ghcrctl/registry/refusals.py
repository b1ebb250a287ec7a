"""What a registry's refusal means, and what to do about it."""

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
from ghcrctl.registry.retry_after import least_wait, underlying_status, wait_asked

if TYPE_CHECKING:
    from collections.abc import Mapping

GHCR = "ghcr.io"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A response that refuses a request.

    Args:
        registry: who refused.
        repository: which repository was asked about; may be empty.
        action: what was asked, as ``push to`` or ``pull from``.
        what: what it was about, such as a tag or a digest; may be empty.
        status: HTTP's.
        text: the start of the body.
        headers: the answer's.
        signed_in: the source of the credential that was used; empty for none.
        other_host: the host that responded, where the registry sent the request on to it.
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
        """The status that the refusal represents."""
        return underlying_status(self.status, self.text)

    @property
    def codes(self) -> set[str]:
        """The error codes in the body."""
        return error_codes(self.text)

    @property
    def words(self) -> str:
        """The sender's own words, quoted; empty where there are none."""
        return quote_body(self.text, self.sender)


# Client error statuses that are temporary.
_PASSING = {408, 425, 429, 499}


def explain(refusal: Refusal) -> GhcrctlError:
    """Return the error that a refusal means."""
    status = refusal.underlying_status
    elsewhere = _elsewhere(refusal, status)
    if elsewhere:
        return elsewhere
    word = {401: _unauthorized, 403: _denied, 404: _not_found, 429: _rate_limited}.get(status)
    if word and (refusal.repository or status != 404):
        return word(refusal)
    if status >= 500 or status in {425, 499}:
        return _unavailable(refusal)
    if status == 408:
        return TimedOutError(
            f"{refusal.sender} gave up waiting for the request{refusal.words}", retryable=True
        )
    if status == 405 or "UNSUPPORTED" in refusal.codes:
        return UnsupportedError(
            f"{refusal.registry} does not support to {refusal.action} {refusal.name}{refusal.words}"
        )
    return InvalidResponseError(
        f"cannot {refusal.action} {refusal.name}: {refusal.registry} answered with status "
        f"{status}{refusal.words}"
    )


def _elsewhere(refusal: Refusal, status: int) -> GhcrctlError | None:
    """Return the error for a response or redirect of another host; ``None`` for the rest."""
    if 300 <= status < 400 and refusal.headers.get("Location"):
        return _redirected(refusal)
    if refusal.other_host and 400 <= status < 500 and status not in _PASSING:
        return _refused_elsewhere(refusal)
    return None


def _redirected(refusal: Refusal) -> RedirectError:
    """Return the error for a redirect that is not followed, since the body is for one host only."""
    location = refusal.headers["Location"]
    target = host_shown(location) or refusal.sender
    is_here = target in {refusal.registry, refusal.sender}
    is_plain = location.startswith("http://") and is_here
    if refusal.status == 303 and is_here:
        # It makes a GET of the request (RFC 9110, section 15.4.4).
        return RedirectError(
            f"cannot {refusal.action} {refusal.name}: {refusal.sender} redirects this request to "
            "another page (status 303)",
            hint="something else may answer in its place: --debug shows requests and answers",
        )
    return RedirectError(
        f"cannot {refusal.action} {refusal.name}: {refusal.sender} redirects the request to "
        f"{'http://' if is_plain else ''}{target} (status {refusal.status}); nothing was "
        "sent there",
        hint=FORWARDED_PROTO if is_plain else f"if {target} is the registry, use that name",
    )


def _refused_elsewhere(refusal: Refusal) -> GhcrctlError:
    """Return the error for a refusal by a host that the registry named; no credential went there.

    Registries sign the addresses that they hand out, so the user's credential is not to blame.
    """
    message = (
        f"cannot {refusal.action} {refusal.name}: {refusal.other_host}, where "
        f"{refusal.registry} sent this request, answered with status {refusal.status}"
        f"{refusal.words}"
    )
    hint = (
        f"no credential was sent to {refusal.other_host}: the address may have expired, or a "
        "proxy or firewall refused it; --debug shows requests and responses"
    )
    kinds = {401: UnauthorizedError, 403: DeniedError, 404: BlobUnknownError, 410: BlobUnknownError}
    return kinds.get(refusal.status, InvalidResponseError)(message, hint=hint)


def _rate_limited(refusal: Refusal) -> RateLimitedError:
    asked = wait_asked(refusal.headers.get("Retry-After"), refusal.text)
    least = least_wait(refusal.status, refusal.text)
    when = f"in {asked:.0f} s" if asked else "in a few minutes" if least else "later"
    more = "; most registries allow more requests after a login"
    if least or refusal.signed_in or refusal.other_host:
        more = "; --jobs 2 sends fewer requests at once"
    return RateLimitedError(
        f"{refusal.sender} is rate limiting requests{refusal.words}",
        hint=f"try again {when}{more}",
        retryable=True,
        retry_after=asked,
        least_wait=least,
    )


def _unavailable(refusal: Refusal) -> RegistryUnavailableError:
    state = "; GitHub's state is at https://www.githubstatus.com"
    return RegistryUnavailableError(
        f"{refusal.sender} failed with status {refusal.underlying_status}{refusal.words}",
        hint=f"try again later{state if refusal.registry == GHCR else ''}",
        retryable=True,
        retry_after=wait_asked(refusal.headers.get("Retry-After"), refusal.text),
    )


def _unauthorized(refusal: Refusal) -> UnauthorizedError:
    if refusal.signed_in:
        return UnauthorizedError(
            f"{refusal.registry} rejects the credential from {refusal.signed_in}{refusal.words}",
            hint=renewal_hint(refusal.signed_in, refusal.registry),
        )
    hint = f"sign in: ghcrctl login {refusal.registry}"
    if is_github(refusal.registry) and refusal.repository:
        hint += (
            "; new packages are private and can be made public at "
            f"{settings_pages(refusal.registry, refusal.repository)}"
        )
    return UnauthorizedError(
        f"cannot {refusal.action} {refusal.name}: sign-in is required{refusal.words}", hint=hint
    )


def _denied(refusal: Refusal) -> DeniedError:
    message = f"cannot {refusal.action} {refusal.name}: access denied{refusal.words}"
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
            f"{refusal.name} has forgotten the upload{refusal.words}", retryable=True
        )
    if "NAME_UNKNOWN" in codes or not refusal.what:
        return RepositoryUnknownError(
            f"{refusal.registry} has no repository {refusal.repository}{refusal.words}",
            hint="check the spelling; a private one is shown only to those who may see it",
        )
    if "BLOB_UNKNOWN" in codes:
        return BlobUnknownError(f"{refusal.name} has no blob {refusal.what}{refusal.words}")
    hint = f"see which there are: ghcrctl tags {refusal.name}"
    if refusal.registry == GHCR and refusal.what.startswith("sha256:"):
        hint = "it may have been deleted, with a clean-up of untagged versions for instance"
    return ManifestUnknownError(f"{refusal.name} has no `{refusal.what}`{refusal.words}", hint=hint)
