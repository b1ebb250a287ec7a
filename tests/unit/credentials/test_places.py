"""Sources and stores of credentials: queried once, changed completely, with clear errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import CredentialChain, default_chain, silent_chain
from ghcrctl.credentials.registry_names import docker_key, github_of, registry_of
from ghcrctl.credentials.sources import Environment, GitHubEnvironment
from ghcrctl.errors import CredentialStoreError
from tests.unit.credentials.helper_user import User

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cret"


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


@pytest.fixture
def ours(user: User) -> Path:
    return user.home / "ours" / "auth.json"


class Place:
    """A source that counts queries."""

    label = "a place"

    def __init__(self, found: Credential | None) -> None:
        self.found = found
        self.asked: list[tuple[str, str]] = []

    def get(self, registry: str, repository: str) -> Credential | None:
        self.asked.append((registry, repository))
        return self.found


def test_each_source_is_queried_once_per_repository() -> None:
    empty, full, late = Place(None), Place(Credential("u", "s")), Place(None)
    chain = CredentialChain([empty, full, late])
    for _ in range(2):
        assert chain.find("reg.io", "a") == full.found
        assert chain.find("reg.io") == full.found
    assert empty.asked == full.asked == [("reg.io", "a"), ("reg.io", "")]
    assert late.asked == []
    nothing = CredentialChain([empty])
    assert nothing.find("reg.io") is None
    assert nothing.find("reg.io") is None
    assert empty.asked[2:] == [("reg.io", "")]


def test_a_broken_source_is_reported_once(user: User) -> None:
    user.configure([])
    chain = default_chain(
        user.environ, home=user.home, config_dir=user.home / "ours", warn=user.said.append
    )
    for repository in ("a", "b", ""):
        assert chain.find("reg.io", repository) is None
    assert len(user.said) == 1


def test_completion_reports_no_broken_source(user: User) -> None:
    user.configure([])
    chain = silent_chain(user.environ, home=user.home, config_dir=user.home / "ours")
    assert chain.find("reg.io") is None


# Storing in exactly one place


def entries(path: Path) -> Any:
    return json.loads(path.read_text())["auths"]


def test_storing_in_a_helper_removes_it_from_our_file(user: User, ours: Path) -> None:
    user.configure({})
    user.own_store.store("reg.io", Credential("u", SECRET))
    user.own_store.store("other.io", Credential("u", SECRET))
    assert set(entries(ours)) == {"reg.io", "other.io"}
    user.configure({"credsStore": "fake"})
    stored = user.own_store.store("reg.io", Credential("u", "new"))
    assert (stored.place, stored.warning) == ("docker-credential-fake", None)
    assert set(entries(ours)) == {"other.io"}
    assert user.own_store.registries() == ["other.io"]


def test_a_broken_docker_configuration_is_reported_when_storing(user: User, ours: Path) -> None:
    config = user.home / ".docker" / "config.json"
    config.write_text('{"credsStore": "fake"')
    stored = user.own_store.store("reg.io", Credential("u", SECRET))
    assert stored.place == str(ours)
    assert stored.warning
    assert stored.warning.startswith(f"ignoring {config}: invalid JSON; credentials are stored un")


def test_a_logout_erases_from_every_place(user: User, ours: Path) -> None:
    user.configure({})
    user.own_store.store("reg.io", Credential("u", SECRET))
    user.configure({"credHelpers": {"reg.io": "fake"}})
    user.keep(**{"reg.io": ("u", SECRET)})
    assert user.own_store.erase("reg.io") == ["docker-credential-fake", str(ours)]
    assert entries(ours) == {}
    assert user.kept == {}
    assert user.own_store.erase("reg.io") == []


def test_without_a_login_there_is_nothing_to_erase_and_no_file(user: User, ours: Path) -> None:
    assert user.own_store.erase("reg.io") == []
    assert user.own_store.registries() == []
    assert not ours.parent.exists()


def test_an_identity_token_is_stored_like_docker(user: User, ours: Path) -> None:
    user.configure({})
    user.own_store.store("reg.io", Credential("", SECRET, "refresh"))
    assert entries(ours) == {"reg.io": {"identitytoken": "refresh"}}
    found = user.find()
    assert found
    assert (found.secret, found.identity_token) == ("", "refresh")
    user.own_store.store("reg.io", Credential("u", SECRET, "refresh"))
    assert SECRET not in ours.read_text()


def test_other_members_of_our_file_are_kept(user: User, ours: Path) -> None:
    user.configure({})
    ours.parent.mkdir()
    ours.write_text(json.dumps({"auths": None, "credHelpers": {"x.io": "fake"}}))
    user.own_store.store("reg.io", Credential("u", SECRET))
    assert json.loads(ours.read_text())["credHelpers"] == {"x.io": "fake"}
    ours.write_text('{"auths": []}')
    assert user.own_store.registries() == []


def test_an_unreadable_configuration_of_docker_names_no_helper(user: User, ours: Path) -> None:
    user.configure([])
    stored = user.own_store.store("reg.io", Credential("u", SECRET))
    assert stored.place == str(ours)
    assert user.own_store.helper_registries() == ("", ())


def test_a_file_that_cannot_be_written_is_named(
    user: User, ours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user.configure({})
    ours.parent.write_text("")
    with pytest.raises(CredentialStoreError, match="cannot write") as caught:
        user.own_store.store("reg.io", Credential("u", SECRET))
    assert str(ours) in str(caught.value)
    assert "GHCRCTL_CONFIG_DIR" in (caught.value.hint or "")
    ours.parent.unlink()
    ours.parent.mkdir()
    monkeypatch.setattr("ghcrctl.credentials.own_store._LOCK_SECONDS", 0.1)
    with (
        FileLock(ours.with_suffix(".lock")),
        pytest.raises(CredentialStoreError, match=r"cannot write .*: Timeout"),
    ):
        user.own_store.store("reg.io", Credential("u", SECRET))
    assert not ours.exists()


# Names and variables


@pytest.mark.parametrize(
    ("key", "registry"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("registry-1.docker.io", "docker.io"),
        ("HTTP://Reg.IO:5000/v2/", "reg.io:5000"),
        ("reg.io/a/b", "reg.io"),
        ("", ""),
    ],
)
def test_a_key_belongs_to_a_registry(key: str, registry: str) -> None:
    assert registry_of(key) == registry
    expected = "https://index.docker.io/v1/" if registry == "docker.io" else registry
    assert docker_key(registry) == expected


@pytest.mark.parametrize(
    ("registry", "host"),
    [
        ("ghcr.io", "github.com"),
        ("containers.git.example", "git.example"),
        ("containers.", None),
        ("quay.io", None),
        ("my.containers.example", None),
    ],
)
def test_a_registry_may_belong_to_a_github(registry: str, host: str | None) -> None:
    assert github_of(registry) == host


@pytest.mark.parametrize(
    ("environ", "registry", "expected"),
    [
        ({"GHCRCTL_TOKEN": " t\n"}, "ghcr.io", ("ghcrctl", "t")),
        ({"GHCRCTL_TOKEN": "t", "GHCRCTL_USERNAME": " u "}, "ghcr.io", ("u", "t")),
        ({"GHCRCTL_TOKEN": "t", "GHCRCTL_USERNAME": " "}, "ghcr.io", ("ghcrctl", "t")),
        ({"GHCRCTL_TOKEN": "t", "GHCRCTL_REGISTRY": " "}, "ghcr.io", ("ghcrctl", "t")),
        ({"GHCRCTL_TOKEN": "t", "GHCRCTL_REGISTRY": "https://Reg.io/"}, "reg.io", ("ghcrctl", "t")),
        ({"GHCRCTL_TOKEN": "t", "GHCRCTL_REGISTRY": "reg.io"}, "ghcr.io", None),
        ({"GHCRCTL_TOKEN": " "}, "ghcr.io", None),
        ({"GHCRCTL_USERNAME": "u"}, "ghcr.io", None),
    ],
)
def test_the_variables_are_for_one_registry(
    environ: dict[str, str], registry: str, expected: tuple[str, str] | None
) -> None:
    found = Environment(environ).get(registry, "octo/app")
    assert ((found.username, found.secret) if found else None) == expected
    assert found is None or found.source == "the environment (GHCRCTL_TOKEN)"


def test_the_users_of_a_job_are_named() -> None:
    environ = {"GITHUB_TOKEN": " ", "GH_TOKEN": "t", "GITHUB_ACTOR": " "}
    found = GitHubEnvironment(environ).get("ghcr.io", "")
    assert found == Credential("ghcrctl", "t", None, "the environment (GH_TOKEN)")
