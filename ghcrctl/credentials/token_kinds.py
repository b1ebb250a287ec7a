"""What a GitHub token can be told from its prefix, and what its kind cannot do on ghcr.io.

Source: GitHub's documentation, "About authentication to GitHub", token formats.
"""

from __future__ import annotations

import re
from enum import Enum

from ghcrctl.credentials.registry_names import GHCR


class TokenKind(Enum):
    """The kinds of tokens that GitHub gives out."""

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
    """Tell a token's kind by how it begins."""
    for prefix, kind in _PREFIXES.items():
        if token.startswith(prefix):
            return kind
    return TokenKind.CLASSIC if _OLD.match(token) else TokenKind.UNKNOWN


def advice(token: str, registry: str) -> str | None:
    """Say what a token cannot do on a registry, where its kind tells that."""
    if registry != GHCR:
        return None
    kind = token_kind(token)
    if kind is TokenKind.FINE_GRAINED:
        return (
            "this is a fine-grained token: ghcr.io takes it for signing in, but refuses to "
            "push with it "
            "and may not show private packages; use a classic token with the scope write:packages: "
            "https://github.com/settings/tokens/new?scopes=write:packages"
        )
    if kind is TokenKind.ACTIONS:
        return (
            "this token ends with its job; to push, the job needs `permissions: packages: write`, "
            "and the package must give the job's repository write access"
        )
    if kind is TokenKind.OAUTH:
        return (
            "this token of gh may lack the scopes for packages; to push, run: "
            "gh auth refresh -h github.com -s write:packages"
        )
    return None
