"""Docker's command names as a user types them: groups, aliases, help, flags and unknown
commands."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import TYPE_CHECKING

import click
import pytest

from ghcrctl.cli.app import App
from ghcrctl.cli.commands.images.image import WORDS
from ghcrctl.cli.main import COMMANDS, cli
from ghcrctl.cli.main import _run as run_commands

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., tuple[int, str, str]]

GROUPS = ("", "artifact", "image", "lock", "manifest", "packages", "system")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run ghcrctl in this process; return exit status, output and errors."""
    monkeypatch.setenv("GHCRCTL_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("GHCRCTL_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)

    def runs(*arguments: str) -> tuple[int, str, str]:
        status = run_commands(App(), arguments)
        written = capsys.readouterr()
        return status, written.out, written.err

    return runs


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize("more", [(), ("-D",), ("--no-input=true",), ("--store", "x")])
def test_a_group_without_a_command_prints_its_help(
    run: Run, group: str, more: tuple[str, ...]
) -> None:
    words = group.split()
    _, wanted, _ = run(*words, "--help")
    assert run(*words, *more) == (0, wanted, "")
    assert run("help", *words)[:2] == (0, wanted)
    assert wanted.count("Usage: ") == 1


@pytest.mark.parametrize("word", WORDS)
def test_an_image_command_is_the_command_of_the_store(run: Run, word: str) -> None:
    status, shown, _ = run("image", word, "--help")
    own = WORDS[word][0]
    assert status == 0
    wanted = run(own, "--help")[1]
    assert shown.replace(f"ghcrctl image {word}", f"ghcrctl {own}").split() == wanted.split()


@pytest.mark.parametrize(
    "line", ["image ls -q", "image list", "system df", "system info", "info", "system prune -f"]
)
def test_dockers_longer_names_work(run: Run, line: str) -> None:
    status, shown, errors = run(*line.split())
    assert (status, errors) == (0, "")
    assert shown or "-q" in line


def test_help_describes_a_command(run: Run) -> None:
    assert run("help", "packages", "prune")[1] == run("packages", "prune", "--help")[1]
    status, _, errors = run("help", "packages", "nothing")
    assert (status, errors.splitlines()[0]) == (2, "error: unknown command `packages nothing`")
    assert run("help", "pull", "more")[0] == 2


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("completion", "missing argument SHELL: expected bash, zsh, fish or powershell"),
        ("completion cmd", "invalid value `cmd` for SHELL: expected bash, zsh, fish or powershell"),
        ("rmi", "missing argument NAME|ID|DIGEST..."),
        ("artifact push x y", "missing option --type"),
        ("images a b", "unexpected argument `b`"),
        ("images a b c", "unexpected arguments `b c`"),
        ("images --fromat json", "unknown option `--fromat`; did you mean `--format`?"),
        ("prune --froce", "unknown option `--froce`"),
        ("images -Z", "unknown option `-Z`"),
        ("images --format", "option --format requires a value"),
        ("images --quiet=yes", "invalid value `yes` for --quiet: expected true or false"),
        ("prune --keep-last x", "invalid value `x` for --keep-last: expected a whole number of"),
        ("prune --keep-last -1", "invalid value `-1` for --keep-last: expected a whole number of"),
        ("images --sort x", "invalid value `x` for --sort: expected created, name,"),
        ("run alpine", "`run` is for containers; ghcrctl only handles images"),
        ("buildx imagetools inspect x", "`buildx imagetools inspect` has another name here"),
        ("cop a b", "unknown command `cop`"),
        ("packages prnue", "unknown command `packages prnue`"),
    ],
)
def test_a_usage_error_is_printed_once_with_a_hint(run: Run, line: str, wanted: str) -> None:
    status, shown, errors = run(*line.split())
    first, *hints = errors.splitlines()
    assert (status, shown) == (2, "")
    assert first.startswith(f"error: {wanted}")
    assert len(hints) == 1
    assert hints[0].startswith("hint: ")
    assert "\\" not in errors


@pytest.mark.parametrize("word", COMMANDS)
def test_no_command_shows_messages_of_click(run: Run, word: str) -> None:
    for arguments in (("--nope",), ("--store",), ("a", "b", "c", "d", "--nope=1")):
        status, shown, errors = run(word, *arguments)
        assert (status, shown) == (2, "")
        assert "o such" not in errors
        assert "'" not in errors
        assert len(errors.splitlines()) == 2


