"""The ``--format json`` output of every command matches its schema.

There is a session for images, for the local store and for a package on GitHub. A line starts with
the name of the schema, which is the command with dashes for spaces, plus the variant of an option.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import click
import pytest

from ghcrctl.cli.main import cli
from ghcrctl.oci.platform import Platform
from tests.builders import artifact, attested, index_of, random_image
from tests.cli.test_packages import NAME as PACKAGE
from tests.cli.test_packages import RELEASES, digest_of, github, manifests_of
from tests.cli.test_packages import shell as package_shell
from tests.schemas import FOLDER, documents, validate
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.packages_double import GitHubDouble
    from tests.registry_double import PlainRegistry

__all__ = ["github", "package_shell"]

ARM = random_image(2, seed=62, platform=Platform("linux", "arm64"))
HELLO = random_image(2, seed=61)
SBOM = artifact("application/spdx+json", payload=b"sbom")
# Fields that docker leaves empty. Elsewhere, missing values are null.
DOCKERS = {
    "images": {"CreatedSince"},
    "df-verbose": {"CreatedSince"},
    "inspect": {"Parent", "Comment", "DockerVersion", "Author"},
}
# {name} is a repository; {host} its registry.
IMAGES = """
    info: info
    version: version
    explain: explain manifest-unknown
    explain-all: explain
    completion: completion bash
    login: login {host} -u me --password-stdin
    logout: logout {host}
    import: import -c 'CMD ["/hello"]' rootfs.tar.gz {name}:1.0
    tag: tag {name}:1.0 {name}:one {name}:two
    push: push {name}:1.0 {name}:one
    push: push --dry-run {name}:two
    exists: exists {name}:1.0
    digest: digest {name}:1.0 {name}:one
    tags: tags {name}
    mutate: mutate -c 'ENV A=1' -t {name}:1.1 {name}:1.0
    append: append --base {name}:1.0 {name}:1.2 rootfs.tar
    flatten: flatten {name}:1.2 -t {name}:flat
    convert: convert --to docker {name}:1.0 -t {name}:docker
    rebase: rebase --old-base {name}:1.0 --new-base {name}:1.1 {name}:1.2 -t {name}:rebased
    manifest-create: manifest create {name}:list {name}:1.0
    manifest-rm: manifest rm {name}:list
    manifest-create: manifest create --push {name}:all {name}:1.0
    manifest-annotate: manifest annotate --push --annotation a=b {name}:all
    manifest-add: manifest add --push {name}:all {name}:arm
    manifest-inspect: manifest inspect {name}:all
    manifest-inspect-verbose: manifest inspect --verbose {name}:all
    manifest-inspect-verbose: manifest inspect --verbose {name}:docker
    manifest-remove: manifest remove --push {name}:all linux/arm64
    manifest-create: manifest create --local {name}:here {name}:1.0
    manifest-push: manifest push {name}:here
    attach: attach --type application/spdx+json {name}:1.0 rootfs.tar
    referrers: referrers {name}:1.0
    referrers: referrers {name}:all
    artifact-push: artifact push --type text/plain {name}:files rootfs.tar
    artifact-pull: artifact pull --to files {name}:files
    copy: copy {name}:1.0 {name}-copy:1.0
    copy: copy --dry-run {name}:1.1 {name}-copy:1.1
    sync: sync {name} {name}-synced
    sync: sync --dry-run {name} {name}-two
    ls: ls -R {name}:1.0 /
    cat: cat {name}:1.0 /hello
    diff: diff --remote --files {name}:1.0 {name}:1.1
    diff: diff --remote --files {name}:1.1 {name}:rebased
    history: history {name}:1.0
    export: export -o out.tar {name}:1.0
