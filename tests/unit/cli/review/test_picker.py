from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.style import ASCII, Style
from ghcrctl.cli.review.picker import Choice, Picker
from ghcrctl.cli.review.review import lines
from ghcrctl.cli.review.screen import Key, keys_of
from ghcrctl.github.deletion_planner import make_plan
from tests.unit.github.graphs import NOW, TARGET, digest_of
from tests.unit.github.test_plan_exclusions import OLD, two_releases

if TYPE_CHECKING:
    from collections.abc import Iterable

STYLE = Style(width=80)


def picker() -> Picker:
    versions = two_releases()
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    return Picker([plan], {plan.name: versions.graph}, NOW)


def press(review: Picker, keys: Iterable[Key | str]) -> Choice:
    choice = Choice.CONTINUE
    for key in keys:
        choice = review.press(key)
    return choice


def going(review: Picker) -> set[str]:
    return {step.digest for plan in review.plans for step in plan.steps}


def to(review: Picker, name: str) -> None:
    """Select a version."""
    digests = [row.step.digest for row in review.shown]
    press(review, [Key.HOME, *[Key.DOWN] * digests.index(digest_of(name))])


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1b[A\x1b[B", [Key.UP, Key.DOWN]),
        ("\x1bOA", [Key.UP]),
        ("\x1b[5~\x1b[6~", [Key.PAGE_UP, Key.PAGE_DOWN]),
        ("\xe0H\xe0P", [Key.UP, Key.DOWN]),
        ("jj \r", ["j", "j", " ", Key.ENTER]),
        ("\x1b", [Key.ESCAPE]),
        ("\x7f", [Key.BACKSPACE]),
        ("\x1b[1;5C\x1b[200~x", ["x"]),
        ("é字", ["é", "字"]),
        ("\x00\x07", []),
    ],
)
def test_keys_are_recognized(sent: str, keys: list[Key | str]) -> None:
    assert list(keys_of(sent)) == keys


def test_space_excludes_and_includes_a_version() -> None:
    review = picker()
    before = going(review)
    to(review, "one")
    assert review.press(" ") is Choice.CONTINUE
    assert before - going(review) == {digest_of(n) for n in ("one", "shared", "arm", "signature")}
    to(review, "one")
    review.press(" ")
    assert going(review) == before


def test_the_freed_size_is_updated() -> None:
    review = picker()
    freed = {row.step.digest: review.cells(row)["frees"] for row in review.shown}
    to(review, "amd")
    review.press(" ")
    now = {row.step.digest: review.cells(row)["frees"] for row in review.shown}
    # The last deleted version would have freed the shared layer.
    assert [d for d in freed if freed[d] != now[d]] == [digest_of("arm")]


def test_a_version_that_others_need_is_explained_and_kept() -> None:
    review = picker()
    to(review, "one")
    review.press(" ")
    to(review, "arm")
    before = going(review)
    review.press(" ")
    assert going(review) == before
    assert review.message == "kept: `v1`, which you excluded, needs it"


def test_all_listed_versions_can_be_toggled_at_once() -> None:
    review = picker()
    before = going(review)
    press(review, "a")
    assert not going(review)
    press(review, "a")
    assert going(review) == before


def test_a_search_filters_the_list_and_limits_all() -> None:
    review = picker()
    press(review, ["/", *"v2x", Key.BACKSPACE, Key.ENTER])
    assert [row.step.tags for row in review.shown] == [("v2",)]
    press(review, "a")
    assert digest_of("two") not in going(review)
    assert digest_of("one") in going(review)
    press(review, ["/", Key.ESCAPE])
    assert len(review.shown) > 1


@pytest.mark.parametrize(
    ("keys", "choice"),
    [([Key.ENTER], Choice.DONE), (["q"], Choice.QUIT), ([Key.ESCAPE], Choice.QUIT)],
)
def test_a_review_ends(keys: list[Key | str], choice: Choice) -> None:
    assert press(picker(), keys) is choice


