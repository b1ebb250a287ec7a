"""Reading and writing the credential files of docker, podman and our own."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.credentials import credential_chain
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.credential_chain import (
    default_chain,
    own_file,
    podman_files,
    silent_chain,
)
from ghcrctl.credentials.own_store import default_store
from ghcrctl.credentials.registry_names import namespaces
from ghcrctl.credentials.sources import AuthFile, DockerConfig
from tests.closed_folder import close_folder

if TYPE_CHECKING:
    from collections.abc import Callable

# Other projects' test tables, which are not part of this project.
_FOLDERS = (parent / "shared/data/peers" for parent in Path(__file__).parents)
TABLES = next((folder for folder in _FOLDERS if folder.is_dir()), Path("no-tables"))
HUB_KEY = "https://index.docker.io/v1/"


def auth(user: str, secret: str = "s") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{secret}".encode()).decode()}


class Files:
    """A user's credential files."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.warnings: list[str] = []
        self.environ = {
            "PATH": f"{home / 'bin'}:/usr/bin:/bin",
            "GHCRCTL_KEYRING": "0",
            "XDG_RUNTIME_DIR": str(home / "run"),
        }

    def write(self, name: str, data: Any) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(data if isinstance(data, str) else json.dumps(data))
        return path

    def find(self, name: str) -> Credential | None:
        registry, _, repository = name.partition("/")
        return default_chain(
            self.environ, home=self.home, config_dir=self.home / "ours", warn=self.warnings.append
        ).find(registry, repository)

    def user(self, name: str) -> str | None:
        found = self.find(name)
        return found.username if found else None


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


DOCKER, PODMAN, OURS = ".docker/config.json", ".config/containers/auth.json", "ours/auth.json"
everywhere = pytest.mark.parametrize("place", [DOCKER, PODMAN, OURS])


@everywhere
@pytest.mark.parametrize(
    ("keys", "name", "best"),
    [
        (["https://reg.io", "reg.io"], "reg.io", "reg.io"),
        (["http://reg.io/v2/", "reg.io"], "reg.io/a/b", "reg.io"),
        (["https://reg.io", "reg.io/a"], "reg.io/a/b", "reg.io/a"),
        (["https://reg.io"], "reg.io/a/b", "https://reg.io"),
        (["https://reg.io/v1/"], "reg.io", "https://reg.io/v1/"),
        (["https://reg.io/some/path"], "reg.io", "https://reg.io/some/path"),
        (["reg.io/"], "reg.io", "reg.io/"),
        (["REG.IO"], "reg.io/a/b", "REG.IO"),
        (["https://Reg.io/v2/"], "reg.io/a/b", "https://Reg.io/v2/"),
        (["reg.io:443"], "reg.io", None),
        (["ftp://reg.io"], "reg.io", None),
        (["docker.io", HUB_KEY], "docker.io", HUB_KEY),
        (["index.docker.io", "docker.io"], "docker.io", "docker.io"),
        (["index.docker.io"], "docker.io/library/alpine", "index.docker.io"),
        ([HUB_KEY, "docker.io/library"], "docker.io/library/alpine", "docker.io/library"),
        (["docker.io/library", HUB_KEY], "docker.io/octo/alpine", HUB_KEY),
        (["registry-1.docker.io"], "docker.io", None),
        (["reg.io/a"], "reg.io/ab/c", None),
        (["reg.io/a/b"], "reg.io/a", None),
    ],
)
def test_the_most_specific_exact_key_wins(
    files: Files, place: str, keys: list[str], name: str, best: str | None
) -> None:
    files.write(place, {"auths": {key: auth(f"user of {key}".replace(":", "|")) for key in keys}})
    wanted = f"user of {best}".replace(":", "|") if best else None
    assert files.user(name) == wanted
    assert files.warnings == []


@everywhere
@pytest.mark.parametrize("text", ["dTpw\n", "dT\r\npw", "\ndTpw"])
def test_line_breaks_in_an_auth_are_ignored(files: Files, place: str, text: str) -> None:
    files.write(place, {"auths": {"reg.io": {"auth": text}}})
    found = files.find("reg.io")
    assert found
    assert (found.username, found.secret) == ("u", "p")


@pytest.mark.parametrize("place", [DOCKER, OURS])
@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_file_is_valid(files: Files, place: str, text: str) -> None:
    files.write(place, text)
    assert files.find("reg.io") is None
    assert files.warnings == []


