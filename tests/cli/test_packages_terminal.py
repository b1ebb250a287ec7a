"""``packages`` commands on a terminal: prompts, reviews and ``doctor``."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from contextlib import suppress
from typing import IO, TYPE_CHECKING

import pytest

from tests.builders import artifact
from tests.cli.test_packages import (
    LIBRARY,
    LOOSE,
    NAME,
    SETTINGS,
    TOKEN,
    ago,
    digest_of,
    github,
    shell,
    there,
)
from tests.cli.test_packages_prune import GOING, OLD

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.packages_double import GitHubDouble
    from tests.shell import Shell

__all__ = ["github", "shell"]

QUESTION = "Continue?"


class Terminal:
    """A ``packages`` command on a terminal."""

    def __init__(self, shell: Shell, *arguments: str, stdout: IO[bytes] | None = None) -> None:
        self._leader, follower = pty.openpty()
        self.resize(200)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ghcrctl", "packages", *arguments],
            env={k: v for k, v in shell.environ.items() if (k, v) != ("COLUMNS", "80")}
            | {"TERM": "xterm"},
            cwd=shell.folder,
            stdin=follower,
            stdout=stdout or follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)

    def until(self, words: str) -> None:
        """Wait until a text is shown."""
        end = time.monotonic() + 30
        while words not in self.shown:
            assert time.monotonic() < end, self.shown
            assert self.read(), self.shown

    def resize(self, columns: int) -> None:
        """Change the width of the terminal and clear the recorded output."""
        fcntl.ioctl(self._leader, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.shown = ""

    def type(self, text: str) -> None:
        os.write(self._leader, text.encode())

    def ended(self) -> int:
        """Wait for the end and return the exit status."""
        while self.read():
            pass
        os.close(self._leader)
        return self.process.wait(timeout=30)

    def interrupt(self) -> None:
        """Press Ctrl-C repeatedly, because Python ignores it just before it reads a line."""
        while self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=5)

    def read(self) -> bool:
        readable, _, _ = select.select([self._leader], [], [], 60)
        assert readable, f"nothing more is shown: {self.shown}"
        try:
            some = os.read(self._leader, 65536)
        except OSError:
            # Linux reports the closed other end with this error.
            return False
        self.shown += some.decode(errors="replace")
        return bool(some)


# Prompts


@pytest.mark.parametrize("reply", ["n\n", "\n", "\x04"], ids=["no", "nothing", "end"])
def test_no_deletes_nothing(shell: Shell, github: GitHubDouble, reply: str) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD)
    terminal.until(QUESTION)
    assert f"This will delete {len(GOING)} versions" in terminal.shown
    assert "WHY" in terminal.shown
    terminal.type(reply)
    assert terminal.ended() == 130
    assert github.count("DELETE") == 0
    assert "Traceback" not in terminal.shown


def test_yes_deletes_the_shown_versions(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    terminal = Terminal(shell, "prune", NAME, *OLD)
    terminal.until(QUESTION)
    terminal.type("y\n")
    assert terminal.ended() == 0
    assert f"{len(GOING)} deleted; freed " in terminal.shown
    assert before - there(github) == GOING


def test_ctrl_c_at_the_question_deletes_nothing(shell: Shell, github: GitHubDouble) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD)
    terminal.until(QUESTION)
    terminal.interrupt()
    assert terminal.ended() == 130
    assert github.count("DELETE") == 0
    assert "Traceback" not in terminal.shown


def test_yes_on_the_command_line_skips_the_prompt(shell: Shell, github: GitHubDouble) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--yes")
    assert terminal.ended() == 0
    assert QUESTION not in terminal.shown
    assert not GOING & there(github)


def test_json_output_also_prompts(shell: Shell, github: GitHubDouble) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--format", "json")
    terminal.until(QUESTION)
    terminal.type("n\n")
    assert terminal.ended() == 130
    assert github.count("DELETE") == 0


@pytest.mark.parametrize(
    ("typed", "status"), [("octo/lib\n", 0), ("y\n", 130), ("octo/app\n", 130)]
)
def test_a_whole_package_is_deleted_only_after_typing_its_name(
    shell: Shell, github: GitHubDouble, typed: str, status: int
) -> None:
    terminal = Terminal(shell, "delete", "octo/lib")
    terminal.until("Type octo/lib to delete the whole package")
    terminal.type(typed)
    assert terminal.ended() == status
    assert ("octo/lib" in github.content.packages) == bool(status)


def test_a_long_plan_is_cut_before_the_question(shell: Shell, github: GitHubDouble) -> None:
    for number in range(40):
        github.push("octo/lib", None, artifact(payload=f"{number}".encode()), ago(github, 5))
    terminal = Terminal(shell, "prune", "octo/lib")
    terminal.until(QUESTION)
    assert "... and 10 more; --dry-run shows all" in terminal.shown
    assert "This will delete 40 versions" in terminal.shown
    terminal.type("n\n")
    assert terminal.ended() == 130


# The doctor


def without_token(shell: Shell, _: GitHubDouble) -> None:
    del shell.environ["GHCRCTL_TOKEN"]


def fine_grained(shell: Shell, github: GitHubDouble) -> None:
    github.accounts["octo"] = shell.environ["GHCRCTL_TOKEN"] = "github_pat_11A_x"


def job_token(shell: Shell, github: GitHubDouble) -> None:
    github.api.organizations.add("octo")
    github.accounts["octo"] = shell.environ["GHCRCTL_TOKEN"] = "ghs_job"


def revoked(shell: Shell, _: GitHubDouble) -> None:
    shell.environ["GHCRCTL_TOKEN"] = "ghp_revoked"


def narrow(_: Shell, github: GitHubDouble) -> None:
    github.api.scopes[TOKEN] = ("read:packages",)


@pytest.mark.parametrize(
    ("change", "alone", "named", "words"),
    [
        (without_token, 0, 5, ["no token for", "fix: sign in: ghcrctl login"]),
        (fine_grained, 0, 5, ["does not support fine-grained tokens", "fix: use a classic token"]),
        (job_token, 0, 0, ["may not list packages"]),
        (revoked, 5, 5, ["page: https://github.com/settings/tokens/new"]),
        (narrow, 0, 0, ["but not write:packages", "delete:packages"]),
    ],
    ids=["none", "fine-grained", "job", "revoked", "narrow"],
)
def test_doctor_lists_missing_permissions_of_a_token(
    shell: Shell,
    github: GitHubDouble,
    change: Callable[[Shell, GitHubDouble], None],
    alone: int,
    named: int,
    words: list[str],
) -> None:
    github.public.add(NAME)
    change(shell, github)
    token = shell.run("packages", "doctor")
    package = shell.run("packages", "doctor", NAME)
    assert (token.returncode, package.returncode) == (alone, named), package.stdout
    assert package.stdout.startswith(token.stdout)
    for word in words:
        assert word in token.stdout
    secret = shell.environ.get("GHCRCTL_TOKEN", TOKEN)
    assert secret not in package.stdout + package.stderr


def test_doctor_finds_a_healthy_package_well(shell: Shell) -> None:
    lines = shell.ok("packages", "doctor", "octo/lib")
    assert any(line.startswith("ok token: a classic") for line in lines), lines
    assert "ok package: it exists, and is public" in lines
    assert "ok pull by everybody: works without login" in lines
    assert "ok repository: linked to octo/lib" in lines
    assert not any(line.startswith(("XX", "!!")) for line in lines)


def test_doctor_names_the_page_where_it_is_mended(shell: Shell) -> None:
    lines = shell.ok("packages", "doctor", NAME)
    assert any(line.startswith("!! repository: not linked") for line in lines)
    assert f"     page: {SETTINGS}" in lines


def test_doctor_answers_in_json(shell: Shell) -> None:
    found = json.loads("\n".join(shell.ok("packages", "doctor", NAME, "--format", "json")))
    [link] = [data for data in found if data["Question"] == "repository"]
    assert (link["Health"], link["Page"]) == ("warning", SETTINGS)


def test_doctor_of_a_missing_package_is_not_found(shell: Shell) -> None:
    done = shell.run("packages", "doctor", "octo/nothing")
    assert done.returncode == 4
    assert "XX package: GitHub has no package octo/nothing" in done.stdout
    assert "packages list octo" in done.stdout


def test_doctor_changes_nothing_and_downloads_nothing(shell: Shell, github: GitHubDouble) -> None:
    shell.ok("packages", "doctor", "octo/lib")
    assert {entry.method for entry in github.log} <= {"GET", "HEAD"}
    assert github.count("GET", "/manifests/") == 0
    assert there(github, "octo/lib") == {digest_of(LIBRARY)}


def test_doctor_opens_the_page_of_the_first_problem(shell: Shell) -> None:
    browser = shell.folder / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {shell.folder}/opened\n')
    browser.chmod(0o755)
    shell.environ["BROWSER"] = f"{browser} %s"
    shell.ok("packages", "doctor", NAME, "--open")
    assert (shell.folder / "opened").read_text() == f"{SETTINGS}\n"


def test_doctor_prints_the_url_without_a_browser(shell: Shell) -> None:
    shell.environ["BROWSER"] = "/nonexistent/browser %s"
    shell.environ["PATH"] = "/nonexistent"
    done = shell.run("packages", "doctor", NAME, "--open")
    assert done.returncode == 0
    assert f"warning: cannot open a browser; open {SETTINGS}" in done.stderr


# Reviews

DRAWN = "\x1b[J"


def test_a_review_at_the_question_takes_versions_out(shell: Shell, github: GitHubDouble) -> None:
    before = there(github)
    terminal = Terminal(shell, "prune", NAME, *OLD)
    terminal.until(QUESTION)
    terminal.type("r\n")
    terminal.until(DRAWN)
    # Only the untagged image is excluded.
    terminal.type(f"/{digest_of(LOOSE)[:20]}\r \r")
    terminal.until(f"This will delete {len(GOING) - 1} versions")
    terminal.type("y\n")
    assert terminal.ended() == 0
    assert before - there(github) == GOING - {digest_of(LOOSE)}


@pytest.mark.parametrize("key", ["q", "\x1b", "\x03", "\x04"], ids=["q", "escape", "^C", "^D"])
def test_a_review_is_given_up(shell: Shell, github: GitHubDouble, key: str) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review", "--yes")
    terminal.until(DRAWN)
    terminal.type(key)
    assert terminal.ended() == 130
    assert github.count("DELETE") == 0
    assert "Traceback" not in terminal.shown
    # The screen is restored.
    assert terminal.shown.count("\x1b[?1049l") == terminal.shown.count("\x1b[?1049h") == 1


def test_a_review_that_lets_all_stay_deletes_nothing(shell: Shell, github: GitHubDouble) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review")
    terminal.until(DRAWN)
    terminal.type("a\r")
    assert terminal.ended() == 0
    assert "nothing to delete" in terminal.shown
    assert github.count("DELETE") == 0


def test_a_review_may_end_in_a_plan(shell: Shell, github: GitHubDouble) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review", "--plan", "plan.json")
    terminal.until(DRAWN)
    terminal.type(f"/{digest_of(LOOSE)[:20]}\r \r")
    assert terminal.ended() == 0
    [plan] = json.loads((shell.folder / "plan.json").read_text())["plans"]
    assert {step["digest"] for step in plan["steps"]} == GOING - {digest_of(LOOSE)}
    assert github.count("DELETE") == 0


def test_a_review_follows_the_size_of_its_terminal(shell: Shell) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review")
    terminal.until(DRAWN)
    terminal.resize(60)
    terminal.until(DRAWN)
    terminal.type("q")
    assert terminal.ended() == 130


@pytest.mark.parametrize("environ", [{}, {"COLUMNS": "30", "LINES": "3"}], ids=["", "stale"])
def test_a_review_is_as_wide_as_its_own_terminal(shell: Shell, environ: dict[str, str]) -> None:
    # Standard output is a file, and the variables may be stale.
    shell.environ.update(environ)
    with (shell.folder / "out").open("wb") as out:
        terminal = Terminal(shell, "prune", NAME, *OLD, "--review", stdout=out)
        terminal.until(DRAWN)
    assert "created" in terminal.shown.lower()
    assert "space keep/delete" in terminal.shown
    terminal.type("q")
    assert terminal.ended() == 130


def test_a_key_sent_in_pieces_is_one_key(shell: Shell) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review")
    terminal.until(DRAWN)
    for piece in ("\x1b", "[", "B"):
        terminal.type(piece)
        time.sleep(0.01)
    terminal.shown = ""
    terminal.until(DRAWN)
    # The cursor moved down one line. An escape would have ended the review.
    terminal.type(" ")
    terminal.until("kept: ")
    terminal.type("q")
    assert terminal.ended() == 130


def test_a_review_requires_a_terminal(shell: Shell, github: GitHubDouble) -> None:
    error = shell.fails(7, "packages", "prune", NAME, *OLD, "--review", "--yes")
    assert "cannot open a review: there is no terminal" in error
    assert "--plan FILE" in error
    assert github.count("DELETE") == 0


def test_no_input_excludes_a_review(shell: Shell) -> None:
    terminal = Terminal(shell, "prune", NAME, *OLD, "--review", "--no-input")
    assert terminal.ended() == 7
    assert DRAWN not in terminal.shown
    assert "prompts are disabled by --no-input" in terminal.shown