"""
STORE = """
    import: import rootfs.tar.gz
    pull: pull {name}:1.0 {name}:all
    pull: pull --dry-run {name}:arm
    images: images
    pull: pull --all-platforms {name}:all {name}:attested
    images: images --digests --no-trunc
    images-tree: images --tree
    inspect: inspect {name}:1.0 {name}:all
    inspect: inspect --remote {name}:sbom
    inspect-platforms: inspect --platforms {name}:all
    history: history --no-human {name}:1.0
    outdated: outdated --all
    df: df
    df-verbose: df -v
    save: save -o one.tar {name}:1.0 {name}:all
    save: save --format docker -o docker.tar {name}:1.0
    save: save --format oci-dir -o folder {name}:1.0
    rmi: rmi {name}:1.0
    load: load -i one.tar
    rmi: rmi --platform linux/arm64 {name}:all
    rmi: rmi {name}:1.0 {name}:all {name}:attested
    prune: prune --force --dry-run
    prune: prune --force
    fsck: fsck
    images: images
    lock-add: lock add {name}:1.0 {name}:all
    lock-update: lock update
    lock-list: lock list
    lock-pull: lock pull
    lock-check: lock check
    lock-remove: lock remove {name}:all
"""
PACKAGES = """
    packages-list: packages list
    packages-show: packages show {package}
    packages-versions: packages versions {package}
    packages-check: packages check {package} octo/lib
    packages-doctor: packages doctor {package}
    packages-retag: packages retag {package}:v1.2 stable
    packages-untag: packages untag {package}:stable
    packages-prune: packages prune {package} --dry-run
    packages-prune: packages prune {package} --plan plan.json
    packages-apply: packages apply plan.json --yes
    packages-restore: packages restore --run plan.json.journal
    packages-delete: packages delete {package}:v1.0 --yes
    packages-versions: packages versions --state deleted {package}
    packages-restore: packages restore {package} --since 1h
    packages-delete: packages delete octo/lib --yes
    packages-restore: packages restore octo/lib
    packages-repair: packages repair {package}
"""
# Tested elsewhere, with an engine or a running server.
ELSEWHERE = {"build", "serve"}


@pytest.fixture
def shell(tmp_path: Path, archive: str) -> Shell:
    assert archive == str(tmp_path / "rootfs.tar")
    return Shell(tmp_path)


@pytest.fixture
def name(plain_registry: PlainRegistry) -> str:
    plain_registry.push_image("octo/image", "arm", ARM)
    plain_registry.push_image("octo/image", "sbom", SBOM)
    return f"{plain_registry.host}/octo/image"


def lines_of(session: str, **values: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the schema and the arguments of each line."""
    for line in session.strip().splitlines():
        schema, _, command = line.strip().partition(": ")
        yield schema, shlex.split(command.format(**values))


def empty_keys(value: Any) -> set[str]:
    """Return the keys at every depth whose value is an empty string."""
    if isinstance(value, list):
        return set().union(*map(empty_keys, value))
    if not isinstance(value, dict):
        return set()
    here = {key for key, inner in value.items() if inner == ""}
    return here.union(*map(empty_keys, value.values()))


def play(shell: Shell, session: str, **values: str) -> None:
    """Run a session, and check each output against its schema and that stderr is empty."""
    for schema, arguments in lines_of(session, **values):
        done = shell.run(*arguments, "--format", "json", stdin="secret")
        assert done.returncode == 0, (arguments, done.stderr)
        validate(schema, done.stdout)
        told = documents(done.stdout)
        assert not empty_keys(told) - DOCKERS.get(schema, set()), (arguments, done.stdout)
        assert all(set(line) == {"warning"} for line in documents(done.stderr))


def commands(group: click.Group = cli, path: str = "") -> Iterator[str]:
    """Yield every command, with dashes for spaces."""
    context = click.Context(group)
    for word in group.list_commands(context):
        command = group.get_command(context, word)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}{word}-")
        else:
            yield f"{path}{word}"


def test_every_command_has_a_schema_and_is_exercised() -> None:
    sessions = (IMAGES, STORE, PACKAGES)
    values = {"name": "", "host": "", "package": ""}
    played = {schema for session in sessions for schema, _ in lines_of(session, **values)}
    assert set(commands()) <= played | ELSEWHERE
    found = {path.stem for path in FOLDER.iterdir()}
    assert found == played | ELSEWHERE | {"error", "warning", "progress"}


