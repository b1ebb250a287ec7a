"""The commands ``ls``, ``cat``, ``export`` and ``diff``."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import pty
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.platform import Platform
from tests.bench.measure import run
from tests.builders import Built, index_of, random_image
from tests.filesystems import directory, file, image_of, symlink, tar
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

MEGABYTE = 1024 * 1024
HOSTILE = "esc\x1b[31m\u202e\udce9"
IMAGE = image_of(
    tar(
        directory("etc/"),
        file("etc/motd", b"hello\0\xff\n", mtime=1700000000, uid=12, gid=345),
        symlink("motd", "/etc/motd"),
        file(HOSTILE, b"x" * 1234),
    )
)
OTHER = image_of(tar(directory("etc/"), file("etc/motd", b"bye\n")), config={"User": "app"})


@pytest.fixture
def shell(tmp_path: Path, plain_registry: PlainRegistry) -> Shell:
    plain_registry.push_image("octo/image", "1", IMAGE)
    plain_registry.push_image("octo/image", "2", OTHER)
    made = Shell(tmp_path / "home")
    made.environ["NAME"] = f"{plain_registry.host}/octo/image"
    for tag in ("1", "2"):
        made.ok("pull", "-q", f"{made.environ['NAME']}:{tag}")
    return made


@pytest.fixture
def name(shell: Shell) -> str:
    return shell.environ["NAME"]


def raw(shell: Shell, *arguments: str) -> bytes:
    """Run a command that must succeed and return the bytes it prints."""
    command = [sys.executable, "-m", "ghcrctl", *arguments]
    return subprocess.run(
        command, env=shell.environ, cwd=shell.folder, capture_output=True, check=True
    ).stdout


@pytest.mark.parametrize("options", [[], ["--remote"]])
def test_files_are_listed_and_names_cannot_steer_the_terminal(
    shell: Shell, name: str, options: list[str]
) -> None:
    visible = "esc\\x1b[31m\\u202e\\udce9"
    assert shell.ok("ls", *options, f"{name}:1") == [visible, "etc", "motd"]
    assert shell.ok("ls", *options, f"{name}:1", "/etc") == ["motd"]
    assert shell.ok("ls", *options, "-R", f"{name}:1")[1:3] == ["etc", "etc/motd"]


def test_the_long_list_has_modes_owners_sizes_and_times(shell: Shell, name: str) -> None:
    assert shell.ok("ls", "-lR", f"{name}:1") == [
        "-rw-r--r-- 0/0    1234 1970-01-01 00:00 esc\\x1b[31m\\u202e\\udce9",
        "drwxr-xr-x 0/0       0 1970-01-01 00:00 etc",
        "-rw-r--r-- 12/345    8 2023-11-14 22:13 etc/motd",
        "lrwxrwxrwx 0/0       0 1970-01-01 00:00 motd -> /etc/motd",
    ]
    assert "1.23kB" in shell.ok("ls", "-lH", f"{name}:1")[0]


def test_scripts_get_json_and_templates(shell: Shell, name: str) -> None:
    rows = [json.loads(line) for line in shell.ok("ls", "--format", "json", f"{name}:1", "etc")]
    assert rows == [
        {
            "Bytes": 8,
            "GID": 345,
            "UID": 12,
            "Owner": "12/345",
            "Mode": "-rw-r--r--",
            "Type": "file",
            "ModifiedAt": "2023-11-14T22:13:20Z",
            "Name": "motd",
            "Path": "/etc/motd",
            "Size": 8,
            "Device": None,
            "Target": None,
        }
    ]
    assert shell.ok("ls", "-R", "--format", "{{.Size}} {{.Path}}", f"{name}:1")[2] == "8 /etc/motd"


@pytest.mark.parametrize("options", [[], ["--remote"]])
def test_a_file_is_printed_byte_for_byte(shell: Shell, name: str, options: list[str]) -> None:
    assert raw(shell, "cat", *options, f"{name}:1", "motd") == b"hello\0\xff\n"


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["ls", "{name}:1", "/none"], 4),
        (["cat", "{name}:1", "/none"], 4),
        (["cat", "{name}:1", "/etc"], 7),
        (["cat", "{name}:none", "/etc"], 4),
        (["cat", "--remote", "{name}:none", "/etc"], 4),
        (["export", "--to", "x", "-o", "y", "{name}:1"], 2),
        (["diff", "{name}:1", "{name}:none"], 4),
        (["ls", "--platform", "linux/amd64", "--remote", "hello"], 7),
    ],
)
def test_impossible_requests_are_errors(
    shell: Shell, name: str, arguments: list[str], status: int
) -> None:
    shell.fails(status, *(argument.format(name=name) for argument in arguments))


def test_an_archive_is_the_same_in_a_file_and_a_pipe(
    shell: Shell, name: str, tmp_path: Path
) -> None:
    path = tmp_path / "rootfs.tar"
    shell.ok("export", "-o", str(path), f"{name}:1")
    assert raw(shell, "export", "--remote", f"{name}:1") == path.read_bytes()
    with tarfile.open(path) as archive:
        assert archive.getnames() == ["etc", "motd", "etc/motd", HOSTILE]
    shell.ok("export", "-o", os.devnull, f"{name}:1")
    assert not os.path.isfile(os.devnull)  # noqa: PTH113 it is still the device


def test_a_failed_export_leaves_the_file_as_it_was(shell: Shell, name: str, tmp_path: Path) -> None:
    path = tmp_path / "rootfs.tar"
    path.write_text("mine")
    shell.fails(4, "export", "-o", str(path), f"{name}:none")
    assert path.read_text() == "mine"
    assert not list(tmp_path.glob(".rootfs*"))


def test_an_archive_is_not_for_a_terminal(shell: Shell, name: str) -> None:
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "ghcrctl", "export", f"{name}:1"]
    done = subprocess.run(
        command, env=shell.environ, stdout=follower, stderr=subprocess.PIPE, check=False
    )
    os.close(follower)
    os.close(leader)
    assert done.returncode == 2
    assert b"to a terminal" in done.stderr


def test_a_directory_gets_the_files(shell: Shell, name: str, tmp_path: Path) -> None:
    shell.ok("export", "--to", str(tmp_path / "root"), f"{name}:1")
    assert (tmp_path / "root" / "etc" / "motd").read_bytes() == b"hello\0\xff\n"
    shell.fails(7, "export", "--to", str(tmp_path / "root"), f"{name}:1")


def test_differences_are_shown_by_section(shell: Shell, name: str) -> None:
    lines = shell.ok("diff", "--files", f"{name}:1", f"{name}:2")
    assert lines[0] == "Manifest"
    assert lines[1].startswith("~ digest: sha256:")
    assert lines[2:5] == ["Config", "+ user: app", "Layers (0 shared, 0B)"]
    assert [line[:9] for line in lines[5:7]] == ["- sha256:", "+ sha256:"]
    assert lines[7:] == [
        "Files",
        "- /esc\\x1b[31m\\u202e\\udce9 1234",
        "~ /etc/motd 8 -> 4 (owner, content)",
        "- /motd",
    ]


def test_a_difference_sets_the_status_only_with_exit_code(shell: Shell, name: str) -> None:
    assert shell.ok("diff", "--exit-code", f"{name}:1", f"{name}:1") == []
    assert shell.run("diff", f"{name}:1", f"{name}:2").returncode == 0
    done = shell.run("diff", "--exit-code", "--remote-b", f"{name}:1", f"{name}:2")
    assert (done.returncode, done.stderr) == (9, "")


def test_indexes_are_compared_with_all_their_platforms(
    shell: Shell, plain_registry: PlainRegistry
) -> None:
    amd, arm, new = (
        random_image(seed=seed, platform=Platform("linux", architecture))
        for seed, architecture in ((1, "amd64"), (1, "arm64"), (2, "arm64"))
    )
    one, two = index_of(amd, arm), index_of(amd, new)
    for tag, built in (("1", one), ("2", two), ("less", index_of(amd))):
        plain_registry.push_image("octo/indexes", tag, built)
    name = f"{plain_registry.host}/octo/indexes"
    done = shell.run("diff", "--remote", "--exit-code", f"{name}:1", f"{name}:2")
    assert done.returncode == 9
    assert done.stdout.splitlines() == [
        "Index",
        f"~ digest: {one.root.digest} -> {two.root.digest}",
        "Platforms",
        f"~ linux/arm64: {arm.root.digest} -> {new.root.digest}",
    ]
    line = ("diff", "--remote", "--exit-code", "--format", "json", f"{name}:1", f"{name}:less")
    found = json.loads(shell.run(*line).stdout)
    assert not found["Equal"]
    assert (found["Compared"], found["Platform"]) == ("index", "linux/amd64")
    assert found["Platforms"] == [
        {"Change": "-", "Platform": "linux/arm64", "A": str(arm.root.digest), "B": None}
    ]
    only = ("--platform", "linux/amd64", f"{name}:1", f"{name}:2")
    assert shell.ok("diff", "--remote", "--exit-code", *only) == []


def test_differences_are_json_for_scripts(shell: Shell, name: str) -> None:
    lines = shell.ok("diff", "--files", "--format", "json", f"{name}:1", f"{name}:2")
    found = json.loads("\n".join(lines))
    assert not found["Equal"]
    assert found["Config"] == [{"Change": "+", "Field": "user", "A": None, "B": "app"}]
    assert [change["Path"] for change in found["Files"]][1:] == ["/etc/motd", "/motd"]


def huge_image(member: int) -> Built:
    """Create an image with one huge file. Its zeros are compressed once and repeated."""
    whole = tar(directory("data/"), file("data/huge"), file("data/small", b"small"))
    start, end = bytearray(whole[:1024]), whole[1024:]
    start[512 + 124 : 512 + 136] = b"%011o\0" % member
    start[512 + 148 : 512 + 156] = b" " * 8
    start[512 + 148 : 512 + 156] = b"%06o\0 " % sum(start[512:])
    zeros, count = bytes(MEGABYTE), member // MEGABYTE
    hasher = hashlib.sha256(start)
    for _ in range(count):
        hasher.update(zeros)
    hasher.update(end)
    packed = gzip.compress(bytes(start)) + gzip.compress(zeros) * count + gzip.compress(end)
    return image_of(packed=[packed], diff_ids=[f"sha256:{hasher.hexdigest()}"])


@pytest.mark.parametrize(
    "arguments", [["ls", "-lR"], ["cat", "data/small"], ["export", "-o", os.devnull]]
)
def test_memory_does_not_grow_with_files(shell: Shell, arguments: list[str]) -> None:
    image = huge_image(1024 * MEGABYTE)
    root = Descriptor.of(image.raw, media_types.OCI_MANIFEST)
    store = shell.folder / "store"
    for descriptor, content in image.contents:
        (store / "blobs" / "sha256" / descriptor.digest.encoded).write_bytes(content)
    index = json.loads((store / "index.json").read_text())
    named = {"org.opencontainers.image.ref.name": "huge:latest"}
    index["manifests"].append({**root.to_json(), "annotations": named})
    (store / "index.json").write_text(json.dumps(index))
    verb, *rest = arguments
    path = rest if verb == "cat" else []
    options = [] if verb == "cat" else rest
    command = [sys.executable, "-m", "ghcrctl", verb, *options, "huge", *path]
    # Measured from a small process, because Linux counts the memory of the parent.
    done = run(command, shell.environ, shell.folder / "log")
    assert done.peak < 100 * MEGABYTE
