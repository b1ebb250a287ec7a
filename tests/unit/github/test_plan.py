"""Plans as files: `apply` reads what users review."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import NotFoundError, UsageError
from ghcrctl.github.deletion_planner import make_plan
from ghcrctl.github.plan import plans_from_file, plans_to_json
from ghcrctl.github.retention_policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.github.plan import Plan


def some_plan() -> Plan:
    versions = Versions().image("amd64").index("old", ("amd64",), "old").image("new", "new")
    policy = Policy(include=("*",), keep_last=1)
    return make_plan(versions.graph, policy, NOW, TARGET)


def test_a_plan_can_be_written_and_read(tmp_path: Path) -> None:
    plan = some_plan()
    assert len(plan.steps) == 2
    path = tmp_path / "plan.json"
    path.write_text(plans_to_json([plan, plan]))
    assert plans_from_file(path) == [plan, plan]


def test_a_plan_contains_reasons_and_sizes() -> None:
    data = json.loads(plans_to_json([some_plan()]))
    assert data["schema"] == "ghcrctl/plan/1"
    steps = data["plans"][0]["steps"]
    assert [step["tags"] for step in steps] == [["old"], []]
    assert all(step["reason"] for step in steps)
    assert sum(step["freed"] for step in steps) == data["plans"][0]["freed"] > 0
    assert data["plans"][0]["kept"][0]["reason"]


def _without(*path: str | int) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        del data[path[-1]]

    return change


def _with(value: object, *path: str | int) -> Callable[[Any], None]:
    def change(data: Any) -> None:
        for part in path[:-1]:
            data = data[part]
        data[path[-1]] = value

    return change


STEP = ("plans", 0, "steps", 0)


@pytest.mark.parametrize(
    "change",
    [
        _without("schema"),
        _with("ghcrctl/plan/2", "schema"),
        _with("ghcrctl/journal/1", "schema"),
        _without("plans"),
        _with(None, "plans"),
        _with([7], "plans"),
        _without("plans", 0, "owner"),
        _with(7, "plans", 0, "owner"),
        _with("yesterday", "plans", 0, "made"),
        _with([7], "plans", 0, "rules"),
        _without(*STEP, "tags"),
        _with("../../x", *STEP, "digest"),
        _with(7, *STEP, "digest"),
        _with("seven", *STEP, "id"),
        _with([["x"]], *STEP, "tags"),
        _with({"x": 1}, *STEP, "tags"),
        _with(["nonsense"], *STEP, "follows"),
        _with(None, "plans", 0, "kept"),
    ],
)
def test_an_invalid_plan_is_refused(tmp_path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    change(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match=r"invalid plan|cannot use the plan") as caught:
        plans_from_file(path)
    assert "prune --plan" in (caught.value.hint or "")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_another_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match=r"invalid plan|cannot use the plan"):
        plans_from_file(path)


def test_a_duplicate_key_is_refused(tmp_path: Path) -> None:
    text = plans_to_json([some_plan()])
    path = tmp_path / "plan.json"
    path.write_text(
        text.replace('"deletes_package": false', '"steps": [], "deletes_package": true')
    )
    with pytest.raises(UsageError, match=r"invalid plan .*: `steps` is a duplicate key"):
        plans_from_file(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_without("plans", 0, "owner"), "`owner` is missing"),
        (_without("schema"), "`schema` is missing"),
        (_with("sha256:x", *STEP, "digest"), "invalid digest `sha256:x`"),
        (_with(7, "plans", 0, "owner"), "a value has the wrong type"),
        (_with("yesterday", "plans", 0, "made"), "it is not JSON"),
    ],
)
def test_an_invalid_plan_is_refused_with_the_reason(
    tmp_path: Path, change: Callable[[Any], None], reason: str
) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    change(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError) as caught:
        plans_from_file(path)
    assert caught.value.message.startswith(f"invalid plan {path}: {reason}")


@pytest.mark.parametrize("value", ["false", "true", 0, 1, None, []])
@pytest.mark.parametrize("where", [("plans", 0, "deletes_package"), (*STEP, "is_asked")])
def test_a_text_or_number_does_not_count_as_a_boolean(
    tmp_path: Path, where: tuple[str | int, ...], value: object
) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    _with(value, *where)(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="a value has the wrong type"):
        plans_from_file(path)


@pytest.mark.parametrize("value", ["7", 7.0, 7.5, True, -1, None])
@pytest.mark.parametrize("where", [("plans", 0, "size"), (*STEP, "id"), (*STEP, "freed")])
def test_only_a_whole_number_counts_as_one(
    tmp_path: Path, where: tuple[str | int, ...], value: object
) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    _with(value, *where)(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="a value has the wrong type"):
        plans_from_file(path)


@pytest.mark.parametrize(
    ("text", "hour"), [("2026-11-01T05:00:00", 5), ("2026-11-01T05:00:00+02:00", 3)]
)
def test_a_time_without_a_zone_is_in_utc(tmp_path: Path, text: str, hour: int) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    _with(text, "plans", 0, "made")(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    [plan] = plans_from_file(path)
    assert plan.made == datetime(2026, 11, 1, hour, tzinfo=timezone.utc)


def test_an_edited_plan_is_consistent() -> None:
    plan = some_plan()
    assert plan.name == "ghcr.io/octo/app"
    assert plan.does_something
    nothing = replace(plan, steps=())
    assert not nothing.does_something
    assert replace(nothing, deletes_package=True).does_something


def test_a_plan_is_written_for_users_to_edit() -> None:
    lines = plans_to_json([some_plan()]).splitlines()
    assert lines[1] == ' "schema": "ghcrctl/plan/1",'


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        plans_from_file(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot read"):
        plans_from_file(tmp_path)
