"""Translate GitHub's response to a deletion into a state of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.errors import (
    AuthError,
    BlockedError,
    DeniedError,
    GhcrctlError,
    NetworkError,
    PackageUnknownError,
    RegistryUnavailableError,
    RetainedError,
)
from ghcrctl.operations.packages.journal_entries import State

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a deletion.

    Args:
        state: the new state, for the journal and the user.
        why: the reason, for the user.
        error: a failure that the exit status reports.
        is_certain: whether it is known that the version exists, or that it was deleted.
        ends_run: whether no other deletion, of any package, can succeed either.
    """

    state: State
    why: str = ""
    error: GhcrctlError | None = None
    is_certain: bool = True
    ends_run: bool = False


def ends_run(error: GhcrctlError) -> bool:
    """Return whether an error stops a run: GitHub cannot be reached, or rejects the token."""
    if isinstance(error, RegistryUnavailableError):
        return False
    return isinstance(error, (AuthError, NetworkError))


def delete(
    send: Callable[[], None], is_there: Callable[[], bool], what: str, *, was_begun: bool
) -> Outcome:
    """Delete a version or package, and return the outcome.

    Args:
        send: sends the request.
        is_there: checks whether it still exists.
        what: its name, for the message.
        was_begun: whether an earlier run may have sent the request.

    Raises:
        NetworkError: GitHub cannot be reached, or its rate limit lasts too long.
    """
    try:
        send()
    except PackageUnknownError as error:
        return _unknown(error, is_there, what, was_begun=was_begun)
    except RetainedError as error:
        return Outcome(State.RETAINED, error.message)
    except BlockedError as error:
        return Outcome(State.BLOCKED, error.message)
    except AuthError as error:
        return Outcome(
            State.DENIED,
            error.message,
            error,
            is_certain=not error.may_be_done,
            ends_run=True,
        )
    except GhcrctlError as error:
        if ends_run(error):
            raise
        return Outcome(State.FAILED, error.message, error, is_certain=not error.may_be_done)
    return Outcome(State.DELETED)


def _unknown(
    error: PackageUnknownError, is_there: Callable[[], bool], what: str, *, was_begun: bool
) -> Outcome:
    """Interpret a 404: it was deleted in the meantime, or the token lacks permission."""
    if not is_there():
        return Outcome(State.DELETED if was_begun or error.may_be_done else State.GONE)
    denied = DeniedError(
        f"cannot delete {what}: the token can read it, but not delete it", hint=error.hint
    )
    return Outcome(State.DENIED, denied.message, denied)
