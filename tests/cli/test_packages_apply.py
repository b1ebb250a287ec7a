"""``packages apply``: kills, Ctrl-C, resumed runs and invalid plans."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.operations.packages.journal import State, read_journal
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
from tests.cli.test_packages_prune import GOING, OLD

if TYPE_CHECKING:
    from pathlib import Path

    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]


class Gate:
    """Blocks the n-th deletion, or another request, until it is opened."""

    def __init__(self, github: GitHubDouble, number: int, method: str = "DELETE") -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self._left = number
        self._method = method
        github.api.meanwhile = self._before

    def _before(self, method: str, _path: str) -> None:
        if method != self._method:
            return
        self._left -= 1
        if self._left == 0:
            self.reached.set()
            assert self.opened.wait(30)


@pytest.fixture
def plan(shell: Shell) -> Path:
    """Write a plan that deletes old versions."""
    shell.ok("packages", "prune", NAME, *OLD, "--plan", "plan.json")
    return shell.folder / "plan.json"


def started(shell: Shell, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ghcrctl", "packages", *arguments],
        env=shell.environ,
        cwd=shell.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def deletions(github: GitHubDouble) -> list[str]:
    """Return the paths of deletions that GitHub executed."""
    return [e.path for e in github.log if e.method == "DELETE" and e.status == 204]


# Invalid plans


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"schema": "ghcrctl/plan/99"}',
        '{"schema": "ghcrctl/journal/1"}\n',
        "[" * 100_000,
        '{"schema": "ghcrctl/plan/1", "plans": [{"steps": 3}]}',
        '{"schema": "ghcrctl/plan/1", "packages": [{"steps": [{"id": "x"}]}]}',
    ],
    ids=range(10),
)
def test_an_invalid_plan_is_refused(shell: Shell, github: GitHubDouble, content: str) -> None:
    (shell.folder / "plan.json").write_text(content)
    assert "plan.json" in shell.fails(2, "packages", "apply", "plan.json", "--yes")
    assert github.count("DELETE") == 0


@pytest.mark.parametrize("key", ["id", "digest", "steps", "owner", "registry", "package"])
def test_a_plan_that_was_tampered_with_is_refused(
    shell: Shell, github: GitHubDouble, plan: Path, key: str
) -> None:
    def spoilt(data: object) -> object:
        if isinstance(data, dict):
            return {k: {"no": "use"} if k == key else spoilt(v) for k, v in data.items()}
        return [spoilt(item) for item in data] if isinstance(data, list) else data

    before = plan.read_text()
    plan.write_text(json.dumps(spoilt(json.loads(before))))
    assert plan.read_text() != before
    shell.fails(2, "packages", "apply", "plan.json", "--yes")
    assert github.count("DELETE") == 0


@pytest.mark.parametrize("key", ["tags", "reason", "kind", "package"])
@pytest.mark.parametrize("format_", ["text", "json"])
def test_a_plan_writes_nothing_to_the_terminal_but_text(
    shell: Shell, github: GitHubDouble, plan: Path, key: str, format_: str
) -> None:
    data = json.loads(plan.read_text())
    nasty = "x\x1b[31m\u202e\ny"
    [one] = data["plans"]
    if key == "package":
        one[key] = nasty
    else:
        for step in one["steps"]:
            step[key] = [nasty] if key == "tags" else nasty
    plan.write_text(json.dumps(data))
    done = shell.run("packages", "apply", plan.name, "--dry-run", "--format", format_)
    assert done.returncode in {0, 2}, done.stderr
    assert not {"\x1b", "\u202e"} & set(done.stdout + done.stderr)
    assert "\ny" not in done.stdout
    assert github.count("DELETE") == 0


def test_a_plan_is_not_executed_without_confirmation(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    done = shell.run("packages", "apply", plan.name)
    assert done.returncode == 7
    assert "standard input is not a terminal" in done.stderr
    assert github.count("DELETE") == 0


def test_a_journal_that_is_none_is_left_alone(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    other = shell.folder / "plan.json.journal"
    other.write_text("my notes\n")
    assert "plan.json.journal" in shell.fails(2, "packages", "apply", plan.name, "--yes")
    assert other.read_text() == "my notes\n"
    assert github.count("DELETE") == 0


# Changes since the plan


def test_versions_tagged_since_the_plan_are_kept_and_reported(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    github.push(NAME, "stable", RELEASES[0])
    data = answer(shell, "apply", plan.name, "--yes")
    assert github.has(NAME, digest_of(RELEASES[0]))
    assert data["Counts"]["changed"] >= len(manifests_of(RELEASES[0]))
    assert data["Counts"]["deleted"] == len(GOING) - data["Counts"]["changed"]
    [entry] = [v for v in data["Packages"][0]["Versions"] if v["Digest"] == digest_of(RELEASES[0])]
    assert (entry["State"], entry["Why"]) == ("changed", "it is now tagged `stable`")


def test_the_last_tagged_version_is_retained_without_failure(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    github.lose(NAME, digest_of(RELEASES[2]))
    data = answer(shell, "apply", plan.name, "--yes")
    states = {v["Digest"]: v["State"] for v in data["Packages"][0]["Versions"]}
    retained = [digest for digest, state in states.items() if state == "retained"]
    assert data["Counts"]["retained"] == 1
    assert github.has(NAME, retained[0])
    assert len(github.tags(NAME)) == 1


def test_failed_deletions_are_reported_and_retried_by_the_next_run(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    def fail(method: str, _path: str) -> None:
        github.api.limits.errors = int(method == "DELETE")

    github.api.before = fail
    data = answer(shell, "apply", plan.name, "--yes", status=3)
    assert data["Counts"]["failed"] > 0
    assert data["Counts"]["deleted"] == data["Freed"] == 0
    assert there(github) >= GOING
    github.api.before = lambda _method, _path: None
    shell.ok("packages", "apply", plan.name, "--yes")
    assert not GOING & there(github)


def test_a_second_start_deletes_nothing_twice_and_counts_all(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    shell.ok("packages", "apply", plan.name, "--yes")
    count = github.count("DELETE")
    data = answer(shell, "apply", plan.name, "--yes")
    assert github.count("DELETE") == count
    assert data["Counts"]["deleted"] == len(GOING)


# Kills


def test_a_killed_run_resumes_and_is_undone_as_a_whole(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    before, tags = there(github), github.tags(NAME)
    gate = Gate(github, 4)
    process = started(shell, "apply", plan.name, "--yes")
    assert gate.reached.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=15)
    assert process.returncode == -signal.SIGKILL
    journal = shell.folder / "plan.json.journal"
    assert [e.state for e in read_journal(journal)][-1] is State.BEGUN
    # GitHub still executes the pending request, but its response is lost.
    gate.opened.set()
    data = answer(shell, "apply", plan.name, "--yes")
    assert before - there(github) == GOING
    assert data["Counts"]["deleted"] + data["Counts"]["already gone"] == len(GOING)
    paths = deletions(github)
    assert len(paths) == len(set(paths)) == len(GOING)
    noted = {entry.digest for entry in read_journal(journal) if entry.state is State.DELETED}
    assert noted == GOING
    lines = shell.ok("packages", "restore", "--run", journal.name)
    assert lines[-1] == f"{len(GOING)} restored"
    assert there(github) == before
    assert github.tags(NAME) == tags


def test_a_package_with_a_killed_deletion_is_restored(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    gate = Gate(github, 1)
    process = started(shell, "delete", NAME, "--yes")
    assert gate.reached.wait(30)
    process.kill()
    process.communicate(timeout=15)
    gate.opened.set()
    [plan] = shell.folder.rglob("*-octo-app.json")
    shell.ok("packages", "apply", str(plan), "--yes")
    assert NAME not in github.content.packages
    assert len(deletions(github)) == 1
    shell.ok("packages", "restore", "--run", f"{plan}.journal")
    assert there(github) == before


def test_two_runs_of_one_plan_do_not_meet(shell: Shell, github: GitHubDouble, plan: Path) -> None:
    before = there(github)
    gate = Gate(github, 2)
    process = started(shell, "apply", plan.name, "--yes")
    assert gate.reached.wait(30)
    said = shell.run("packages", "apply", plan.name, "--yes")
    gate.opened.set()
    out, err = process.communicate(timeout=30)
    assert said.returncode == 7, said.stderr
    assert "plan.json.journal" in said.stderr
    assert "another" in said.stderr
    assert process.returncode == 0, err
    assert f"{len(GOING)} deleted" in out
    assert before - there(github) == GOING
    assert len(deletions(github)) == len(GOING)


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "term"]
)
def test_an_interrupted_run_resumes(
    shell: Shell, github: GitHubDouble, plan: Path, number: int, status: int
) -> None:
    before = there(github)
    gate = Gate(github, 3)
    process = started(shell, "apply", plan.name, "--yes")
    assert gate.reached.wait(30)
    process.send_signal(number)
    told, said = process.communicate(timeout=15)
    gate.opened.set()
    assert process.returncode == status, said
    assert "2 deleted; freed " in told
    assert "hint: continue with: ghcrctl packages apply plan.json" in said
    assert "Traceback" not in said
    assert before - there(github) < GOING
    shell.ok("packages", "apply", plan.name, "--yes")
    assert before - there(github) == GOING
    assert len(deletions(github)) == len(GOING)


def test_a_prune_that_was_interrupted_leaves_its_plan_to_go_on_with(
    shell: Shell, github: GitHubDouble
) -> None:
    before = there(github)
    gate = Gate(github, 3)
    process = started(shell, "prune", NAME, *OLD, "--yes")
    assert gate.reached.wait(30)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=15)
    gate.opened.set()
    [plan] = [p for p in shell.folder.rglob("*-octo-app.json") if p.is_file()]
    assert f"packages apply {plan}" in said
    shell.ok("packages", "apply", str(plan), "--yes")
    assert before - there(github) == GOING


def test_a_rate_limit_shows_how_to_resume(shell: Shell, github: GitHubDouble, plan: Path) -> None:
    def end_of_hour(method: str, _path: str) -> None:
        if method == "DELETE" and len(deletions(github)) == 2:
            github.api.limits.remaining = 0
            github.api.limits.reset = time.time() + 4000

    github.api.before = end_of_hour
    done = shell.run("packages", "apply", plan.name, "--yes")
    assert done.returncode == 3, done.stderr
    assert "hint: continue with: ghcrctl packages apply plan.json" in done.stderr
    assert "2 deleted" in done.stdout
    github.api.before = lambda _method, _path: None
    github.api.limits.remaining = None
    shell.ok("packages", "apply", plan.name, "--yes")
    assert not GOING & there(github)
    assert len(deletions(github)) == len(GOING)


# Disks and streams


def test_a_journal_that_cannot_be_begun_lets_nothing_be_deleted(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    (shell.folder / "plan.json.journal").mkdir()
    shell.fails(8, "packages", "apply", plan.name, "--yes")
    assert github.count("DELETE") == 0


def test_a_state_directory_that_is_none_lets_nothing_be_deleted(
    shell: Shell, github: GitHubDouble
) -> None:
    (shell.folder / "state").write_text("")
    shell.environ["XDG_STATE_HOME"] = str(shell.folder / "state")
    said = shell.run("packages", "prune", NAME, *OLD, "--yes")
    assert said.returncode == 8, said.stderr
    assert str(shell.folder / "state") in said.stderr
    assert github.count("DELETE") == 0


def test_without_any_standard_input_nothing_is_deleted(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    command = f"exec {sys.executable} -m ghcrctl packages apply {plan.name} <&-"
    done = subprocess.run(
        ["sh", "-c", command],
        env=shell.environ,
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 7, done.stderr
    assert "standard input is not a terminal" in done.stderr
    assert github.count("DELETE") == 0


def test_an_answer_that_is_piped_in_is_none(shell: Shell, github: GitHubDouble, plan: Path) -> None:
    assert shell.run("packages", "apply", plan.name, stdin="y\n").returncode == 7
    assert github.count("DELETE") == 0


def test_a_reader_that_leaves_early_does_not_lose_the_journal(
    shell: Shell, github: GitHubDouble, plan: Path
) -> None:
    process = started(shell, "apply", plan.name, "--yes")
    assert process.stdout
    process.stdout.close()
    process.wait(timeout=30)
    assert process.stderr
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert process.returncode == 141
    shell.ok("packages", "apply", plan.name, "--yes")
    assert not GOING & there(github)
    assert len(deletions(github)) == len(GOING)


@pytest.mark.parametrize(("name", "status"), [(".", 2), ("none.json", 4), ("none/plan.json", 4)])
def test_a_path_that_is_not_a_file_is_reported(shell: Shell, name: str, status: int) -> None:
    assert name in shell.fails(status, "packages", "apply", name, "--yes")
