"""What a registry's refusal means, and what to do about it.

What belongs here: from status and body to one of our errors, with ghcr.io's peculiar meanings. The
registry's own words are quoted as its words. Evidence for ghcr.io: GitHub's documentation "Working
with the Container registry" and many public reports of the same messages.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghcrctl.errors import (
    BlobUnknownError,
    DeniedError,
    GhcrctlError,
    InvalidResponseError,
    ManifestUnknownError,
    NotFoundError,
    RateLimitedError,
    RegistryUnavailableError,
    RepositoryUnknownError,
    TimedOutError,
    UnauthorizedError,
    UnsupportedError,
)
from ghcrctl.registry.waiting import wait_asked

if TYPE_CHECKING:
    from collections.abc import Mapping

GHCR = "ghcr.io"
_LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Refusal:
    """One answer that is none.

    Args:
        registry: who refused.
        repository: which repository was asked about; may be empty.
        action: what was asked, as ``push to`` or ``pull from``.
        what: what it was about, such as a tag or a digest; may be empty.
        status: HTTP's.
        text: the start of the body.
        headers: the answer's.
        signed_in: where the credential that was used comes from; empty for none.
    """

    registry: str
    repository: str
    action: str
    what: str
    status: int
    text: str
    headers: Mapping[str, str]
    signed_in: str = ""

    @property
    def name(self) -> str:
        """Registry and repository."""
        return f"{self.registry}/{self.repository}" if self.repository else self.registry

    @property
    def codes(self) -> set[str]:
        """The error codes in the body (OCI distribution spec 1.1, "Error Codes")."""
        return {code for code, _ in _errors(self.text)}

    @property
    def words(self) -> str:
        """The registry's own words, cleaned and quoted; empty where it said nothing."""
        said = "; ".join(": ".join(filter(None, pair)) for pair in _errors(self.text))
        if not said and not self.text.lstrip().startswith("<"):
            said = " ".join(self.text.split())
        said = "".join(c if c.isprintable() else "?" for c in said)[:_LONGEST_QUOTE]
        return f' ({self.registry} says: "{said}")' if said else ""


def explain(refusal: Refusal) -> GhcrctlError:
    """Turn a refusal into an error that says what it means."""
    status = refusal.status
    word = {401: _unauthorized, 403: _denied, 404: _not_found, 429: _rate_limited}.get(status)
    if word and (refusal.repository or status != 404):
        return word(refusal)
    if status >= 500:
        return _unavailable(refusal)
    if status == 408:
        return TimedOutError(
            f"{refusal.registry} gave up waiting for the request{refusal.words}", retryable=True
        )
    if status == 405 or "UNSUPPORTED" in refusal.codes:
        return UnsupportedError(
            f"{refusal.registry} does not support to {refusal.action} {refusal.name}{refusal.words}"
        )
    return InvalidResponseError(
        f"cannot {refusal.action} {refusal.name}: {refusal.registry} answered with status "
        f"{status}{refusal.words}"
    )


def settings_hint(repository: str) -> str:
    """Name the pages where access to a package of ghcr.io is given."""
    owner, _, package = repository.partition("/")
    path = f"{owner}/packages/container/{quote(package, safe='')}/settings"
    return f"https://github.com/orgs/{path} (or https://github.com/users/{path})"


def _rate_limited(refusal: Refusal) -> RateLimitedError:
    asked = wait_asked(refusal.headers.get("Retry-After"), refusal.text)
    when = f"in {asked:.0f} s" if asked else "later"
    return RateLimitedError(
        f"{refusal.registry} refuses for too many requests{refusal.words}",
        hint=f"try again {when}; signed in, most registries allow more",
        retryable=True,
        retry_after=asked,
    )


def _unavailable(refusal: Refusal) -> RegistryUnavailableError:
    state = "; GitHub's state is at https://www.githubstatus.com"
    return RegistryUnavailableError(
        f"{refusal.registry} failed with status {refusal.status}{refusal.words}",
        hint=f"try again later{state if refusal.registry == GHCR else ''}",
        retryable=True,
        retry_after=wait_asked(refusal.headers.get("Retry-After"), refusal.text),
    )


def _unauthorized(refusal: Refusal) -> UnauthorizedError:
    if refusal.signed_in:
        return UnauthorizedError(
            f"{refusal.registry} rejects the credential from {refusal.signed_in}{refusal.words}",
            hint=f"sign in again: ghcrctl login {refusal.registry}; "
            f"or forget it: ghcrctl logout {refusal.registry}",
        )
    hint = f"sign in: ghcrctl login {refusal.registry}"
    if refusal.registry == GHCR and refusal.repository:
        hint += (
            f"; packages are private at first, made public at {settings_hint(refusal.repository)}"
        )
    return UnauthorizedError(
        f"cannot {refusal.action} {refusal.name}: sign-in is required{refusal.words}", hint=hint
    )


def _denied(refusal: Refusal) -> DeniedError:
    message = f"cannot {refusal.action} {refusal.name}: access denied{refusal.words}"
    if refusal.registry != GHCR:
        hint = "check the spelling, and what your account may do there"
        if not refusal.signed_in:
            hint = f"sign in: ghcrctl login {refusal.registry}"
        return DeniedError(message, hint=hint)
    return DeniedError(message, hint=_ghcr_hint(refusal))


def _ghcr_hint(refusal: Refusal) -> str:
    said = refusal.text.lower()
    owner = refusal.repository.partition("/")[0]
    for words, hint in (
        (
            "write_package",
            "the package exists, but this account or repository may not write it; give it "
            "access under "
            f"`Manage Actions access` at {settings_hint(refusal.repository)}",
        ),
        (
            "create_package",
            f"check that `{owner}` is spelled right and that you may create packages there "
            f"(https://github.com/organizations/{owner}/settings/packages)",
        ),
        (
            "installation not allowed",
            "the job's token may not write packages of this owner: give the job "
            "`permissions: packages: write`, and push to the owner of its repository",
        ),
        (
            "expected scopes",
            "the token lacks the scope write:packages, or is a fine-grained one, which "
            "cannot push: "
            "https://github.com/settings/tokens/new?scopes=write:packages",
        ),
    ):
        if words in said:
            return hint
    if not refusal.signed_in:
        return (
            "the package does not exist, or is private: check the spelling, or sign in with "
            f"ghcrctl login; its settings are at {settings_hint(refusal.repository)}"
        )
    return (
        f"the credential from {refusal.signed_in} may have expired or may not see this package; "
        "sign in again with ghcrctl login, or ghcrctl logout: public images need no sign-in"
    )


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


def _errors(text: str) -> list[tuple[str, str]]:
    """Read codes and messages of an error body; anything else has none."""
    try:
        entries = json.loads(text)["errors"]
        return [(str(e.get("code") or ""), str(e.get("message") or "")) for e in entries]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return []
