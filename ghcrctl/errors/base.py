"""The base class of all exceptions."""

from __future__ import annotations

from typing import ClassVar

from ghcrctl.errors.exit_status import ExitStatus


class GhcrctlError(Exception):
    """Base class of all errors shown to the user.

    Args:
        message: what failed and why, in lower case, without a period.
        hint: a command to run or a page to open; by default, the hint of the class.
        retryable: whether a retry may succeed.
        retry_after: the wait that the host requested (seconds).

    Attributes:
        least_wait: the first wait if the host does not request one (seconds). It doubles.
        side: the side of a transfer that failed (``reading from ghcr.io/o/i``), set by the engine.
        may_be_done: whether the failed request may have taken effect, because its response was
            lost or was a server error.
    """

    # The public name, for tracebacks and documentation.
    __module__ = "ghcrctl.errors"

    code: ClassVar[str] = "bug"
    exit_status: ClassVar[ExitStatus] = ExitStatus.BUG
    usual_hint: ClassVar[str | None] = None

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.usual_hint if hint is None else hint
        self.retryable = retryable
        self.retry_after = retry_after
        self.least_wait: float | None = None
        self.side: str | None = None
        self.may_be_done = False

    def __str__(self) -> str:
        return f"{self.side}: {self.message}" if self.side else self.message
