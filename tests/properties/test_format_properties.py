"""Properties of the output for any text from users or registries."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ghcrctl.cli.format.cells import display_width
from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable
from ghcrctl.cli.format.table import align, render_rows
from ghcrctl.cli.format.template import compile_template
from ghcrctl.cli.format.values import Struct
from ghcrctl.errors import InvalidTemplateError

_PIECES = (
    "{{ }} {{- -}} . $ $x := = | ( ) , \" ` ' /* */ nil true 1 -3 1.5 0x if else end range with",
    "define template block break continue .a .l .m .n .nope printf index json len eq slice split",
    '{{end}} {{if~.a}} {{range~.l}} {{template~"t"~.}} {{define~"t"}} {{break}} "%d%[2]*v%"',
)
PIECES = st.sampled_from(" ".join(_PIECES).split()).map(lambda piece: piece.replace("~", " "))
TEMPLATES = st.one_of(
    st.text(max_size=40),
    st.lists(st.one_of(PIECES, st.just(" ")), max_size=14).map("".join),
    st.lists(PIECES, max_size=6).map(lambda pieces: "{{" + " ".join(pieces) + "}}"),
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
DATA = st.fixed_dictionaries(
    {"a": VALUES, "l": st.lists(VALUES, max_size=3), "m": VALUES, "n": st.none()}
)


def _outcome(text: str, data: object) -> str | InvalidTemplateError:
    try:
        return compile_template(text).render(data, clean=printable)
    except InvalidTemplateError as error:
        return error


@settings(max_examples=400, deadline=None)
@given(text=TEMPLATES, data=DATA)
def test_a_template_renders_or_is_an_error(text: str, data: dict[str, Any]) -> None:
    for root in (data, Struct(data)):
        outcome = _outcome(text, root)
        assert isinstance(outcome, str) or re.fullmatch(
            r"invalid template: .*\n  .*\n +\^", outcome.message
        )


@settings(deadline=None)
@given(verb=st.text(alphabet="%+-# 0123.*[]vTtdboOxXcqUeEfFgGsp!é", max_size=8), value=VALUES)
def test_printf_accepts_any_verb_for_any_value(verb: str, value: Any) -> None:
    data = {"verb": f"%{verb}", "value": value}
    outcome = _outcome("{{printf .verb .value .value}}", data)
    assert isinstance(outcome, str) or "printf" in outcome.message


@given(text=st.text(alphabet=st.characters(exclude_characters="{"), max_size=60))
def test_text_without_actions_is_unchanged(text: str) -> None:
    assert compile_template(text).render(None) == text


@given(value=VALUES)
def test_json_can_be_read_back(value: Any) -> None:
    for encoded in (dumps(value), dumps(value, indent="    ", escape_html=True)):
        assert json.loads(encoded, parse_int=float) == _as_read(value)


def _as_read(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_read(item) for item in value]
    if isinstance(value, dict):
        return {key: _as_read(item) for key, item in value.items()}
    if isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return None if value in (float("inf"), float("-inf")) else value


@given(text=st.text())
def test_printable_text_cannot_control_a_terminal(text: str) -> None:
    safe = printable(text)
    assert printable(safe) == safe
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in safe)
    safe.encode()


@given(rows=st.lists(st.fixed_dictionaries({"a": st.text(), "b": st.text()}), max_size=6))
def test_every_row_is_one_line_with_aligned_cells(
    rows: list[dict[str, str]],
) -> None:
    lines = render_rows(rows, [("a", "A"), ("b", "B")], headers=True).split("\n")
    assert len(lines) == len(rows) + 2
    starts = {
        display_width(line) - display_width(printable(row["b"]))
        for line, row in zip(lines[1:], rows, strict=False)
    }
    assert len(starts) <= 1


@given(text=st.text(alphabet="ab\t\n", max_size=60))
def test_alignment_only_changes_spaces(text: str) -> None:
    aligned = align(text)
    assert aligned.count("\n") == text.count("\n")
    assert aligned.replace(" ", "") == text.replace("\t", "")
