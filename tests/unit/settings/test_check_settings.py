"""One check for all settings: variables, keys of config.toml and flags."""

from __future__ import annotations

from pathlib import Path

import pytest

import ghcrctl
from ghcrctl.errors import ExitStatus, InvalidSettingError, UsageError
from ghcrctl.settings import SETTINGS, Settings
from ghcrctl.settings.setting_table import VARIABLES
from tests.shell import Shell

WRONG = {
    "store": [" "],
    "default_registry": ["a b", "octo", "https://ghcr.io", "ghcr.io/octo", "ghcr.io:99999", "-.io"],
    "platform": ["linux/amd64/x/y", "nonsense/amd64"],
    "jobs": ["0", "-1", "many", "1.5", "1e3", "1_0", "99999999"],
    "connections": ["0", "x"],
    "upload_chunk": ["-1", "1k"],
    "retries": ["-1", "often"],
    "timeout": ["0", "-1", "nan", "inf", "1m", "86400"],
    "connect_timeout": ["0", "soon"],
    "stall_timeout": ["0", "x"],
    "ca_file": [" "],
    "client_cert": [" "],
    "client_key": [" "],
    "insecure": ["maybe", "2"],
    "insecure_registries": ["a b", "host", "http://a.io", "a.io/x", "10.0.0.0/99"],
    "mirrors": ["a.io", "=b.io", "a.io=", "a.io=ftp://b.io", "http://a.io=b.io", "a.io=b io"],
    "builder": ["kaniko", "DOCKER"],
    "progress": ["yes"],
    "no_input": ["maybe"],
    "ci": ["3"],
    "github_api": ["github.com", "ftp://a.io", "https://", "https://a.io?x=1", "https://a.io:x"],
    "github_web": ["x", "https://user:secret@a.io"],
    "github_rate": ["-1", "fast"],
    "keyring": ["maybe"],
    "human": ["maybe"],
    "debug": ["loud"],
}
RIGHT = {
    "store": "~/images",
    "default_registry": "localhost:5000",
    "platform": "linux/arm64",
    "insecure_registries": "localhost:5000, 10.0.0.0/8 [::1]:5000",
    "mirrors": "docker.io=mirror.lan:5000/hub,*.io=http://cache/x ghcr.io/octo=b.lan",
    "builder": "buildah",
    "progress": "plain",
    "github_api": "https://github.example/api/v3/",
    "github_web": "http://localhost:8080",
}
TOML = {
    "jobs = '4'": "an integer",
    "jobs = true": "an integer",
    "jobs = 1.5": "an integer",
    "ci = 3": "a boolean",
    "ci = 'yes'": "a boolean",
    "timeout = '5'": "a number",
    "store = 7": "a string",
    "default_registry = 7": "a string",
    "platform = ['linux/amd64']": "a string",
    "builder = 1": "a string",
    "mirrors = 'a.io=b.io'": "a table",
    "[mirrors]\n'a.io' = [7]": "strings",
    "[mirrors]\n'a.io' = 'ftp://b.io'": "HOST",
    "insecure_registries = [7]": "strings",
    "insecure_registries = ['a b']": "HOST",
    "keyrings = true": "unknown setting",
    "[keyring]": "a boolean",
}


def settings(tmp_path: Path, **environ: str) -> Settings:
    return Settings({"HOME": str(tmp_path), "GHCRCTL_CONFIG_DIR": str(tmp_path), **environ})


