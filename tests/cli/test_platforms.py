"""Platforms on the command line: shown as trees and tables, removed, pushed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from tests.builders import attested, index_of, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

ARM64 = random_image(platform=Platform("linux", "arm64"), seed=2)
INDEX = index_of(random_image(seed=1), ARM64)


@pytest.fixture
def shell(tmp_path: Path, plain_registry: PlainRegistry) -> Shell:
    plain_registry.push_image("octo/image", "1", INDEX)
    plain_registry.push_image("octo/image", "attested", attested(random_image(seed=1)))
    made = Shell(tmp_path / "home")
    made.environ["NAME"] = f"{plain_registry.host}/octo/image"
    return made


@pytest.fixture
def name(shell: Shell) -> str:
    return f"{shell.environ['NAME']}:1"


def test_a_remote_image_lists_missing_sizes_by_platform(shell: Shell, name: str) -> None:
    shell.ok("pull", "-q", "--platform", "linux/arm64", name)
    lines = shell.ok("inspect", "--remote", "--platforms", "--format", "json", name)
    amd64, arm64 = map(json.loads, lines)
    assert (amd64["Platform"], arm64["Platform"]) == ("linux/amd64", "linux/arm64")
    assert arm64["Here"] == arm64["Size"] == sum(d.size for d, _ in ARM64.contents)
    assert (arm64["ToPull"], amd64["Here"]) == (0, 0)
    assert amd64["ToPull"] == amd64["Size"] > 0
    table = shell.ok("inspect", "--remote", "--platforms", name)
    assert table[0].split() == ["PLATFORM", "DIGEST", "SIZE", "HERE", "MISSING", "LAYERS"]
    assert len(table) == 3


@pytest.mark.parametrize(
    ("options", "human"),
    [
        ([], True),
        (["--format", "table {{.Size}}\t{{.Here}}\t{{.ToPull}}"], True),
        (["--exact"], False),
        (["--exact", "--format", "table {{.Size}}\t{{.Here}}\t{{.ToPull}}"], False),
        (["--format", "{{.Size}} {{.Here}} {{.ToPull}}"], False),
        (["--human", "--format", "{{.Size}} {{.Here}} {{.ToPull}}"], False),
    ],
)
def test_sizes_of_platforms_are_bytes_where_a_program_reads_them(
    shell: Shell, name: str, options: list[str], human: bool
) -> None:
    lines = shell.ok("inspect", "--remote", "--platforms", *options, name)
    assert any("kB" in line for line in lines) is human
    assert any("0B" in line.split() for line in lines) is human


def test_the_setting_human_applies_to_platforms(shell: Shell, name: str) -> None:
    shell.environ["GHCRCTL_HUMAN"] = "0"
    assert not any("kB" in line for line in shell.ok("inspect", "--remote", "--platforms", name))


def test_nothing_is_pulled_by_looking(shell: Shell, name: str) -> None:
    shell.ok("inspect", "--remote", "--platforms", name)
    shell.ok("history", "--remote", name)
    assert shell.ok("images", "-q") == []


def test_the_tree_names_attestations_as_such(shell: Shell) -> None:
    attested_name = f"{shell.environ['NAME']}:attested"
    shell.ok("pull", "-q", "--all-platforms", attested_name)
    out = "\n".join(shell.ok("images", "--tree"))
    assert "└── linux/amd64" in out
    assert "    └── attestation" in out
    assert "unknown" not in out


def test_a_platform_is_removed(shell: Shell, name: str) -> None:
    shell.ok("pull", "-q", "--all-platforms", name)
    out = shell.ok("rmi", "--platform", "linux/arm64", name)
    assert out[0].startswith(f"Reduced: {name}@sha256:")
    for descriptor, _ in ARM64.contents:
        assert f"Deleted: {descriptor.digest}" in out
    assert "arm64" not in "\n".join(shell.ok("images", "--tree"))
    assert "no problems found" in shell.ok("fsck")[-1]


def test_an_index_is_pushed_and_its_local_name_removed(shell: Shell, name: str) -> None:
    target = f"{shell.environ['NAME']}-copy:1"
    shell.ok("pull", "-q", "--all-platforms", name)
    shell.ok("tag", name, target)
    assert shell.ok("manifest", "push", "--purge", target) == [str(INDEX.root.digest)]
    assert str(INDEX.root.digest) in shell.ok("digest", target)[0]
    assert target not in shell.ok("images", "--format", "{{.Repository}}:{{.Tag}}")


def test_a_tree_has_no_template(shell: Shell) -> None:
    assert "--format table or json" in shell.fails(2, "images", "--tree", "-q")


def test_the_history_of_a_remote_image_is_that_of_the_pulled_one(shell: Shell, name: str) -> None:
    options = ("--format", "{{.CreatedBy}} {{.Size}}", "--platform", "linux/arm64")
    remote = shell.ok("history", "--remote", *options, name)
    assert len(remote) == 2
    shell.ok("pull", "-q", "--platform", "linux/arm64", name)
    assert shell.ok("history", *options, name) == remote
    assert "no matching manifest" in shell.fails(
        4, "history", "--remote", "--platform", "plan9/mips", name
    )
