"""What scripts and people rely on in errors: stable codes, statuses, documentation."""

from __future__ import annotations

import inspect
import re

import pytest

from ghcrctl import errors
from ghcrctl.errors import ExitStatus, GhcrctlError
from tests.architecture.sources import ROOT

REFERENCE = ROOT / "docs" / "reference"
CLASSES = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, GhcrctlError)
]
each_class = pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)


@each_class
def test_an_error_has_a_code_of_its_own_in_kebab_case(error: type[GhcrctlError]) -> None:
    assert "code" in vars(error)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", error.code)


def test_no_two_errors_share_a_code() -> None:
    codes = [error.code for error in CLASSES]
    assert sorted(set(codes)) == sorted(codes)


@each_class
def test_an_errors_code_and_status_are_documented(error: type[GhcrctlError]) -> None:
    row = f"| [`{error.code}`](#{error.code}) | {error.exit_status.value} |"
    assert row in (REFERENCE / "errors.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("status", ExitStatus, ids=lambda status: status.name.lower())
def test_an_exit_status_is_documented(status: ExitStatus) -> None:
    page = (REFERENCE / "exit-statuses.md").read_text(encoding="utf-8")
    assert f"| [{status.value}](#status-{status.value}) |" in page


@each_class
def test_an_error_stands_in_the_tree_at_the_top_of_its_module(error: type[GhcrctlError]) -> None:
    assert re.search(rf"\b{error.__name__}\b", errors.__doc__ or "")


@each_class
def test_an_error_keeps_the_status_of_its_family(error: type[GhcrctlError]) -> None:
    family = error.__mro__[1]
    if family is not GhcrctlError and issubclass(family, GhcrctlError):
        assert error.exit_status == family.exit_status


def test_statuses_and_codes_that_scripts_rely_on_stay_what_they_are() -> None:
    assert {status.name: status.value for status in ExitStatus} == {
        "SUCCESS": 0,
        "BUG": 1,
        "USAGE": 2,
        "NETWORK": 3,
        "NOT_FOUND": 4,
        "AUTH": 5,
        "INTEGRITY": 6,
        "UNSUPPORTED": 7,
        "STORE": 8,
        "DIFFERENT": 9,
        "INTERRUPTED": 130,
        "BROKEN_PIPE": 141,
        "TERMINATED": 143,
    }