@everywhere
@pytest.mark.parametrize(
    "data",
    [
        "[]",
        '{"auths": []}',
        '{"auths": {"reg.io": "u:p"}}',
        '{"auths": {"reg.io": {"auth": "bm9jb2xvbg=="}}}',
        '{"auths": {"reg.io": {"auth": "dTpwcA"}}}',
        '\ufeff{"auths": {"reg.io": {"auth": "dTpw"}}}',
    ],
)
def test_a_broken_file_is_named_in_one_warning(files: Files, place: str, data: str) -> None:
    path = files.write(place, data)
    assert files.find("reg.io") is None
    assert [str(path) in warning for warning in files.warnings] == [True]


def test_a_broken_entry_breaks_dockers_file_but_not_podmans(files: Files) -> None:
    data = {"auths": {"other.io": {"auth": "!!"}, "reg.io": auth("u")}}
    path = files.write(DOCKER, data)
    assert files.user("reg.io") is None
    assert "invalid `auth` for `other.io`" in files.warnings[0]
    path.unlink()
    files.write(PODMAN, data)
    assert files.user("reg.io") == "u"


@everywhere
def test_the_registry_token_is_read(files: Files, place: str) -> None:
    files.write(place, {"auths": {"reg.io": {"registrytoken": "as-is"}}})
    found = files.find("reg.io")
    assert found
    assert found.registry_token == "as-is"
    assert "as-is" not in repr(found)


HELPER = """#!/bin/sh
read -r server
if [ "$server" = reg.io ]; then echo '{"Username": "helped", "Secret": "s"}'
else echo "credentials not found"; exit 1; fi
"""


def write_helper(files: Files) -> None:
    files.write("bin/docker-credential-test", HELPER).chmod(0o755)


@pytest.mark.parametrize("place", [DOCKER, PODMAN])
@pytest.mark.parametrize("key", ["reg.io", "https://reg.io"])
def test_helpers_of_each_file_are_used(files: Files, place: str, key: str) -> None:
    write_helper(files)
    files.write(place, {"credHelpers": {key: "test"}, "auths": {"reg.io/a": auth("namespace")}})
    # As in podman, namespaces are ignored if the registry has a helper.
    assert files.user("reg.io/a/b") == "helped"
    assert files.user("other.io") is None
    assert files.warnings == []


def test_an_empty_helper_disables_the_store_for_a_registry(files: Files) -> None:
    write_helper(files)
    auths = {"auths": {"reg.io": auth("file")}}
    files.write(DOCKER, auths | {"credsStore": "test", "credHelpers": {"reg.io": ""}})
    assert files.user("reg.io") == "file"


def test_completion_runs_no_helper(files: Files) -> None:
    files.write("bin/docker-credential-test", "#!/bin/sh\ntouch ran").chmod(0o755)
    for place in (DOCKER, PODMAN):
        helpers = {"credHelpers": {"reg.io": "test"}, "credsStore": "test"}
        files.write(place, helpers | {"auths": {"reg.io/a": auth("u")}})
    silent = silent_chain(files.environ, home=files.home, config_dir=files.home / "ours")
    found = silent.find("reg.io", "a/b")
    assert found
    assert found.username == "u"


@pytest.mark.needs("linux")
def test_podmans_file_below_run_is_read_without_a_runtime_directory(files: Files) -> None:
    del files.environ["XDG_RUNTIME_DIR"]
    expected = Path(f"/run/containers/{os.getuid()}/auth.json")
    assert podman_files(files.environ, files.home)[0] == expected


def test_a_token_replaces_the_password(files: Files) -> None:
    files.write(DOCKER, {"auths": {"reg.io": {**auth("u", "old"), "identitytoken": "new"}}})
    found = files.find("reg.io/a")
    assert found
    assert (found.username, found.secret, found.identity_token) == ("u", "", "new")


def test_docker_requires_a_user_name_but_podman_does_not(files: Files) -> None:
    path = files.write(DOCKER, {"auths": {"reg.io": auth("")}})
    assert files.find("reg.io/a") is None
    why = "invalid `auth` for `reg.io`: the user name is missing"
    assert files.warnings == [f"ignoring {path}: {why}"]
    files.write(PODMAN, {"auths": {"reg.io": auth("")}})
    assert files.user("reg.io/a") == ""


def test_a_blank_variable_is_ignored(files: Files) -> None:
    files.environ["DOCKER_AUTH_CONFIG"] = " \n"
    assert files.user("reg.io/a") is None
    assert files.warnings == []


def test_a_place_does_not_show_the_environment(files: Files) -> None:
    files.environ["GITHUB_TOKEN"] = "s3cret"
    path = files.write(DOCKER, {})
    shown = repr(AuthFile(path, files.warnings.append, files.environ))
    shown += repr(DockerConfig(path, files.warnings.append, files.environ, text="s3cret"))
    assert "s3cret" not in shown


