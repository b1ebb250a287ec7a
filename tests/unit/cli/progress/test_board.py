"""What moves, counted."""

from __future__ import annotations

import pytest

from ghcrctl.cli.progress.board import Board, ImageBoard
from ghcrctl.cli.progress.snapshot import Countdown
from ghcrctl.content.rate_limit_waits import Wait
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


def test_a_plan_alone_shows_nothing_as_in_a_dry_run(board: Board, image: ImageBoard) -> None:
    image(planned([layer(1)]))
    assert not board.snapshot()


def test_layers_are_shown_as_they_begin_and_the_others_counted(
    board: Board, image: ImageBoard
) -> None:
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


def test_what_was_there_before_is_progress_but_no_speed(
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


def test_progress_goes_back_with_a_retry_and_what_moves_again_is_no_speed(
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


def test_the_speed_is_of_the_last_seconds(board: Board, image: ImageBoard, clock: Clock) -> None:
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


def test_what_is_mounted_does_not_move(board: Board, image: ImageBoard) -> None:
    steps = [layer(1), layer(2)]
    image(planned(steps))
    for step in steps:
        image(Started(step))
    image(Finished(steps[0], Outcome.MOUNTED, "octo/other"))
    assert total(board) == (0, 1100)


def test_what_images_share_counts_once(board: Board) -> None:
    shared = layer(1)
    first, second = board.image(), board.image()
    first(planned([shared]))
    second(planned([shared, layer(2)]))
    first(Started(shared))
    first(Finished(shared, Outcome.COPIED))
    second(Finished(shared, Outcome.EXISTS))
    assert total(board) == (1000, 2100)


def test_an_image_that_fails_is_waited_for_no_more(board: Board) -> None:
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
    # The manifest of the first is of the same content as the second's, and counted with it.
    assert total(board) == (0, 1000)


def test_waits_for_one_reason_are_one_and_end(board: Board, clock: Clock) -> None:
    for seconds in (5, 30, 12, 0.5):
        board.wait(Wait("slow down", seconds))
    board.wait(Wait("too short to be read", 0.5))
    clock.now += 10
    assert board.snapshot().waits == (Countdown("slow down", 20.0),)
    clock.now += 20
    assert not board.snapshot()


def test_what_is_counted_has_a_time_left(board: Board, clock: Clock) -> None:
    board.count("manifests", 1, 100)
    clock.now += 2
    board.count("manifests", 20, 100)
    [row] = board.snapshot().rows
    assert (row.done, row.total, row.speed, row.left) == (20, 100, None, 8.0)
    board.uncount("manifests")
    assert not board.snapshot()


def test_the_time_left_includes_the_rest_of_a_rate_limit_and_no_past_one(
    board: Board, clock: Clock
) -> None:
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


def test_the_time_left_does_not_include_the_wait_of_one_that_failed(
    board: Board, clock: Clock
) -> None:
    board.count("manifests", 0, 100)
    clock.now += 2
    board.count("manifests", 20, 100)
    board.wait(Wait("the connection broke", 600.0, attempt=2, attempts=5))
    [row] = board.snapshot().rows
    assert row.left == pytest.approx(8.0)


def test_pauses_that_overlap_count_once(board: Board, clock: Clock) -> None:
    board.wait(Wait("one", 30.0))
    clock.now += 10
    board.wait(Wait("another", 40.0))
    board.count("manifests", 0, 100)
    clock.now += 50
    board.count("manifests", 50, 100)
    [row] = board.snapshot().rows
    # Forty of these fifty seconds were a pause.
    assert row.left == pytest.approx(10.0)
