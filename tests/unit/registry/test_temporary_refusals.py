"""Temporary refusals: rate limits and faults that arrive as status 403."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.errors import RateLimitedError
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from tests.unit.registry.party import PULL, PUSH, REALM, Party, gives

if TYPE_CHECKING:
    import responses

    from ghcrctl.content.wait_events import Wait
    from ghcrctl.registry.auth import Scope

URL = "https://ghcr.io/v2/octo/image/blobs/uploads/1"
SECONDARY = {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you "
    "try again."
}
ABUSE = {"message": "You have triggered an abuse detection mechanism."}


def denied(text: str) -> dict[str, object]:
    return {"errors": [{"code": "DENIED", "message": text}]}


def transport(waits: list[float], told: list[Wait], attempts: int = 5) -> Transport:
    options = TransportOptions(retry=RetryPolicy(attempts=attempts), waiting=told.append)
    return Transport(options, sleep=waits.append)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "PUT"])
@pytest.mark.parametrize("body", [SECONDARY, ABUSE, denied("secondary rate limit")])
def test_waits_for_a_secondary_limit_grow(
    web: responses.RequestsMock, waits: list[float], method: str, body: dict[str, object]
) -> None:
    told: list[Wait] = []
    for _ in range(4):
        web.add(method, URL, status=403, json=body)
    web.add(method, URL, status=202)
    made = transport(waits, told)
    assert made.request(method, URL, body=b"x" if method != "GET" else None).status_code == 202
    made.close()
    assert waits == [60, 120, 240, 480]
    assert {wait.reason for wait in told} == {"ghcr.io is rate limiting requests (status 403)"}
    assert {wait.code for wait in told} == {"rate-limited"}


@pytest.mark.parametrize(("asked", "waited"), [("30", 30), ("180", 180), ("600", 600)])
def test_a_stated_wait_for_a_secondary_limit_is_used(
    web: responses.RequestsMock, waits: list[float], asked: str, waited: float
) -> None:
    web.get(URL, status=403, json=SECONDARY, headers={"Retry-After": asked})
    web.get(URL)
    made = transport(waits, [])
    assert made.request("GET", URL).status_code == 200
    made.close()
    assert waits == [waited]


def test_an_excessive_wait_is_an_error(web: responses.RequestsMock, waits: list[float]) -> None:
    web.get(URL, status=403, json=SECONDARY, headers={"Retry-After": "3600"})
    made = transport(waits, [])
    assert made.request("GET", URL).status_code == 403
    made.close()
    assert waits == []


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_fault_behind_the_front_end_is_retried_as_that_fault(
    web: responses.RequestsMock, waits: list[float], status: int
) -> None:
    text = f'permission_denied: Error from intermediary with HTTP status code {status} "No"'
    web.get(URL, status=403, json=denied(text))
    web.get(URL)
    made = transport(waits, [])
    assert made.request("GET", URL).status_code == 200
    made.close()
    assert len(waits) == 1
    assert waits[0] < 2


@pytest.mark.parametrize("text", ["denied", "Error from intermediary with HTTP status code 404"])
def test_any_other_403_is_a_response(
    web: responses.RequestsMock, waits: list[float], text: str
) -> None:
    web.get(URL, status=403, json=denied(text))
    made = transport(waits, [])
    assert json.loads(made.request("GET", URL).error_text)  # type: ignore[attr-defined]
    made.close()
    assert waits == []


@pytest.mark.parametrize("scope", [PULL, PUSH])
def test_a_rate_limited_token_endpoint_does_not_reject_the_credential(
    web: responses.RequestsMock, octo: Party, scope: Scope
) -> None:
    web.get(REALM, status=403, json=SECONDARY)
    with pytest.raises(RateLimitedError) as caught:
        octo.challenged(scope)
    assert caught.value.exit_status == 3
    assert "sign" not in (caught.value.hint or "")
    assert len(web.calls) == 1
    web.reset()
    gives(web, {"token": "t"})
    assert octo.challenged(scope) == "Bearer t"
    assert "Authorization" in web.calls[0].request.headers


def test_a_body_that_is_streamed_waits_as_long() -> None:
    error = RateLimitedError("limited", retryable=True, least_wait=60)
    policy = RetryPolicy()
    assert [policy.delay(attempt, error) for attempt in (1, 2, 3, 4, 5)] == [
        60,
        120,
        240,
        480,
        None,
    ]
    assert RetryPolicy(attempts=99).delay(9, error) == 900