def test_escape_ends_a_search_before_it_ends_the_review() -> None:
    review = picker()
    count = len(review.shown)
    assert press(review, ["/", *"v1", Key.ENTER, Key.ESCAPE]) is Choice.CONTINUE
    assert len(review.shown) == count
    assert review.press(Key.ESCAPE) is Choice.QUIT


def test_a_search_shows_its_keys_and_reports_no_matches() -> None:
    review = picker()
    press(review, ["/", *"nothing"])
    *_, told, keys = lines(review, STYLE, 80, 24)
    assert told == "/nothing  no matches"
    assert keys == "enter search  escape show all"


def test_a_list_longer_than_the_screen_shows_its_position() -> None:
    review = picker()
    press(review, [Key.DOWN] * 3)
    assert f"4 of {len(review.shown)}" in "\n".join(lines(review, STYLE, 80, 9))
    assert "4 of" not in "\n".join(lines(review, STYLE, 80, 24))


def test_a_search_can_contain_the_letters_of_keys() -> None:
    assert press(picker(), ["/", *"q a"]) is Choice.CONTINUE


def test_no_key_leaves_the_list() -> None:
    review = picker()
    press(review, [Key.UP, Key.PAGE_UP, Key.END, Key.DOWN, Key.PAGE_DOWN, " ", " ", Key.DOWN])
    assert review.at == len(review.shown) - 1
    press(review, ["/", *"nothing", Key.ENTER, " ", "a", Key.DOWN])
    assert review.shown == []


@pytest.mark.parametrize(
    ("columns", "rows"), [(80, 24), (40, 10), (160, 50), (30, 6), (12, 3), (20, 5)]
)
def test_the_screen_is_filled_and_not_left(columns: int, rows: int) -> None:
    review = picker()
    press(review, [Key.DOWN, " "])
    shown = lines(review, STYLE, columns, rows)
    assert len(shown) <= max(rows, 5)
    if columns >= 20:
        assert max(map(display_width, shown)) <= columns
    assert any(line.startswith(STYLE.glyphs.pointer) for line in shown)


@pytest.mark.parametrize(
    ("columns", "headers"),
    [
        (80, ["VERSION", "KIND", "CREATED", "FREES", "WHY"]),
        (59, ["VERSION", "CREATED", "FREES", "WHY"]),
        (39, ["VERSION", "FREES", "WHY"]),
        (19, ["VERSION"]),
    ],
)
def test_a_narrow_screen_shows_the_most_important_columns(columns: int, headers: list[str]) -> None:
    assert lines(picker(), STYLE, columns, 10)[1].split() == headers


@pytest.mark.parametrize("columns", [79, 39, 19])
def test_the_keys_are_shown_on_any_screen(columns: int) -> None:
    shown = lines(picker(), STYLE, columns, 5)
    assert len(shown) == 5
    assert "enter" in shown[-1]
    assert shown[-1].endswith("q quit")


def test_the_selected_line_is_as_long_as_others_with_wide_characters() -> None:
    versions = two_releases()
    plan = make_plan(versions.graph, OLD, NOW, TARGET)
    wide = replace(plan, steps=tuple(replace(step, tags=("字字",)) for step in plan.steps))
    shown = lines(Picker([wide], {plan.name: versions.graph}, NOW), STYLE, 80, 24)
    [here] = [line for line in shown if line.startswith(STYLE.glyphs.pointer)]
    assert display_width(here) == 80


def test_the_screen_marks_deletions_without_colour() -> None:
    review = picker()
    to(review, "one")
    review.press(" ")
    shown = "\n".join(lines(review, Style(width=80, glyphs=ASCII), 80, 24))
    assert "delete 2 of 7 versions" in shown
    assert "x v2" in shown
    assert ". v1" in shown
    assert "you excluded it" in shown
