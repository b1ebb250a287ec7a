"""Hints for denials by GitHub's registries, with the page that grants access.

Source: GitHub's documentation "Working with the Container registry" and "Authorizing a personal
access token for use with single sign-on", and many public reports of the same messages.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import quote

from ghcrctl.credentials.registry_names import GITHUB, github_of
from ghcrctl.credentials.renewal_hints import renewal_hint

if TYPE_CHECKING:
    from collections.abc import Mapping

_SSO_URL = re.compile(r"url=(?P<url>https://[^\s;,\"]+)")
_LINK = re.compile(r"(?P<url>https://[^\s\"'<>)]*\b(?:sso|saml)\b[^\s\"'<>)]*)", re.IGNORECASE)


def is_github(registry: str) -> bool:
    """Check whether a registry belongs to GitHub or a GitHub Enterprise instance."""
    return github_of(registry) is not None


def settings_pages(registry: str, repository: str) -> str:
    """Return the settings pages of a package, for an organization and for a user."""
    owner, _, package = repository.partition("/")
    path = f"{owner}/packages/container/{quote(package, safe='')}/settings"
    web = f"https://{github_of(registry) or GITHUB}"
    return f"{web}/orgs/{path} (or {web}/users/{path})"


def denial_hint(
    registry: str, repository: str, text: str, *, headers: Mapping[str, str], signed_in: str
) -> str:
    """Return the next step after a denial.

    Args:
        registry: the registry that denied the request.
        repository: the requested repository.
        text: the body of the response.
        headers: the headers of the response.
        signed_in: the source of the credential; empty if there was none.
    """
    message = text.lower()
    web = f"https://{github_of(registry) or GITHUB}"
    if "X-GitHub-SSO" in headers or "saml" in message or "single sign-on" in message:
        return _authorization(web, text, headers)
    known = _known_hint(web, registry, repository, message)
    if known:
        return known
    settings = settings_pages(registry, repository)
    if not signed_in:
        return (
            "the package does not exist, or is private: check the spelling, or sign in with "
            f"ghcrctl login; its settings are at {settings}"
        )
    return (
        f"the credential from {signed_in} may have expired, or may lack access to this package; "
        f"{renewal_hint(signed_in, registry)}; public images need no sign-in"
    )


def _known_hint(web: str, registry: str, repository: str, message: str) -> str:
    """Return the next step for a known message, or an empty string."""
    owner = repository.partition("/")[0]
    settings = settings_pages(registry, repository)
    hints = {
        "read_package": "the package exists, but this account or workflow may not read it; add the "
        f"workflow's repository under `Manage Actions access` at {settings}",
        "write_package": "the package exists, but this account or repository may not write it; "
        f"give it access under `Manage Actions access` at {settings}",
        "create_package": f"check that `{owner}` is spelled right and that you may create packages "
        f"there ({web}/organizations/{owner}/settings/packages)",
        "installation not allowed": "the job's token may not write packages of this owner: give "
        "the job `permissions: packages: write`, and push to the owner of its repository",
        "expected scopes": "the token lacks the scope write:packages, or is a fine-grained one, "
        f"which cannot push: {web}/settings/tokens/new?scopes=write:packages",
    }
    return next((hint for words, hint in hints.items() if words in message), "")


def _authorization(web: str, text: str, headers: Mapping[str, str]) -> str:
    """Return the hint to authorize a token for an organization's single sign-on."""
    match = _SSO_URL.search(headers.get("X-GitHub-SSO", "")) or _LINK.search(text)
    if match:
        return f"authorize the token for the organization: {match['url']}"
    return f"authorize the token for the organization under `Configure SSO`: {web}/settings/tokens"
