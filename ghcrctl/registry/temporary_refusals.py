"""Temporary refusals: rate limits and server errors, regardless of their status."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.errors import RateLimitedError, RegistryUnavailableError
from ghcrctl.registry.body_stream import error_text
from ghcrctl.registry.retry_after import least_wait, requested_wait, underlying_status

if TYPE_CHECKING:
    import requests

    from ghcrctl.errors import GhcrctlError

# Besides the usual ones: client closed request (499), too early (425), insufficient storage (507),
# bandwidth limit exceeded (509), and the codes of content delivery networks (520 to 530).
_TEMPORARY = frozenset({408, 425, 429, 499, 500, 502, 503, 504, 507, 509, *range(520, 531)})


def is_temporary(response: requests.Response) -> bool:
    """Check whether a response is worth a retry; `Transport` has already retried its own."""
    return status_of(response) in _TEMPORARY


def status_of(response: requests.Response) -> int:
    """Return the actual status of a response; the body of a 403 may state another one."""
    status = response.status_code
    return underlying_status(status, error_text(response)) if status == 403 else status


def retryable_error(response: requests.Response, host: str) -> GhcrctlError:
    """Return the retryable error for a response.

    Args:
        response: a response with a temporary status.
        host: the host that responded, for messages.
    """
    status = status_of(response)
    # Other bodies are not needed and may be long.
    text = error_text(response) if response.status_code in {403, 429} else ""
    wait = requested_wait(response.headers.get("Retry-After"), text)
    if status != 429:
        return RegistryUnavailableError(
            f"{host} returned status {status}", retryable=True, retry_after=wait
        )
    return RateLimitedError(
        f"{host} is rate limiting requests (status {response.status_code})",
        retryable=True,
        retry_after=wait,
        least_wait=least_wait(response.status_code, text),
    )
