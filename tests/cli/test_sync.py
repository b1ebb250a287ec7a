"""``ghcrctl sync``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.builders import index_of, random_image
from tests.registry_double import PlainRegistry
from tests.registry_double.faults import Fault
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE, TWO, OLD = (random_image(1, seed=number) for number in range(3))
BOTH = index_of(ONE, TWO)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def other() -> Iterator[PlainRegistry]:
    with PlainRegistry() as made:
        yield made


@pytest.fixture
def source(plain_registry: PlainRegistry) -> str:
    for tag, image in {"1.0": ONE, "1.1": BOTH, "latest": BOTH}.items():
        plain_registry.push_image("octo/image", tag, image)
    return f"{plain_registry.host}/octo/image"


@pytest.fixture
def target(other: PlainRegistry) -> str:
    return f"{other.host}/octo/copy"


def test_tags_are_listed_and_counted(
    shell: Shell, source: str, target: str, other: PlainRegistry
) -> None:
    other.push_image("octo/copy", "1.0", ONE)
    other.push_image("octo/copy", "old", OLD)
    lines = shell.ok("sync", "--delete", source, target)
    assert lines[0] == f"{source} -> {target}"
    assert [line.split(" (")[0] for line in lines[1:-1]] == [
        "  1.0: up to date",
        "  1.1: copied",
        "  latest: copied",
        "  old: deleted",
    ]
    assert lines[-1].startswith("2 copied (")
    assert lines[-1].endswith("), 1 up to date, 1 deleted")
    assert shell.ok("sync", "-q", "--delete", source, target) == []


def test_a_dry_run_counts_shared_content_once(shell: Shell, source: str, target: str) -> None:
    def moved(*options: str) -> int:
        lines = shell.ok("sync", "--format", "json", *options, source, target)
        return sum(row["Bytes"] for row in json.loads("".join(lines)))

    blobs = {d.digest: d.size for d, _ in BOTH.contents if not d.is_manifest}
    told = moved("--dry-run")
    # Each tag puts its manifest. Images of the index are also put by digest, unless one of their
    # tags came first.
    again = 2 * BOTH.root.size + ONE.root.size + TWO.root.size
    assert told == sum(blobs.values()) + again + ONE.root.size
    assert told - ONE.root.size <= moved() <= told


def test_json_lists_every_tag(shell: Shell, source: str, target: str) -> None:
    dry = shell.ok("sync", "--dry-run", "--format", "json", source, target)
    rows = json.loads("".join(dry))
    assert [row["Status"] for row in rows] == ["would be copied"] * 3
    assert rows[0]["Bytes"] == sum(d.size for d, _ in ONE.contents)
    # `latest` only adds the image of `1.1`.
    assert rows[2]["Bytes"] == BOTH.root.size
    done = json.loads("".join(shell.ok("sync", "--format", "json", source, target)))
    assert [row["Target"] for row in done] == [f"{target}:{t}" for t in ("1.0", "1.1", "latest")]


def test_a_broken_tag_does_not_stop_the_others_with_keep_going(
    shell: Shell, plain_registry: PlainRegistry, source: str, target: str, other: PlainRegistry
) -> None:
    other.push_image("octo/copy", "1.1", OLD)
    other.push_image("octo/copy", "old", OLD)
    plain_registry.faults.append(Fault("HEAD", "/manifests/1.1", status=404, times=99))
    done = shell.run("sync", "--keep-going", "--delete", source, target)
    assert done.returncode == 4
    assert "tag `1.1` not found" in done.stderr
    assert "  1.1: failed" in done.stdout.splitlines()
    assert "  old: not deleted after a failure" in done.stdout.splitlines()
    assert done.stdout.splitlines()[-1].endswith(", 0 up to date, 1 failed")
    assert shell.ok("tags", "--sort", "name", target) == ["1.0", "1.1", "latest", "old"]


def test_nothing_to_do_costs_a_list_and_one_question_a_tag_on_each_side(
    shell: Shell, plain_registry: PlainRegistry, source: str, target: str, other: PlainRegistry
) -> None:
    shell.ok("sync", source, target)
    for registry in (plain_registry, other):
        registry.log.clear()
    assert shell.ok("sync", source, target)[-1] == "0 copied (0B), 3 up to date"
    for registry in (plain_registry, other):
        assert registry.count("GET", "/tags/list") == 1
        assert registry.count("HEAD", "/manifests/") == 3
        assert registry.count() == 4


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["a/b"], 2, "SOURCE and TARGET"),
        (["--include", "re:(", "a/b", "c/d"], 2, "invalid regular expression"),
        (["hello", "c/d"], 7, "local name"),
        (["a/b", "a/b"], 2, "with itself"),
    ],
)
def test_invalid_arguments_are_refused_without_a_report(
    shell: Shell, arguments: list[str], status: int, said: str
) -> None:
    done = shell.run("sync", *arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert said in done.stderr
