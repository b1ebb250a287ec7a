"""Signing in and out on the command line, and where credentials are found, at real registries."""

from __future__ import annotations

import base64
import json
import os
import pty
import stat
import sys
from typing import TYPE_CHECKING

import pytest

from tests.integration.docker_registry import (
    PASSWORD,
    USER,
    docker_registry_basic,
    docker_registry_token,
)
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.docker_registry import DockerRegistry

__all__ = ["docker_registry_basic", "docker_registry_token"]
pytestmark = pytest.mark.integration

# A helper as docker-credential-helpers speak: secrets come and go over standard streams.
_HELPER = """\
#!/bin/sh
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' >> "$HOME/processes"
echo "$1" >> "$HOME/calls"
case "$1" in
store) cat > "$HOME/kept" ;;
get)
    cat > /dev/null
    cat "$HOME/kept" 2>/dev/null && exit
    echo "credentials not found in native keychain"
    exit 1
    ;;
erase) cat > /dev/null; rm -f "$HOME/kept" ;;
list) echo "{}" ;;
esac
"""


@pytest.fixture(params=["docker_registry_basic", "docker_registry_token"])
def registry(request: pytest.FixtureRequest) -> DockerRegistry:
    made: DockerRegistry = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def shell(tmp_path: Path, registry: DockerRegistry) -> Shell:
    made = Shell(tmp_path / "home")
    made.environ["GHCRCTL_CA_FILE"] = str(registry.ca)
    return made


def login(shell: Shell, registry: DockerRegistry) -> list[str]:
    return shell.ok("login", registry.host, "-u", USER, "--password-stdin", stdin=f"{PASSWORD}\n")


def may_pull(shell: Shell, registry: DockerRegistry) -> bool:
    """Tell whether a private repository is shown: nothing is in it, and to know that is enough."""
    done = shell.run("pull", f"{registry.host}/octo/private:1")
    assert done.returncode in {4, 5}, done.stderr
    return done.returncode == 4


def assert_not_in_processes(shell: Shell) -> None:
    """See that no process had the password among its arguments while the helper ran."""
    processes = (shell.folder / "processes").read_text(errors="replace")
    assert "ghcrctl" in processes
    assert PASSWORD not in processes


def test_a_login_lasts_until_the_logout(shell: Shell, registry: DockerRegistry) -> None:
    assert not may_pull(shell, registry)
    assert login(shell, registry) == ["Login Succeeded"]
    assert may_pull(shell, registry)
    kept = shell.folder / "config" / "auth.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    [entry] = json.loads(kept.read_text())["auths"].values()
    assert base64.b64decode(entry["auth"]).decode() == f"{USER}:{PASSWORD}"
    assert shell.ok("logout", registry.host) == [f"Removing login credentials for {registry.host}"]
    assert not may_pull(shell, registry)
    assert PASSWORD not in kept.read_text()


