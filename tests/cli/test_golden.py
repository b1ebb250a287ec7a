"""Golden output of sessions of commands: plain, as JSON and on a terminal.

``GHCRCTL_WRITE_GOLDEN=1`` rewrites the files. Review the changes like any others.
"""

from __future__ import annotations

import difflib
import os
import pty
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.registry_double import RegistryDouble

GOLDEN = Path(__file__).parent / "golden"
# Read before fixtures isolate the environment.
_WRITE = bool(os.environ.get("GHCRCTL_WRITE_GOLDEN"))
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")

# Sessions by name. {name} is a repository on the test registry.
SESSIONS = {
    "plain": """
        import -c 'CMD ["/hello"]' -m greeting rootfs.tar.gz hello
        tag hello {name}:1.0
        push {name}:1.0
        push {name}:1.0
        rmi hello {name}:1.0
        pull {name}:1.0
        pull {name}:1.0
        pull -q {name}:1.0
        images
        images --digests
        images -q
        images --format 'table {{{{.Repository}}}}\\t{{{{.Tag}}}}'
        images none/such
        history {name}:1.0
        history --no-trunc -q {name}:1.0
        inspect -f '{{{{.Os}}}}/{{{{.Architecture}}}} {{{{json .Config.Cmd}}}}' {name}:1.0
        rmi {name}:1.0
        images
    """,
    "anywhere": """
        import -c 'CMD ["/hello"]' -m greeting rootfs.tar.gz {name}:1.0
        push -q {name}:1.0
        tags {name}
        digest {name}:1.0
        ls {name}:1.0 /
        cat {name}:1.0 /hello
        mutate -c 'ENV GREETING=hi' -t {name}:1.1 {name}:1.0
        diff --remote {name}:1.0 {name}:1.1
        manifest create --push {name}:all {name}:1.0
        manifest inspect {name}:all
        inspect --remote --platforms {name}:all
        referrers {name}:all
        copy --dry-run {name}:1.0 {name}-copy:1.0
        copy {name}:1.0 {name}-copy:1.0
        copy -q {name}:1.0 oci:layout:1.0
        sync --dry-run {name} {name}-two
        sync --include 'semver:*' {name} {name}-two
        sync {name} {name}-two
        pull -q --all-platforms {name}:all
        images --tree
        save -o image.tar {name}:all
        load -i image.tar
        save --without {name}:1.0 -o update.tar {name}:all
        rmi {name}:all {name}:1.0
        load -i update.tar
        load -i image.tar
        convert --local --to docker -t small:1 {name}:all
        outdated
    """,
    "lock": """
        import -c 'CMD ["/hello"]' -m greeting rootfs.tar.gz {name}:1.0
        push -q {name}:1.0
        lock add {name}:1.0 {name}:none
        lock list
        lock list -q
        lock list --format json
        lock check
        mutate -c 'ENV GREETING=hi' -t {name}:1.0 {name}:1.0
        lock check
        lock check --format json
        lock update --dry-run
        lock pull
        lock check --offline --local
        lock update --format json
        lock remove {name}
        lock pull {name}
    """,
    "json": """
        import -c 'CMD ["/hello"]' -m greeting rootfs.tar.gz {name}:1.0
        images --format json
        inspect {name}:1.0
        history --format json {name}:1.0
    """,
    "documents": """
        import --format json -c 'CMD ["/hello"]' -m greeting rootfs.tar.gz {name}:1.0
        tag --format json {name}:1.0 {name}:one
        push --format json {name}:1.0
        push --format '{{{{.Name}}}}@{{{{.Digest}}}}' {name}:one
        exists --format json {name}:1.0 {name}:none
        digest --format json {name}:1.0
        tags --format json {name}
        mutate --format json -c 'ENV GREETING=hi' -t {name}:1.1 {name}:1.0
        diff --format json --remote {name}:1.0 {name}:1.1
        convert --format json --to docker {name}:1.0 -t {name}:docker
        rebase --format json --old-base {name}:1.0 --new-base {name}:1.1 {name}:1.0 -t {name}:new
        manifest create --push --format json {name}:all {name}:1.0
        manifest annotate --push --format json --annotation a=b {name}:all
        manifest inspect --format '{{{{json .annotations}}}}' {name}:all
        attach --format json --type text/plain {name}:all rootfs.tar
        referrers --format json {name}:all
        artifact push --format json --type text/plain {name}:files rootfs.tar
        artifact pull --format json --to files {name}:files
        copy --format json {name}:1.0 {name}-copy:1.0
        sync --format json --include 1.0 {name} {name}-two
        pull --format json {name}:1.0 {name}:none
        outdated --format json
        inspect --format json --platforms --remote {name}:all
        ls --format json {name}:1.0 /
        cat --format json {name}:1.0 /hello
        export --format json -o rootfs-out.tar {name}:1.0
        save --format json -o image.tar {name}:1.0
        save --format json {name}:1.0
        df --format json
        rmi --format json {name}:1.0 {name}:none
        load --format json -i image.tar
        prune --format json --dry-run
        prune --format json
        fsck --format json
        lock add --format json {name}:1.0
        lock check --format json
    """,
    "errors": """
        pull
        pull hello
        pull {name}:none
        pull Octo//x
        imgaes
        images --filter colour=red
        images --format '{{{{'
        rmi nope
        push {name}:none
        tag nope x
        login {host} -u octo --password-stdin
    """,
}