def test_every_schema_explains_each_of_its_keys() -> None:
    for path in FOLDER.iterdir():
        schema = json.loads(path.read_text(encoding="utf-8"))
        assert schema["title"]
        if path.stem != "progress":
            # Its keys are documented on a separate page.
            assert all(len(each["description"]) > 3 for each in properties(schema))


def properties(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the schema of each property at every depth."""
    inner = (
        schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ()
    )
    if isinstance(schema, dict):
        yield from schema.get("properties", {}).values()
    for each in inner:
        yield from properties(each)


def test_image_commands_match_their_schemas(shell: Shell, name: str) -> None:
    shell.environ["GHCRCTL_NO_INPUT"] = "1"
    play(shell, IMAGES, name=name, host=name.partition("/")[0])


def test_store_commands_match_their_schemas(
    shell: Shell, name: str, plain_registry: PlainRegistry
) -> None:
    plain_registry.push_image("octo/image", "1.0", HELLO)
    plain_registry.push_image("octo/image", "all", index_of(HELLO, ARM))
    plain_registry.push_image("octo/image", "attested", attested(HELLO))
    play(shell, STORE, name=name)


def test_package_commands_match_their_schemas(package_shell: Shell, github: GitHubDouble) -> None:
    play(package_shell, PACKAGES, package=PACKAGE)
    github.lose(PACKAGE, min(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])}))
    done = package_shell.run("packages", "check", PACKAGE, "--format", "json")
    assert done.returncode == 6
    assert any(finding["Breaks"] for finding in validate("packages-check", done.stdout)[0])
    [repaired] = validate(
        "packages-repair",
        package_shell.run("packages", "repair", PACKAGE, "--format", "json").stdout,
    )
    assert [one["How"] for one in repaired["Mended"]] == ["restored"]


def test_damage_matches_the_schema(shell: Shell) -> None:
    shell.ok("import", "rootfs.tar", "hello")
    [_, largest] = sorted((shell.folder / "store" / "blobs" / "sha256").iterdir())[:2]
    largest.write_bytes(b"damaged")
    done = shell.run("fsck", "--format", "json")
    assert done.returncode == 6
    assert validate("fsck", done.stdout)[0]["Faults"]
    fixed = shell.run("fsck", "--repair", "--format", "json")
    validate("fsck", fixed.stdout)
    assert all(set(line) == {"error"} for line in documents(fixed.stderr))


def test_a_server_prints_its_address_when_it_accepts_requests(shell: Shell) -> None:
    with subprocess.Popen(
        [
            sys.executable,
            "-m",
            "ghcrctl",
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--format",
            "{{json .}}",
        ],
        env=shell.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        [document] = validate("serve", process.stdout.readline())
        try:
            assert shell.run("tags", f"{document['Address']}/octo/none").returncode == 4
        finally:
            process.terminate()


FAILURES = (
    (2, "usage", "pull"),
    (2, "usage", "imgaes"),
    (2, "invalid-reference", "pull octo//x"),
    (2, "invalid-template", "images --format {{{{"),
    (2, "usage", "save {name}:1.0"),
    (3, "connection-failed", "pull 127.0.0.1:1/octo/image"),
    (4, "manifest-unknown", "pull {name}:none"),
    (4, "no-such-image", "inspect none"),
    (4, "no-such-image", "rmi none"),
    (7, "refused", "prune"),
    (7, "refused", "push local"),
)


@pytest.mark.parametrize(("status", "code", "line"), FAILURES)
def test_errors_match_the_schema(
    shell: Shell, name: str, status: int, code: str, line: str
) -> None:
    arguments = line.format(name=name).split()
    asked = [] if "--format" in arguments else ["--format", "json"]
    done = shell.run(*arguments, *asked)
    assert done.returncode == status
    if asked:
        [error] = validate("error", done.stderr)
        assert (error["error"]["code"], error["error"]["exit_status"]) == (code, status)
        assert done.stdout in {"", "[]\n"}


def test_warnings_match_the_schema(shell: Shell) -> None:
    done = shell.run("exists", "--local", "--format", "json", "Octo/image")
    assert done.returncode == 4
    [line] = validate("warning", done.stderr)
    assert "lower case" in line["warning"]["message"]
