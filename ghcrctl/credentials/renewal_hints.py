"""Hints for credentials that a host rejects, depending on the credential's source."""

from __future__ import annotations

import re

_VARIABLE = re.compile(r"the environment \((?P<name>\w+)\)\Z")
_GH = re.compile(r"gh auth token, for (?P<host>\S+)\Z")


def renewal_hint(source: str, registry: str) -> str:
    """Return the next step after a host has rejected a credential.

    A variable takes precedence over stored credentials, so signing in alone would not help.

    Args:
        source: the source of the credential, see `Credential.source`.
        registry: the registry that rejected it.
    """
    variable, gh = _VARIABLE.match(source), _GH.match(source)
    if variable:
        name = variable["name"]
        return f"set {name} to a valid token, or unset it: unset {name}"
    if gh:
        return f"sign in again: gh auth login -h {gh['host']}"
    return f"sign in again: ghcrctl login {registry}; or sign out: ghcrctl logout {registry}"


def scope_hint(source: str, scope: str, page: str) -> str:
    """Return how to add a scope to a token.

    Args:
        source: the source of the token.
        scope: the missing scope.
        page: the URL to create a token with this scope.
    """
    gh = _GH.match(source)
    if gh:
        return f"add the scope: gh auth refresh -h {gh['host']} -s {scope}"
    return f"create a token with this scope: {page}"