def test_every_setting_has_wrong_values_here() -> None:
    assert set(WRONG) == {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_an_invalid_variable_is_an_error(tmp_path: Path, name: str, value: str) -> None:
    variable = f"GHCRCTL_{name.upper()}"
    with pytest.raises(InvalidSettingError, match=f"invalid {variable} ") as caught:
        settings(tmp_path, **{variable: value}).check()
    assert caught.value.exit_status is ExitStatus.USAGE
    assert caught.value.hint


@pytest.mark.parametrize(("name", "value"), RIGHT.items())
def test_a_valid_variable_is_accepted(tmp_path: Path, name: str, value: str) -> None:
    found = settings(tmp_path, **{f"GHCRCTL_{name.upper()}": value})
    assert found.check() == []
    assert found.get(name)


@pytest.mark.parametrize(("text", "reason"), TOML.items())
def test_an_invalid_key_is_an_error(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "config.toml").write_text(text)
    with pytest.raises(InvalidSettingError, match=reason) as caught:
        settings(tmp_path).check()
    assert str(tmp_path / "config.toml") in caught.value.message


def test_valid_keys_are_accepted(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(
        "jobs = 4\nci = false\ntimeout = 5\nstall_timeout = 0.5\nstore = '~/x'\n"
        "insecure_registries = ['a.io']\n[mirrors]\n'a.io' = 'b.io'\n'c.io' = ['d.io', 'e.io']\n"
    )
    found = settings(tmp_path)
    assert found.check() == []
    assert found.get("mirrors") == {"a.io": ["b.io"], "c.io": ["d.io", "e.io"]}
    assert found.get("store") == Path("~/x").expanduser()


def test_a_file_of_settings_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "config.toml").mkdir()
    with pytest.raises(InvalidSettingError, match=r"cannot read .*config\.toml"):
        settings(tmp_path).check()


def test_an_unknown_variable_is_a_warning(tmp_path: Path) -> None:
    known = {name: "ghcr.io" for name in VARIABLES if name != "GHCRCTL_CONFIG_DIR"}
    found = settings(tmp_path, GHCRCTL_RETRYS="1", GHCRCTL_ZEBRA="1", **known)
    assert found.check() == [
        "unknown variable GHCRCTL_RETRYS has no effect: did you mean GHCRCTL_RETRIES?",
        "unknown variable GHCRCTL_ZEBRA has no effect",
    ]


def test_the_registry_of_a_token_is_checked(tmp_path: Path) -> None:
    assert not settings(tmp_path, GHCRCTL_REGISTRY="https://a.io/v2/").check()
    with pytest.raises(InvalidSettingError, match="invalid GHCRCTL_REGISTRY `a b`"):
        settings(tmp_path, GHCRCTL_REGISTRY="a b").check()


def test_other_names_of_docker_hub_are_accepted(tmp_path: Path) -> None:
    found = settings(tmp_path, GHCRCTL_DEFAULT_REGISTRY="index.docker.io")
    assert found.get("default_registry") == "docker.io"


def test_the_keyring_can_be_set_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("keyring = false")
    assert settings(tmp_path).credential_environ["GHCRCTL_KEYRING"] == "0"


def test_the_api_checks_every_setting_and_warns(tmp_path: Path) -> None:
    warnings: list[str] = []
    environ = {"HOME": str(tmp_path), "GHCRCTL_CONFIG_DIR": str(tmp_path), "GHCRCTL_CII": "1"}
    ghcrctl.Client(environ=environ, warn=warnings.append).images()
    assert warnings == ["unknown variable GHCRCTL_CII has no effect: did you mean GHCRCTL_CI?"]
    with pytest.raises(UsageError, match="invalid GHCRCTL_KEYRING"):
        ghcrctl.Client(environ={**environ, "GHCRCTL_KEYRING": "maybe"}).images()
    with pytest.raises(UsageError, match="invalid --jobs"):
        ghcrctl.Client(environ=environ, jobs=0).images()


def test_every_command_checks_every_setting(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "home")
    shell.environ["GHCRCTL_KEYRING"] = "maybe"
    expected = "error: invalid GHCRCTL_KEYRING `maybe`: expected true or false\n"
    for command in ("images", "version", "df"):
        assert shell.fails(2, command).startswith(expected)
    # `explain` still works.
    assert shell.ok("explain", "invalid-setting")
    shell.environ["GHCRCTL_KEYRING"] = "0"
    shell.environ["GHCRCTL_STROE"] = "x"
    done = shell.run("images", "-q")
    assert done.returncode == 0
    assert "did you mean GHCRCTL_STORE?" in done.stderr
