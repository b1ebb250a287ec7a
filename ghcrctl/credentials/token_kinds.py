"""The kinds of GitHub tokens, by prefix, and their limitations on ghcr.io.

Source: GitHub's documentation, "About authentication to GitHub", token formats.
"""

from __future__ import annotations

import re
from enum import Enum

from ghcrctl.credentials.registry_names import GHCR


class TokenKind(Enum):
    """The kinds of GitHub tokens."""

    CLASSIC = "classic personal access token"
    FINE_GRAINED = "fine-grained personal access token"
    ACTIONS = "token of a GitHub Actions job or an app"
    OAUTH = "OAuth token"
    APP_USER = "token of an app for a user"
    UNKNOWN = "token of an unknown kind"


_PREFIXES = {
    "github_pat_": TokenKind.FINE_GRAINED,
    "ghp_": TokenKind.CLASSIC,
    "ghs_": TokenKind.ACTIONS,
    "gho_": TokenKind.OAUTH,
    "ghu_": TokenKind.APP_USER,
}
_OLD = re.compile(r"[0-9a-f]{40}\Z")


def token_kind(token: str) -> TokenKind:
    """Return the kind of a token by its prefix."""
    for prefix, kind in _PREFIXES.items():
        if token.startswith(prefix):
            return kind
    return TokenKind.CLASSIC if _OLD.match(token) else TokenKind.UNKNOWN


def advice(token: str, registry: str) -> str | None:
    """Return a note about the limitations of a token on ghcr.io, if its kind has any."""
    if registry != GHCR:
        return None
    kind = token_kind(token)
    if kind is TokenKind.FINE_GRAINED:
        return (
            "this is a fine-grained token: ghcr.io accepts it to sign in, but not to push, and may "
            "hide private packages from it; use a classic token with the scope write:packages: "
            "https://github.com/settings/tokens/new?scopes=write:packages"
        )
    if kind is TokenKind.ACTIONS:
        return (
            "this token expires when its job ends; to push, the job needs `permissions: packages: "
            "write`, and the package must grant write access to the job's repository"
        )
    if kind is TokenKind.OAUTH:
        return (
            "this token from gh may lack the scopes for packages; to push, run: "
            "gh auth refresh -h github.com -s write:packages"
        )
    return None