def play(session: str, run: Callable[[str], str]) -> str:
    """Run the commands of a session and return a transcript."""
    lines = [line.strip() for line in session.strip().splitlines()]
    return "\n".join(f"$ ghcrctl {line}\n{run(line)}" for line in lines)


def plainly(shell: Shell, line: str) -> str:
    done = shell.run(*shlex.split(line))
    status = f"(status {done.returncode})\n" if done.returncode else ""
    return f"{done.stdout}{done.stderr}{status}"


# A rebased image records the name of its base image, which includes the port.
_OF_HOST = re.compile(r'("Name": "HOST/octo/hello:new",\s+"Digest": )"sha256:[0-9a-f]{64}"')


def masked(text: str, host: str) -> str:
    """Mask values that differ between runs."""
    text = re.sub(r"\d+ (years|months) ago ?", "AGO ", text.replace(host, "HOST"))
    text = _OF_HOST.sub(r'\1"DIGEST"', text)
    return re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)


@pytest.fixture
def shell(tmp_path: Path, archive: str) -> Shell:
    assert archive == str(tmp_path / "rootfs.tar")
    return Shell(tmp_path)


@pytest.mark.parametrize("mode", list(SESSIONS))
def test_output_matches_the_golden_file(shell: Shell, ghcr: RegistryDouble, mode: str) -> None:
    # A host name of constant width keeps tables aligned.
    shell.environ |= {
        "GHCRCTL_REGISTRY": ghcr.host,
        "GHCRCTL_USERNAME": "octo",
        "GHCRCTL_TOKEN": "ghp_octo",
    }
    name = f"{ghcr.host}/octo/hello"
    session = SESSIONS[mode].format(name=name, host=ghcr.host)
    seen = masked(play(session, lambda line: plainly(shell, line)), ghcr.host)
    path = GOLDEN / f"{mode}.txt"
    if _WRITE:
        path.parent.mkdir(exist_ok=True)
        path.write_text(seen)
    changes = difflib.unified_diff(path.read_text().splitlines(), seen.splitlines(), n=1)
    assert not [*changes]


def on_a_terminal(shell: Shell, *arguments: str) -> str:
    """Run a command on a terminal with 80 columns and return its output."""
    master, slave = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "ghcrctl", *arguments],
        env={**shell.environ, "TERM": "xterm-256color"},
        stdin=slave,
        stdout=slave,
        stderr=slave,
    ):
        os.close(slave)
        parts = []
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                # Linux reports the end of a terminal with this error.
                break
            if not part:
                break
            parts.append(part)
    os.close(master)
    return b"".join(parts).decode().replace("\r\n", "\n")


def test_quick_commands_print_the_same_lines_on_a_terminal(
    shell: Shell, ghcr: RegistryDouble
) -> None:
    name = f"{ghcr.host}/octo/hello:1.0"
    shell.environ |= {"GHCRCTL_REGISTRY": ghcr.host, "GHCRCTL_TOKEN": "ghp_octo"}
    shell.ok("import", "rootfs.tar", name)
    shell.ok("push", name)
    shell.ok("rmi", name)
    seen = on_a_terminal(shell, "pull", name)
    shown = [line for line in re.split(r"[\r\n]+", _CONTROL.sub("", seen)) if line.strip()]
    shell.ok("rmi", name)
    expected = shell.ok("pull", name)
    assert [line for line in shown if line in expected] == expected
    assert on_a_terminal(shell, "pull", "-q", name) == f"{name}\n"


def test_tables_are_the_same_on_a_terminal(shell: Shell) -> None:
    shell.ok("import", "rootfs.tar", "hello")
    shell.environ["NO_COLOR"] = "1"
    assert on_a_terminal(shell, "images").splitlines() == shell.ok("images")
