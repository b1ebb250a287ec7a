"""The benchmark: what it makes, how it measures, what it says."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.bench.content import TAG, make_layout
from tests.bench.measure import CommandError, Result, Run, run, take_turns
from tests.bench.rows import ROWS, Row
from tests.bench.table import lines, markdown, plain, show
from tests.bench.targets import Target

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = 1_000_000


def result(name: str, *seconds: float, peak: int = MEGABYTE) -> Result:
    return Result(name, tuple(Run(each, peak) for each in seconds))


def row(target: Target | None = None) -> Row:
    return Row("pull", "about", target or Target("quick"), lambda _: {})


@pytest.mark.parametrize(
    ("seconds", "middle", "spread"),
    [
        ((2.0,), 2.0, (2.0, 2.0)),
        ((3.0, 1.0, 9.0), 3.0, (1.0, 9.0)),
        ((4.0, 1.0), 2.5, (1.0, 4.0)),
    ],
)
def test_a_result_is_the_median_between_the_least_and_the_most(
    seconds: tuple[float, ...], middle: float, spread: tuple[float, float]
) -> None:
    found = result("ours", *seconds)
    assert found.seconds == middle
    assert found.spread == spread


def test_the_peak_of_a_result_is_that_of_its_largest_run() -> None:
    assert Result("ours", (Run(1.0, 5), Run(1.0, 7), Run(1.0, 6))).peak == 7


def test_contestants_take_turns() -> None:
    order: list[str] = []

    def contestant(name: str) -> Run:
        order.append(name)
        return Run(float(len(order)), len(order))

    found = take_turns({"ours": lambda: contestant("a"), "theirs": lambda: contestant("b")}, 2)
    assert order == ["a", "b", "a", "b"]
    assert [(one.name, [r.peak for r in one.runs]) for one in found] == [
        ("ours", [1, 3]),
        ("theirs", [2, 4]),
    ]


def test_a_ratio_is_of_ours_to_theirs_by_medians() -> None:
    ours, theirs = result("ghcrctl", 1.0, 9.0, 2.0, peak=40 * MEGABYTE), result("skopeo", 4.0)
    assert lines([(row(), [ours, theirs])]) == [
        ("pull", "ghcrctl", "2.000 (1.000 to 9.000)", "", "40", "", "quick", "yes"),
        ("", "skopeo", "4.000 (4.000 to 4.000)", "0.50", "1", "", "", ""),
    ]


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        (Target("", {"skopeo": 0.5}), True),
        (Target("", {"skopeo": 0.49}), False),
        (Target("", {"skopeo": 0.5, "cp": 0.4}), False),
        (Target("", {"a rival that is not installed": 0.1}), True),
        (Target("", peak=40 * MEGABYTE), True),
        (Target("", peak=39 * MEGABYTE), False),
        (Target("", requests=9), True),
        (Target("", requests=8), False),
    ],
)
def test_a_target_is_kept_only_within_all_of_its_limits(target: Target, kept: bool) -> None:
    ours = Result("ghcrctl", (Run(2.0, 40 * MEGABYTE, 9),))
    assert target.is_met([ours, result("skopeo", 4.0), result("cp", 4.0)]) is kept


def test_the_page_lists_missed_targets_with_their_reason() -> None:
    missed = Target("quick", {"skopeo": 0.1}, why_missed="Python starts slowly.")
    page = markdown([(row(missed), [result("ghcrctl", 2.0), result("skopeo", 4.0)])], 600)
    assert "Target: quick (missed)." in page
    assert "## Missed targets\n\n- **pull**: Python starts slowly.\n" in page
    kept = markdown([(row(), [result("ghcrctl", 2.0)])], 600)
    assert "Target: quick (met)." in kept
    assert "Missed" not in kept


def test_every_rival_of_a_row_is_set_against_ours() -> None:
    rivals = [result("skopeo", 1.0), result("crane", 8.0)]
    shown = lines([(row(), [result("ghcrctl", 2.0), *rivals])])
    assert [(who, ratio) for _, who, _, ratio, *_ in shown] == [
        ("ghcrctl", ""),
        ("skopeo", "2.00"),
        ("crane", "0.25"),
    ]


def test_plain_lines_are_aligned() -> None:
    head, ours, theirs = plain(
        [
            ("pull", "ghcrctl", "2.0", "", "40", "9", "quick", "yes"),
            ("", "skopeo", "4.0", "0.50", "1", "12", "", ""),
        ]
    )
    assert head.split()[:3] == ["job", "client", "seconds"]
    assert head.index("client") == ours.index("ghcrctl") == theirs.index("skopeo")
    assert head.index("peak MB") == ours.index("40")
    assert head.index("requests") == ours.index("9") == theirs.index("12")


def test_what_is_no_terminal_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    show([(row(), [result("ghcrctl", 2.0), result("skopeo", 4.0)])])
    title, *said = capsys.readouterr().out.splitlines()
    assert title.startswith("Whole commands")
    assert said == plain(lines([(row(), [result("ghcrctl", 2.0), result("skopeo", 4.0)])]))


def test_rows_that_were_all_left_out_leave_the_headers() -> None:
    assert [line.split()[0] for line in plain([])] == ["job"]


def test_rows_have_names_of_their_own() -> None:
    names = [one.name for one in ROWS]
    assert len(set(names)) == len(names)


def test_the_memory_that_a_command_took_is_seen(tmp_path: Path) -> None:
    def peak(taken: int) -> int:
        program = f"held = bytearray(b'x') * {taken}"
        return run([sys.executable, "-I", "-S", "-c", program], os.environ, tmp_path / "log").peak

    more = peak(80 * MEGABYTE) - peak(1)
    assert 70 * MEGABYTE < more < 90 * MEGABYTE


def test_the_time_that_a_command_took_is_seen(tmp_path: Path) -> None:
    program = "import time; time.sleep(0.2)"
    done = run([sys.executable, "-I", "-S", "-c", program], os.environ, tmp_path / "log")
    assert 0.2 <= done.seconds < 10


def test_a_command_sees_no_more_than_the_environment_it_is_given(tmp_path: Path) -> None:
    program = "import os; assert os.environ.get('GIVEN') == '1'; assert 'HOME' not in os.environ"
    run([sys.executable, "-I", "-S", "-c", program], {"GIVEN": "1"}, tmp_path / "log")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; sys.exit('no such thing')", "failed with 1: no such thing"),
        ("import os; os.kill(os.getpid(), 9)", "failed with -9"),
    ],
)
def test_a_command_that_fails_ends_the_measuring_with_what_it_said(
    program: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said):
        run([sys.executable, "-I", "-S", "-c", program], os.environ, tmp_path / "log")


def test_the_same_arguments_make_the_same_image_at_another_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(name: str) -> str:
        layout = make_layout(tmp_path / name, megabytes=1, layers=2)
        return (layout / "index.json").read_text()

    first = make("first")
    # What gzip asks; the files have other times by themselves.
    later = time.time() + 1000
    monkeypatch.setattr(time, "time", lambda: later)
    assert make("second") == first


def test_a_layout_holds_what_its_manifest_says(tmp_path: Path) -> None:
    layout = make_layout(tmp_path / "layout", megabytes=1, layers=3)

    def blob(descriptor: dict[str, str | int]) -> bytes:
        encoded = str(descriptor["digest"]).removeprefix("sha256:")
        content = (layout / "blobs" / "sha256" / encoded).read_bytes()
        assert hashlib.sha256(content).hexdigest() == encoded
        assert len(content) == descriptor["size"]
        return content

    (root,) = json.loads((layout / "index.json").read_text())["manifests"]
    manifest = json.loads(blob(root))
    layers = [gzip.decompress(blob(layer)) for layer in manifest["layers"]]
    diff_ids = json.loads(blob(manifest["config"]))["rootfs"]["diff_ids"]
    assert root["annotations"]["org.opencontainers.image.ref.name"] == TAG
    assert len(set(diff_ids)) == 3
    assert diff_ids == [f"sha256:{hashlib.sha256(layer).hexdigest()}" for layer in layers]
