"""Parsing ``WWW-Authenticate``."""

from __future__ import annotations

import time

import pytest

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
        # RFC 9110, section 11.6.1, and variants that servers send.
        (
            'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256,'
            ' nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU"',
            [
                Challenge(
                    "digest",
                    {
                        "realm": "http-auth@example.org",
                        "qop": "auth, auth-int",
                        "algorithm": "SHA-256",
                        "nonce": "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                        "opaque": "FQhe/qaU",
                    },
                )
            ],
        ),
        (
            'Basic realm="simple", , ,Bearer realm="https://a/t"',
            [
                Challenge("basic", {"realm": "simple"}),
                Challenge("bearer", {"realm": "https://a/t"}),
            ],
        ),
        (
            'Bearer error="invalid_token", error_description="a \\\\ b", realm="https://a/t?x=1&y=2=3"',
            [
                Challenge(
                    "bearer",
                    {
                        "error": "invalid_token",
                        "error_description": "a \\ b",
                        "realm": "https://a/t?x=1&y=2=3",
                    },
                )
            ],
        ),
        (
            'Bearer\trealm="https://a/t",\tservice=""',
            [Challenge("bearer", {"realm": "https://a/t", "service": ""})],
        ),
        (
            "Negotiate a87421000492aa874209af8bc028",
            [Challenge("negotiate", {}, "a87421000492aa874209af8bc028")],
        ),
        # Docker Hub, Amazon, Azure, Google, GitLab, Quay, Harbor and a plain htpasswd.
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",'
            'scope="repository:library/ubuntu:pull",error="insufficient_scope"',
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:library/ubuntu:pull",
                        "error": "insufficient_scope",
                    },
                )
            ],
        ),
        (
            'Basic realm="https://1.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
            [
                Challenge(
                    "basic",
                    {
                        "realm": "https://1.dkr.ecr.eu-west-1.amazonaws.com/",
                        "service": "ecr.amazonaws.com",
                    },
                )
            ],
        ),
        (
            'Bearer realm="https://x.azurecr.io/oauth2/token",service="x.azurecr.io",'
            ' Basic realm="x"',
            [
                Challenge(
                    "bearer",
                    {"realm": "https://x.azurecr.io/oauth2/token", "service": "x.azurecr.io"},
                ),
                Challenge("basic", {"realm": "x"}),
            ],
        ),
        ('Bearer service="no realm"', [Challenge("bearer", {"service": "no realm"})]),
        ("Bearer", [Challenge("bearer")]),
        (" , ,", []),
        ('="x"', [Challenge("x")]),
        ("", []),
    ],
)
def test_every_challenge_is_read(header: str, challenges: list[Challenge]) -> None:
    assert parse_challenges(header) == challenges


@pytest.mark.parametrize(
    "header",
    [
        '"' * 60_000,
        'a="' * 20_000,
        "a" * 60_000 + ";",
        "a" + " " * 60_000 + ";",
        "a " * 30_000,
        "\\" * 60_000,
        'Bearer realm="' + "\\" * 60_000,
        "Basic " + "=" * 60_000 + ";",
    ],
)
def test_a_malicious_header_is_parsed_quickly(header: str) -> None:
    began = time.process_time()
    parse_challenges(header)
    assert time.process_time() - began < 2