def test_boolean_flags_take_values(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("images", "-q=true") == (0, "", "")
    assert run("images", "-q=true", "--quiet=false")[1].startswith("REPOSITORY")
    assert run("images", "-f=dangling=true") == run("images", "--filter", "dangling=true")
    assert run("images", "--help=true")[1].startswith("Usage: ")
    monkeypatch.setenv("GHCRCTL_NO_INPUT", "1")
    assert "--no-input" in run("prune")[2]
    assert "--no-input" not in run("prune", "--no-input=false")[2]


def test_versions_and_information_have_dockers_fields(run: Run) -> None:
    assert run("version", "-f", "{{.Client.Version}}")[1].strip() == run("--version")[1].split()[1]
    assert run("info", "-f", "{{.Images}} {{.ContainersRunning}}")[1] == "0 0\n"
    assert json.loads(run("info", "--format", "json")[1])["Images"] == 0


@pytest.mark.parametrize(
    ("machine", "architecture"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("vax", "vax")]
)
def test_the_version_has_dockers_name_of_the_processor(
    run: Run, monkeypatch: pytest.MonkeyPatch, machine: str, architecture: str
) -> None:
    system = os.uname_result(("Linux", "host", "6.1", "1", machine))
    monkeypatch.setattr(os, "uname", lambda: system)
    assert run("version", "-f", "{{.Client.Arch}}")[1] == f"{architecture}\n"
    assert f"/{architecture}\n" in run("version")[1]


def test_history_shows_times_as_docker_does(run: Run, tmp_path: Path) -> None:
    write_archive(tmp_path / "x.tar", ["", "1970-01-01T00:00:00Z", "2024-01-02T03:04:05.5Z"])
    assert run("load", "-q", "-i", "x.tar")[0] == 0
    show = ("history", "old:1", "--format")
    newest_first = ["2024-01-02T03:04:05Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z"]
    assert run(*show, "{{.CreatedAt}}")[1].split() == newest_first
    assert run("history", "-H=false", "old:1")[1].split().count(newest_first[2]) == 1
    since = run(*show, "{{.CreatedSince}}")[1].splitlines()
    assert since[1:] == ["N/A", "N/A"]
    assert since[0].endswith(" ago")
    assert run("images", "--format", "{{.CreatedAt}}")[1] == "0001-01-01 00:00:00 +0000 UTC\n"
    assert run("inspect", "-f", "{{.Created}} {{.Comment}}", "old:1")[1] == (
        "0001-01-01T00:00:00Z last\n"
    )


def write_archive(path: Path, times: list[str]) -> None:
    """Write a docker archive of an image without layers, with a history entry per time."""
    steps = [{"created": time} if time else {} for time in times]
    history = [{**step, "empty_layer": True, "comment": "last"} for step in steps]
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "history": history,
        "rootfs": {"type": "layers", "diff_ids": []},
    }
    listed = [{"Config": "config.json", "RepoTags": ["old:1"], "Layers": []}]
    with tarfile.open(path, "w") as archive:
        for name, document in (("config.json", config), ("manifest.json", listed)):
            content = json.dumps(document).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def test_the_aliases_are_not_listed() -> None:
    listed = cli.list_commands(click.Context(cli))
    assert "image" not in listed
    assert "info" in listed


def test_all_images_can_be_removed_by_id(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree.tar").write_bytes(bytes(1024))
    for name in ("one", "two"):
        assert run("import", "-c", f"ENV A={name}", "tree.tar", name)[0] == 0
    assert run("tag", "one", "octo/one:1", "octo/other:1")[0] == 0
    ids = run("images", "-q")[1].split()
    assert len(ids) == len(set(ids)) == 2
    assert run("rmi", *ids)[0] == 7
    assert run("rmi", "-f", *run("images", "-q")[1].split())[0] == 0
    assert run("images", "-q") == (0, "", "")


def test_a_format_wins_over_quiet_and_shows_every_name(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tree.tar").write_bytes(bytes(1024))
    assert run("import", "tree.tar", "one")[0] == 0
    assert run("tag", "one", "two")[0] == 0
    assert run("images", "-q", "--format", "{{.Repository}}")[1].split() == ["one", "two"]
    assert len(run("images", "-q", "--format", "json")[1].splitlines()) == 2
    assert len(run("images", "-q", "--format", "table")[1].splitlines()) == 1
    assert run("images", "-q", "--format", "table {{.Tag}}")[1].split()[0] == "TAG"


def test_v_is_the_short_form_of_version(run: Run) -> None:
    assert run("-v") == run("--version")
