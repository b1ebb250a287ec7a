"""Completion in real shells, and its protocol."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.integration.peers import require_peer
from tests.registry_double import Fault
from tests.shell import Shell
from tests.terminal import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ALL = ("bash", "zsh", "fish")
START = {
    "bash": (["bash", "--norc", "-i"], "source <(ghcrctl completion bash)"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <(ghcrctl completion zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "ghcrctl completion fish | source"),
}
# Prefixed to a line to print its words.
LOOK = "\x01printf '<%s>' "
_SLOW = {"requests", "keyring", "rich", "urllib3", "ssl"}


@pytest.fixture
def shell(tmp_path: Path, archive: str) -> Shell:
    """A machine with three images and the program on the PATH."""
    made = Shell(tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "ghcrctl"
    program.write_text(f"#!{sys.executable}\nfrom ghcrctl.cli.main import main\nmain()\n")
    program.chmod(0o755)
    made.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    made.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
    made.environ["GHCRCTL_CACHE_DIR"] = str(tmp_path / "cache")
    for name in ("octo/hello:1.0", "octo/hello:1.1", "localhost:5000/tools:7"):
        made.ok("import", archive, name)
    return made


def told(shell: Shell, *given: str) -> list[list[str]]:
    """Return the fields of each output line for a script."""
    done = shell.run("__complete", *given)
    assert (done.returncode, done.stderr) == (0, "")
    return [line.split("\t") for line in done.stdout.splitlines()]


def offered(shell: Shell, line: str) -> list[str]:
    """Return the candidates for the last word of a line, in PowerShell's protocol."""
    packed = base64.b64encode(line.encode()).decode()
    return [value for _, value, _ in told(shell, "powershell", packed)]


class TestWhatIsOffered:
    @pytest.mark.parametrize(
        ("line", "values"),
        [
            ("ghcrctl pu", ["pull", "push"]),
            ("ghcrctl packages re", ["retag", "restore", "repair"]),
            ("ghcrctl rmi octo/", ["octo/hello:1.0", "octo/hello:1.1"]),
            ("ghcrctl rmi ghcr.io/octo/hello:1.1", ["ghcr.io/octo/hello:1.1"]),
            ("ghcrctl inspect loc", ["localhost:5000/tools:7"]),
            ("ghcrctl push octo/hello:1.", ["octo/hello:1.0", "octo/hello:1.1"]),
            ("ghcrctl pull oc", ["octo/hello:"]),
            ("ghcrctl tags ", ["octo/hello", "localhost:5000/tools"]),
            ("ghcrctl packages show ", ["octo/hello"]),
            ("ghcrctl packages list ", ["octo"]),
            ("ghcrctl logout ", ["docker.io", "ghcr.io", "localhost:5000"]),
            ("ghcrctl pull --platform linux/arm6", ["linux/arm64"]),
            ("ghcrctl pull --platform=linux/arm6", ["--platform=linux/arm64"]),
            ("ghcrctl convert --compress ", ["gzip", "zstd", "none"]),
            ("ghcrctl pull --progress ", ["auto", "bar", "plain", "json", "none"]),
            ("ghcrctl images --no-t", ["--no-trunc"]),
            ("ghcrctl explain manifest-", ["manifest-unknown"]),
            ("ghcrctl explain 14", ["141", "143"]),
            ("ghcrctl completion ", ["bash", "zsh", "fish", "powershell"]),
            ("ghcrctl copy oc", ["octo/hello:", "oci:"]),
            ("ghcrctl copy store:octo/hello:1.1", ["store:octo/hello:1.1"]),
            ("ghcrctl --store 'a folder' rmi nothing", []),
            ("ghcrctl nonsense ", []),
        ],
    )
    def test_a_line_gets_matching_candidates(
        self, shell: Shell, line: str, values: list[str]
    ) -> None:
        found = offered(shell, line)
        assert sorted(found) == sorted(values)

    def test_pinned_names_complete_lock_commands(self, shell: Shell) -> None:
        pin = f'[[image]]\nname = "ghcr.io/octo/app"\ntag = "1"\ndigest = "sha256:{"0" * 64}"\n'
        (shell.folder / "my.lock").write_text(f"version = 1\n{pin}")
        assert offered(shell, "ghcrctl lock update -f my.lock oc") == ["octo/app:1"]
        assert offered(shell, "ghcrctl lock update oc") == []
        (shell.folder / "images.lock").write_text("version = 2\n")
        assert offered(shell, "ghcrctl lock update oc") == []
        assert offered(shell, "ghcrctl lock add oc") == ["octo/hello:"]

    @pytest.mark.parametrize(
        ("line", "kind"),
        [
            ("ghcrctl load -i ", "file"),
            ("ghcrctl import ", "file"),
            ("ghcrctl packages apply ", "file"),
            ("ghcrctl --store ", "dir"),
            ("ghcrctl artifact pull --to ", "dir"),
        ],
    )
    def test_files_are_left_to_the_shell(self, shell: Shell, line: str, kind: str) -> None:
        assert told(shell, "bash", line, str(len(line)), " :=") == [[kind, "", ""]]

    def test_an_id_is_offered_from_two_digits_on(self, shell: Shell) -> None:
        [image_id] = shell.ok("images", "-q", "octo/hello:1.0")
        assert image_id in offered(shell, f"ghcrctl rmi {image_id[:2]}")

    def test_another_store_is_looked_into_where_the_line_names_one(
        self, shell: Shell, archive: str
    ) -> None:
        shell.ok("--store", "other", "import", archive, "octo/else:1")
        assert offered(shell, "ghcrctl --store other rmi ") == ["octo/else:1"]

    def test_a_damaged_store_prints_nothing(self, shell: Shell) -> None:
        (shell.folder / "store" / "index.json").write_text("{")
        assert offered(shell, "ghcrctl rmi o") == []

    def test_text_that_a_shell_would_execute_is_never_a_candidate(self, shell: Shell) -> None:
        path = shell.folder / "store" / "index.json"
        for name in ("octo/$(id):1", "octo/a;id", "octo/`id`:1", "octo/two words", "octo/\x1b[2J"):
            written = path.read_text()
            quoted = json.dumps(name)[1:-1]
            path.write_text(written.replace("ghcr.io/octo/hello:1.1", quoted))
            assert path.read_text() != written
            assert offered(shell, "ghcrctl rmi octo/") == ["octo/hello:1.0"], name
            path.write_text(written)

    @pytest.mark.parametrize(
        ("line", "expected"),
        [
            ('ghcrctl rmi "octo/hello:1', ["octo/hello:1.0", "octo/hello:1.1"]),
            ("ghcrctl rmi 'octo/hello:1.1", ["octo/hello:1.1"]),
            ('ghcrctl rmi octo/"hello:1.1', ["hello:1.1"]),
            ('ghcrctl --store "store" rmi octo/hello:1.1', ["1.1"]),
            ("ghcrctl --store it\\'s/../store rmi octo/hello:1.1", ["1.1"]),
        ],
    )
    def test_bash_takes_nothing_apart_within_quotes(
        self, shell: Shell, line: str, expected: list[str]
    ) -> None:
        (shell.folder / "it's").mkdir()
        found = told(shell, "bash", line, str(len(line)), " \t\n\"'><=;|&(:")
        assert [value for _, value, _ in found] == expected

    def test_bash_gets_the_text_after_the_last_word_break(self, shell: Shell) -> None:
        for line, expected in (
            ("ghcrctl rmi octo/hello:1| tail", ["1.0", "1.1"]),
            ("ghcrctl pull --platform=linux/arm6|", ["linux/arm64"]),
        ):
            point = str(line.index("|"))
            found = told(shell, "bash", line.replace("|", ""), point, " \t\n:=@")
            assert [value for _, value, _ in found] == expected


