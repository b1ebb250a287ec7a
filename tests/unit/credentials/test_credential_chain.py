"""The sources of credentials, and their order."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keyring
import keyring.backend
import keyring.errors
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.credentials.auth_file import decode_entry, encode_entry
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import default_chain, own_file
from ghcrctl.credentials.own_store import default_store
from ghcrctl.credentials.token_kinds import TokenKind, advice, token_kind
from ghcrctl.errors import CredentialStoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET = "s3cr3t:with:colons"


def auth(user: str, secret: str = SECRET) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


class Person:
    """A user's files and environment."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home / "config"
        self.environ = {
            "PATH": str(home / "bin"),
            "GHCRCTL_KEYRING": "0",
            "XDG_RUNTIME_DIR": str(home / "run"),
        }
        self.said: list[str] = []
        (home / "bin").mkdir(parents=True)

    def write(self, name: str, data: Any) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return path

    def program(self, name: str, text: str) -> None:
        path = self.write(f"bin/{name}", f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def find(self, registry: str = "ghcr.io", repository: str = "") -> Credential | None:
        credential_chain = default_chain(
            self.environ, home=self.home, config_dir=self.config, warn=self.said.append
        )
        return credential_chain.find(registry, repository)

    def own_store(self) -> Any:
        return default_store(self.environ, home=self.home, config_dir=self.config)


@pytest.fixture
def person(tmp_path: Path) -> Person:
    return Person(tmp_path / "home")


class MemoryKeyring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.kept.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError


@pytest.fixture
def os_keyring(person: Person) -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    person.environ.pop("GHCRCTL_KEYRING")
    yield backend
    keyring.set_keyring(before)


def test_sources_are_used_in_the_documented_order(
    person: Person, os_keyring: MemoryKeyring
) -> None:
    places = [
        lambda: person.environ.update(GHCRCTL_TOKEN=SECRET, GHCRCTL_USERNAME="1"),
        lambda: os_keyring.set_password(
            "ghcrctl:ghcr.io", "ghcr.io", json.dumps({"username": "2", "secret": SECRET})
        ),
        lambda: person.write("config/auth.json", {"auths": {"ghcr.io": auth("3")}}),
        lambda: person.environ.update(
            DOCKER_AUTH_CONFIG=json.dumps({"auths": {"ghcr.io": auth("4")}})
        ),
        lambda: person.write(".docker/config.json", {"auths": {"https://ghcr.io": auth("5")}}),
        lambda: person.write(".config/containers/auth.json", {"auths": {"ghcr.io": auth("6")}}),
        lambda: person.environ.update(GITHUB_TOKEN=f"\n{SECRET} ", GITHUB_ACTOR="7"),
        lambda: person.program("gh", f"echo {SECRET}"),
    ]
    assert person.find() is None
    for number in range(len(places), 0, -1):
        places[number - 1]()  # type: ignore[no-untyped-call]
        found = person.find()
        assert found is not None
        assert found.secret == SECRET
        assert number == 8 or found.username == str(number)
        assert found.source
    assert person.said == []


@pytest.mark.parametrize(
    ("config", "registry", "secret", "token"),
    [
        ({"auths": {"https://index.docker.io/v1/": auth("u")}}, "docker.io", SECRET, None),
        ({"auths": {"ghcr.io/": auth("u")}}, "ghcr.io", SECRET, None),
        ({"auths": {"ghcr.io": {"identitytoken": "t"}}}, "ghcr.io", "", "t"),
        ({"auths": {"ghcr.io": {"username": "u", "password": "p"}}}, "ghcr.io", "p", None),
        ({"auths": {"host:5000": auth("u")}}, "host:5000", SECRET, None),
    ],
)
def test_each_form_of_dockers_file_is_read(
    person: Person, config: Any, registry: str, secret: str, token: str | None
) -> None:
    person.write("elsewhere/config.json", config)
    person.environ["DOCKER_CONFIG"] = str(person.home / "elsewhere")
    found = person.find(registry)
    assert found is not None
    assert (found.secret, found.identity_token) == (secret, token)
    assert person.find("other.example") is None


def test_podmans_most_specific_namespace_wins(person: Person) -> None:
    path = person.write(
        "auth.json",
        {"auths": {"ghcr.io": auth("all"), "ghcr.io/o": auth("o"), "ghcr.io/o/i": auth("i")}},
    )
    person.environ["REGISTRY_AUTH_FILE"] = str(path)
    names = [person.find("ghcr.io", r) for r in ("o/i", "o/other", "x/i", "")]
    assert [found.username for found in names if found] == ["i", "o", "all", "all"]


def test_a_token_for_another_registry_is_not_sent_to_ghcr(person: Person) -> None:
    person.environ.update(GHCRCTL_TOKEN=SECRET, GHCRCTL_REGISTRY="quay.io", GH_TOKEN="other")
    quay, ghcr = person.find("quay.io"), person.find("ghcr.io")
    assert quay is not None
    assert quay.secret == SECRET
    assert ghcr is not None
    assert ghcr.secret == "other"
    assert person.find("docker.io") is None


HELPER = """
echo "$@" >> {log}
input=$(cat)
case "$1" in
  get) if [ "$input" = "{server}" ]; then echo '{{"Username": "helped", "Secret": "{secret}"}}'
       else echo "credentials not found in native keychain"; exit 1; fi ;;
  store) echo "$input" > {log}.stored ;;
  erase) echo "$input" > {log}.erased ;;
esac
"""


def helper(person: Person, name: str = "test", server: str = "ghcr.io") -> Path:
    log = person.home / "helper.log"
    person.environ["PATH"] += ":/usr/bin:/bin"
    person.program(
        f"docker-credential-{name}", HELPER.format(log=log, server=server, secret=SECRET)
    )
    return log


@pytest.mark.parametrize("config", [{"credsStore": "test"}, {"credHelpers": {"ghcr.io": "test"}}])
def test_dockers_helper_is_used_like_in_docker(person: Person, config: Any) -> None:
    log = helper(person)
    person.write(".docker/config.json", config)
    found = person.find()
    assert found is not None
    assert (found.username, found.secret) == ("helped", SECRET)
    stored = person.own_store().store("ghcr.io", Credential("me", "new"))
    assert "docker-credential-test" in stored.place
    assert json.loads(Path(f"{log}.stored").read_text()) == {
        "ServerURL": "ghcr.io",
        "Username": "me",
        "Secret": "new",
    }
    assert person.own_store().erase("ghcr.io") == ["docker-credential-test"]
    assert SECRET not in log.read_text()
    assert "new" not in log.read_text()
    assert not own_file(person.config).exists()


@pytest.mark.parametrize("program", [None, "echo boom >&2; exit 3", "echo no json"])
def test_a_failing_helper_is_reported_and_skipped(person: Person, program: str | None) -> None:
    person.write(".docker/config.json", {"credsStore": "bad", "auths": {"ghcr.io": auth("u")}})
    if program:
        person.program("docker-credential-bad", program)
    found = person.find()
    assert found is not None
    assert found.username == "u"
    assert "docker-credential-bad" in person.said[0]


@pytest.mark.parametrize("text", ["{", "[]", '{"auths": {"ghcr.io": {"auth": "%%%"}}}'])
def test_a_broken_file_is_reported_once_and_skipped(person: Person, text: str) -> None:
    path = person.write(".docker/config.json", text)
    person.environ["GH_TOKEN"] = SECRET
    found = person.find()
    assert found is not None
    assert found.secret == SECRET
    assert [str(path) in said for said in person.said] == [True]


def test_without_a_keyring_our_own_file_is_used_with_a_warning(person: Person) -> None:
    stored = person.own_store().store("ghcr.io", Credential("me", SECRET))
    path = own_file(person.config)
    assert str(path) in (stored.warning or "")
    assert path.stat().st_mode & 0o777 == 0o600
    person.own_store().store("quay.io", Credential("me", "other"))
    assert person.own_store().registries() == ["ghcr.io", "quay.io"]
    assert set(json.loads(path.read_text())["auths"]) == {"ghcr.io", "quay.io"}
    found = person.find()
    assert found is not None
    assert found.secret == SECRET
    assert person.own_store().erase("ghcr.io") == [str(path)]
    assert person.own_store().erase("ghcr.io") == []
    assert person.find() is None


def test_a_real_keyring_is_used_and_the_file_only_lists_the_name(
    person: Person, os_keyring: MemoryKeyring
) -> None:
    stored = person.own_store().store("ghcr.io", Credential("me", SECRET))
    assert stored.warning is None
    assert SECRET not in own_file(person.config).read_text()
    assert person.own_store().registries() == ["ghcr.io"]
    found = person.find()
    assert found is not None
    assert found.secret == SECRET
    assert person.own_store().erase("ghcr.io")
    assert os_keyring.kept == {}
    assert person.own_store().registries() == []


def test_our_own_broken_file_is_never_overwritten(person: Person) -> None:
    path = person.write("config/auth.json", "{ broken")
    with pytest.raises(CredentialStoreError) as caught:
        person.own_store().store("ghcr.io", Credential("me", SECRET))
    assert path.read_text() == "{ broken"
    assert SECRET not in str(caught.value)


@given(
    st.text(min_size=1).filter(lambda t: ":" not in t),
    st.text(min_size=1).filter(lambda t: "\0" not in t),
)
def test_written_credentials_can_be_read(username: str, secret: str) -> None:
    try:
        f"{username}{secret}".encode()
    except UnicodeEncodeError:
        return
    found = decode_entry(encode_entry(Credential(username, secret)), "here")
    assert found is not None
    assert (found.username, found.secret) == (username, secret)


@pytest.mark.parametrize(
    ("token", "kind", "word"),
    [
        ("ghp_x", TokenKind.CLASSIC, None),
        ("0" * 40, TokenKind.CLASSIC, None),
        ("github_pat_x", TokenKind.FINE_GRAINED, "write:packages"),
        ("ghs_x", TokenKind.ACTIONS, "packages: write"),
        ("gho_x", TokenKind.OAUTH, "gh auth refresh"),
        ("hunter2", TokenKind.UNKNOWN, None),
    ],
)
def test_each_kind_of_token_has_its_advice(token: str, kind: TokenKind, word: str | None) -> None:
    assert token_kind(token) is kind
    said = advice(token, "ghcr.io")
    assert (word in said) if word and said else said is None
    assert advice(token, "quay.io") is None


def test_no_repr_shows_a_secret() -> None:
    shown = repr(Credential("me", SECRET, "identity")) + str(Credential("me", SECRET, "identity"))
    assert SECRET not in shown
    assert "identity'" not in shown


SERVER, RESIDENT = "git.example", "octo.ghe.com"


@pytest.mark.parametrize(
    ("environ", "registry", "expected"),
    [
        ({"GITHUB_TOKEN": "a"}, "ghcr.io", "a"),
        ({"GH_TOKEN": "a"}, "ghcr.io", "a"),
        ({"GITHUB_TOKEN": "a", "GITHUB_SERVER_URL": "https://github.com"}, "ghcr.io", "a"),
        # A job on an Enterprise Server: its token is only for that server.
        # The environment does not name this host.
        ({"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, f"containers.{SERVER}", None),
        ({"GITHUB_TOKEN": "a", "GH_TOKEN": "b"}, f"containers.{RESIDENT}", None),
        ({"GH_ENTERPRISE_TOKEN": "a"}, f"containers.{SERVER}", None),
        ({"GH_ENTERPRISE_TOKEN": "a", "GH_HOST": "other.example"}, f"containers.{SERVER}", None),
        ({"GH_ENTERPRISE_TOKEN": "a", "GH_HOST": SERVER}, f"containers.{SERVER}", "a"),
        ({"GITHUB_ENTERPRISE_TOKEN": "a", "GH_HOST": SERVER}, f"containers.{SERVER}", "a"),
        ({"GH_ENTERPRISE_TOKEN": "a", "GH_HOST": SERVER}, "ghcr.io", None),
        ({"GH_TOKEN": "a", "GH_HOST": RESIDENT}, f"containers.{RESIDENT}", "a"),
        ({"GITHUB_TOKEN": "a"}, "containers.", None),
        ({"GITHUB_TOKEN": "a"}, "docker.io", None),
    ],
)
def test_a_github_token_is_only_sent_to_its_registry(
    person: Person, environ: dict[str, str], registry: str, expected: str | None
) -> None:
    person.environ.update(environ)
    found = person.find(registry)
    assert (found.secret if found else None) == expected


def test_gh_is_asked_for_the_host_without_token_variables(
    person: Person,
) -> None:
    person.program("gh", 'echo "$4$GH_TOKEN$GITHUB_TOKEN$GH_ENTERPRISE_TOKEN"')
    person.environ.update(GH_HOST="other.example", GH_ENTERPRISE_TOKEN=SECRET)
    ours, theirs = person.find("ghcr.io"), person.find(f"containers.{SERVER}")
    assert ours is not None
    assert ours.secret == "github.com"
    assert theirs is not None
    assert theirs.secret == SERVER
    assert person.find("quay.io") is None
