"""Temporary refusals: rate limits and faults, whatever status they arrive with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import RateLimitedError, RegistryUnavailableError
from ghcrctl.registry.body_stream import error_text
from ghcrctl.registry.retry_after import least_wait, underlying_status, wait_asked

if TYPE_CHECKING:
    import requests

    from ghcrctl.errors import GhcrctlError

# Besides the usual ones: a client that went away (499), too early (425), no space (507), too much
# bandwidth (509), and what content delivery networks add (520 to 530).
_TEMPORARY = frozenset({408, 425, 429, 499, 500, 502, 503, 504, 507, 509, *range(520, 531)})


def is_temporary(response: requests.Response) -> bool:
    """Check whether a request may be repeated; a `Transport` already did, as often as it may."""
    return status_of(response) in _TEMPORARY


def status_of(response: requests.Response) -> int:
    """Return the status that a response represents; the body of a 403 may name another."""
    status = response.status_code
    return underlying_status(status, error_text(response)) if status == 403 else status


def retryable_error(response: requests.Response, host: str) -> GhcrctlError:
    """Return the retryable error for a response.

    Args:
        response: whose status is worth a retry.
        host: the host that responded, for messages.
    """
    status = status_of(response)
    # Only these are read: the body of another may be long.
    text = error_text(response) if response.status_code in {403, 429} else ""
    asked = wait_asked(response.headers.get("Retry-After"), text)
    if status != 429:
        return RegistryUnavailableError(
            f"{host} answers with status {status}", retryable=True, retry_after=asked
        )
    return RateLimitedError(
        f"{host} asks for fewer requests (status {response.status_code})",
        retryable=True,
        retry_after=asked,
        least_wait=least_wait(response.status_code, text),
    )
