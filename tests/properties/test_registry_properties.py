"""What registries may send, of any form: headers, bodies, addresses."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import example, given
from hypothesis import strategies as st

from ghcrctl.errors import GhcrctlError, InvalidResponseError
from ghcrctl.registry.auth import Authenticator, Scope
from ghcrctl.registry.challenge import Challenge, parse_challenges
from ghcrctl.registry.endpoint import host_shown, is_loopback
from ghcrctl.registry.refusals import Refusal, explain_refusal
from ghcrctl.registry.retry_after import requested_wait
from ghcrctl.registry.transport import Transport
from ghcrctl.registry.transport_options import TransportOptions
from ghcrctl.registry.urls import joined

_token = st.text("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+.^_`|~-", min_size=1, max_size=8)
_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30)
_token68 = st.from_regex(r"[A-Za-z0-9._~+/-]{1,20}={0,2}", fullmatch=True)
_challenges = st.one_of(
    st.builds(Challenge, _token, st.dictionaries(_token, _values, min_size=1, max_size=4)),
    st.builds(Challenge, _token, st.just({}), _token68),
    st.builds(Challenge, _token),
)


def _written(challenge: Challenge, *, space: str, upper: bool) -> str:
    """Write a challenge by RFC 9110, section 11.3."""

    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    scheme = challenge.scheme.upper() if upper else challenge.scheme
    pairs = [f"{name}{space}={space}{quoted(v)}" for name, v in challenge.parameters.items()]
    return f"{scheme} {challenge.token or ', '.join(pairs)}".rstrip(" ")


@given(
    challenges=st.lists(_challenges, max_size=4),
    separator=st.sampled_from([",", ", ", " ,\t", ", ,"]),
    space=st.sampled_from(["", " ", "\t"]),
    upper=st.booleans(),
)
def test_valid_challenges_survive_a_round_trip(
    challenges: list[Challenge], separator: str, space: str, upper: bool
) -> None:
    header = separator.join(_written(c, space=space, upper=upper) for c in challenges)
    assert parse_challenges(header) == challenges


_headers = st.one_of(
    st.text(max_size=200), st.text('abB =",\\\t;realm', max_size=60), st.text('Basic realm=,"x')
)


@given(_headers)
def test_any_header_can_be_parsed_for_challenges(header: str) -> None:
    for challenge in parse_challenges(header):
        assert challenge.scheme
        assert challenge.scheme == challenge.scheme.lower()
        assert all(name == name.lower() for name in challenge.parameters)


_hosts = st.one_of(
    st.text(max_size=20),
    st.text("[]:@.%0129aev/", max_size=20),
    st.sampled_from(["evil.example", "[::1]", "127.0.0.1:9", "me:verysecret@evil.example"]),
)
_addresses = st.one_of(
    _hosts,
    st.builds("{}://{}/x".format, st.sampled_from(["https", "http", "ftp", "HTTPS", ""]), _hosts),
)


class _AskedError(Exception):
    """The credential was looked for, to be sent."""


def _challenged(realm: str) -> Exception:
    """Return what comes of a challenge."""

    def find(_: str) -> None:
        raise _AskedError

    transport = Transport(TransportOptions())
    auth = Authenticator("ghcr.io", find, transport, lambda _: None)
    response = requests.Response()
    response.request = requests.Request("GET", "https://ghcr.io/v2/").prepare()
    response.headers["WWW-Authenticate"] = 'Bearer realm="' + realm.replace('"', "") + '"'
    with pytest.raises((InvalidResponseError, _AskedError)) as caught:
        auth.answer(response, Scope.pull("octo/image"), "https://ghcr.io/v2/")
    transport.close()
    return caught.value


@given(_addresses)
@example("https://[evil.example/token")
@example("https://[:::::]/token")
@example("https://auth.docker.io/token")
@example("http://evil.example/token")
def test_a_credential_is_only_used_for_allowed_hosts(realm: str) -> None:
    error = _challenged(realm)
    if isinstance(error, _AskedError):
        # Over TLS, or to this machine.
        target = joined("https://none.example/", realm)
        assert target is not None
        assert target.startswith("https://") or is_loopback(host_shown(target))
        assert host_shown(target) != "none.example"
        assert "@" not in urlsplit(target).netloc
    else:
        assert "ghcr.io" in str(error)
        assert "verysecret" not in str(error)


@given(_addresses)
def test_any_location_is_a_web_url_or_rejected(location: str) -> None:
    target = joined("https://ghcr.io/v2/", location)
    assert target is None or target.lower().startswith(("https://", "http://"))
    assert "@" not in host_shown(target or location)


@given(st.one_of(st.none(), st.text(max_size=40)), st.text(max_size=60))
@example("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", "")
@example(None, "retry-after: 5\N{LATIN SMALL LETTER LONG S}")
@example(None, "retry-after: " + "9" * 5000 + "h")
def test_any_wait_is_a_number_or_none(header: str | None, message: str) -> None:
    seconds = requested_wait(header, message)
    assert seconds is None or seconds >= 0


@given(st.dictionaries(st.sampled_from(["h", "m", "s", "ms"]), st.integers(0, 999), min_size=1))
def test_go_durations_are_parsed(parts: dict[str, int]) -> None:
    lengths = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    text = "".join(f"{parts[unit]}{unit}" for unit in lengths if unit in parts)
    expected = sum(lengths[unit] * number for unit, number in parts.items())
    found = requested_wait(None, f"retry-after: {text}, allowed: 44000/minute")
    assert found is not None
    assert abs(found - max(1.0, expected)) < 1e-6


_json = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["errors", "code", "message", "detail"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)
_bodies = st.one_of(st.text(max_size=60), _json.map(json.dumps), st.just('{"errors": [1e999]}'))


@given(
    status=st.integers(100, 599),
    text=_bodies,
    repository=st.sampled_from(["", "octo/image", "octo"]),
    registry=st.sampled_from(["ghcr.io", "quay.io"]),
    what=st.sampled_from(["", "1.0", "sha256:0"]),
    signed_in=st.sampled_from(["", "the keyring"]),
)
def test_any_refusal_is_an_error_that_can_be_shown(
    status: int, text: str, repository: str, registry: str, what: str, signed_in: str
) -> None:
    refusal = Refusal(
        registry, repository, "pull from", what, status, text, {"Retry-After": text}, signed_in
    )
    error = explain_refusal(refusal)
    assert isinstance(error, GhcrctlError)
    assert error.message.isprintable()
    assert error.exit_status not in {0, 1, 2}
    assert "``" not in error.message.partition(" (")[0]
