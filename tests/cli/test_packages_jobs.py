"""``packages`` commands in GitHub Actions: outputs, annotations, job tokens and secrets."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.format.markdown import cell
from tests.builders import artifact
from tests.cli.test_packages import (
    LOOSE,
    NAME,
    RELEASES,
    TOKEN,
    ago,
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
    from tests.registry_double.wsgi import Answer, Environ
    from tests.shell import Shell

__all__ = ["github", "shell"]


@pytest.fixture
def job(shell: Shell) -> Shell:
    """A shell in a job step."""
    shell.environ |= {
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(shell.folder / "output"),
        "GITHUB_STEP_SUMMARY": str(shell.folder / "summary.md"),
    }
    return shell


def outputs(path: Path) -> dict[str, str]:
    """Parse outputs in the format of Actions: NAME<<MARK, lines, MARK."""
    found: dict[str, str] = {}
    lines = iter(path.read_text().splitlines())
    for line in lines:
        name, mark = line.split("<<")
        value = []
        for part in lines:
            if part == mark:
                break
            value.append(part)
        found[name] = "\n".join(value)
    return found


def rows(markdown: str) -> list[str]:
    return [line for line in markdown.splitlines() if line.startswith("|")]


# Outputs and summary


def test_a_step_gets_outputs(job: Shell) -> None:
    data = answer(job, "prune", NAME, *OLD, "--yes")
    assert outputs(job.folder / "output") == {
        "planned": str(len(GOING)),
        "deleted": str(len(GOING)),
        "failed": "0",
        "freed": str(data["Freed"]),
        "journal": data["Journal"],
    }


def test_a_dry_run_sets_planned_outputs(job: Shell, github: GitHubDouble) -> None:
    data = answer(job, "prune", NAME, *OLD, "--dry-run")
    found = outputs(job.folder / "output")
    assert (found["planned"], found["deleted"]) == (str(len(GOING)), "0")
    assert (found["freed"], found["journal"]) == (str(data["Freed"]), "")
    assert "dry run" in (job.folder / "summary.md").read_text()
    assert github.count("DELETE") == 0


def test_writing_a_plan_sets_outputs_too(job: Shell) -> None:
    job.ok("packages", "prune", NAME, *OLD, "--plan", "plan.json")
    found = outputs(job.folder / "output")
    assert (found["planned"], found["deleted"]) == (str(len(GOING)), "0")
    assert "dry run" in (job.folder / "summary.md").read_text()


def test_the_summary_is_a_table_of_deletions(job: Shell, github: GitHubDouble) -> None:
    job.ok("packages", "prune", NAME, *OLD, "--yes")
    text = (job.folder / "summary.md").read_text()
    assert text.startswith(f"### ghcrctl: {len(GOING)} deleted\n")
    headers, line, *body = rows(text)
    assert headers.count("|") == line.count("|") == 7
    assert len(body) == len(GOING)
    assert all(row.count("|") == 7 and row.endswith("| deleted |") for row in body)
    ids = {int(row.split("|")[1]) for row in body}
    assert ids == {record.id for record in github.deleted(NAME)}


def test_a_whole_package_is_summed_up_as_deleted(job: Shell, github: GitHubDouble) -> None:
    count = len(there(github))
    job.ok("packages", "delete", NAME, "--yes")
    _, _, *body = rows((job.folder / "summary.md").read_text())
    assert len(body) == count
    assert all(row.endswith("| deleted |") for row in body)


def test_two_steps_add_to_one_summary(job: Shell) -> None:
    job.ok("packages", "prune", NAME, "--yes")
    job.ok("packages", "prune", NAME, "--yes")
    text = (job.folder / "summary.md").read_text()
    assert text.count("### ghcrctl") == 2
    assert "nothing to do" in text


def test_a_long_summary_is_cut(job: Shell, github: GitHubDouble) -> None:
    for number in range(130):
        image = artifact(payload=f"{number}".encode())
        github.push(NAME, None, image, ago(github, 5))
    job.ok("packages", "prune", NAME, "--dry-run")
    _, _, *body = rows((job.folder / "summary.md").read_text())
    assert len(body) == 101
    assert body[-1].startswith("| ... | and ")
    assert body[-1].count("|") == 7


def test_outside_of_a_job_nothing_is_written(job: Shell) -> None:
    del job.environ["GITHUB_ACTIONS"]
    done = job.run("packages", "prune", NAME, *OLD, "--yes")
    assert done.returncode == 0
    assert not (job.folder / "output").exists()
    assert not (job.folder / "summary.md").exists()
    assert "::" not in done.stderr


def test_an_unwritable_summary_is_reported(job: Shell, github: GitHubDouble) -> None:
    job.environ["GITHUB_STEP_SUMMARY"] = str(job.folder / "none" / "summary.md")
    done = job.run("packages", "prune", NAME, "--yes")
    assert "Traceback" not in done.stderr
    assert "summary.md" in done.stderr
    assert digest_of(LOOSE) not in there(github)


@pytest.mark.parametrize(
    "text",
    [
        "a|b",
        "<img src=x onerror=alert(1)>",
        "`code`",
        "line\nbreak\r\n| x |",
        "[link](https://example.com)",
        "**bold** _under_",
        "a\\|b",
        "&lt;",
        "![](x)",
        "a\u2028b\x0bc",
        "\x1b[31m",
        "https://example.com/@octo #1",
    ],
)
def test_a_cell_holds_nothing_that_means_anything(text: str) -> None:
    written = cell(text)
    assert not set("|<>`*_[]\\") & set(written)
    assert len(written.splitlines()) <= 1
    assert all(re.match(r"&#\d+;", written[m.start() :]) for m in re.finditer("&", written))
    assert all(char.isprintable() for char in written)


# Annotations


def marks(said: str, kind: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith(f"::{kind} ")]


def test_a_denial_is_marked_on_one_line(job: Shell, github: GitHubDouble) -> None:
    github.api.scopes[TOKEN] = ("read:packages",)
    done = job.run("packages", "prune", NAME, *OLD, "--yes")
    assert done.returncode == 5
    [error] = marks(done.stderr, "error")
    assert error.startswith("::error title=ghcrctl (denied)::")
    [warning] = marks(done.stderr, "warning")
    assert "Denied: #" in warning
    found = outputs(job.folder / "output")
    assert (found["deleted"], found["failed"]) == ("0", "1")
    assert found["journal"].endswith(".journal")
    assert "1 denied" in (job.folder / "summary.md").read_text()


def test_a_broken_image_is_marked(job: Shell, github: GitHubDouble) -> None:
    github.lose(NAME, min(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])}))
    done = job.run("packages", "check", NAME)
    assert done.returncode == 6
    [error] = marks(done.stderr, "error")
    assert "v1.1" in error


def test_a_version_that_github_keeps_is_marked_as_a_warning(
    job: Shell, github: GitHubDouble
) -> None:
    github.public.add(NAME)
    github.api.limits.popular.add(digest_of(LOOSE))
    done = job.run("packages", "prune", NAME, "--yes")
    found = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert [mark.split("::")[1] for mark in found] == ["warning title=ghcrctl"]


def test_a_file_of_several_lines_in_its_name_marks_one_line(
    job: Shell, github: GitHubDouble
) -> None:
    github.api.scopes[TOKEN] = ("read:packages",)
    job.ok("packages", "prune", NAME, *OLD, "--plan", "plan.json")
    nasty = job.folder / "plan\n::set-output name=x::y %0A.json"
    (job.folder / "plan.json").rename(nasty)
    done = job.run("packages", "apply", str(nasty), "--yes")
    assert done.returncode == 5
    lines = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert {line.split("::")[1].partition(" ")[2] for line in lines} <= {
        "title=ghcrctl",
        "title=ghcrctl (denied)",
    }
    assert outputs(job.folder / "output")["journal"] == f"{nasty}.journal"


@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
def test_messages_of_github_cannot_inject_workflow_commands(
    job: Shell, github: GitHubDouble, debug: tuple[str, ...]
) -> None:
    def refuse(environ: Environ, answer: Answer) -> None:
        if environ["REQUEST_METHOD"] == "DELETE":
            answer.status = 403
            answer.body = [b'{"message": "no\\n::stop-commands::x\\r\\n::add-mask::y"}']
            answer.headers["Content-Type"] = "application/json"

    github.api.after = refuse
    done = job.run("packages", "prune", NAME, "--yes", *debug)
    assert done.returncode == 5, done.stderr
    for line in (done.stdout + done.stderr).splitlines():
        assert not line.startswith(("::stop-commands", "::add-mask")), line
    assert "stop-commands" in done.stderr
    assert len(rows((job.folder / "summary.md").read_text())) == 3


# Job tokens


def as_job(shell: Shell, github: GitHubDouble, token: str = "ghs_job") -> Shell:
    github.api.organizations.add("octo")
    github.accounts["octo"] = token
    shell.environ["GHCRCTL_TOKEN"] = token
    return shell


@pytest.mark.parametrize(
    "arguments",
    [("list", "octo"), ("prune", "--all", "octo", "--yes"), ("check", "octo/*")],
    ids=["list", "prune", "check"],
)
def test_a_job_token_that_cannot_list_gets_a_hint(
    job: Shell, github: GitHubDouble, arguments: tuple[str, ...]
) -> None:
    done = as_job(job, github).run("packages", *arguments)
    assert done.returncode == 5, done.stderr
    assert "it can never list an owner's packages" in done.stderr
    assert "hint: " in done.stderr
    assert "Traceback" not in done.stderr
    assert "ghs_job" not in done.stderr


def test_a_job_token_requires_an_owner(job: Shell, github: GitHubDouble) -> None:
    assert "packages list OWNER" in as_job(job, github).fails(4, "packages", "list")


def test_a_jobs_token_prunes_a_package_that_is_named(job: Shell, github: GitHubDouble) -> None:
    as_job(job, github).ok("packages", "prune", NAME, "--yes")
    assert digest_of(LOOSE) not in there(github)


def test_doctor_lists_missing_permissions_of_a_job_token(job: Shell, github: GitHubDouble) -> None:
    lines = as_job(job, github).ok("packages", "doctor", NAME)
    assert any("may not list packages" in line for line in lines)


# Secrets


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "octo"),
        ("show", NAME),
        ("versions", NAME),
        ("prune", NAME, *OLD, "--plan", "plan.json"),
        ("prune", NAME, *OLD, "--yes", "--format", "json"),
        ("delete", f"{NAME}:v9", "--yes"),
        ("untag", f"{NAME}:latest"),
        ("check", NAME),
        ("doctor", NAME),
        ("restore", "octo/nothing"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_no_secret_is_shown_or_kept(
    job: Shell, github: GitHubDouble, arguments: tuple[str, ...]
) -> None:
    done = job.run("packages", *arguments, "--debug")
    assert "debug: " in done.stderr
    assert TOKEN not in done.stdout + done.stderr
    for path in job.folder.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    assert github.count() > 0
