"""The commands ``packages delete``, ``untag``, ``retag``, ``restore``, ``check`` and ``repair``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.builders import random_image
from tests.cli.test_packages import (
    LIBRARY,
    LOOSE,
    NAME,
    RELEASES,
    SIGNATURE,
    SIGNATURE_TAG,
    TOKEN,
    answer,
    digest_of,
    github,
    manifests_of,
    shell,
    there,
    version_id,
)

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]


# Deleting


def test_other_tags_of_a_version_are_shown_before_deletion(
    shell: Shell, github: GitHubDouble
) -> None:
    done = shell.run("packages", "delete", f"{NAME}:latest")
    assert done.returncode == 7
    assert "v1.2, latest" in done.stdout
    assert github.count("DELETE") == 0


def test_a_version_is_deleted_with_everything_only_it_needs(
    shell: Shell, github: GitHubDouble
) -> None:
    before = there(github)
    lines = shell.ok("packages", "delete", f"{NAME}:v1.0", "--yes")
    gone = manifests_of(RELEASES[0]) | {digest_of(SIGNATURE)}
    assert before - there(github) == gone
    assert {line.split()[2] for line in lines if line.startswith("Deleted: ")} == gone


@pytest.mark.parametrize("by", ["digest", "number"])
def test_a_version_is_named_by_its_digest_or_number(
    shell: Shell, github: GitHubDouble, by: str
) -> None:
    number = version_id(github, digest_of(LOOSE))
    suffix = f"@{digest_of(LOOSE)}" if by == "digest" else f"#{number}"
    assert shell.ok("packages", "delete", f"{NAME}{suffix}", "-y", "-q") == [digest_of(LOOSE)]
    assert digest_of(LOOSE) not in there(github)


def test_a_dry_run_of_delete_shows_deletions(shell: Shell, github: GitHubDouble) -> None:
    data = answer(shell, "delete", f"{NAME}:v1.0", "--dry-run")
    digests = {version["Digest"] for version in data["Packages"][0]["Versions"]}
    assert digests == manifests_of(RELEASES[0]) | {digest_of(SIGNATURE)}
    assert github.count("DELETE") == 0


@pytest.mark.parametrize(
    ("name", "status"),
    [
        (f"{NAME}:v9", 4),
        (f"{NAME}#1", 4),
        (f"{NAME}@sha256:{'0' * 64}", 4),
        ("octo/nothing", 4),
        ("octo/nothing:v1", 4),
        (f"{NAME}#x", 2),
        (f"{NAME}#-1", 2),
        (f"{NAME}#" + "9" * 5000, 2),
        ("app", 7),
    ],
    ids=range(9),
)
def test_a_missing_version_cannot_be_deleted(
    shell: Shell, github: GitHubDouble, name: str, status: int
) -> None:
    shell.fails(status, "packages", "delete", name, "--yes")
    assert github.count("DELETE") == 0


def test_the_last_tagged_version_is_refused_with_a_way_out(
    shell: Shell, github: GitHubDouble
) -> None:
    said = shell.fails(7, "packages", "delete", "octo/lib:1.0", "--yes")
    assert "last" in said
    assert "hint: " in said
    assert there(github, "octo/lib") == {digest_of(LIBRARY)}


def test_a_child_of_an_index_is_not_deleted_from_under_it(
    shell: Shell, github: GitHubDouble
) -> None:
    child = next(iter(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])}))
    said = shell.fails(7, "packages", "delete", f"{NAME}@{child}", "--yes")
    assert "`v1.1` needs" in said
    assert digest_of(RELEASES[1]) in said
    assert child in there(github)


def test_a_whole_package_is_deleted_and_restored(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    [line, *_] = shell.ok("packages", "delete", NAME, "--dry-run")
    assert f"delete the package and its {len(before)} versions" in line
    data = answer(shell, "delete", NAME, "--yes")
    assert NAME not in github.content.packages
    assert data["Packages"][0]["DeletesPackage"] is True
    assert {v["State"] for v in data["Packages"][0]["Versions"]} == {"deleted"}
    assert data["Freed"] == data["Packages"][0]["Size"]
    shell.fails(4, "packages", "show", NAME)
    shell.ok("packages", "restore", NAME)
    assert there(github) == before


def test_a_package_deleted_by_a_run_is_restored_with_it(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    data = answer(shell, "delete", NAME, "--yes")
    shell.ok("packages", "restore", "--run", data["Journal"])
    assert there(github) == before


# Tags


def test_a_tag_is_removed_and_its_image_is_kept(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    assert shell.ok("packages", "untag", f"{NAME}:latest") == [
        f"Untagged: {github.host}/{NAME}:latest"
    ]
    assert "latest" not in github.tags(NAME)
    assert github.tags(NAME)["v1.2"] == digest_of(RELEASES[2])
    assert there(github) == before


def test_taking_the_only_tag_of_an_image_is_warned_of(shell: Shell, github: GitHubDouble) -> None:
    done = shell.run("packages", "untag", f"{NAME}:v1.1", f"{NAME}:latest")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr.startswith("warning: ")
    assert ":v1.1 has no tags left" in done.stderr
    assert "`latest`" not in done.stderr
    assert github.has(NAME, digest_of(RELEASES[1]))


@pytest.mark.parametrize(
    ("name", "status"), [(f"{NAME}:v9", 4), (NAME, 2), (f"{NAME}@sha256:{'0' * 64}", 2)]
)
def test_a_tag_that_is_none_cannot_be_taken_away(
    shell: Shell, github: GitHubDouble, name: str, status: int
) -> None:
    before = github.tags(NAME)
    shell.fails(status, "packages", "untag", name)
    assert github.tags(NAME) == before


def test_tags_are_moved_and_added_without_a_new_version(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    lines = shell.ok("packages", "retag", f"{NAME}:v1.0", "latest", "stable")
    assert lines == [
        f"Tagged: {github.host}/{NAME}:latest (was {digest_of(RELEASES[2])})",
        f"Tagged: {github.host}/{NAME}:stable",
    ]
    tags = github.tags(NAME)
    assert tags["latest"] == tags["stable"] == digest_of(RELEASES[0])
    assert there(github) == before


@pytest.mark.parametrize(
    ("arguments", "status"), [((f"{NAME}:v1.0", "no tag"), 2), ((f"{NAME}:v9", "x"), 4)]
)
def test_retag_refuses_invalid_tags_and_missing_images(
    shell: Shell, github: GitHubDouble, arguments: tuple[str, str], status: int
) -> None:
    before = github.tags(NAME)
    shell.fails(status, "packages", "retag", *arguments)
    assert github.tags(NAME) == before


# Restoring


@pytest.mark.parametrize("choice", ["tag", "digest", "id", "since"])
def test_deleted_versions_are_restored_with_everything_they_need(
    shell: Shell, github: GitHubDouble, choice: str
) -> None:
    number = version_id(github, digest_of(RELEASES[1]))
    before, tags = there(github), github.tags(NAME)
    shell.ok("packages", "delete", f"{NAME}:v1.1", "--yes")
    value = {"tag": "v1.1", "digest": digest_of(RELEASES[1]), "id": str(number), "since": "2h"}
    lines = shell.ok("packages", "restore", NAME, f"--{choice}", value[choice])
    assert lines[-1] == "3 restored"
    assert any(line.endswith(f"{digest_of(RELEASES[1])} (v1.1)") for line in lines)
    assert there(github) == before
    assert github.tags(NAME) == tags


def test_a_tag_that_points_elsewhere_now_is_not_restored(
    shell: Shell, github: GitHubDouble
) -> None:
    shell.ok("packages", "delete", f"{NAME}:v1.1", "--yes")
    new = github.push(NAME, "v1.1", random_image(seed=99))
    done = shell.run("packages", "restore", NAME, "--digest", digest_of(RELEASES[1]))
    assert done.returncode == 0
    assert "warning: tag `v1.1` points to another version now" in done.stderr
    assert github.tags(NAME)["v1.1"] == new


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ((NAME, "--tag", "v9"), 4),
        ((NAME, "--id", "1"), 4),
        ((NAME, "--digest", "sha256:12"), 2),
        ((NAME, "--since", "soon"), 2),
        ((NAME, "--since", "30"), 2),
        ((NAME, "--since", ""), 2),
        ((), 2),
        (("--run", "none.journal"), 4),
        (("--run", "plan.json", "--tag", "x"), 2),
        (("octo/nothing",), 4),
    ],
    ids=range(10),
)
def test_versions_that_cannot_be_restored_are_reported(
    shell: Shell, arguments: tuple[str, ...], status: int
) -> None:
    shell.fails(status, "packages", "restore", *arguments)


def test_existing_versions_are_not_a_restore_failure(shell: Shell, github: GitHubDouble) -> None:
    data = answer(shell, "delete", f"{NAME}:v1.1", "--yes")
    shell.ok("packages", "restore", "--run", data["Journal"])
    lines = shell.ok("packages", "restore", "--run", data["Journal"])
    assert lines[-1] == "0 restored"
    assert github.has(NAME, digest_of(RELEASES[1]))


def test_an_invalid_journal_is_refused(shell: Shell) -> None:
    Path(shell.folder / "notes").write_text("hello\n")
    assert "notes" in shell.fails(2, "packages", "restore", "--run", "notes")


def test_a_token_that_may_not_write_cannot_restore(shell: Shell, github: GitHubDouble) -> None:
    shell.ok("packages", "delete", f"{NAME}:v1.1", "--yes")
    github.api.scopes[TOKEN] = ("read:packages",)
    said = shell.fails(5, "packages", "restore", NAME, "--tag", "v1.1")
    assert "write:packages" in said


# Checking and repairing


def lost_child(github: GitHubDouble) -> str:
    child = min(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])})
    github.lose(NAME, child)
    return child


def test_an_intact_package_has_no_problems(shell: Shell) -> None:
    lines = shell.ok("packages", "check", NAME)
    assert not any(": partial: " in line or ": ghost: " in line for line in lines)


def test_an_index_that_lacks_an_image_is_found_with_its_mend(
    shell: Shell, github: GitHubDouble
) -> None:
    lost_child(github)
    done = shell.run("packages", "check", NAME)
    assert done.returncode == 6
    lines = done.stdout.splitlines()
    [at] = [n for n, line in enumerate(lines) if f"{NAME}: partial: " in line]
    assert "v1.1" in lines[at]
    assert lines[at + 1] == f"  fix: ghcrctl packages repair {NAME}"


def test_findings_as_json_name_missing_content(shell: Shell, github: GitHubDouble) -> None:
    child = lost_child(github)
    done = shell.run("packages", "check", NAME, "--format", "json")
    assert done.returncode == 6
    found = json.loads(done.stdout)
    [partial] = [data for data in found if data["Trouble"] == "partial"]
    assert partial["Breaks"] is True
    assert partial["Digest"] == digest_of(RELEASES[1])
    assert partial["Tags"] == ["v1.1"]
    assert partial["Missing"] == partial["Restorable"] == [child]


def test_a_signature_of_a_deleted_image_breaks_no_pull(shell: Shell, github: GitHubDouble) -> None:
    for digest in manifests_of(RELEASES[0]):
        github.lose(NAME, digest)
    lines = shell.ok("packages", "check", NAME)
    [line] = [line for line in lines if ": dangling: " in line]
    assert digest_of(RELEASES[0]) in line


def test_many_packages_are_checked_by_a_pattern(shell: Shell, github: GitHubDouble) -> None:
    lost_child(github)
    done = shell.run("packages", "check", "octo/*")
    assert done.returncode == 6
    assert f"{github.host}/octo/lib: " in done.stdout
    assert f"{github.host}/octo/app: partial: " in done.stdout


def test_a_pattern_that_fits_nothing_is_not_all_well(shell: Shell) -> None:
    assert "octo/z*" in shell.fails(4, "packages", "check", "octo/z*")


def test_a_child_that_was_deleted_is_brought_back(shell: Shell, github: GitHubDouble) -> None:
    child = lost_child(github)
    assert shell.ok("packages", "repair", NAME) == [f"Restored: {child}"]
    assert github.has(NAME, digest_of(RELEASES[1]))
    assert shell.ok("packages", "repair", NAME) == [f"{github.host}/{NAME}: nothing is missing"]


def test_a_permanently_deleted_child_is_pushed_again(shell: Shell, github: GitHubDouble) -> None:
    child = lost_child(github)
    github.content.packages[NAME].gone.clear()
    said = shell.fails(4, "packages", "repair", NAME)
    assert child in said
    assert "--from" in said
    github.push("octo/mirror", "v1.1", RELEASES[1])
    [line] = shell.ok("packages", "repair", NAME, "--from", f"{github.host}/octo/mirror:v1.1")
    assert line.endswith(child)
    assert github.has(NAME, digest_of(RELEASES[1]))


def test_a_signature_tag_is_not_an_image(shell: Shell) -> None:
    data = answer(shell, "show", NAME)
    assert all(SIGNATURE_TAG not in image["Tags"] for image in data["Images"])


# Blocked


@pytest.mark.parametrize(
    "line",
    [
        "untag {name}:v1.0",
        "retag {name}:v1.0 new",
        "show {name}",
        "delete {name}:v1.0 --yes",
        "prune {name} --keep-last 1 --yes",
    ],
)
def test_a_blocked_registry_is_not_contacted(shell: Shell, github: GitHubDouble, line: str) -> None:
    conf = shell.folder / ".config" / "containers" / "registries.conf"
    conf.parent.mkdir(parents=True)
    conf.write_text(f'[[registry]]\nlocation = "{github.host}"\nblocked = true\n')
    before = there(github)
    github.log.clear()
    done = shell.run("packages", *line.format(name=NAME).split())
    assert done.returncode == 7
    assert f"`{github.host}` is blocked in {conf}" in done.stderr
    assert not [entry for entry in github.log if entry.path.startswith(("/v2", "/token"))]
    assert there(github) == before