def test_what_is_kept_in_a_file_is_warned_of(shell: Shell, registry: DockerRegistry) -> None:
    done = shell.run("login", registry.host, "-u", USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert f"{shell.folder}/config/auth.json" in done.stderr


def test_a_wrong_password_is_not_kept(shell: Shell, registry: DockerRegistry) -> None:
    said = shell.fails(5, "login", registry.host, "-u", USER, "--password-stdin", stdin="wrong\n")
    assert "rejects" in said
    assert not (shell.folder / "config" / "auth.json").exists()
    login(shell, registry)
    shell.fails(5, "login", registry.host, "-u", USER, "--password-stdin", stdin="wrong\n")
    assert may_pull(shell, registry)


def test_nothing_shows_the_secret(shell: Shell, registry: DockerRegistry) -> None:
    said = ""
    for arguments, stdin in (
        (("login", registry.host, "-u", USER, "--password-stdin"), f"{PASSWORD}\n"),
        (("pull", f"{registry.host}/octo/private:1"), ""),
        (("logout", "--all"), ""),
    ):
        done = shell.run("--debug", *arguments, stdin=stdin)
        said += done.stdout + done.stderr
    assert "debug: GET https://" in said
    for secret in (PASSWORD, base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()):
        assert secret not in said


@pytest.mark.parametrize("entry", ["auths", "credHelpers", "credsStore"])
def test_dockers_login_is_ours_too(shell: Shell, registry: DockerRegistry, entry: str) -> None:
    helper = shell.folder / "bin" / "docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(_HELPER)
    helper.chmod(0o755)
    shell.environ["PATH"] = f"{helper.parent}:{shell.environ['PATH']}"
    secret = {"ServerURL": registry.host, "Username": USER, "Secret": PASSWORD}
    (shell.folder / "kept").write_text(json.dumps(secret))
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = {
        "auths": {"auths": {registry.host: {"auth": auth}}},
        "credHelpers": {"credHelpers": {registry.host: "test"}},
        "credsStore": {"credsStore": "test", "auths": {registry.host: {}}},
    }[entry]
    (shell.folder / ".docker").mkdir()
    (shell.folder / ".docker" / "config.json").write_text(json.dumps(config))
    assert may_pull(shell, registry)
    if entry != "auths":
        assert "get" in (shell.folder / "calls").read_text()
        assert_not_in_processes(shell)


def test_a_helper_that_docker_uses_keeps_our_login(shell: Shell, registry: DockerRegistry) -> None:
    helper = shell.folder / "bin" / "docker-credential-test"
    helper.parent.mkdir()
    helper.write_text(_HELPER)
    helper.chmod(0o755)
    shell.environ["PATH"] = f"{helper.parent}:{shell.environ['PATH']}"
    (shell.folder / ".docker").mkdir()
    config = shell.folder / ".docker" / "config.json"
    config.write_text(json.dumps({"credsStore": "test"}))
    login(shell, registry)
    kept = json.loads((shell.folder / "kept").read_text())
    assert (kept["Username"], kept["Secret"]) == (USER, PASSWORD)
    assert_not_in_processes(shell)
    assert may_pull(shell, registry)
    shell.ok("logout", registry.host)
    assert not (shell.folder / "kept").exists()
    assert not may_pull(shell, registry)


def test_podmans_login_is_ours_too(shell: Shell, registry: DockerRegistry) -> None:
    path = shell.folder / "podman.json"
    auth = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    path.write_text(json.dumps({"auths": {f"{registry.host}/octo": {"auth": auth}}}))
    shell.environ["REGISTRY_AUTH_FILE"] = str(path)
    assert may_pull(shell, registry)
    assert shell.run("pull", f"{registry.host}/other/private:1").returncode == 5


def test_the_environment_goes_first(shell: Shell, registry: DockerRegistry) -> None:
    login(shell, registry)
    shell.environ |= {"GHCRCTL_REGISTRY": registry.host, "GHCRCTL_TOKEN": "wrong"}
    assert not may_pull(shell, registry)
    shell.environ |= {"GHCRCTL_USERNAME": USER, "GHCRCTL_TOKEN": PASSWORD}
    shell.ok("logout", "--all")
    assert may_pull(shell, registry)


def test_a_password_on_the_command_line_is_the_persons_own_risk(
    shell: Shell, registry: DockerRegistry
) -> None:
    done = shell.run("login", registry.host, "-u", USER, "-p", PASSWORD)
    assert done.returncode == 0
    assert "insecure" in done.stderr


def test_without_a_terminal_the_password_has_to_be_piped(
    shell: Shell, registry: DockerRegistry
) -> None:
    assert "--password-stdin" in shell.fails(2, "login", registry.host, "-u", USER)


def test_a_terminal_asks_and_hides_what_is_typed(shell: Shell, registry: DockerRegistry) -> None:
    child, master = pty.fork()
    if child == 0:
        arguments = [sys.executable, "-m", "ghcrctl", "login", registry.host]
        os.execve(sys.executable, arguments, shell.environ)
    seen = _converse(master, [("Username", USER), ("Password", PASSWORD)])
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    os.close(master)
    assert "Login Succeeded" in seen
    assert PASSWORD not in seen
    assert may_pull(shell, registry)


def _converse(master: int, answers: list[tuple[str, str]]) -> str:
    """Answer each question when it is asked; return all that is to be seen."""
    seen = ""
    while True:
        try:
            part = os.read(master, 4096).decode()
        except OSError:
            # Linux says so at the end of a terminal.
            return seen
        seen += part
        if answers and f"{answers[0][0]}" in seen.rpartition("\n")[2]:
            os.write(master, f"{answers.pop(0)[1]}\n".encode())
