"""Login, logout and the sources of credentials, with real registries."""

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

# A credential helper for docker, which exchanges secrets over standard streams.
_HELPER = """\
#!/bin/sh
cat /proc/$PPID/cmdline /proc/$$/cmdline | tr '\\0' ' ' >> "$HOME/processes"
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


# The source of a credential does not depend on the registry's authentication.
ONE_KIND = pytest.mark.parametrize("registry", ["docker_registry_basic"], indirect=True)
TOKENS = pytest.mark.parametrize("registry", ["docker_registry_token"], indirect=True)


@pytest.fixture(params=["docker_registry_basic", "docker_registry_token"])
def registry(request: pytest.FixtureRequest) -> DockerRegistry:
    made: DockerRegistry = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def shell(tmp_path: Path, registry: DockerRegistry) -> Shell:
    made = Shell(tmp_path / "home")
    made.environ["GHCRCTL_CA_FILE"] = str(registry.ca)
    # A variable of the interpreter, so that each command is a new process with its own arguments.
    made.environ["PYTHONSAFEPATH"] = "1"
    made.environ |= {name: os.environ[name] for name in ("SSL_CERT_FILE", "SSL_CERT_DIR")}
    return made


@pytest.fixture
def helper(shell: Shell) -> Shell:
    """Put docker-credential-test on the PATH."""
    path = shell.folder / "bin" / "docker-credential-test"
    path.parent.mkdir()
    path.write_text(_HELPER)
    path.chmod(0o755)
    shell.environ["PATH"] = f"{path.parent}:{shell.environ['PATH']}"
    return shell


def encoded(password: str = PASSWORD) -> str:
    """Return the account in the format of docker's and podman's files."""
    return base64.b64encode(f"{USER}:{password}".encode()).decode()


def configure_docker(shell: Shell, config: dict[str, object]) -> None:
    path = shell.folder / ".docker" / "config.json"
    path.parent.mkdir()
    path.write_text(json.dumps(config))


def login(shell: Shell, registry: DockerRegistry) -> list[str]:
    return shell.ok("login", registry.host, "-u", USER, "--password-stdin", stdin=f"{PASSWORD}\n")


def may_pull(shell: Shell, registry: DockerRegistry) -> bool:
    """Return whether a private repository, which is empty, is accessible."""
    done = shell.run("pull", f"{registry.host}/octo/private:1")
    assert done.returncode in {4, 5}, done.stderr
    return done.returncode == 4


def assert_not_in_processes(shell: Shell) -> None:
    """Check that the password is not an argument of ghcrctl or the helper."""
    processes = (shell.folder / "processes").read_text(errors="replace")
    assert "ghcrctl" in processes
    assert PASSWORD not in processes


def test_login_lasts_until_logout(shell: Shell, registry: DockerRegistry) -> None:
    assert not may_pull(shell, registry)
    done = shell.run("login", registry.host, "-u", USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    kept = shell.folder / "config" / "auth.json"
    assert done.stdout == "Login Succeeded\n"
    assert done.stderr.startswith("warning: ")
    assert str(kept) in done.stderr
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert json.loads(kept.read_text()) == {"auths": {registry.host: {"auth": encoded()}}}
    assert may_pull(shell, registry)
    assert shell.ok("logout", registry.host) == [f"Removing login credentials for {registry.host}"]
    assert not may_pull(shell, registry)
    assert encoded() not in kept.read_text()


def test_wrong_password_is_not_stored(shell: Shell, registry: DockerRegistry) -> None:
    messages = shell.fails(
        5, "login", registry.host, "-u", USER, "--password-stdin", stdin="wrong\n"
    )
    assert "rejects" in messages
    assert not (shell.folder / "config" / "auth.json").exists()
    login(shell, registry)
    shell.fails(5, "login", registry.host, "-u", USER, "--password-stdin", stdin="wrong\n")
    assert may_pull(shell, registry)


def test_output_has_no_secrets(shell: Shell, registry: DockerRegistry) -> None:
    messages = ""
    for arguments, stdin in (
        (("login", registry.host, "-u", USER, "--password-stdin"), f"{PASSWORD}\n"),
        (("pull", f"{registry.host}/octo/private:1"), ""),
        (("logout", "--all"), ""),
    ):
        done = shell.run("--debug", *arguments, stdin=stdin)
        messages += done.stdout + done.stderr
    assert "debug: GET https://" in messages
    for secret in (PASSWORD, encoded()):
        assert secret not in messages
    # Tokens of the registry are not printed either.
    assert "Bearer ey" not in messages


@ONE_KIND
@pytest.mark.parametrize("entry", ["auths", "credHelpers", "credsStore"])
def test_credentials_of_docker_are_used(
    helper: Shell, registry: DockerRegistry, entry: str
) -> None:
    secret = {"ServerURL": registry.host, "Username": USER, "Secret": PASSWORD}
    (helper.folder / "kept").write_text(json.dumps(secret))
    config: dict[str, dict[str, object]] = {
        "auths": {"auths": {registry.host: {"auth": encoded()}}},
        "credHelpers": {"credHelpers": {registry.host: "test"}},
        "credsStore": {"credsStore": "test", "auths": {registry.host: {}}},
    }
    configure_docker(helper, config[entry])
    assert may_pull(helper, registry)
    if entry != "auths":
        assert (helper.folder / "calls").read_text().split() == ["get"]
        assert_not_in_processes(helper)


@ONE_KIND
def test_login_is_stored_in_dockers_credential_helper(
    helper: Shell, registry: DockerRegistry
) -> None:
    configure_docker(helper, {"credsStore": "test"})
    login(helper, registry)
    kept = json.loads((helper.folder / "kept").read_text())
    assert (kept["Username"], kept["Secret"]) == (USER, PASSWORD)
    assert not (helper.folder / "config" / "auth.json").exists()
    assert_not_in_processes(helper)
    assert may_pull(helper, registry)
    helper.ok("logout", registry.host)
    assert not (helper.folder / "kept").exists()
    assert not may_pull(helper, registry)


@ONE_KIND
def test_credentials_in_docker_auth_config(shell: Shell, registry: DockerRegistry) -> None:
    config = {"auths": {registry.host: {"auth": encoded()}}}
    shell.environ["DOCKER_AUTH_CONFIG"] = json.dumps(config)
    assert may_pull(shell, registry)


@ONE_KIND
def test_credentials_of_podman_are_used(shell: Shell, registry: DockerRegistry) -> None:
    path = shell.folder / "podman.json"
    path.write_text(json.dumps({"auths": {f"{registry.host}/octo": {"auth": encoded()}}}))
    shell.environ["REGISTRY_AUTH_FILE"] = str(path)
    assert may_pull(shell, registry)
    assert shell.run("pull", f"{registry.host}/other/private:1").returncode == 5


@ONE_KIND
def test_logout_of_all_registries(shell: Shell, registry: DockerRegistry) -> None:
    other = registry.host.replace("localhost", "127.0.0.1")
    for host in (registry.host, other):
        shell.ok("login", host, "-u", USER, "--password-stdin", stdin=f"{PASSWORD}\n")
    assert len(shell.ok("logout", "--all")) == 2
    assert encoded() not in (shell.folder / "config" / "auth.json").read_text()
    assert not may_pull(shell, registry)


@TOKENS
def test_expired_login_does_not_block_a_public_image(
    shell: Shell, registry: DockerRegistry
) -> None:
    login(shell, registry)
    registry.accounts[USER] = "changed since"
    # The public repository is empty, which is only visible with access.
    messages = shell.fails(4, "pull", f"{registry.host}/octo/public:1")
    assert f"rejects the credential from {shell.folder}/config/auth.json" in messages
    assert f"ghcrctl login {registry.host}" in messages
    assert PASSWORD not in messages


@ONE_KIND
def test_ca_option(shell: Shell, registry: DockerRegistry) -> None:
    authority = shell.environ.pop("GHCRCTL_CA_FILE")
    arguments = ("login", registry.host, "-u", USER, "--password-stdin")
    assert "hint: trust its CA with --ca-file FILE" in shell.fails(
        3, *arguments, stdin=f"{PASSWORD}\n"
    )
    for trust in (("--ca-file", authority), ("--insecure",)):
        assert shell.ok(*arguments, *trust, stdin=f"{PASSWORD}\n") == ["Login Succeeded"]


@ONE_KIND
def test_environment_variables_take_precedence(shell: Shell, registry: DockerRegistry) -> None:
    login(shell, registry)
    shell.environ |= {"GHCRCTL_REGISTRY": registry.host, "GHCRCTL_TOKEN": "wrong"}
    assert not may_pull(shell, registry)
    shell.environ |= {"GHCRCTL_USERNAME": USER, "GHCRCTL_TOKEN": PASSWORD}
    shell.ok("logout", "--all")
    assert may_pull(shell, registry)


@ONE_KIND
def test_password_on_the_command_line_warns(shell: Shell, registry: DockerRegistry) -> None:
    done = shell.run("login", registry.host, "-u", USER, "-p", PASSWORD)
    assert done.returncode == 0
    assert "insecure" in done.stderr


@ONE_KIND
def test_password_from_standard_input_without_a_terminal(
    shell: Shell, registry: DockerRegistry
) -> None:
    assert "--password-stdin" in shell.fails(2, "login", registry.host, "-u", USER)


@ONE_KIND
def test_password_prompt_does_not_echo(shell: Shell, registry: DockerRegistry) -> None:
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
    """Answer each prompt when it appears; return the terminal output."""
    seen = ""
    while True:
        try:
            part = os.read(master, 4096).decode()
        except OSError:
            # Linux reports this error at the end of a terminal.
            return seen
        seen += part
        if answers and f"{answers[0][0]}" in seen.rpartition("\n")[2]:
            os.write(master, f"{answers.pop(0)[1]}\n".encode())
