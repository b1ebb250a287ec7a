"""Retention rules on the command line and in files."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ghcrctl.errors import GhcrctlError, NotFoundError, UsageError
from ghcrctl.operations.packages.rules import parse_rules, read_policy_file

NOW = datetime(2026, 11, 1, tzinfo=timezone.utc)
DIGEST = f"sha256:{'ab' * 32}"
YAML = """
defaults: {exclude: [latest, "semver:>=1"], min-age: 2h}
packages:
  - package: octo/app
    include: ["pr-*"]
    keep-last: 3
    group-by: '^(pr)-'
  - package: [octo/lib-*, octo/tool]
    exclude: stable
    older-than: 30d
    untagged: false
"""
TOML = """
defaults = {exclude = ["latest", "semver:>=1"], min-age = "2h"}
[[packages]]
package = "octo/app"
include = ["pr-*"]
keep-last = 3
group-by = '^(pr)-'
[[packages]]
package = ["octo/lib-*", "octo/tool"]
exclude = "stable"
older-than = "30d"
untagged = false
"""


@pytest.mark.parametrize(("name", "text"), [("p.yaml", YAML), ("p.yml", YAML), ("p.toml", TOML)])
def test_a_file_has_rules_for_many_packages(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    first, second = read_policy_file(path, NOW)
    assert first.packages == ("octo/app",)
    assert first.policy.include == ("pr-*",)
    assert first.policy.keep_last == 3
    assert first.policy.exclude == ("latest", "semver:>=1")
    assert first.policy.min_age == second.policy.min_age == timedelta(hours=2)
    assert second.packages == ("octo/lib-*", "octo/tool")
    assert second.policy.exclude == ("stable",), "a rule of its own takes the place of the default"
    assert second.policy.older_than == NOW - timedelta(days=30)
    assert not second.policy.untagged


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected a table"),
        ("packages: []", "`packages` is missing"),
        ("packages: {package: x}", "`packages` is missing"),
        ("packages: [7]", "entry 1"),
        ("packages: [{keep-last: 3}]", "entry 1: `package` is missing"),
        ("packages: [{package: a/b}, {package: a/c, keep_last: 3}]", "entry 2"),
        ("packages: [{package: a/b, keep-last: -1}]", "invalid `keep-last`: expected a number"),
        ("packages: [{package: a/b, keep-last: true}]", "invalid `keep-last`: expected a number"),
        ("packages: [{package: a/b, keep-last: '3'}]", "invalid `keep-last`: expected a number"),
        ("packages: [{package: a/b, untagged: maybe}]", "untagged"),
        ("packages: [{package: a/b, older-than: soon}]", "older-than"),
        (
            "packages: [{package: a/b, by: pulled}]",
            "invalid `by`: expected one of created, updated",
        ),
        ("packages: [{package: a/b, when-empty: cry}]", "invalid `when-empty`: expected one of"),
        ("packages: [{package: a/b, include: ['re:(']}]", "entry 1"),
        ("packages: [{package: a/b, exclude: ['semver:>>1']}]", "entry 1"),
        ("packages: [{package: a/b, keep-last: 1, group-by: '('}]", "entry 1"),
        ("packages: [{package: a/b, group-by: 'x'}]", "`group-by` requires `keep-last`"),
        ("packages: [{package: a/b, protect-digest: abc}]", "entry 1"),
        (
            "packages: [{package: a/b, keep-last: 1, group-by: 7}]",
            "invalid `group-by`: expected a text: 7",
        ),
        ("packages: [{package: a/b, repository: ''}]", "invalid `repository`: expected a text: "),
        (
            "packages: [{package: a/b, deleted-branches: [x]}]",
            "invalid `deleted-branches`: expected a text",
        ),
        (
            "packages: [{package: a/b, floor: -1}]",
            "invalid `floor`: expected a number of at least 0: -1",
        ),
        (
            "packages: [{package: a/b, keep-untagged: 1.5}]",
            "invalid `keep-untagged`: expected a number",
        ),
        ("packages: [{package: []}]", "`package`"),
        ("packages: [{packge: a/b}]", "entry 1 has an unknown key `packge`"),
        ("packages: [{package: a/b, closed-pull-requests: pr-}]", "expected {number} once"),
        ("packages: [{package: a/b, deleted-branches: '{number}'}]", "expected {branch} once"),
        ("defaults: {keep: 3}\npackages: [{package: a/b}]", "`defaults`"),
        ("defaults: false\npackages: [{package: a/b}]", "`defaults`"),
        ("defaults: [1]\npackages: [{package: a/b}]", "`defaults`"),
        ("other: 1\npackages: [{package: a/b}]", "other"),
        ("packages: [", "p.yaml is not valid YAML"),
        ("[" * 30, "it is nested too deeply"),
    ],
)
def test_a_file_with_invalid_rules_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(GhcrctlError) as caught:
        read_policy_file(path, NOW)
    assert isinstance(caught.value, UsageError)
    assert said in caught.value.message


@pytest.mark.parametrize("key", ["older-than", "newer-than", "min-age"])
@pytest.mark.parametrize("value", ["30", "30.5", "-30", "+30", "30_000", "20260131", "86400"])
def test_a_number_without_a_unit_is_not_an_age(tmp_path: Path, key: str, value: str) -> None:
    for text in (value, f"'{value}'"):
        path = tmp_path / "p.yaml"
        path.write_text(f"packages: [{{package: a/b, {key}: {text}}}]")
        with pytest.raises(UsageError, match=r"needs a unit: ms, s, m, h, d or w") as caught:
            read_policy_file(path, NOW)
        assert "p.yaml: entry 1: invalid" in caught.value.message
        assert f"{key}: " in caught.value.message


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("older-than: true", "invalid `older-than`"),
        ("min-age: true", "invalid `min-age`"),
        ("min-age: [1h]", "invalid `min-age`"),
        ("min-age: 2026-01-31", "invalid `min-age`"),
        ("min-age: '2026-01-31'", "invalid duration `min-age: 2026-01-31`"),
        ("min-age: 1700000000", "needs a unit"),
        ("min-age: 1mo", "(units: ms, s, m, h, d, w)"),
        ("min-age: ''", "invalid duration"),
        (f"min-age: {'9' * 400}d", "invalid duration"),
        ("older-than: 1y", "(units: ms, s, m, h, d, w)"),
        ("older-than: '0'", "needs a unit"),
    ],
)
def test_an_invalid_age_is_refused(tmp_path: Path, rule: str, said: str) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(f"packages: [{{package: a/b, {rule}}}]")
    with pytest.raises(UsageError) as caught:
        read_policy_file(path, NOW)
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("p.yaml", "packages:\n- package: a/b\n  floor: 1\n  floor: 2", "`floor` on line 4"),
        ("p.yaml", "packages: [{package: a/b, floor: 1, 'floor': 1}]", "`floor` on line 1"),
        (
            "p.yaml",
            "defaults: {}\npackages: [{package: a/b}]\ndefaults: {}",
            "`defaults` on line 3",
        ),
        ("p.yaml", "packages: []\n\npackages: [{package: a/b}]", "first used on line 1"),
        ("p.yaml", "? [x]\n: {a: 1,\n a: 1}", "`a` on line 3"),
        ("p.toml", "[[packages]]\npackage = 'a/b'\nfloor = 1\nfloor = 2", "`floor` on line 4"),
        ("p.toml", "[[packages]]\nfloor = 1\n\"floor\" = 2\npackage = 'a/b'", "`floor` on line 3"),
        ("p.toml", "defaults = {floor = 1, floor = 2}\n", "`floor` on line 1"),
        ("p.toml", "[defaults]\nfloor = 1\n[defaults]\n", "`defaults` on line 3"),
        ("p.toml", "defaults = {floor = 1}\n[defaults.x]\n", "`defaults.x` on line 2"),
        ("p.toml", "defaults = {floor = 1}\ndefaults.x = 1", "`defaults` on line 2"),
        ("p.toml", "defaults = 1\n[defaults]\nfloor = 1", "`defaults` on line 2"),
        ("p.toml", "[packages]\nx = 1\n[[packages]]\n", "`packages` on line 3"),
        ("p.toml", "[defaults]\nby = 'x'\nfloor = 1\nfloor = [\n1]\n", "`floor` on line 4"),
        ("p.toml", "[defaults]\ninclude = ['a=']\n\ninclude = [\n  'b = c',\n]\n", "line 4"),
    ],
)
def test_a_duplicate_key_is_named_with_its_line(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(UsageError, match="duplicate key") as caught:
        read_policy_file(path, NOW)
    assert said in caught.value.message
    assert str(path) in caught.value.message


def test_a_key_without_a_value_keeps_the_default_and_an_empty_list_removes_it(
    tmp_path: Path,
) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("""
defaults: {exclude: latest, floor: 3}
packages:
- package: a/b
  exclude:
  floor:
