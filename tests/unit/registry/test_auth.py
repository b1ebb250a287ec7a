"""Docker's token protocol and Basic, against scripted responses."""

from __future__ import annotations

import base64
import threading
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import UnauthorizedError
from ghcrctl.registry.auth import Scope
from tests.unit.registry.party import (
    BASIC,
    CHALLENGE,
    PULL,
    PUSH,
    REALM,
    SECRET,
    Party,
    gives,
    query,
)

if TYPE_CHECKING:
    import responses


def test_a_token_request_has_service_scope_and_credential(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"})
    assert octo.auth.header(PULL) is None
    assert octo.challenged() == "Bearer t1"
    assert query(web) == {"service": ["ghcr.io"], "scope": ["repository:octo/image:pull"]}
    assert web.calls[0].request.headers["Authorization"] == BASIC


def test_without_a_credential_the_token_is_anonymous(
    web: responses.RequestsMock, nobody: Party
) -> None:
    gives(web, {"access_token": "t1", "token": ""})
    assert nobody.challenged() == "Bearer t1"
    assert "Authorization" not in web.calls[0].request.headers


def test_a_mount_requests_access_to_both_repositories(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(Scope.push("octo/image", "octo/other"))
    assert query(web)["scope"] == [
        "repository:octo/image:pull,push",
        "repository:octo/other:pull",
    ]


def test_a_realm_with_a_query_keeps_it(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(header='Bearer realm="https://ghcr.io/token?account=x"')
    assert query(web) == {"account": ["x"], "scope": ["repository:octo/image:pull"]}


def test_a_token_is_used_until_shortly_before_it_expires(
    web: responses.RequestsMock, octo: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1000.0]
    monkeypatch.setattr("ghcrctl.registry.auth.time.monotonic", lambda: now[0])
    gives(web, {"token": "t1", "expires_in": 300}, {"token": "t2", "expires_in": 300})
    assert octo.challenged() == "Bearer t1"
    now[0] += 285
    assert octo.auth.header(PULL) == "Bearer t1"
    now[0] += 10
    assert octo.auth.header(PULL) == "Bearer t2"
    assert len(web.calls) == 2


@pytest.mark.parametrize(
    "expires",
    [
        None,
        0,
        -1,
        "60",
        "soon",
        "",
        [],
        60.5,
        True,
        10**12,
        10**400,
        1e308,
        float("inf"),
        float("nan"),
    ],
)
def test_any_token_lifetime_is_parsed(
    web: responses.RequestsMock, octo: Party, expires: object
) -> None:
    gives(web, {"token": "t1", "expires_in": expires})
    assert octo.challenged() == "Bearer t1"
    assert octo.auth.header(PULL) == "Bearer t1"
    assert len(web.calls) == 1


def test_tokens_are_kept_by_repository_and_actions(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "pull"}, {"token": "push"}, {"token": "other"})
    assert octo.challenged() == "Bearer pull"
    assert octo.auth.header(PUSH) == "Bearer push"
    assert octo.auth.header(Scope.pull("octo/other")) == "Bearer other"
    assert [octo.auth.header(s) for s in (PULL, PUSH)] == ["Bearer pull", "Bearer push"]
    assert len(web.calls) == 3


def test_a_token_that_is_rejected_is_replaced_once(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"}, {"token": "t2"})
    assert octo.challenged() == "Bearer t1"
    assert octo.challenged(sent="Bearer t1") == "Bearer t2"
    # A slower thread presents the same token again.
    assert octo.challenged(sent="Bearer t1") == "Bearer t2"
    assert len(web.calls) == 2


def test_concurrent_first_requests_share_one_token(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1"}, {"token": "t2"})
    seen: list[str | None] = []
    together = threading.Barrier(8)

    def meet() -> None:
        together.wait()
        seen.append(octo.challenged())

    threads = [threading.Thread(target=meet) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["Bearer t1"] * 8
    assert len(web.calls) == 1


def test_many_threads_share_one_token(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    octo.challenged(Scope())
    gives(web, {"token": "t2"})
    seen: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: seen.append(octo.auth.header(PULL))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == ["Bearer t2"] * 8
    assert len(web.calls) == 2


def test_an_identity_token_is_exchanged_by_post(web: responses.RequestsMock) -> None:
    party = Party(Credential("<token>", "", identity_token=SECRET, source="the test"))
    web.post(REALM, json={"access_token": "t1"})
    assert party.challenged() == "Bearer t1"
    request = web.calls[0].request
    form = parse_qs(str(request.body))
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == [SECRET]
    assert form["scope"] == ["repository:octo/image:pull"]
    assert "Authorization" not in request.headers
    assert SECRET not in str(request.url)
    party.transport.close()


def test_an_identity_token_is_never_sent_as_basic(
    web: responses.RequestsMock,
) -> None:
    party = Party(Credential("<token>", "", identity_token=SECRET, source="the test"))
    assert party.challenged(header='Basic realm="x"') is None
    web.post(REALM, json={"token": "t1"})
    assert party.challenged(PUSH) == "Bearer t1"
    form = parse_qs(str(web.calls[0].request.body))
    assert form["service"] == ["ghcr.io"]
    assert form["client_id"] == ["ghcrctl"]
    assert form["scope"] == ["repository:octo/image:pull,push"]
    assert len(web.calls) == 1
    party.transport.close()


def test_an_identity_token_that_is_replaced_is_not_used_again(
    web: responses.RequestsMock,
) -> None:
    party = Party(Credential("<token>", "", identity_token="first", source="the test"))
    for number, refresh in enumerate(("second", "third", "", None, 5)):
        answer = {"access_token": f"t{number}", "refresh_token": refresh}
        web.post(REALM, json=answer)
    for number in range(5):
        scope = Scope.pull(f"octo/image-{number}")
        assert party.challenged(scope) == f"Bearer t{number}"
    used = [parse_qs(str(call.request.body))["refresh_token"][0] for call in web.calls]
    assert used == ["first", "second", "third", "third", "third"]
    assert "second" not in "".join(party.said)
    party.transport.close()


def test_a_password_is_not_replaced_by_an_identity_token(
    web: responses.RequestsMock, octo: Party
) -> None:
    gives(web, {"token": "t1", "refresh_token": "r"}, {"token": "t2"})
    octo.challenged()
    octo.challenged(PUSH)
    assert [call.request.method for call in web.calls] == ["GET", "GET"]
    assert {call.request.headers["Authorization"] for call in web.calls} == {BASIC}


@pytest.mark.parametrize(
    ("username", "secret", "sent"),
    [("", "", None), ("u", "", "u:"), ("", "s", ":s"), ("ü", "ß:x", "ü:ß:x")],
)
def test_basic_needs_a_user_name_or_a_secret(
    web: responses.RequestsMock, username: str, secret: str, sent: str | None
) -> None:
    party = Party(Credential(username, secret, source="the test"))
    expected = sent and "Basic " + base64.b64encode(sent.encode()).decode()
    gives(web, {"token": "t1"})
    assert party.challenged(header='Basic realm="x"') == expected
    assert party.auth.header(PULL) == expected
    assert party.challenged() == "Bearer t1"
    assert web.calls[0].request.headers.get("Authorization") == expected
    party.transport.close()


@pytest.mark.parametrize("text", ["\udcff"])
def test_a_credential_that_cannot_be_a_header_is_reported(
    web: responses.RequestsMock, text: str
) -> None:
    for credential in (Credential("u", text), Credential(text, "s"), Credential("u", "", text)):
        party = Party(replace(credential, source="the test"))
        with pytest.raises(UnauthorizedError, match="from the test: it is not valid UTF-8"):
            party.challenged()
        party.transport.close()
    assert len(web.calls) == 0


def test_bearer_is_preferred_to_basic(web: responses.RequestsMock, octo: Party) -> None:
    gives(web, {"token": "t1"})
    assert octo.challenged(header=f'Basic realm="x", {CHALLENGE}') == "Bearer t1"


def test_basic_sends_the_credential_itself(octo: Party, nobody: Party) -> None:
    assert octo.challenged(header='Basic realm="x"') == BASIC
    assert octo.auth.header(PULL) == BASIC
    assert nobody.challenged(header='Basic realm="x"') is None
