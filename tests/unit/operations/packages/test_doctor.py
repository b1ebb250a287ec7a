"""Diagnosing the token, the package and its access."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import ExitStatus, UnsupportedError
from ghcrctl.operations.packages.doctor import Health, Sign, diagnose
from tests.builders import random_image
from tests.packages_double.fixtures import environ_for
from tests.sessions import session_on
from tests.unit.operations.packages.content import NAME, named

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packages_double import GitHubDouble

SETTINGS = "https://github.com/users/octo/packages/container/app/settings"


def seen(
    github: GitHubDouble, folder: Path, token: str = "ghp_octo", name: str = ""
) -> dict[str, Sign]:
    with session_on(
        folder, registry=github.host, token=token, environ=environ_for(github, folder)
    ) as session:
        package = named(session, name) if name else None
        return {sign.what: sign for sign in diagnose(session, github.host, package)}


def test_a_good_token_is_reported_with_its_source_and_scopes(
    github: GitHubDouble, tmp_path: Path
) -> None:
    signs = seen(github, tmp_path)
    assert all(sign.health is Health.GOOD for sign in signs.values())
    assert "GHCRCTL_TOKEN" in signs["token"].message
    assert "classic" in signs["token"].message
    assert signs["account"].message.startswith("octo")
    assert "delete:packages" in signs["scopes"].message
    assert "registry" in signs


def test_a_missing_scope_is_reported_with_its_purpose(github: GitHubDouble, tmp_path: Path) -> None:
    github.api.scopes["ghp_octo"] = ("write:packages",)
    sign = seen(github, tmp_path)["scopes"]
    assert sign.health is Health.WARNING
    assert "but not delete:packages to delete and prune" in sign.message
    assert "read:packages" not in sign.message, "write:packages brings it"
    assert "settings/tokens/new" in sign.page


def test_a_rejected_token_is_reported_with_a_fix(github: GitHubDouble, tmp_path: Path) -> None:
    signs = seen(github, tmp_path, token="ghp_expired")
    assert signs["account"].health is Health.BAD
    assert signs["account"].status is ExitStatus.AUTH
    for question in ("account", "registry"):
        assert signs[question].health is Health.BAD
        assert "set GHCRCTL_TOKEN" in signs[question].mend
        assert "login" not in signs[question].mend


def test_a_fine_grained_token_is_reported_as_unsupported(
    github: GitHubDouble, tmp_path: Path
) -> None:
    github.accounts["octo"] = "github_pat_x"
    assert seen(github, tmp_path, token="github_pat_x")["kind"].health is Health.WARNING


def test_the_account_of_a_job_token_is_not_requested(github: GitHubDouble, tmp_path: Path) -> None:
    github.accounts["octo"] = "ghs_job"
    signs = seen(github, tmp_path, token="ghs_job")
    assert "account" not in signs
    assert all(sign.health is not Health.BAD for sign in signs.values())


def test_without_a_token_the_page_to_create_one_is_shown(
    github: GitHubDouble, tmp_path: Path
) -> None:
    signs = seen(github, tmp_path, token="")
    assert signs["token"].health is Health.WARNING
    assert "settings/tokens/new" in signs["token"].page
    assert "registry" not in signs


def test_a_private_package_is_reported_with_its_settings_page(
    github: GitHubDouble, tmp_path: Path
) -> None:
    github.push(NAME, "v1", random_image(seed=1))
    signs = seen(github, tmp_path, name=NAME)
    assert "private" in signs["package"].message
    assert signs["pull by everybody"].health is Health.NOTE
    assert signs["pull by everybody"].page == SETTINGS
    assert signs["pull with the token"].health is Health.GOOD
    assert signs["repository"].health is Health.WARNING
    assert signs["access"].page == SETTINGS


def test_a_public_package_can_be_pulled_by_everybody(github: GitHubDouble, tmp_path: Path) -> None:
    github.push(NAME, "v1", random_image(seed=1))
    github.public.add(NAME)
    github.api.linked[NAME] = "octo/app"
    signs = seen(github, tmp_path, name=NAME)
    assert signs["pull by everybody"].health is Health.GOOD
    assert signs["repository"].message == "linked to octo/app"


def test_a_missing_package_is_reported(github: GitHubDouble, tmp_path: Path) -> None:
    signs = seen(github, tmp_path, name="octo/none")
    assert signs["package"].health is Health.BAD
    assert signs["package"].status is ExitStatus.NOT_FOUND
    assert "packages list octo" in signs["package"].mend


def test_single_sign_on_is_reported_with_its_page(github: GitHubDouble, tmp_path: Path) -> None:
    github.api.organizations.add("acme")
    github.push("acme/app", "v1", random_image(seed=1))
    github.api.sso["acme"] = "https://github.com/orgs/acme/sso?authorization_request=x"
    sign = seen(github, tmp_path, name="acme/app")["package"]
    assert sign.health is Health.BAD
    assert github.api.sso["acme"] in sign.mend


def test_another_registry_is_refused(tmp_path: Path) -> None:
    with session_on(tmp_path) as session, pytest.raises(UnsupportedError):
        list(diagnose(session, "registry.example", None))


def test_a_package_that_is_missing_is_the_only_problem(
    github: GitHubDouble, tmp_path: Path
) -> None:
    github.push(NAME, "v1", random_image(seed=1))
    signs = seen(github, tmp_path, name="octo/none")
    bad = [sign for sign in signs.values() if sign.health is Health.BAD]
    assert [sign.what for sign in bad] == ["package"]
    assert bad[0].status is ExitStatus.NOT_FOUND
    assert not any("/none/settings" in sign.page for sign in signs.values())


def test_an_owner_that_is_missing_is_the_only_problem(github: GitHubDouble, tmp_path: Path) -> None:
    signs = seen(github, tmp_path, name="nobody/none")
    bad = [sign for sign in signs.values() if sign.health is Health.BAD]
    assert [(sign.what, sign.status) for sign in bad] == [("owner", ExitStatus.NOT_FOUND)]
