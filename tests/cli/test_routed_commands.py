"""Every command follows registries.conf: locations, mirrors, insecure registries and blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ghcrctl
from ghcrctl.cli.main import COMMANDS
from tests.filesystems import directory, file, image_of, tar
from tests.registry_double import Fault, PlainRegistry
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IMAGE = image_of(tar(directory("etc/"), file("etc/motd", b"hello\n")))
OTHER = image_of(tar(directory("etc/"), file("etc/motd", b"bye\n")), config={"User": "app"})
DIGEST = str(IMAGE.root.digest)

# Arguments of each command. {name} is a repository, {image} an image in it.
READING = {
    "pull": "pull -q {image}",
    "pull all": "pull -q -a {name}",
    "copy from": "copy -q {image} oci:out",
    "manifest inspect": "manifest inspect {image}",
    "tags": "tags {name}",
    "tags with details": "tags --sort created {name}",
    "digest": "digest {image}",
    "exists": "exists {image}",
    "referrers": "referrers {image}",
    "lock add": "lock add {image}",
    "inspect": "inspect --remote {image}",
    "history": "history --remote {image}",
    "ls": "ls --remote {image}",
    "cat": "cat --remote {image} /etc/motd",
    "diff": "diff --remote {image} {image}",
    "export": "export --remote -o out.tar {image}",
    "sync from": "sync {name} {free}/copy",
    "append from": "append --base {image} -t {free}/new:1 folder",
    "mutate from": "mutate --annotation a=b -t {free}/new:1 {image}",
    "flatten from": "flatten -t {free}/new:1 {image}",
    "convert from": "convert --to docker -t {free}/new:1 {image}",
    "lock check": "lock check",
    "outdated": "outdated",
    "fsck": "fsck --repair",
}
WRITING = {
    "push": "push -q {image}",
    "copy to": "copy -q {free}/image:1 {name}:new",
    "sync to": "sync {free}/image {name}",
    "attach": "attach --type text/plain {image} note.txt",
    "artifact push": "artifact push --type text/plain {name}:note note.txt",
    "mutate": "mutate --annotation a=b -t {name}:new {image}",
    "flatten": "flatten -t {name}:new {image}",
    "convert": "convert --to docker -t {name}:new {image}",
    "append": "append --base {image} -t {name}:new folder",
    "rebase": "rebase --old-base {image} --new-base {image} -t {name}:new {image}",
    "manifest create": "manifest create {name}:index {image}",
}
SEVERAL = ("pull all", "digest", "exists", "referrers", "outdated", "convert from")
LOGIN = "login -u octo -p secret {host}"
# These never contact the registry of a name, or do so through the commands above.
ELSEWHERE = {
    *("logout", "packages", "images", "tag", "rmi", "save", "load", "build", "import", "df"),
    *("prune", "serve", "explain", "completion", "version", "info"),
}


@pytest.fixture
def origin(plain_registry: PlainRegistry) -> PlainRegistry:
    plain_registry.push_image("octo/image", "1", IMAGE)
    return plain_registry


@pytest.fixture
def free() -> Iterator[PlainRegistry]:
    with PlainRegistry() as registry:
        registry.push_image("image", "1", OTHER)
        yield registry


class Desk:
    """A home with an image, a lock file and a file, and optional rules."""

    def __init__(self, folder: Path, names: dict[str, str]) -> None:
        self.shell = Shell(folder)
        self.names = names
        self.conf = folder / ".config" / "containers" / "registries.conf"
        self.conf.parent.mkdir(parents=True)
        (folder / "folder").mkdir()
        (folder / "folder" / "file").write_text("new")
        (folder / "note.txt").write_text("note")

    def write(self, *entries: str) -> None:
        self.conf.write_text("".join(f"[[registry]]\n{entry}\n" for entry in entries))

    def arguments(self, line: str) -> list[str]:
        return line.format(**self.names).split()

    def prepare(self) -> None:
        client = ghcrctl.Client(environ=self.shell.environ)
        client.pull(self.names["image"])
        client.lock.add(self.names["image"], file=self.shell.folder / "images.lock")


@pytest.fixture
def desk(tmp_path: Path, origin: PlainRegistry, free: PlainRegistry) -> Desk:
    name = f"{origin.host}/octo/image"
    return Desk(
        tmp_path / "home",
        {"host": origin.host, "name": name, "image": f"{name}:1", "free": free.host},
    )


def test_every_command_is_here() -> None:
    lines = [*READING.values(), *WRITING.values(), LOGIN]
    assert {line.split()[0] for line in lines} | ELSEWHERE >= set(COMMANDS)


@pytest.mark.parametrize("line", [*READING.values(), *WRITING.values(), LOGIN])
def test_a_blocked_registry_is_never_contacted(
    desk: Desk, origin: PlainRegistry, line: str
) -> None:
    desk.prepare()
    if line.startswith("fsck"):
        digest = IMAGE.contents[0][0].digest
        path = desk.shell.folder / "store" / "blobs" / "sha256" / digest.encoded
        path.chmod(0o600)
        path.write_bytes(b"?")
    desk.write(f'location = "{origin.host}"\nblocked = true')
    origin.log.clear()
    done = desk.shell.run(*desk.arguments(line))
    assert done.returncode in ({7} if not line.startswith("fsck") else {6, 7}), done
    assert "is blocked in" in done.stderr + done.stdout
    assert str(desk.conf) in done.stderr + done.stdout
    assert not origin.log


@pytest.mark.parametrize("line", [*READING.values(), *WRITING.values(), LOGIN])
def test_a_location_is_used_for_reading_writing_and_signing_in(
    desk: Desk, origin: PlainRegistry, line: str
) -> None:
    """The logical host does not exist, so any request to it fails."""
    desk.names |= {"host": "old.invalid", "name": "old.invalid/team/image"}
    desk.names["image"] = "old.invalid/team/image:1"
    desk.write(
        f'prefix = "old.invalid/team"\nlocation = "{origin.host}/octo"\ninsecure = true',
        f'prefix = "old.invalid"\nlocation = "{origin.host}"\ninsecure = true',
    )
    desk.prepare()
    origin.log.clear()
    desk.shell.ok(*desk.arguments(line))
    assert origin.log or line.startswith("fsck")


@pytest.mark.parametrize("line", READING.values())
def test_a_mirror_serves_every_reading_command_of_a_closed_network(
    desk: Desk, origin: PlainRegistry, line: str
) -> None:
    desk.names |= {"name": "gone.invalid/octo/image", "image": "gone.invalid/octo/image:1"}
    desk.write(
        'location = "gone.invalid"\n'
        f'[[registry.mirror]]\nlocation = "{origin.host}"\ninsecure = true'
    )
    desk.prepare()
    desk.shell.ok(*desk.arguments(line))


@pytest.mark.parametrize("line", [READING[name] for name in SEVERAL])
def test_a_mirror_also_serves_a_blocked_registry(
    desk: Desk, origin: PlainRegistry, free: PlainRegistry, line: str
) -> None:
    """OpenShift writes such rules to prevent requests to the source."""
    free.push_image("octo/image", "1", OTHER)
    free.log.clear()
    desk.names |= {"name": f"{free.host}/octo/image", "image": f"{free.host}/octo/image:1"}
    desk.names["free"] = origin.host
    desk.write(
        f'location = "{free.host}"\nblocked = true\n'
        f'[[registry.mirror]]\nlocation = "{origin.host}"\ninsecure = true'
    )
    desk.prepare()
    desk.shell.ok(*desk.arguments(line))
    assert not free.log


def test_one_name_has_one_digest_everywhere(
    desk: Desk, origin: PlainRegistry, free: PlainRegistry
) -> None:
    free.push_image("octo/image", "1", OTHER)
    desk.shell.environ["GHCRCTL_MIRRORS"] = f"{free.host}={origin.host}"
    desk.names |= {"image": f"{free.host}/octo/image:1"}
    desk.prepare()
    [digest] = desk.shell.ok(*desk.arguments("digest {image}"))
    assert digest == DIGEST
    assert DIGEST in (desk.shell.folder / "images.lock").read_text()
    assert desk.shell.ok(*desk.arguments("outdated"))[0].startswith("All 1 names are current")
    shown = desk.shell.ok("inspect", "-f", "{{json .RepoDigests}}", desk.names["image"])
    assert shown == [f'["{free.host}/octo/image@{DIGEST}"]']


def test_a_push_ignores_mirrors(desk: Desk, origin: PlainRegistry, free: PlainRegistry) -> None:
    desk.prepare()
    desk.shell.environ["GHCRCTL_MIRRORS"] = f"{origin.host}={free.host}"
    free.log.clear()
    desk.shell.ok(*desk.arguments("push -q {image}"))
    assert not free.log


def test_outdated_fails_where_a_registry_cannot_be_checked(
    desk: Desk, origin: PlainRegistry
) -> None:
    desk.prepare()
    origin.stop()
    done = desk.shell.run("outdated", "--format", "json")
    assert done.returncode == 3
    assert '"State":"unknown"' in done.stdout.replace(" ", "")
    assert "cannot check" in done.stderr
    assert desk.shell.run("outdated", "-q").returncode == 3


def test_an_invalid_file_stops_every_command(desk: Desk) -> None:
    desk.write('location = "a.io"\npull-from-mirror = "all"')
    for line in ("digest {image}", "push {image}", LOGIN):
        assert str(desk.conf) in desk.shell.fails(2, *desk.arguments(line))


def test_a_blocked_registry_is_reported_before_the_password_prompt(
    desk: Desk, origin: PlainRegistry
) -> None:
    desk.write(f'location = "{origin.host}"\nblocked = true')
    assert "is blocked in" in desk.shell.fails(7, "login", origin.host)


def test_signing_in_stores_the_credential_for_the_location(
    desk: Desk, origin: PlainRegistry
) -> None:
    desk.write(f'prefix = "old.invalid"\nlocation = "{origin.host}"\ninsecure = true')
    done = desk.shell.run("login", "-u", "octo", "--password-stdin", "old.invalid", stdin="x\n")
    assert done.returncode == 0
    assert f"routes old.invalid to {origin.host}" in done.stderr
    stored = (desk.shell.folder / "config" / "auth.json").read_text()
    assert origin.host in stored
    assert "old.invalid" not in stored
    assert desk.shell.ok("logout", "old.invalid")[0].startswith("Removing login credentials")
    assert origin.host not in (desk.shell.folder / "config" / "auth.json").read_text()


@pytest.mark.parametrize("named", ["token endpoint", "redirect"])
def test_a_blocked_host_that_a_registry_names_is_not_contacted(
    desk: Desk, origin: PlainRegistry, free: PlainRegistry, named: str
) -> None:
    desk.write(f'location = "{free.host}"\nblocked = true')
    realm = {"WWW-Authenticate": f'Bearer realm="{free.url}/token",service="s"'}
    place = {"Location": f"{free.url}/v2/octo/image/manifests/1"}
    origin.faults.append(
        Fault(path_contains="/manifests/", status=401, headers=realm, times=9)
        if named == "token endpoint"
        else Fault(path_contains="/manifests/", status=307, headers=place, times=9)
    )
    done = desk.shell.run("digest", f"{origin.host}/octo/image:1")
    assert (done.returncode, free.log) == (7, [])
    assert f"`{free.host}` is blocked" in done.stderr
