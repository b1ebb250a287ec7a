"""Reading ``WWW-Authenticate``."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.registry.challenge import Challenge, parse_challenges


@pytest.mark.parametrize(
    ("header", "challenges"),
    [
        (
            'Bearer realm="https://ghcr.io/token",service="ghcr.io",'
            'scope="repository:user/image:pull"',
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://ghcr.io/token",
                        "service": "ghcr.io",
                        "scope": "repository:user/image:pull",
                    },
                )
            ],
        ),
        ('Basic realm="Registry Realm"', [Challenge("basic", {"realm": "Registry Realm"})]),
        (
            'Bearer realm="https://a/t", scope="repository:a/b:pull,push"',
            [Challenge("bearer", {"realm": "https://a/t", "scope": "repository:a/b:pull,push"})],
        ),
        (
            'Basic realm="simple", Newauth realm="apps", type=1, title="Log in to \\"apps\\""',
            [
                Challenge("basic", {"realm": "simple"}),
                Challenge("newauth", {"realm": "apps", "type": "1", "title": 'Log in to "apps"'}),
            ],
        ),
        (
            'Negotiate, NTLM TlRMTVNTUAA=, Basic realm="x"',
            [
                Challenge("negotiate"),
                Challenge("ntlm", {}, "TlRMTVNTUAA="),
                Challenge("basic", {"realm": "x"}),
            ],
        ),
        ("BEARER REALM=https://a/t", [Challenge("bearer", {"realm": "https://a/t"})]),
        ('Bearer realm = "https://a/t"', [Challenge("bearer", {"realm": "https://a/t"})]),
        ('Bearer realm="one", realm="two"', [Challenge("bearer", {"realm": "one"})]),
        ('Bearer realm="never ended', [Challenge("bearer", {"realm": "never ended"})]),
        ("Bearer", [Challenge("bearer")]),
        (" , ,", []),
        ('="x"', [Challenge("x")]),
        ("", []),
    ],
)
def test_every_challenge_is_read(header: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(header) == challenges


_token = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=8)
_values = st.text(st.characters(codec="latin-1", exclude_characters="\r\n"), max_size=30)


@given(
    st.lists(
        st.tuples(_token, st.dictionaries(_token, _values, min_size=1, max_size=4)),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_written_by_the_rules_is_read_back(
    written: list[tuple[str, dict[str, str]]],
) -> None:
    def quoted(value: str) -> str:
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'

    header = ", ".join(
        f"{scheme} " + ", ".join(f"{name}={quoted(value)}" for name, value in parameters.items())
        for scheme, parameters in written
    )
    assert [(c.scheme, dict(c.parameters)) for c in parse_challenges(header)] == written


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    for challenge in parse_challenges(text):
        assert challenge.scheme == challenge.scheme.lower()
