"""``packages apply`` and ``restore --run``: previews, nightly plans, lost responses, failures."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from ghcrctl.operations.packages.journal import State, read_journal
from tests.builders import index_of, random_image
from tests.cli.test_packages import (
    NAME,
    RELEASES,
    answer,
    digest_of,
    github,
    manifests_of,
    shell,
    there,
)
from tests.cli.test_packages_apply import Gate, plan, started
from tests.cli.test_packages_prune import GOING
from tests.registry_double.faults import Fault
from tests.unit.operations.packages.losses import Loss, restores

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "plan", "shell"]


# Previews


def test_a_dry_run_of_apply_shows_current_deletions(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    github.push(NAME, "stable", RELEASES[0])
    gone = next(iter(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])}))
    github.lose(NAME, gone)
    writes = github.count("POST") + github.count("PUT")
    data = answer(shell, "apply", plan.name, "--dry-run")
    lines = shell.ok("packages", "apply", plan.name, "--dry-run")
    quiet = shell.ok("packages", "apply", plan.name, "--dry-run", "-q")
    assert github.count("DELETE") == 0
    assert github.count("POST") + github.count("PUT") == writes
    assert list(shell.folder.glob("*.journal*")) == []
    would = {v["Digest"]: v["State"] for v in data["Packages"][0]["Versions"]}
    assert (data["DryRun"], data["Journal"]) == (True, None)
    assert would[gone] == "already gone"
    assert {would[digest] for digest in manifests_of(RELEASES[0])} == {"changed"}
    assert data["Counts"]["planned"] == list(would.values()).count("planned") > 0
    assert sum(data["Counts"].values()) == len(GOING)
    assert set(quiet) == {digest for digest, state in would.items() if state == "planned"}
    assert f"{data['Counts']['planned']} to delete, 1 already gone" in lines[-1]
    assert "; frees " in lines[-1]
    assert any(
        line.startswith("Skipped: ") and line.endswith("it is now tagged `stable`")
        for line in lines
    )
    assert not any(line.startswith(("Undo", "Deleted")) for line in lines)
    # The run does the same.
    done = answer(shell, "apply", plan.name, "--yes")
    became = {v["Digest"]: v["State"] for v in done["Packages"][0]["Versions"]}
    assert became == {d: "deleted" if s == "planned" else s for d, s in would.items()}
    assert done["Freed"] == data["Freed"] > 0


def test_a_dry_run_after_a_run_has_nothing_to_do(shell: Shell, plan: Path) -> None:
    shell.ok("packages", "apply", plan.name, "--yes")
    before = (shell.folder / "plan.json.journal").read_bytes()
    data = answer(shell, "apply", plan.name, "--dry-run")
    assert data["Counts"]["deleted"] == len(GOING)
    assert data["Counts"]["planned"] == 0
    shell.ok("packages", "restore", "--run", "plan.json.journal")
    restored = (shell.folder / "plan.json.journal").read_bytes()
    assert restored.startswith(before)
    assert answer(shell, "apply", plan.name, "--dry-run")["Counts"]["planned"] == len(GOING)
    assert (shell.folder / "plan.json.journal").read_bytes() == restored


def test_a_dry_run_predicts_retained_versions(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    github.lose(NAME, digest_of(RELEASES[2]))
    data = answer(shell, "apply", plan.name, "--dry-run")
    done = answer(shell, "apply", plan.name, "--yes")
    assert data["Counts"]["retained"] == done["Counts"]["retained"] == 1
    assert data["Counts"]["planned"] == done["Counts"]["deleted"]


def test_a_dry_run_of_a_missing_package_is_reported(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    github.content.remove_package(NAME)
    shell.fails(4, "packages", "apply", plan.name, "--dry-run")


# The same file every night


def test_a_plan_file_can_be_used_every_night(shell: Shell, github: GitHubDouble) -> None:
    before, tags = there(github), github.tags(NAME)
    kept = []
    for old in ("v1.0", "v1.1"):
        shell.ok("packages", "prune", NAME, "--include", old, "--plan", "plan.json")
        data = answer(shell, "apply", "plan.json", "--yes")
        assert data["Counts"]["deleted"] == len(data["Packages"][0]["Versions"]) > 0
        assert data["Journal"] == "plan.json.journal"
        kept.append(data["SetAside"])
    assert kept[0] is None
    assert kept[1].startswith("plan.json.2")
    assert digest_of(RELEASES[0]) in {e.digest for e in read_journal(shell.folder / kept[1])}
    # Both nights can be undone, the older one first.
    shell.ok("packages", "restore", "--run", kept[1])
    assert digest_of(RELEASES[0]) in there(github)
    assert digest_of(RELEASES[1]) not in there(github)
    shell.ok("packages", "restore", "--run", "plan.json")
    assert there(github) == before
    assert github.tags(NAME) == tags


def test_a_journal_that_is_set_aside_is_named(shell: Shell) -> None:
    for old in ("v1.0", "v1.1"):
        shell.ok("packages", "prune", NAME, "--include", old, "--plan", "plan.json")
        lines = shell.ok("packages", "apply", "plan.json", "--yes")
    [aside] = shell.folder.glob("plan.json.*.journal")
    assert f"Journal of another plan kept as: {aside.name}" in lines


# Lost responses and kills


@pytest.mark.parametrize("status", [0, 503])
def test_lost_responses_are_counted_and_undone(
    shell: Shell, github: GitHubDouble, plan: Path, status: int
) -> None:
    before, tags = there(github), github.tags(NAME)
    shell.environ["GHCRCTL_RETRIES"] = "2"
    github.api.after = Loss(status=status)
    data = answer(shell, "apply", plan.name, "--yes")
    assert data["Counts"]["deleted"] == len(GOING)
    assert sum(data["Counts"].values()) == len(GOING)
    github.api.after = Loss("POST", status)
    lines = shell.ok("packages", "restore", "--run", plan.name)
    assert lines[-1] == f"{len(GOING)} restored"
    assert (there(github), github.tags(NAME)) == (before, tags)
    posts = restores(github)
    assert shell.ok("packages", "restore", "--run", plan.name)[-1] == "0 restored"
    assert restores(github) == posts


def test_a_restore_that_was_killed_is_completed_by_the_next(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    before, tags = there(github), github.tags(NAME)
    shell.ok("packages", "apply", plan.name, "--yes")
    gate = Gate(github, 3, method="POST")
    process = started(shell, "restore", "--run", plan.name)
    assert gate.reached.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=15)
    gate.opened.set()
    data = answer(shell, "restore", "--run", plan.name)
    outcomes = [v["Outcome"] for v in data["Versions"]]
    # Two deletions were recorded. The third took effect without a response, or is restored now.
    assert outcomes.count("is there") + outcomes.count("restored") == len(GOING)
    assert outcomes.count("is there") >= 2
    assert (there(github), github.tags(NAME)) == (before, tags)
    states = {e.id: e.state for e in read_journal(shell.folder / "plan.json.journal")}
    assert set(states.values()) == {State.RESTORED}


def test_a_package_is_restored_with_a_run_repeatedly(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    data = answer(shell, "delete", NAME, "--yes")
    assert data["Counts"]["deleted"] == len(before)
    lines = shell.ok("packages", "restore", "--run", data["Journal"])
    assert lines[-1] == f"{len(before)} restored"
    assert shell.ok("packages", "restore", "--run", data["Journal"])[-1] == "0 restored"
    assert there(github) == before
    assert restores(github) == 1


def test_quiet_prints_the_digests_of_a_whole_package(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    assert set(shell.ok("packages", "delete", NAME, "--yes", "-q")) == before


# Early ends


@pytest.mark.parametrize("how", ["revoked before", "revoked at", "scope"])
def test_a_rejected_token_ends_a_run_and_the_rest_is_named(
    shell: Shell, github: GitHubDouble, plan: Path, how: str
) -> None:
    before = there(github)

    def revoke(method: str, path: str) -> None:
        if len(github.deleted(NAME)) < 2:
            return
        if how == "scope":
            github.api.scopes["ghp_octo"] = ("read:packages",)
        elif method == "DELETE" or (how == "revoked before" and "/versions/" in path):
            github.accounts["octo"] = "ghp_other"

    github.api.before = revoke
    done = shell.run("packages", "apply", plan.name, "--yes")
    assert done.returncode == 5, done.stderr
    lines = done.stdout.splitlines()
    named = {line.split()[3] for line in lines if line.startswith("Not attempted: ")}
    denied = {line.split()[2].rstrip(":") for line in lines if line.startswith("Denied: ")}
    assert named | denied == GOING - {r.digest for r in github.deleted(NAME)}
    assert len(denied) == (how != "revoked before")
    assert "hint: continue with" not in done.stderr
    assert ("unset GHCRCTL_TOKEN" in done.stderr) == (how != "scope")
    assert len(before) - len(there(github)) == 2
    requests = github.count()
    github.api.before = lambda _method, _path: None
    github.accounts["octo"] = "ghp_octo"
    github.api.scopes.clear()
    assert requests == github.count()
    shell.ok("packages", "apply", plan.name, "--yes")
    assert before - there(github) == GOING


def test_a_rejected_token_ends_the_plans_of_other_packages_too(
    shell: Shell, github: GitHubDouble
) -> None:
    github.push("octo/lib", "2.0", RELEASES[0])
    shell.ok("packages", "prune", "octo/*", "--keep-last", "1", "--include", "*", "--min-age", "0s",
             "--plan", "plan.json")  # fmt: skip
    github.api.scopes["ghp_octo"] = ("read:packages",)
    data = answer(shell, "apply", "plan.json", "--yes", status=5)
    assert github.count("DELETE") == 1
    assert len(data["Packages"]) == 2
    assert data["Counts"]["denied"] == 1
    states = [v["State"] for p in data["Packages"] for v in p["Versions"]]
    assert data["Counts"]["planned"] == states.count("planned") == len(states) - 1 > 0


def test_a_role_that_lacks_for_one_package_does_not_stop_the_others(
    shell: Shell, github: GitHubDouble
) -> None:
    github.push("octo/lib", "2.0", RELEASES[0])
    shell.ok("packages", "prune", "octo/*", "--keep-last", "1", "--include", "*", "--min-age", "0s",
             "--plan", "plan.json")  # fmt: skip
    github.api.admins[NAME] = {"another"}
    data = answer(shell, "apply", "plan.json", "--yes", status=5)
    counts = data["Counts"]
    assert (counts["denied"], counts["deleted"]) == (1, 1)
    assert set(github.tags("octo/lib")) == {"2.0"}


def test_a_missing_package_does_not_stop_the_others(shell: Shell, github: GitHubDouble) -> None:
    github.push("octo/lib", "2.0", RELEASES[0])
    shell.ok("packages", "prune", "octo/*", "--keep-last", "1", "--include", "*", "--min-age", "0s",
             "--plan", "plan.json")  # fmt: skip
    github.content.remove_package(NAME)
    done = shell.run("packages", "apply", "plan.json", "--yes")
    assert done.returncode == 4, done.stderr
    assert "octo/app" in done.stderr
    assert "Not attempted: " in done.stdout
    assert set(github.tags("octo/lib")) == {"2.0"}


def test_an_undo_that_ends_early_names_the_rest(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    shell.ok("packages", "apply", plan.name, "--yes")

    def revoke(method: str, _path: str) -> None:
        if method == "POST" and restores(github) == 1:
            github.accounts["octo"] = "ghp_other"

    github.api.before = revoke
    data = answer(shell, "restore", "--run", plan.name, status=5)
    outcomes = [v["Outcome"] for v in data["Versions"]]
    assert outcomes == ["restored", "failed", *["planned"] * (len(GOING) - 2)]
    github.api.before = lambda _method, _path: None
    github.accounts["octo"] = "ghp_octo"
    github.faults.append(Fault("POST", after=1, hang_up=True))
    done = shell.run("packages", "restore", "--run", plan.name)
    assert done.returncode == 3
    assert done.stdout.splitlines()[-1] == f"1 restored, 1 failed, {len(GOING) - 3} not attempted"
    assert sum(line.startswith("Not attempted: #") for line in done.stdout.splitlines()) > 0
    assert done.stderr.count("error: ") == 1
    shell.ok("packages", "restore", "--run", plan.name)
    assert there(github) >= GOING


# Concurrent pushes


@pytest.mark.parametrize("when", ["first", "every"])
def test_an_image_reused_during_deletion_of_its_index_is_kept(
    shell: Shell, github: GitHubDouble, plan: Path, when: str
) -> None:
    pushed: list[str] = []
    indexes = {digest_of(release): n for n, release in enumerate(RELEASES[:2])}
    ids = {github.content.packages[NAME].by_digest[d].id: n for d, n in indexes.items()}

    def push(method: str, path: str) -> None:
        # The index is about to be deleted, after all checks.
        number = ids.get(int(path.rpartition("/")[2])) if method == "DELETE" else None
        if number is not None and (when == "every" or not pushed):
            pushed.append(f"re{number}")
            reused, new = random_image(seed=number), random_image(seed=100 + number)
            github.push(NAME, f"re{number}", index_of(reused, new))

    github.api.before = push
    shell.ok("packages", "apply", plan.name, "--yes")
    assert len(pushed) == (2 if when == "every" else 1)
    tags = github.tags(NAME)
    assert all(github.has(NAME, tags[tag]) for tag in pushed)
