"""Invalid templates, which docker also refuses, and their error messages."""

from __future__ import annotations

from typing import Any

import pytest

from ghcrctl.cli.format.template import compile_template
from ghcrctl.cli.format.values import Row, Struct
from ghcrctl.errors import InvalidTemplateError

DATA: dict[str, Any] = {
    "f": 3.5, "s": "hello", "n": None, "t": True, "l": ["a", "b", "c"], "m": {"b": "2", "a": "1"},
}  # fmt: skip
IMAGE = Struct({"Id": "x", "Config": Struct({"Env": []}, noun="image config")}, noun="image")

REFUSED = [
    "{{.n.deeper}}",
    "{{.s.deeper}}",
    "{{len .n}}",
    "{{len 3}}",
    '{{index .l 0}} {{index .m "a"}} [{{index .m "zz"}}] {{index .l 5}}',
    '{{index .m "zz" "y"}}',
    "{{index .l 5}}",
    '{{index .l "a"}}',
    "{{index .m 1}}",
    '{{index .n "x"}}',
    "{{slice .s 3 1}}",
    "{{slice .s 1 2 3}}",
    "{{eq .l .l}}",
    "{{eq .s 1}}",
    "{{eq 1 1.0}}",
    "{{eq 1}}",
    "{{lt true false}}",
    "{{lt .n 1}}",
    '{{lt "a" 1}}',
    "{{and}}",
    "{{range $i, $e := 3}}{{$i}}{{end}}",
    "{{range .s}}{{.}}{{end}}",
    "{{range .f}}{{.}}{{end}}",
    "{{if true}}{{$y := 1}}{{end}}{{$y}}",
    '{{"\\q"}}',
    "{{'ab'}}",
    "{{1.5e400}}",
    "{{99999999999999999999}}",
    "{{1a}}",
    "{{/* x }}",
    "{{ /* x */ }}",
    '{{"unterminated}}',
    "{{.s",
    "{{}}",
    "{{ | printf}}",
    "{{.s | .f}}",
    "{{.s 1}}",
    '{{.s | "x"}}',
    "{{nil}}",
    '{{"x".y}}',
    "{{nope .s}}",
    "{{end}}",
    "{{if}}x{{end}}",
    "{{if .s}}x",
    "{{else}}",
    "{{break}}",
    "{{(.s}}",
    "{{.s)}}",
    "{{$x}}",
    '{{.s .f "x"}}',
    '{{template "nope"}}',
    "{{.s%}}",
    "{{printf 3}}",
    '{{pad "x" -1 2}}',
    "{{lower 3}}",
    "{{upper .n}}",
    "{{lower .nope}}",
    '{{split "a"}}',
    '{{join .s ","}}',
    '{{truncate "x" "y"}}',
    "{{call .s}}",
    '{{define "a"}}1{{end}}{{define "a"}}2{{end}}{{template "a"}}',
    '{{if true}}{{define "a"}}{{end}}{{end}}',
    "{{template x}}",
    '{{define "a"}}{{template "a"}}{{end}}{{template "a"}}',
    "{{range $a, $b, $c := .l}}{{end}}",
    "{{$a, $b := .l}}",
    "{{range .l -}}",
    "{{-}}",
    "{{- }}x",
    "{{.s.}}",
    "{{. s}}",
    "{{.s,}}",
    "{{a=b}}",
    "{{$x :=}}",
    "{{$x := 1 | 2}}",
    '{{printf "%d" 3.0}} {{printf "%v" 1e3}} {{index .l 1.0}}',
    '{{range $i, $c := "héy"}}{{$i}}{{$c}} {{end}}',
    "{{else if .s}}",
    "{{if .s}}{{else}}{{else}}{{end}}",
    "{{if .s}}a{{else with .l}}b{{end}}",
    "{{break}}{{range .l}}{{end}}",
    '{{$x := "a"}}{{range 40}}{{$x = print $x $x}}{{end}}',
    "{{range 100000000}}{{end}}",
    '{{printf "%999999999d" 1}}',
    '{{pad "x" 999999999 0}}',
    "{{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
    "{{if true}}" * 5000 + "{{end}}" * 5000,
    "{{" + "9" * 5000 + "}}",
]


@pytest.mark.parametrize("template", REFUSED, ids=range(len(REFUSED)))
def test_a_wrong_template_is_refused_with_a_caret(template: str) -> None:
    with pytest.raises(InvalidTemplateError, match=r"^invalid template: ") as caught:
        compile_template(template).render(DATA)
    assert caught.value.message.endswith("^")
    assert caught.value.message.count("\n") == 2


@pytest.mark.parametrize(
    ("template", "message", "hint"),
    [
        (
            "{{.Nope}}",
            'invalid template: the image has no field "Nope"\n  {{.Nope}}\n    ^',
            "the fields are: .Config .Id",
        ),
        (
            "id: {{.id}}",
            'invalid template: the image has no field "id"\n  id: {{.id}}\n        ^',
            'did you mean ".Id"? the fields are: .Config .Id',
        ),
        (
            "{{.Config.Envs}}",
            'invalid template: the image config has no field "Envs"\n'
            "  {{.Config.Envs}}\n           ^",
            'did you mean ".Env"? the fields are: .Env',
        ),
        (
            "{{.Id}}\n{{.Id | uper}}\n{{.Id}}",
            'invalid template: there is no function "uper"\n  {{.Id | uper}}\n          ^',
            'did you mean "upper"?',
        ),
        (
            "\t{{if .Id}}",
            "invalid template: this if has no {{end}}\n  \\t{{if .Id}}\n      ^",
            None,
        ),
        (
            "{{.Id}} {{$x}}",
            "invalid template: undefined variable $x\n  {{.Id}} {{$x}}\n            ^",
            "give it a value first: {{$x := ...}}",
        ),
    ],
)
def test_an_error_shows_what_is_wrong_and_where(
    template: str, message: str, hint: str | None
) -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        compile_template(template).render(IMAGE)
    assert caught.value.message == message
    assert (caught.value.hint or "").startswith(hint or "")
    assert (caught.value.hint is None) == (hint is None)


def test_an_error_in_a_long_line_shows_the_part_around_it() -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        compile_template("x" * 500 + "{{nope}}" + "y" * 500)
    lines = caught.value.message.split("\n")
    assert max(map(len, lines)) < 140
    assert lines[1][lines[2].index("^") :].startswith("nope}}")


def test_an_error_never_shows_control_characters() -> None:
    with pytest.raises(InvalidTemplateError) as caught:
        compile_template("\x1b[31m{{nope \x1b")
    assert "\x1b" not in caught.value.message


def test_deeply_nested_data_is_an_error() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for template in ("{{.}}", "{{json .}}", '{{printf "%v" .}}'):
        with pytest.raises(InvalidTemplateError, match="nested too deeply"):
            compile_template(template).render(deep)


def test_an_error_names_the_row() -> None:
    with pytest.raises(InvalidTemplateError, match='the volume has no field "X"'):
        compile_template("{{.X}}").render(Row({"Name": "x"}, noun="volume"))