class TestAtARegistry:
    @pytest.fixture
    def name(self, shell: Shell, plain_registry: PlainRegistry) -> str:
        for tag in ("1.0", "1.10", "1.9", f"sha256-{'a' * 64}.sig"):
            plain_registry.push_image("octo/image", tag, random_image(1))
        assert shell.folder.is_dir()
        return f"{plain_registry.host}/octo/image"

    def test_tags_are_requested_once_newest_first_without_signatures(
        self, shell: Shell, plain_registry: PlainRegistry, name: str
    ) -> None:
        for _ in range(3):
            found = offered(shell, f"ghcrctl pull {name}:")
            assert found == [f"{name}:{tag}" for tag in ("1.10", "1.9", "1.0")]
        assert offered(shell, f"ghcrctl inspect --remote {name}:1.1") == [f"{name}:1.10"]
        assert plain_registry.count("GET", "/tags/list") == 1

    def test_a_silent_registry_is_given_up_and_then_left_alone(
        self, shell: Shell, plain_registry: PlainRegistry, name: str
    ) -> None:
        plain_registry.faults.append(Fault(delay=4, times=9))
        began = time.monotonic()
        assert offered(shell, f"ghcrctl pull {name}:") == []
        asked = len(plain_registry.log)
        assert offered(shell, f"ghcrctl pull {name}:") == []
        assert time.monotonic() - began < 4
        assert len(plain_registry.log) == asked

    def test_an_unreachable_registry_prints_nothing(self, shell: Shell) -> None:
        assert offered(shell, "ghcrctl pull localhost:9/octo/image:") == []

    def test_completion_runs_no_credential_helper(
        self, shell: Shell, plain_registry: PlainRegistry, name: str
    ) -> None:
        for program in ("docker-credential-nosy", "gh"):
            path = shell.folder / "bin" / program
            path.write_text(f"#!/bin/sh\ntouch {shlex.quote(str(shell.folder / 'asked'))}\n")
            path.chmod(0o755)
        docker = shell.folder / ".docker"
        docker.mkdir()
        (docker / "config.json").write_text('{"credsStore": "nosy"}')
        assert len(offered(shell, f"ghcrctl pull {name}:")) == 3
        assert plain_registry.count("GET", "/tags/list") == 1
        assert not (shell.folder / "asked").exists()