- package: a/c
  exclude: []
""")
    first, second = (rules.policy for rules in read_policy_file(path, NOW))
    assert (first.exclude, first.floor) == (("latest",), 3)
    assert second.exclude == ()


def test_the_same_key_in_two_tables_is_not_a_duplicate(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("packages: [{package: a/b, floor: 1}, {package: a/c, floor: 2}]")
    assert [rules.policy.floor for rules in read_policy_file(path, NOW)] == [1, 2]
    path.write_text("packages: [{package: [a/b, a/b], include: [floor, floor]}]")
    assert read_policy_file(path, NOW)[0].policy.include == ("floor", "floor")


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_policy_file(tmp_path / "none.yaml", NOW)


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        ({}, "least", 1),
        ({"floor": 0}, "least", 0),
        ({"floor": 3}, "least", 3),
        ({"when-empty": "fail"}, "if_empty", "fail"),
        ({"when-empty": "fail", "floor": 0}, "if_empty", "fail"),
        ({"when-empty": "fail", "floor": 1}, "if_empty", "keep"),
        ({"when-empty": "delete-package", "floor": 2}, "if_empty", "keep"),
        ({}, "untagged", True),
        ({"untagged": False}, "untagged", False),
        ({"untagged": True}, "untagged", True),
        ({}, "orphaned", True),
        ({"orphaned": False}, "orphaned", False),
        ({"orphaned": True}, "orphaned", True),
        ({}, "orphaned_unseen", False),
        ({"orphaned-unseen": True}, "orphaned_unseen", True),
        ({}, "ghosts", False),
        ({"ghosts": True}, "ghosts", True),
        ({}, "partial", False),
        ({"partial": True}, "partial", True),
        ({"include": "a"}, "include", ("a",)),
        ({"keep-last": 0}, "keep_last", 0),
        ({"keep-untagged": 2}, "keep_untagged", 2),
        ({"keep-last": 1, "group-by": "v"}, "group_by", "v"),
        ({}, "group_by", None),
        ({"newer-than": "2d"}, "newer_than", NOW - timedelta(days=2)),
        ({}, "by", "created"),
        ({"by": "updated"}, "by", "updated"),
        ({}, "when_empty", "keep"),
        ({"when-empty": "fail"}, "when_empty", "fail"),
        ({}, "min_age", timedelta(hours=6)),
        ({"min-age": "0"}, "min_age", timedelta(0)),
        ({"min-age": 0}, "min_age", timedelta(0)),
        ({"min-age": "0h"}, "min_age", timedelta(0)),
        ({"min-age": "1d12h"}, "min_age", timedelta(hours=36)),
        ({"min-age": timedelta(hours=2)}, "min_age", timedelta(hours=2)),
        ({"older-than": timedelta(days=2)}, "older_than", NOW - timedelta(days=2)),
        ({"older-than": 1700000000}, "older_than", datetime.fromtimestamp(1.7e9, timezone.utc)),
        ({"older-than": "2026-01-31"}, "older_than", datetime(2026, 1, 31, tzinfo=timezone.utc)),
        ({"protect-digest": [DIGEST]}, "protected", frozenset({DIGEST})),
        ({"keep-last": None}, "keep_last", None),
        ({"exclude": []}, "exclude", ()),
    ],
)
def test_each_rule_has_its_meaning(given: dict[str, Any], field: str, expected: object) -> None:
    assert getattr(parse_rules(("octo/app",), given, NOW).policy, field) == expected


def test_given_rules_are_kept_for_the_plan() -> None:
    given = {"include": ["a"], "ghosts": False, "floor": 0, "untagged": False, "partial": True}
    rules = parse_rules(("octo/app",), given | {"by": "created", "min-age": None}, NOW)
    expected = {"include": ["a"], "floor": 0, "untagged": False, "partial": True, "by": "created"}
    assert rules.given == expected


def test_files_and_patterns_of_github_are_kept() -> None:
    given = {
        "protect-file": ["a", "b"],
        "closed-pull-requests": "pr-{number}",
        "deleted-branches": "{branch}",
        "repository": "octo/app",
    }
    rules = parse_rules(("octo/app",), given, NOW)
    assert rules.files == (Path("a"), Path("b"))
    assert (rules.closed, rules.deleted, rules.repository) == (
        "pr-{number}",
        "{branch}",
        "octo/app",
    )
    bare = parse_rules(("octo/app",), {}, NOW)
    assert (bare.files, bare.closed, bare.deleted, bare.repository) == ((), "", "", "")


def test_an_error_of_an_entry_is_prefixed_once(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    for rule in ("include: ['re:(']", "floor: x"):
        path.write_text(f"packages: [{{package: a/b}}, {{package: a/b, {rule}}}]")
        with pytest.raises(UsageError) as caught:
            read_policy_file(path, NOW)
        assert caught.value.message.count(f"{path}: entry 2: ") == 1
