"""The template language. The expected outputs were printed by docker."""

from __future__ import annotations

from typing import Any

import pytest

from ghcrctl.cli.format.template import compile_template

DATA: dict[str, Any] = {
    "f": 3.5,
    "big": 1e21,
    "mil": 1000000.0,
    "s": "hello",
    "e": "",
    "u": "héé",
    "n": None,
    "t": True,
    "l": ["a", "b", "c"],
    "el": [],
    "m": {"b": "2", "a": "1"},
    "em": {},
    "mix": [1.5, "x", None, True, ["q"], {"k": None}],
    "esc": '<a>&"q"\n\t\\ é',
}

CASES = [
    (
        "{{.f}} {{.big}} {{.mil}} {{.t}} {{.n}} {{.nope}} {{.nope.deeper}}",
        "3.5 1e+21 1e+06 true <no value> <no value> <no value>",
    ),
    (
        "{{.l}} {{.el}} {{.m}} {{.em}} {{.mix}}",
        "[a b c] [] map[a:1 b:2] map[] [1.5 x <nil> true [q] map[k:<nil>]]",
    ),
    (
        "{{json .esc}} {{json .mix}}",
        '"<a>&\\"q\\"\\n\\t\\\\ é" [1.5,"x",null,true,["q"],{"k":null}]',
    ),
    ('{{printf "%v %v" .n .nope}}', "<nil> <nil>"),
    ('{{.nope | printf "%v"}}', "<nil>"),
    ("{{println .n .s 1}}x", "<nil> hello 1\nx"),
    ('{{print 1 2 "a" 3 4 true nil}}', "1 2a3 4 true <nil>"),
    ("{{len .s}} {{len .u}} {{len .l}} {{len .m}}", "5 5 3 2"),
    ('{{index .m "zz"}}', "<no value>"),
    ("{{index .s 1}}", "101"),
    ('{{index .mix 5 "k"}}', "<no value>"),
    ("{{index .l}}", "[a b c]"),
    ("{{slice .s 1 3}} {{slice .l 1}} {{slice .s}}", "el [b c] hello"),
    ("{{slice .l 0 1 2}}", "[a]"),
    ("{{html .l}} {{js .f}} {{urlquery .n}}", "[a b c] 3.5 %3Cno+value%3E"),
    (
        '{{eq .s "x" "hello"}} {{ne .s "x"}} {{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge "b" "a"}}',
        "true true true true false true",
    ),
    ("{{eq .f 3.5}} {{eq .n nil}} {{eq .nope nil}}", "true true true"),
    ("{{eq .s nil}}", "false"),
    ('{{eq .n "x"}}', "false"),
    ("{{eq .l nil}}", "false"),
    ("{{eq true true}} {{ne true false}}", "true true"),
    (
        '{{and 1 0 2}} {{and 1 2}} {{or 0 ""}} {{or 0 "x" .f}} {{not 0}} {{not .l}}',
        "0 2  x true false",
    ),
    ("{{1 | and 0}} {{5 | or 0}}", "0 5"),
    ('{{0 | or 0}}|{{"" | and 1}}|', "0||"),
    ("{{if .el}}a{{else if .em}}b{{else}}c{{end}}", "c"),
    ("{{if .n}}y{{else}}n{{end}}{{if .nope}}y{{else}}n{{end}}{{if 0.0}}y{{else}}n{{end}}", "nnn"),
    ("{{with $x := .l}}{{index $x 1}}{{end}}", "b"),
    ("{{range .l}}{{.}},{{end}}", "a,b,c,"),
    ("{{range $x := .l}}{{$x}},{{end}}", "a,b,c,"),
    ("{{range $i, $x := .l}}{{$i}}={{$x}},{{end}}", "0=a,1=b,2=c,"),
    ("{{range $k, $v := .m}}{{$k}}={{$v}},{{end}}", "a=1,b=2,"),
    ("{{range 0}}x{{else}}zero{{end}}", "zero"),
    ('{{$i := 0}}{{$e := ""}}{{range $i, $e = .l}}{{end}}{{$i}}{{$e}}', "2c"),
    ('{{$x := "a"}}{{if true}}{{$x = "b"}}{{$y := 1}}{{end}}{{$x}}', "b"),
    ("{{$x := .m}}{{$x.a}} {{$x.zz}} {{$.s}} {{$.m.b}}", "1 <no value> hello 2"),
    ('{{(index .mix 5).k}} {{(.m).a}} {{(index .m "a")}}', "<no value> 1 1"),
    ('{{(print "a" "b") | printf "%s-%s" "x"}}', "x-ab"),
    ('{{"\\x41\\u00e9\\t\\101\\"\\\\"}}', 'Aé\tA"\\'),
    (
        "{{9223372036854775807}} {{-9223372036854775808}}",
        "9223372036854775807 -9223372036854775808",
    ),
    ("a  {{- 1 -}}  b {{- /* c */ -}} d {{/* x */}} e", "a1bd  e"),
    ("{{- 3}} {{-3}} {{3 -}} x", "3 -3 3x"),
    ("{{.s}}}}", "hello}}"),
    ('{{.s}} { } {{"{{"}}', "hello { } {{"),
    (
        '{{printf "%5s|%-5s|%05d|%+d|%x|%X|%o|%b|%c|%U|%q" "ab" "ab" 42 42 255 255 8 5 65 65 65}}',
        "   ab|ab   |00042|+42|ff|FF|10|101|A|U+0041|'A'",
    ),
    (
        '{{printf "%x %X % x %q %#q %+q" "hi" "hi" "hi" "é\\n" "ab" "é"}}',
        '6869 6869 68 69 "é\\n" `ab` "\\u00e9"',
    ),
    (
        '{{printf "%v %v %v %v %v %v" 100000.0 1000000.0 123456789.0 1e20 1e21 0.00001}}',
        "100000 1e+06 1.23456789e+08 1e+20 1e+21 1e-05",
    ),
    ('{{printf "%g %g %g" 100000.0 1000000.0 123456789.0}}', "100000 1e+06 1.23456789e+08"),
    ('{{printf "%t %v %5t|" true false true}}', "true false  true|"),
    (
        '{{printf "%s %q %d %x" .l .l .l .l}}',
        '[a b c] ["a" "b" "c"] [%!d(string=a) %!d(string=b) %!d(string=c)] [61 62 63]',
    ),
    ('{{printf "%s %d %v" nil nil nil}}', "%!s(<nil>) %!d(<nil>) <nil>"),
    ('{{printf "%[1]s %[1]s %[2]d" "a" 3}} {{printf "%[3]s" "a"}}', "a a 3 %!s(BADINDEX)"),
    ('{{printf "%*d|%-*d|%.*f" 5 42 5 42 2 3.14159}}', "   42|42   |3.14"),
    (
        '{{printf "%.3s|%.10s|%8.3s|%.2q" "abcdef" "abc" "abcdef" "abcdef"}}',
        'abc|abc|     abc|"ab"',
    ),
    (
        '{{printf "%6.2d|%.0d|%+.3d|% d" 5 0 5 5}} {{printf "%#x %#o %#b %O" 255 8 5 8}}',
        "    05||+005| 5 0xff 010 0b101 0o10",
    ),
    (
        '{{printf "%08.3f %+.2f % .2f %08d %-8dx" 3.14159 2.5 2.5 -42 7}}',
        "0003.142 +2.50  2.50 -0000042 7       x",
    ),
    (
        '{{title "hello wORLD foo-bar it\'s a_b éa 1x"}} {{lower "ABC É"}} {{upper "abc ß é"}}',
        "Hello WORLD Foo-Bar It'S A_b Éa 1x abc é ABC ß É",
    ),
    ('{{pad "x" 1 2}}| {{pad "" 1 2}}|', " x  | |"),
    ('{{truncate "hello" 3}} {{truncate "hi" 5}} {{truncate "hello" 5}}', "hel hi hello"),
    ('{{truncate "é" 1}}', "�"),
    (
        '{{define "t"}}<{{.}}>{{end}}{{template "t" "x"}}{{template "t"}}{{template "t" 1}}',
        "<x><<no value>><1>",
    ),
    ('{{define "t"}}{{$}}{{end}}{{$a := 1}}{{template "t" $a}}', "1"),
    ('{{block "b" "v"}}[{{.}}]{{end}}', "[v]"),
    ('{{print (len .l) (printf "%d" 3)}}', "33"),
    ("{{len print}}", "0"),
    ('{{.s | len | printf "%03d"}}', "005"),
    ("{{with .m}}{{.a}}{{end}}{{with 0}}{{else}}z{{end}}", "1z"),
    ("{{range .l}}{{else}}{{end}}{{if and .s (gt (len .l) 2)}}ok{{end}}", "ok"),
    ('{{if or (eq .s "x") (and .t (not .n))}}ok{{end}}', "ok"),
    ("{{true}} {{false}} {{.t | not}}", "true false false"),
    ('{{if not .n}}{{"a" | upper}}{{end}}{{/*c*/ -}}   z', "Az"),
    ('{{printf "%s" (index .m "nope")}}', "%!s(<nil>)"),
    (
        '{{printf "%t" 1}} {{printf "%s" true}} {{printf "%q" 1.5}} {{printf "%v" "a\\tb"}}',
        "%!t(int=1) %!s(bool=true) %!q(float64=1.5) a\tb",
    ),
    ('{{println}}{{println "a" "b" 1}}', "\na b 1\n"),
    ("{{range .l}}{{with .}}{{break}}{{end}}{{end}}x", "x"),
    ('{{ .s | print "a" | len }}', "6"),
    (
        '{{printf "%s" .el}} {{printf "%#v" .el}} {{printf "%v%%|%%%d" 1 2}} {{printf "%5%|"}}',
        "[] []interface {}{} 1%|%2 %|",
    ),
]


@pytest.mark.parametrize(("template", "expected"), CASES)
def test_a_template_prints_the_same_as_go(template: str, expected: str) -> None:
    assert compile_template(template).render(DATA) == expected