@pytest.mark.parametrize(
    "line", ["ghcrctl pu", "ghcrctl rmi oc", "ghcrctl pull oc", "ghcrctl explain den"]
)
def test_local_candidates_need_no_slow_imports(shell: Shell, line: str) -> None:
    program = (
        "import os, sys\n"
        "end = os._exit\n"
        "def told(status):\n"
        "    print(' '.join(sys.modules), file=sys.stderr)\n"
        "    end(status)\n"
        "os._exit = told\n"
        "from ghcrctl.cli.main import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "__complete", "bash", line, str(len(line)), " :="],
        env=shell.environ,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout
    assert not _SLOW & set(done.stderr.split())


@pytest.fixture(params=ALL)
def terminal(request: pytest.FixtureRequest, shell: Shell) -> Iterator[Terminal]:
    """A real shell with the completion script loaded."""
    require_peer(request.param)
    command, load = START[request.param]
    environ = {**shell.environ, "ZDOTDIR": str(shell.folder)}
    with Terminal(command, environ, shell.folder) as made:
        made.rest(0.5)
        made.run(load)
        yield made


def completed(terminal: Terminal, line: str) -> str:
    """Type a line and Tab, and return the resulting words, each in brackets."""
    terminal.rest(0.1)
    terminal.type(f"{line}\t")
    terminal.rest(1.2)
    terminal.type(f"{LOOK}\r")
    seen = terminal.wait_for(">")
    seen += terminal.rest(0.5)
    found: list[str] = re.findall(r"(?:<[^<>]*>)+", seen.rpartition("%s")[2])
    return found[-1]


def test_a_shell_completes_commands_names_and_options(terminal: Terminal) -> None:
    assert completed(terminal, "ghcrctl expla") == "<ghcrctl><explain>"
    assert completed(terminal, "ghcrctl rmi octo/h") == "<ghcrctl><rmi><octo/hello:1.>"
    assert completed(terminal, "ghcrctl rmi octo/hello:1.1") == "<ghcrctl><rmi><octo/hello:1.1>"
    line = completed(terminal, "ghcrctl pull --platform=linux/ri")
    assert line == "<ghcrctl><pull><--platform=linux/riscv64>"
    assert (
        completed(terminal, "ghcrctl load -i rootfs.tar.") == "<ghcrctl><load><-i><rootfs.tar.gz>"
    )


def test_a_shell_lists_the_candidates(terminal: Terminal) -> None:
    terminal.type("ghcrctl rmi octo/hello:1.\t\t")
    seen = terminal.rest(2.0)
    assert "1.0" in seen
    assert re.search(r"1\.0.*1\.1|1\.1.*1\.0", seen, re.DOTALL)


@pytest.mark.parametrize("name", ALL)
def test_an_installed_script_is_found_by_the_shell(shell: Shell, name: str) -> None:
    require_peer(name)
    [path] = shell.ok("completion", "--install", name)
    assert path.startswith(str(shell.folder))
    looked = {
        "bash": f"source {path}; complete -p ghcrctl",
        "zsh": "fpath=(~/.local/share/zsh/site-functions $fpath); autoload -Uz compinit; "
        "compinit -u -D; print $_comps[ghcrctl]",
        "fish": "complete -C 'ghcrctl expla'",
    }
    told = subprocess.run(
        [shutil.which(name) or name, "-c", looked[name]],
        env=shell.environ,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert {"bash": "_ghcrctl_complete", "zsh": "_ghcrctl", "fish": "explain"}[name] in told


def test_the_script_of_powershell_speaks_the_same_protocol(shell: Shell) -> None:
    script = "\n".join(shell.ok("completion", "powershell"))
    assert "Register-ArgumentCompleter -Native -CommandName ghcrctl" in script
    assert "& ghcrctl __complete powershell $packed" in script
    assert script.count("{") == script.count("}")
    assert script.count("(") == script.count(")")
    assert offered(shell, 'ghcrctl load -i "C:\\a folder\\x.tar" --platform linux/38') == [
        "linux/386"
    ]


@pytest.mark.parametrize(("name", "check"), [("bash", "-n"), ("zsh", "-n"), ("fish", "-n")])
def test_a_script_is_good_syntax(shell: Shell, tmp_path: Path, name: str, check: str) -> None:
    require_peer(name)
    path = tmp_path / "script"
    path.write_text("\n".join(shell.ok("completion", name)))
    assert (
        subprocess.run([name, check, str(path)], capture_output=True, check=False).returncode == 0
    )
