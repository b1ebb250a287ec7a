"""``packages prune``: deletions, dry runs and refusals."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.operations.packages.journal import State, read_journal
from tests.builders import random_image
from tests.cli.test_packages import (
    LOOSE,
    NAME,
    RELEASES,
    SIGNATURE,
    TOKEN,
    ago,
    answer,
    digest_of,
    github,
    manifests_of,
    shell,
    there,
)

if TYPE_CHECKING:
    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]

# All releases except the newest, with the signature and untagged images.
OLD = ("--include", "*", "--keep-last", "1")
GOING = manifests_of(RELEASES[0]) | manifests_of(RELEASES[1]) | {digest_of(SIGNATURE)}
GOING |= {digest_of(LOOSE)}


def planned(data: dict[str, Any]) -> list[str]:
    return [version["Digest"] for package in data["Packages"] for version in package["Versions"]]


# Confirmation


def test_without_a_terminal_and_without_yes_nothing_is_deleted(
    shell: Shell, github: GitHubDouble
) -> None:
    done = shell.run("packages", "prune", NAME, *OLD)
    assert done.returncode == 7
    assert "error: cannot ask for confirmation: standard input is not a terminal" in done.stderr
    assert "hint: use --yes to delete without confirmation, or --dry-run to preview" in done.stderr
    assert f"{len(GOING)} of " in done.stdout
    assert github.count("DELETE") == 0
    assert there(github) >= GOING


def test_a_dry_run_deletes_nothing_and_lists_deletions(shell: Shell, github: GitHubDouble) -> None:
    shown = answer(shell, "prune", NAME, *OLD, "--dry-run")
    assert github.count("DELETE") == 0
    assert shown["DryRun"] is True
    assert shown["Journal"] is None
    assert set(planned(shown)) == GOING
    before = there(github)
    done = answer(shell, "prune", NAME, *OLD, "--yes")
    assert planned(done) == planned(shown)
    assert before - there(github) == GOING
    assert {v["State"] for v in done["Packages"][0]["Versions"]} == {"deleted"}
    assert done["Freed"] == shown["Freed"] > 0
    [summary] = [done["Counts"]]
    assert summary["deleted"] == len(GOING)
    assert sum(summary.values()) == len(GOING)


def test_the_journal_of_a_run_lists_deletions(shell: Shell, tmp_path: Path) -> None:
    done = answer(shell, "prune", NAME, *OLD, "--yes")
    entries = read_journal(Path(done["Journal"]))
    deleted = [entry.digest for entry in entries if entry.state is State.DELETED]
    assert deleted == planned(done)
    assert str(tmp_path) in done["Journal"]


def test_quiet_only_prints_deleted_digests(shell: Shell) -> None:
    shown = shell.ok("packages", "prune", NAME, *OLD, "--dry-run", "-q")
    assert set(shown) == GOING
    done = shell.run("packages", "prune", NAME, *OLD, "--yes", "-q")
    assert (done.returncode, done.stdout.splitlines(), done.stderr) == (0, shown, "")


def test_deletions_are_reported_with_the_undo_command(shell: Shell, github: GitHubDouble) -> None:
    lines = shell.ok("packages", "prune", NAME, *OLD, "--yes")
    assert lines[0].startswith(f"{github.host}/{NAME}: delete {len(GOING)} of ")
    assert sum(line.startswith("Deleted: #") for line in lines) == len(GOING)
    assert f"{len(GOING)} deleted; freed " in lines[-2]
    undo = lines[-1].removeprefix("Undo: ghcrctl ").split()
    shell.ok(*undo)
    assert there(github) >= GOING
    assert github.tags(NAME)["v1.0"] == digest_of(RELEASES[0])


def test_kept_versions_are_shown_on_demand_with_reasons(shell: Shell) -> None:
    lines = shell.ok("packages", "prune", NAME, *OLD, "--dry-run", "--show-kept")
    kept = lines[lines.index("Kept versions:") + 1 :]
    assert kept[0].split() == ["ID", "TAGS", "DIGEST", "KIND", "WHY"]
    assert len(kept) == 1 + len(manifests_of(RELEASES[2]))
    [newest] = [row for row in kept if "v1.2, latest" in row]
    assert len(newest.split("index")[1].strip()) > 3


def test_without_rules_only_unneeded_versions_are_deleted(
    shell: Shell, github: GitHubDouble
) -> None:
    before = there(github)
    shell.ok("packages", "prune", NAME, "--yes")
    assert before - there(github) == {digest_of(LOOSE)}


def test_nothing_to_do_is_a_success(shell: Shell, github: GitHubDouble) -> None:
    shell.ok("packages", "prune", NAME, "--yes")
    count = github.count("DELETE")
    [line] = shell.ok("packages", "prune", NAME)
    assert ": nothing to delete, " in line
    data = answer(shell, "prune", NAME, "--yes")
    assert planned(data) == []
    assert set(data["Counts"].values()) == {0}
    assert github.count("DELETE") == count


def test_versions_younger_than_six_hours_are_kept(shell: Shell, github: GitHubDouble) -> None:
    fresh = github.push(NAME, None, random_image(seed=77), ago(github, 0.24))
    assert fresh not in shell.ok("packages", "prune", NAME, "-n", "-q")
    assert fresh in shell.ok("packages", "prune", NAME, "-n", "-q", "--min-age", "0")


# Which packages


def test_all_packages_of_an_owner_are_pruned(shell: Shell, github: GitHubDouble) -> None:
    loose = github.push("octo/lib", None, random_image(seed=78), ago(github, 5))
    data = answer(shell, "prune", "--all", "octo", "--yes")
    assert {p["Package"] for p in data["Packages"]} == {
        f"{github.host}/octo/app",
        f"{github.host}/octo/lib",
    }
    assert set(planned(data)) == {loose, digest_of(LOOSE)}
    assert not {loose, digest_of(LOOSE)} & (there(github) | there(github, "octo/lib"))


def test_a_pattern_selects_matching_packages(shell: Shell, github: GitHubDouble) -> None:
    loose = github.push("octo/lib", None, random_image(seed=78), ago(github, 5))
    assert shell.ok("packages", "prune", "octo/l*", "--yes", "-q") == [loose]
    assert digest_of(LOOSE) in there(github)
    assert "octo/zzz" in shell.fails(4, "packages", "prune", "octo/zzz", "--yes")
    assert "octo/z*" in shell.fails(4, "packages", "prune", "octo/z*", "--yes")


def test_no_package_named_is_a_misuse(shell: Shell) -> None:
    assert "--all OWNER" in shell.fails(2, "packages", "prune")


# Policies


POLICIES = {
    "toml": '[defaults]\nkeep-last = 1\n[[packages]]\npackage = "octo/app"\ninclude = ["*"]\n',
    "yaml": "defaults:\n  keep-last: 1\npackages:\n- package: octo/app\n  include: ['*']\n",
}


@pytest.mark.parametrize("kind", sorted(POLICIES))
def test_a_policy_file_selects_deletions(shell: Shell, github: GitHubDouble, kind: str) -> None:
    (shell.folder / f"rules.{kind}").write_text(POLICIES[kind])
    shown = shell.ok("packages", "prune", "--policy", f"rules.{kind}", "--dry-run", "-q")
    assert set(shown) == GOING
    shell.ok("packages", "prune", "--policy", f"rules.{kind}", "--yes")
    assert not GOING & there(github)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("packages:\n- package: octo/app\n  keep-lst: 1\n", "keep-lst"),
        ("packages:\n- package: octo/app\n  keep-last: many\n", "keep-last"),
        ("packages:\n- package: octo/app\n  include: ['re:(']\n", "regular expression `(`"),
        ("packages:\n- keep-last: 1\n", "package"),
        ("packages: []\n", "packages"),
        ("bundles: []\n", "bundles"),
        ("packages: [\n", "rules.yaml"),
        ("- 1\n", "rules.yaml"),
        ("\0", "rules.yaml"),
    ],
)
def test_an_invalid_policy_file_is_refused_with_the_reason(
    shell: Shell, github: GitHubDouble, content: str, words: str
) -> None:
    (shell.folder / "rules.yaml").write_text(content)
    said = shell.fails(2, "packages", "prune", "--policy", "rules.yaml", "--yes")
    assert words in said
    assert github.count("DELETE") == 0


def test_a_missing_policy_file_is_reported(shell: Shell) -> None:
    assert "none.yaml" in shell.fails(4, "packages", "prune", "--policy", "none.yaml", "--yes")


def test_a_policy_file_and_rules_do_not_mix(shell: Shell) -> None:
    (shell.folder / "rules.toml").write_text(POLICIES["toml"])
    said = shell.fails(2, "packages", "prune", NAME, "--policy", "rules.toml", "--keep-last", "2")
    assert "--policy" in said


@pytest.mark.parametrize("when_empty", ["delete-package", "fail"])
def test_the_floor_takes_precedence_over_when_empty(
    shell: Shell, github: GitHubDouble, when_empty: str
) -> None:
    rules = ("--include", "*", "--when-empty", when_empty)
    shell.ok("packages", "prune", NAME, *rules, "--floor", "1", "--yes")
    assert set(github.tags(NAME)) == {"v1.2", "latest"}
    (shell.folder / "rules.yaml").write_text(
        f"packages: [{{package: octo/app, include: '*', floor: 1, when-empty: {when_empty}}}]"
    )
    shell.ok("packages", "prune", "--policy", "rules.yaml", "--yes")
    assert set(github.tags(NAME)) == {"v1.2", "latest"}


def test_a_rule_that_protects_nothing_is_reported_once(shell: Shell, github: GitHubDouble) -> None:
    github.push("octo/lib", "v9", random_image(seed=78), ago(github, 5))
    rules = ("--exclude", "v1.0", "--exclude", "lates", "--exclude", "v9", "--dry-run", "-q")
    done = shell.run("packages", "prune", "--all", "octo", *rules)
    assert done.returncode == 0
    [line] = done.stderr.splitlines()
    assert line == (
        "warning: exclude `lates` matches nothing in its packages, so it protects nothing"
    )


# Rules that cannot be used


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--include", "re:("), "regular expression `(`"),
        (("--exclude", "re:["), "regular expression `[`"),
        (("--include", "semver:>=one"), "version range `>=one`"),
        (("--keep-last", "2", "--group-by", "("), "regular expression `(`"),
        (("--group-by", "v"), "keep-last"),
        (("--keep-last", "-1"), "--keep-last"),
        (("--older-than", "soon"), "soon"),
        (("--older-than", "30"), "invalid time `--older-than 30`: a number needs a unit: ms, s, m"),
        (("--newer-than", "30"), "invalid time `--newer-than 30`: a number needs a unit: ms, s, m"),
        (("--min-age", "30"), "invalid duration `--min-age 30`: a number needs a unit: ms, s, m"),
        (("--min-age", "a while"), "a while"),
        (("--protect-digest", "sha256:12"), "sha256:12"),
        (("--when-empty", "panic"), "panic"),
        (("--include", "semver:" + "1" * 5000), "version range"),
    ],
)
def test_a_rule_that_cannot_be_used_is_refused(
    shell: Shell, github: GitHubDouble, arguments: tuple[str, ...], words: str
) -> None:
    assert words in shell.fails(2, "packages", "prune", NAME, *arguments, "--yes")
    assert github.count("DELETE") == 0


def test_a_missing_file_of_protected_digests_is_an_error(
    shell: Shell, github: GitHubDouble
) -> None:
    said = shell.fails(4, "packages", "prune", NAME, *OLD, "--protect-file", "none", "--yes")
    assert "no such file: none" in said
    assert not github.log


def test_images_named_in_a_file_are_kept(shell: Shell, github: GitHubDouble) -> None:
    (shell.folder / "deployed.yaml").write_text(f"image: {github.host}/{NAME}:v1.0\n")
    gone = shell.ok("packages", "prune", NAME, *OLD, "--protect-file", "deployed.yaml", "-y", "-q")
    assert set(gone) == manifests_of(RELEASES[1]) | {digest_of(LOOSE)}
    assert github.has(NAME, digest_of(RELEASES[0]))


@pytest.mark.parametrize("option", ["--closed-pull-requests", "--deleted-branches"])
def test_a_pattern_without_pull_request_or_branch_is_refused(
    shell: Shell, github: GitHubDouble, option: str
) -> None:
    github.api.pulls[NAME], github.api.branches[NAME] = [1], ["main"]
    said = shell.fails(2, "packages", "prune", NAME, option, "pr-", "--repository", NAME, "-y")
    assert "`pr-`" in said
    assert github.count("DELETE") == 0


@pytest.mark.parametrize(
    "rule", [("--include", "re:(a+)+$"), ("--keep-last", "1", "--group-by", "(a+)+$")]
)
def test_a_regex_that_would_never_end_ends(
    shell: Shell, github: GitHubDouble, rule: tuple[str, ...]
) -> None:
    github.push(NAME, "a" * 120 + "b", random_image(seed=80), ago(github, 60))
    began = time.monotonic()
    assert shell.ok("packages", "prune", NAME, *rule, "--dry-run", "-q") == [digest_of(LOOSE)]
    assert time.monotonic() - began < 10


# Refusals of GitHub


def test_versions_that_github_keeps_are_reported_without_failure(
    shell: Shell, github: GitHubDouble
) -> None:
    github.public.add(NAME)
    github.api.limits.popular.add(digest_of(LOOSE))
    data = answer(shell, "prune", NAME, "--yes")
    assert data["Counts"]["blocked"] == 1
    [version] = data["Packages"][0]["Versions"]
    assert version["State"] == "blocked"
    assert "5" in version["Why"]
    assert digest_of(LOOSE) in there(github)
    assert data["Freed"] == 0


@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_token_that_may_not_delete_ends_the_run(
    shell: Shell, github: GitHubDouble, format_: str
) -> None:
    github.api.scopes[TOKEN] = ("read:packages", "write:packages")
    done = shell.run("packages", "prune", NAME, *OLD, "--yes", "--format", format_)
    assert done.returncode == 5
    assert "delete:packages" in done.stderr
    assert "Traceback" not in done.stderr
    assert github.count("DELETE") == 1
    if format_ == "json":
        data = json.loads(done.stdout)
        assert data["Counts"]["denied"] == 1
        assert data["Counts"]["deleted"] == 0


def test_an_unreadable_version_keeps_everything_it_might_need(
    shell: Shell, github: GitHubDouble
) -> None:
    from tests.registry_double.faults import Fault

    github.faults.append(Fault(path_contains=digest_of(RELEASES[1]), status=500, times=99))
    done = shell.run("packages", "prune", NAME, "--yes")
    assert "Traceback" not in done.stderr
    assert digest_of(RELEASES[1]) in there(github)
    assert digest_of(LOOSE) in there(github)
    assert github.count("DELETE") == 0


# Plans in files


def test_a_plan_is_carried_out_as_it_was_written(shell: Shell, github: GitHubDouble) -> None:
    lines = shell.ok("packages", "prune", NAME, *OLD, "--plan", "plan.json")
    assert lines[-1] == "Apply it: ghcrctl packages apply plan.json"
    assert github.count("DELETE") == 0
    before = there(github)
    shown = answer(shell, "apply", "plan.json", "--dry-run")
    assert set(planned(shown)) == GOING
    data = answer(shell, "apply", "plan.json", "--yes")
    assert planned(data) == planned(shown)
    assert before - there(github) == GOING
    assert data["Journal"] == "plan.json.journal"
    assert (shell.folder / "plan.json.journal").exists()


def test_writing_a_plan_prints_it_in_the_given_format(shell: Shell) -> None:
    write = ("prune", NAME, *OLD, "--plan", "plan.json")
    assert set(planned(answer(shell, *write))) == GOING
    assert set(shell.ok("packages", *write, "-q")) == GOING
    assert len(shell.ok("packages", *write)) == 2
    assert len(shell.ok("packages", *write, "--dry-run")) == 3 + len(GOING)


def test_an_unwritable_plan_is_reported(shell: Shell, github: GitHubDouble) -> None:
    said = shell.fails(2, "packages", "prune", NAME, *OLD, "--plan", "none/plan.json", "--yes")
    assert "none" in said
    assert github.count("DELETE") == 0