@pytest.mark.needs("linux")
@pytest.mark.parametrize("is_closed", [False, True])
def test_podmans_folder_below_run_may_be_inaccessible(
    files: Files, monkeypatch: pytest.MonkeyPatch, *, is_closed: bool
) -> None:
    run = files.home / "containers-of-run"
    files.write(f"{run.name}/{os.getuid()}/auth.json", {"auths": {"reg.io": auth("u")}})
    monkeypatch.setattr(credential_chain, "_RUN", run)
    del files.environ["XDG_RUNTIME_DIR"]
    if is_closed:
        close_folder(monkeypatch, run)
    assert files.user("reg.io/a") == (None if is_closed else "u")
    assert files.warnings == []


def test_a_link_to_our_file_is_kept(files: Files) -> None:
    target = files.write("dotfiles/auth.json", {"auths": {"reg.io": auth("u")}})
    link = own_file(files.home / "ours")
    link.parent.mkdir()
    link.symlink_to(target)
    own_store = default_store(files.environ, home=files.home, config_dir=files.home / "ours")
    own_store.store("other.io", Credential("me", "s"))
    assert link.is_symlink()
    assert set(json.loads(target.read_text())["auths"]) == {"reg.io", "other.io"}
    assert target.stat().st_mode & 0o777 == 0o600


def test_the_configuration_directory_is_private(files: Files) -> None:
    folder = files.home / "ours"
    own_store = default_store(files.environ, home=files.home, config_dir=folder)
    own_store.store("reg.io", Credential("me", "s"))
    assert folder.stat().st_mode & 0o777 == 0o700


# The tables


def table() -> list[Any]:
    path = TABLES / "auth.tsv"
    lines = path.read_text().splitlines()[1:] if path.is_file() else []
    rows = [[json.loads(field) for field in line.split("\t")] for line in lines]
    return [row for row in rows if row[0] in _READERS]


def _fixture(case: str, key: str) -> str:
    by_case = {
        "no auth config": "",
        "docker.io normalized": "abnormal.json",
        "normalize registry": "full.json",
        "identity token": "example_identitytoken.json",
        "empty.json": "empty.json",
    }
    return by_case.get(case, "refpath.json" if "/" in key or case == "top" else "full.json")


def _from_fixture(place: str) -> Callable[[Files, str, str], Any]:
    def read(files: Files, case: str, key: str) -> Any:
        name = _fixture(case, key)
        if name:
            files.write(place, (TABLES / "fixtures/docker-config" / name).read_text())
        found = files.find(key)
        if not found:
            return None
        token = [found.identity_token] if found.identity_token else []
        return [found.username, found.secret, *token]

    return read


def _from_text(files: Files, case: str, key: str) -> Any:
    files.write(DOCKER, case)
    found = files.find("docker.io" if key == HUB_KEY else key)
    if files.warnings:
        return "ERR"
    if found and found.registry_token:
        return "registrytoken"
    return [found.username, found.secret, found.identity_token] if found else None


def _preferred(files: Files, case: str, key: str) -> Any:
    folder = TABLES / "fixtures/docker-config"
    files.write(PODMAN, (folder / "full.json").read_text())
    files.write(DOCKER, (folder / "legacy.json").read_text())
    return _from_fixture(PODMAN)(files, case, key)


def _keys(_: Files, __: str, key: str) -> Any:
    registry, _slash, repository = key.partition("/")
    return namespaces(registry, repository)


def _bad(files: Files, case: str, _: str) -> Any:
    texts = {"not json": "Json rocks! Unless it doesn't.", "empty file": ""}
    path = files.write(PODMAN, texts.get(case, ""))
    if case == "unreadable":
        path.unlink()
        path.mkdir()
    files.find("reg.io")
    return "warn" if files.warnings else None


_READERS: dict[str, Callable[[Files, str, str], Any]] = {
    "TestGetAuth in auth.json": _from_fixture(PODMAN),
    "TestGetAuth in config.json": _from_fixture(DOCKER),
    "TestGetAuthPreferNewConfig": _preferred,
    "TestGetAuthFailsOnBadInput": _bad,
    "TestAuthKeyLookupOrder": _keys,
    "docker/cli config": _from_text,
}


@pytest.mark.skipif(not TABLES.is_dir(), reason="the tables of other projects are not here")
@pytest.mark.parametrize("row", table(), ids=lambda row: f"{row[0]}: {row[1]} {row[2]}"[:90])
def test_results_agree_with_docker_and_podman(files: Files, row: Any) -> None:
    name, case, key, expected, *_ = row
    assert _READERS[name](files, case, key) == expected
