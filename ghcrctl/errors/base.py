"""The base class of every exception of the project."""

from __future__ import annotations

from typing import ClassVar

from ghcrctl.errors.exit_status import ExitStatus


class GhcrctlError(Exception):
    """Base class of every error that is shown to the user.

    Args:
        message: what failed and which thing, lower case, without a full stop.
        hint: a command to run or a page to open; that of the class where it is not given.
        retryable: whether doing the same again may succeed.
        retry_after: seconds the other side asked to wait first, where it did.

    Attributes:
        least_wait: seconds of the first wait where the other side does not say how long; doubles.
        side: the end of a transfer that failed (``reading from ghcr.io/o/i``), set by the engine.
        may_be_done: whether the request may have taken effect although it failed: its response
            was lost, or was an error of the server.
    """

    # The public name: callers and the documentation know the class by it.
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
