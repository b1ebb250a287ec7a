"""Run an action for multiple packages; a package that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from ghcrctl.errors import (
    ConnectionFailedError,
    GhcrctlError,
    InterruptedByUserError,
    PackageUnknownError,
    RateLimitedError,
    StoreError,
    TerminatedBySignalError,
    TlsError,
    UnauthorizedError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")
Failed: TypeAlias = Callable[[str, GhcrctlError], None]

# After these errors, the next package would fail too, or the user interrupted the run.
_ENDS_RUN = (
    ConnectionFailedError, InterruptedByUserError, RateLimitedError, StoreError,
    TerminatedBySignalError, TlsError, UnauthorizedError,
)  # fmt: skip


def ends_run(error: GhcrctlError) -> bool:
    """Return whether a failure of one package ends the whole run."""
    return isinstance(error, _ENDS_RUN)


def each_package(
    items: Sequence[Item],
    act: Callable[[Item], Result],
    name_of: Callable[[Item], str],
    failed: Failed | None,
) -> Iterator[tuple[Item, Result]]:
    """Yield the result of each package in order; skip packages that fail.

    Args:
        items: the packages, without duplicates.
        act: returns the result for one package.
        name_of: returns the name of one package.
        failed: called with the name and error of each package that fails. Without it, or if
            there is only one package, the first error is raised at the end.

    Raises:
        GhcrctlError: the whole run fails, or as described for `failed`.
    """
    first: GhcrctlError | None = None
    for item in items:
        try:
            result = act(item)
        except GhcrctlError as error:
            if ends_run(error):
                raise
            name_error(error, name_of(item))
            first = first or error
            if failed and len(items) > 1:
                failed(name_of(item), error)
        else:
            yield item, result
    if first and (failed is None or len(items) == 1):
        raise first


def name_error(error: GhcrctlError, name: str) -> None:
    """Add the name of a failed package to an error."""
    repository = name.partition("/")[2]
    if repository.lower() not in str(error).lower() and not isinstance(error, UsageError):
        error.side = f"{error.side}: {name}" if error.side else name


def check_selection(
    chosen: Sequence[object],
    unlisted: Mapping[str, GhcrctlError],
    verb: str,
    failed: Failed | None,
) -> None:
    """Report patterns whose packages could not be listed.

    Raises:
        PackageUnknownError: no package is chosen.
        GhcrctlError: no package is chosen since none could be listed.
    """
    if not chosen:
        raise next(
            iter(unlisted.values()),
            PackageUnknownError(f"cannot {verb} packages: no package matches"),
        )
    if failed:
        for text, error in unlisted.items():
            failed(text, error)
