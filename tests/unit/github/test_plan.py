"""Plans as files: what people review is what `apply` reads."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import NotFoundError, UsageError
from ghcrctl.github.plan import plans_from_file, plans_to_json
from ghcrctl.github.planner import make_plan
from ghcrctl.github.policy import Policy
from tests.unit.github.graphs import NOW, TARGET, Versions

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ghcrctl.github.plan import Plan


def some_plan() -> Plan:
    versions = Versions().image("amd64").index("old", ("amd64",), "old").image("new", "new")
    policy = Policy(include=("*",), keep_last=1)
    return make_plan(versions.graph, policy, NOW, TARGET)


def test_a_plan_reads_as_it_was_written(tmp_path: Path) -> None:
    plan = some_plan()
    assert len(plan.steps) == 2
    path = tmp_path / "plan.json"
    path.write_text(plans_to_json([plan, plan]))
    assert plans_from_file(path) == [plan, plan]


def test_a_plan_says_why_and_how_much() -> None:
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
def test_a_plan_that_is_none_is_refused(tmp_path: Path, change: Callable[[Any], None]) -> None:
    data = json.loads(plans_to_json([some_plan()]))
    change(data)
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(data))
    with pytest.raises(UsageError, match="is no plan") as caught:
        plans_from_file(path)
    assert "prune --plan" in (caught.value.hint or "")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b"\xff\xfe", b"[" * 100_000])
def test_a_file_of_something_else_is_refused(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(raw)
    with pytest.raises(UsageError, match="is no plan"):
        plans_from_file(path)


def test_a_plan_that_has_a_key_twice_is_refused(tmp_path: Path) -> None:
    text = plans_to_json([some_plan()])
    path = tmp_path / "plan.json"
    path.write_text(
        text.replace('"deletes_package": false', '"steps": [], "deletes_package": true')
    )
    with pytest.raises(UsageError, match="is no plan: `steps` is said twice"):
        plans_from_file(path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no such file"):
        plans_from_file(tmp_path / "none.json")
    with pytest.raises(UsageError, match="cannot be read"):
        plans_from_file(tmp_path)
