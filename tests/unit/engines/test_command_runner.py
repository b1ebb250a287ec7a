"""Running commands: their output, errors and termination."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.engines.build_request import Command, PrivateArgument
from ghcrctl.engines.command_runner import Runner
from ghcrctl.errors import UnsupportedError
from tests.unit.engines.programs import install

if TYPE_CHECKING:
    from pathlib import Path


class Notes:
    """The messages of a runner."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.debugged: list[str] = []


@pytest.fixture
def notes() -> Notes:
    return Notes()


def runner_in(folder: Path, notes: Notes, *, quiet: bool = False) -> Runner:
    environ = {"PATH": str(folder), "WHO": "octo"}
    log = folder / "log"
    return Runner(environ, log, quiet=quiet, tell=notes.told.append, debug=notes.debugged.append)


def command(folder: Path, body: str, *arguments: str, **more: object) -> Command:
    return Command(install(folder, "engine", body), "build", arguments, **more)  # type: ignore[arg-type]


def test_build_output_is_shown(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    runner_in(tmp_path, notes).build(command(tmp_path, "echo step $2; echo hm >&2", "one"))
    assert capfd.readouterr() == ("step one\n", "hm\n")
    assert not notes.told


def test_relayed_output_keeps_its_order(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    lines: list[str] = []
    runner = Runner({}, tmp_path / "log", tell=notes.told.append, relay=lines.append)
    runner.build(command(tmp_path, r"echo one; printf 'two\r\n' >&2; printf '\nfour\377'"))
    runner.step(command(tmp_path, "echo unseen"))
    assert lines == ["one", "two", "", "four\ufffd"]
    assert capfd.readouterr() == ("", "")


def test_relay_does_not_wait_for_background_processes(
    tmp_path: Path, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ghcrctl.engines.output_relay._REST_SECONDS", 0.1)
    lines: list[str] = []
    runner = Runner({}, tmp_path / "log", tell=notes.told.append, relay=lines.append)
    left = tmp_path / "left"
    body = f"echo started; while [ ! -e {left} ]; do /bin/sleep 0.05; done &"
    runner.build(command(tmp_path, body))
    left.touch()
    assert lines == ["started"]


def test_quiet_build_prints_nothing(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    runner_in(tmp_path, notes, quiet=True).build(command(tmp_path, "echo step; echo hm >&2"))
    assert capfd.readouterr() == ("", "")
    assert not notes.told


def test_failed_quiet_build_prints_its_output(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = runner_in(tmp_path, notes, quiet=True)
    with pytest.raises(UnsupportedError, match=r"^engine build failed with status 3$"):
        runner.build(command(tmp_path, "echo step; echo hm >&2; exit 3"))
    assert notes.told == ["step\nhm"]
    assert capfd.readouterr() == ("", "")


def test_failed_build_error_has_the_status(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UnsupportedError, match=r"^engine build failed with status 125$"):
        runner_in(tmp_path, notes).build(command(tmp_path, "echo seen >&2; exit 125"))
    assert capfd.readouterr().err == "seen\n"
    assert not notes.told


def test_killed_build_error_has_the_signal(tmp_path: Path, notes: Notes) -> None:
    with pytest.raises(UnsupportedError, match=r"^engine build was killed by signal 9$"):
        runner_in(tmp_path, notes).build(command(tmp_path, "kill -9 $$"))


def test_failed_step_error_has_its_last_line(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    runner = runner_in(tmp_path, notes)
    runner.step(command(tmp_path, "echo fine"))
    with pytest.raises(UnsupportedError, match=r"^engine build failed with status 1: no room$"):
        runner.step(command(tmp_path, "echo copying; echo no room >&2; exit 1"))
    assert not runner.attempt(command(tmp_path, "exit 1"))
    assert runner.attempt(command(tmp_path, "exit 0"))
    assert capfd.readouterr() == ("", "")


def test_failed_step_without_output(tmp_path: Path, notes: Notes) -> None:
    with pytest.raises(UnsupportedError, match=r"^engine build failed with status 1$"):
        runner_in(tmp_path, notes).step(command(tmp_path, "exit 1"))


@pytest.mark.parametrize("quiet", [False, True])
def test_standard_output_is_written_to_a_file(tmp_path: Path, notes: Notes, *, quiet: bool) -> None:
    image = tmp_path / "image"
    runner_in(tmp_path, notes, quiet=quiet).build(
        command(tmp_path, "printf 'the image'", stdout=image)
    )
    assert image.read_text() == "the image"


def test_command_environment_extends_the_users(
    tmp_path: Path, notes: Notes, capfd: pytest.CaptureFixture[str]
) -> None:
    made = command(tmp_path, 'echo "$WHO $HOW"', environ={"HOW": "well"})
    runner_in(tmp_path, notes).build(made)
    assert capfd.readouterr().out == "octo well\n"


def test_private_arguments_are_not_logged(tmp_path: Path, notes: Notes) -> None:
    made = command(
        tmp_path, "exit 0", "--file=x", PrivateArgument("--secret=id=a"), PrivateArgument("b")
    )
    runner_in(tmp_path, notes).build(made)
    assert notes.debugged == [f"run {tmp_path / 'engine'} build --file=x --secret=... ..."]


def test_program_that_cannot_be_run_is_named(tmp_path: Path, notes: Notes) -> None:
    with pytest.raises(UnsupportedError, match=r"cannot run .*nothing: No such file"):
        runner_in(tmp_path, notes).build(Command(str(tmp_path / "nothing"), "build", ()))


@pytest.mark.parametrize(
    "body",
    [
        "exec /bin/sleep 60",
        # The command cleans up after a signal.
        'trap "echo cleared > $0.left; exit 1" INT; while :; do /bin/sleep 0.05; done',
    ],
)
def test_ctrl_c_stops_the_command(tmp_path: Path, notes: Notes, body: str) -> None:
    made = command(tmp_path, f"echo $$ > $0.pid; {body}")
    interrupt_when(tmp_path / "engine.pid")
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        runner_in(tmp_path, notes).build(made)
    assert time.monotonic() - began < 10
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "engine.pid").read_text()), 0)
    assert (tmp_path / "engine.left").exists() is ("trap" in body)


def interrupt_when(path: Path) -> None:
    """Send SIGINT to this process when a file exists."""

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not (path.exists() and path.read_text()) and time.monotonic() < deadline:
            time.sleep(0.02)
        # The parent may still be starting the command.
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()
