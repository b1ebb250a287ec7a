"""The manual pages: one a command, in step with the code, and without anything that roff minds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.completion.shells import script
from ghcrctl.cli.main import cli
from tests.architecture.sources import ROOT
from tests.integration.peers import require_peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = ROOT / "docs" / "man"


def commands(group: click.Group, path: str) -> Iterator[str]:
    context = click.Context(group)
    yield path
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from commands(command, f"{path}-{name}")
        else:
            yield f"{path}-{name}"


def test_each_command_has_a_page_and_no_page_is_left_over() -> None:
    assert {path.stem for path in PAGES.glob("*.1")} == set(commands(cli, "ghcrctl"))


def test_pages_are_those_of_the_code() -> None:
    program = (
        "import sys; sys.path.insert(0, 'docs'); import manual\n"
        "wrong = [p.name for p, text in manual.pages().items() if p.read_text() != text]\n"
        "sys.exit(', '.join(wrong) or 0)"
    )
    environ = {**os.environ, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"run `make man`: {done.stderr}"


def test_roff_finds_nothing_wrong_with_any_page() -> None:
    pages = sorted(map(str, PAGES.glob("*.1")))
    command = [require_peer("groff"), "-ww", "-man", "-Tutf8", "-K", "utf8", "-z"]
    done = subprocess.run([*command, *pages], capture_output=True, text=True, check=True)
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["ghcrctl", "ghcrctl-pull", "ghcrctl-packages-prune"])
def test_man_shows_a_page_without_a_warning(name: str) -> None:
    done = subprocess.run(
        [require_peer("man"), "--warnings", "-E", "UTF-8", "-l", str(PAGES / f"{name}.1")],
        env={**os.environ, "MANWIDTH": "80", "MAN_KEEP_FORMATTING": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == ""
    shown = re.sub(r".\x08", "", done.stdout)
    assert name.replace("-", " ") in shown
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE ALSO"):
        assert re.search(rf"^{heading}$", shown, re.MULTILINE)
    assert "--debug" in shown


def test_the_page_of_the_program_has_variables_files_and_statuses() -> None:
    text = (PAGES / "ghcrctl.1").read_text(encoding="utf-8")
    assert {"EXIT STATUS", "ENVIRONMENT", "FILES"} <= set(re.findall(r"\.SH (.+)", text))
    assert "GHCRCTL_STORE" in text
    assert "config.toml" in text


def test_a_wheel_has_the_pages_and_the_scripts_of_shells(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        shared = {
            name.partition(".data/data/")[2]: archive.read(name)
            for name in archive.namelist()
            if ".data/data/" in name
        }
        package = set(archive.namelist())
    pages = {f"share/man/man1/{path.name}": path.read_bytes() for path in PAGES.glob("*.1")}
    scripts = {
        "share/bash-completion/completions/ghcrctl": script("bash").encode(),
        "share/zsh/site-functions/_ghcrctl": script("zsh").encode(),
        "share/fish/vendor_completions.d/ghcrctl.fish": script("fish").encode(),
    }
    assert shared == pages | scripts
    assert "ghcrctl/cli/explanations/denied.md" in package
    assert "ghcrctl/cli/completion/scripts/ghcrctl.ps1" in package
