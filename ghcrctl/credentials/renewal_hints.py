"""What to do about a credential that a host rejects; it depends on where the credential is from."""

from __future__ import annotations

import re

_VARIABLE = re.compile(r"the environment \((?P<name>\w+)\)\Z")
_GH = re.compile(r"gh auth token, for (?P<host>\S+)\Z")


def renewal_hint(source: str, registry: str) -> str:
    """Return the next step after a host rejected a credential.

    A variable of the environment is used before anything that a login stores, so that a login alone
    would change nothing.

    Args:
        source: where the credential was found, as `Credential.source` has it.
        registry: the registry that it is for.
    """
    variable, gh = _VARIABLE.match(source), _GH.match(source)
    if variable:
        name = variable["name"]
        return f"set {name} to a valid token, or remove it: unset {name}"
    if gh:
        return f"sign in again: gh auth login -h {gh['host']}"
    return f"sign in again: ghcrctl login {registry}; or forget it: ghcrctl logout {registry}"


def scope_hint(source: str, scope: str, page: str) -> str:
    """Return how to give a token another scope.

    Args:
        source: where the token was found.
        scope: the one that the token lacks.
        page: the address that creates a token with this scope.
    """
    gh = _GH.match(source)
    if gh:
        return f"add it: gh auth refresh -h {gh['host']} -s {scope}"
    return f"create a token with it: {page}"
