"""Counts of transferred content."""

from __future__ import annotations

import pytest

from ghcrctl.cli.progress.board import Board, ImageBoard
from ghcrctl.cli.progress.snapshot import Countdown
from ghcrctl.content.wait_events import Wait
from ghcrctl.errors import ConnectionLostError
from ghcrctl.transfer.events import Failed, Finished, Outcome, Progressed, Retrying, Started
from ghcrctl.transfer.plan import Action
from tests.unit.cli.progress.events import Clock, layer, planned


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def board(clock: Clock) -> Board:
    return Board(clock)


@pytest.fixture
def image(board: Board) -> ImageBoard:
    return board.image()


def total(board: Board) -> tuple[int, int | None]:
    row = board.snapshot().total
    assert row
    return row.done, row.total


def test_a_plan_alone_shows_nothing(board: Board, image: ImageBoard) -> None:
    image(planned([layer(1)]))
    assert not board.snapshot()


def test_started_layers_are_shown_and_the_others_counted(board: Board, image: ImageBoard) -> None:
    steps = [layer(n) for n in range(5)]
    image(planned([*steps, layer(9, action=Action.EXISTS)]))
    image(Started(steps[1]))
    image(Progressed(steps[1], 0))
    image(Progressed(steps[1], 300))
    snapshot = board.snapshot()
    assert [(row.label, row.done, row.total) for row in snapshot.rows] == [
        (steps[1].descriptor.digest.short, 300, 1000)
    ]
    assert snapshot.more == 4
    assert total(board) == (300, 5100)
    image(Finished(steps[1], Outcome.COPIED))
    assert board.snapshot().rows == ()
    assert total(board) == (1000, 5100)


def test_resumed_bytes_are_progress_but_not_speed(
    board: Board, image: ImageBoard, clock: Clock
) -> None:
    step = layer(1, 1_000_000)
    image(planned([step]))
    image(Started(step))
    image(Progressed(step, 600_000))
    board.snapshot()
    clock.now += 2
    image(Progressed(step, 700_000))
    row = board.snapshot().total
    assert row
    assert (row.done, row.speed) == (700_000, 50_000)
    assert row.left == pytest.approx(300_100 / 50_000)


def test_a_retry_resets_progress_and_repeated_bytes_do_not_count_for_the_speed(
    board: Board, image: ImageBoard, clock: Clock
) -> None:
    step = layer(1, 1_000_000)
    image(planned([step]))
    image(Started(step))
    image(Progressed(step, 0))
    image(Progressed(step, 400_000))
    error = ConnectionLostError("the line broke", retryable=True)
    image(Retrying(step, error, 4.0))
    [row] = board.snapshot().rows
    assert row.note == "retrying in 4 s: the line broke"
    clock.now += 4
    image(Progressed(step, 0))
    image(Progressed(step, 300_000))
    assert total(board)[0] == 300_000
    row = board.snapshot().rows[0]
    assert row.note == ""
    moved = board.snapshot().total
    assert moved
    assert moved.speed == 100_000


def test_the_speed_is_averaged_over_the_last_seconds(
    board: Board, image: ImageBoard, clock: Clock
) -> None:
    step = layer(1, 10**9)
    image(planned([step]))
    image(Started(step))
    image(Progressed(step, 0))
    for second in range(20):
        clock.now += 1
        image(Progressed(step, (second + 1) * 1_000_000))
        board.snapshot()
    for _ in range(8):
        clock.now += 1
        board.snapshot()
    row = board.snapshot().total
    assert row
    assert (row.speed, row.left) == (0, None)


def test_mounted_content_is_not_part_of_the_total(board: Board, image: ImageBoard) -> None:
    steps = [layer(1), layer(2)]
    image(planned(steps))
    for step in steps:
        image(Started(step))
    image(Finished(steps[0], Outcome.MOUNTED, "octo/other"))
    assert total(board) == (0, 1100)


def test_shared_content_counts_once(board: Board) -> None:
    shared = layer(1)
    first, second = board.image(), board.image()
    first(planned([shared]))
    second(planned([shared, layer(2)]))
    first(Started(shared))
    first(Finished(shared, Outcome.COPIED))
    second(Finished(shared, Outcome.EXISTS))
    assert total(board) == (1000, 2100)


def test_a_failed_image_is_removed_from_the_display(board: Board) -> None:
    bad, good = board.image(), board.image()
    steps = [layer(n) for n in range(3)]
    bad(planned(steps))
    other = layer(7)
    good(planned([other]))
    bad(Started(steps[0]))
    bad(Progressed(steps[0], 10))
    good(Started(other))
    bad(Failed(steps[0], ConnectionLostError("gone")))
    snapshot = board.snapshot()
    assert [row.label for row in snapshot.rows] == [other.descriptor.digest.short]
    assert snapshot.more == 0
    # Both images have the same manifest, which counts for the second one.
    assert total(board) == (0, 1000)


def test_waits_with_the_same_reason_are_one_countdown(board: Board, clock: Clock) -> None:
    for seconds in (5, 30, 12, 0.5):
        board.wait(Wait("slow down", seconds))
    board.wait(Wait("too short to be read", 0.5))
    clock.now += 10
    assert board.snapshot().waits == (Countdown("slow down", 20.0),)
    clock.now += 20
    assert not board.snapshot()


def test_counters_have_a_time_left(board: Board, clock: Clock) -> None:
    board.count("manifests", 1, 100)
    clock.now += 2
    board.count("manifests", 20, 100)
    [row] = board.snapshot().rows
    assert (row.done, row.total, row.speed, row.left) == (20, 100, None, 8.0)
    board.uncount("manifests")
    assert not board.snapshot()


def test_the_time_left_includes_the_rest_of_a_rate_limit(board: Board, clock: Clock) -> None:
    board.count("manifests", 0, 100)
    clock.now += 2
    board.count("manifests", 20, 100)
    board.wait(Wait("GitHub is rate limiting requests", 600.0))
    board.wait(Wait("GitHub is rate limiting requests", 500.0))
    for passed, expected in ((0, 608.0), (100, 508.0), (499, 9.0), (1, 8.0)):
        clock.now += passed
        [row] = board.snapshot().rows
        assert row.left == pytest.approx(expected)
    clock.now += 2
    board.count("manifests", 40, 100)
    [row] = board.snapshot().rows
    assert row.left == pytest.approx(6.0)


def test_the_time_left_does_not_include_the_wait_of_a_retry(board: Board, clock: Clock) -> None:
    board.count("manifests", 0, 100)
    clock.now += 2
    board.count("manifests", 20, 100)
    board.wait(Wait("the connection broke", 600.0, attempt=2, attempts=5))
    [row] = board.snapshot().rows
    assert row.left == pytest.approx(8.0)


def test_overlapping_pauses_count_once(board: Board, clock: Clock) -> None:
    board.wait(Wait("one", 30.0))
    clock.now += 10
    board.wait(Wait("another", 40.0))
    board.count("manifests", 0, 100)
    clock.now += 50
    board.count("manifests", 50, 100)
    [row] = board.snapshot().rows
    # The pauses took forty of these fifty seconds.
    assert row.left == pytest.approx(10.0)
