"""Running an action for several packages, some of which fail."""

from __future__ import annotations

import pytest

from ghcrctl.errors import (
    ConnectionFailedError,
    DeniedError,
    GhcrctlError,
    IntegrityError,
    NotFoundError,
    PackageUnknownError,
    RateLimitedError,
    RegistryUnavailableError,
    StoreError,
    TimedOutError,
    TlsError,
    UnauthorizedError,
    UsageError,
)
from ghcrctl.operations.packages.package_batch import (
    check_selection,
    each_package,
    ends_run,
    name_error,
)

GOES_ON = (
    DeniedError, IntegrityError, NotFoundError, RegistryUnavailableError, TimedOutError, UsageError,
)  # fmt: skip
ENDS = (ConnectionFailedError, RateLimitedError, StoreError, TlsError, UnauthorizedError)


class Act:
    """Fails for the names in its errors."""

    def __init__(self, **errors: GhcrctlError) -> None:
        self.errors = errors
        self.seen: list[str] = []

    def __call__(self, name: str) -> str:
        self.seen.append(name)
        if name in self.errors:
            raise self.errors[name]
        return name.upper()


def named(name: str) -> str:
    return f"ghcr.io/octo/{name}"


@pytest.mark.parametrize("kind", GOES_ON)
def test_other_packages_are_done_and_the_failure_is_reported(kind: type[GhcrctlError]) -> None:
    error = kind("no")
    failed: list[tuple[str, GhcrctlError]] = []
    found = each_package(
        ["a", "b", "c"], Act(b=error), named, lambda name, error: failed.append((name, error))
    )
    assert list(found) == [("a", "A"), ("c", "C")]
    assert failed == [("ghcr.io/octo/b", error)]
    assert isinstance(error, UsageError) or str(error) == "ghcr.io/octo/b: no"


@pytest.mark.parametrize("kind", ENDS)
def test_an_error_that_affects_all_packages_ends_the_run(kind: type[GhcrctlError]) -> None:
    act = Act(a=kind("no"))
    assert ends_run(act.errors["a"])
    with pytest.raises(kind):
        list(each_package(["a", "b"], act, named, lambda _name, _error: None))
    assert act.seen == ["a"]


def test_without_a_listener_the_first_failure_is_raised_at_the_end() -> None:
    act = Act(a=NotFoundError("first"), c=DeniedError("second"))
    found = each_package(["a", "b", "c"], act, named, None)
    assert next(found) == ("b", "B")
    with pytest.raises(NotFoundError, match="first"):
        next(found)
    assert act.seen == ["a", "b", "c"]


def test_the_failure_of_the_only_package_is_raised() -> None:
    failed: list[str] = []
    found = each_package(
        ["a"], Act(a=NotFoundError("no")), named, lambda name, _: failed.append(name)
    )
    with pytest.raises(NotFoundError):
        list(found)
    assert failed == []


def test_an_error_names_its_package_once() -> None:
    error = NotFoundError("no manifest")
    name_error(error, "ghcr.io/octo/app")
    assert str(error) == "ghcr.io/octo/app: no manifest"
    name_error(error, "ghcr.io/octo/app")
    assert str(error) == "ghcr.io/octo/app: no manifest"
    known = NotFoundError("cannot get Octo/App")
    name_error(known, "ghcr.io/octo/app")
    assert str(known) == "cannot get Octo/App"
    sided = NotFoundError("no manifest")
    sided.side = "reading"
    name_error(sided, "ghcr.io/octo/app")
    assert str(sided) == "reading: ghcr.io/octo/app: no manifest"


def test_patterns_that_cannot_be_listed_are_reported_or_raised() -> None:
    error = DeniedError("no")
    failed: list[str] = []
    check_selection(["a"], {"octo/*": error}, "prune", lambda name, _: failed.append(name))
    assert failed == ["octo/*"]
    check_selection(["a"], {"octo/*": error}, "prune", None)
    with pytest.raises(DeniedError):
        check_selection([], {"octo/*": error}, "prune", None)
    with pytest.raises(PackageUnknownError, match="no package matches"):
        check_selection([], {}, "prune", None)
