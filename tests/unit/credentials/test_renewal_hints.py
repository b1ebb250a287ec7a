"""The next step after a host rejected a credential."""

from __future__ import annotations

import pytest

from ghcrctl.credentials.renewal_hints import renewal_hint, scope_hint

PAGE = "https://github.com/settings/tokens/new"


@pytest.mark.parametrize("name", ["GHCRCTL_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"])
def test_the_hint_for_a_variable_does_not_suggest_login(name: str) -> None:
    hint = renewal_hint(f"the environment ({name})", "ghcr.io")
    assert hint == f"set {name} to a valid token, or unset it: unset {name}"


def test_a_token_of_gh_is_renewed_with_gh() -> None:
    hint = renewal_hint("gh auth token, for github.com", "ghcr.io")
    assert hint == "sign in again: gh auth login -h github.com"


@pytest.mark.parametrize("source", ["config.json", "the keyring", ""])
def test_any_other_credential_is_renewed_with_a_login(source: str) -> None:
    hint = renewal_hint(source, "ghcr.io")
    assert hint == "sign in again: ghcrctl login ghcr.io; or sign out: ghcrctl logout ghcr.io"


def test_a_scope_is_added_where_the_token_is_from() -> None:
    gh = scope_hint("gh auth token, for github.com", "delete:packages", PAGE)
    assert gh == "add the scope: gh auth refresh -h github.com -s delete:packages"
    other = scope_hint("the environment (GHCRCTL_TOKEN)", "delete:packages", PAGE)
    assert other == f"create a token with this scope: {PAGE}"
