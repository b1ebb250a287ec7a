"""The choice of the proxy, by the rules of Go's ``net/http``."""

from __future__ import annotations

import pytest

from ghcrctl.errors import ExitStatus, ProxyError
from ghcrctl.registry.proxies import ProxyRules, parse_proxy, proxy_headers

PROXY = "http://proxy.example:3128"


def chosen(url: str, **environ: str) -> str | None:
    found = ProxyRules.from_environ(environ).find(url)
    return found.url if found else None


@pytest.mark.parametrize(
    ("environ", "url", "expected"),
    [
        ({"HTTPS_PROXY": PROXY}, "https://ghcr.io", PROXY),
        ({"https_proxy": PROXY}, "https://ghcr.io", PROXY),
        ({"HTTPS_PROXY": PROXY, "https_proxy": "http://other:1"}, "https://ghcr.io", PROXY),
        ({"HTTPS_PROXY": "", "https_proxy": PROXY}, "https://ghcr.io", PROXY),
        ({"HTTPS_PROXY": PROXY}, "http://ghcr.io", None),
        ({"HTTP_PROXY": PROXY}, "https://ghcr.io", None),
        ({"HTTP_PROXY": PROXY}, "http://ghcr.io", PROXY),
        ({"http_proxy": PROXY}, "http://ghcr.io", PROXY),
        ({"ALL_PROXY": PROXY}, "https://ghcr.io", PROXY),
        (
            {"all_proxy": PROXY, "HTTPS_PROXY": "http://other:1"},
            "https://ghcr.io",
            "http://other:1",
        ),
        # In a CGI program this variable comes from a request header.
        ({"HTTP_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "http://ghcr.io", None),
        ({"HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}, "https://ghcr.io", PROXY),
        ({}, "https://ghcr.io", None),
    ],
)
def test_the_variable_of_the_scheme_is_used(
    environ: dict[str, str], url: str, expected: str | None
) -> None:
    assert chosen(url, **environ) == expected


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "localhost:5000",
        "LOCALHOST:5000",
        "localhost.:5000",
        "registry.localhost",
        "127.0.0.1:5000",
        "127.1.2.3",
        "127.1",
        "[::1]:5000",
        "[::ffff:127.0.0.1]:5000",
        "0.0.0.0:5000",
        "[::]:5000",
    ],
)
def test_this_machine_is_never_reached_through_a_proxy(host: str) -> None:
    for scheme in ("http", "https"):
        environ = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "ALL_PROXY": PROXY}
        assert chosen(f"{scheme}://{host}", **environ) is None


@pytest.mark.parametrize(
    ("exclusions", "host", "is_direct"),
    [
        ("*", "ghcr.io", True),
        ("a.example,*", "ghcr.io", True),
        ("ghcr.io", "ghcr.io", True),
        ("GHCR.io", "ghcr.io", True),
        ("ghcr.io", "GHCR.IO", True),
        (" other.example , ghcr.io ", "ghcr.io", True),
        ("other.example ghcr.io", "ghcr.io", True),
        ("ghcr.io", "pkg.ghcr.io", True),
        ("ghcr.io", "notghcr.io", False),
        (".ghcr.io", "pkg.ghcr.io", True),
        (".ghcr.io", "ghcr.io", False),
        ("*.ghcr.io", "pkg.ghcr.io", True),
        ("*.ghcr.io", "ghcr.io", False),
        ("ghcr.io:443", "ghcr.io", True),
        ("ghcr.io:5000", "ghcr.io:5000", True),
        ("ghcr.io:5000", "ghcr.io", False),
        ("ghcr.io:5000", "ghcr.io:5001", False),
        (".lan:5000", "registry.lan:5000", True),
        ("*.lan:5000", "registry.lan:5000", True),
        ("10.0.0.1", "10.0.0.1:5000", True),
        ("10.0.0.1:5000", "10.0.0.1:5000", True),
        ("10.0.0.1:5000", "10.0.0.1", False),
        ("10.0.0.1", "10.0.0.10", False),
        ("10.0.0.0/8", "10.1.2.3:5000", True),
        ("10.1.2.3/8", "10.9.9.9", True),
        ("10.0.0.0/8", "11.0.0.1", False),
        ("10.0.0.0/8", "ten.example", False),
        ("fd00::/8", "[fd00::1]:5000", True),
        ("fd00::1", "[fd00::1]:5000", True),
        ("[fd00::1]:5000", "[fd00::1]:5000", True),
        ("[fd00::1]:5000", "[fd00::1]", False),
        ("[fd00::1]", "[fd00::1]", True),
        ("b\u00fccher.example", "xn--bcher-kva.example", True),
        ("10.0.0.0/99", "10.0.0.1", False),
        (",, ,:5000,.", "ghcr.io", False),
        ("", "ghcr.io", False),
    ],
)
def test_no_proxy(exclusions: str, host: str, is_direct: bool) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        found = chosen(f"https://{host}", HTTPS_PROXY=PROXY, **{name: exclusions})
        assert (found is None) is is_direct


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("proxy.example", "http://proxy.example:80"),
        ("proxy.example:3128", PROXY),
        ("HTTP://proxy.example:3128/", PROXY),
        ("https://proxy.example", "https://proxy.example:443"),
        ("socks5://proxy.example", "socks5h://proxy.example:1080"),
        ("socks5h://proxy.example:9050", "socks5h://proxy.example:9050"),
        ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("me:p@ss@proxy.example:3128", "http://me:p%40ss@proxy.example:3128"),
        ("http://me:p%40ss@proxy.example:3128", "http://me:p%40ss@proxy.example:3128"),
        ("http://me@proxy.example:3128", "http://me@proxy.example:3128"),
    ],
)
def test_the_forms_of_a_proxy_url(text: str, url: str) -> None:
    found = parse_proxy(text, "HTTPS_PROXY")
    assert found.url == url
    assert "p%40ss" not in f"{found!r} {found.label}"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://me:verysecret@proxy.example",
        "socks4://proxy.example",
        "http://",
        "http://me:verysecret@",
        "http://me:verysecret@proxy.example:99999",
        "http://me:verysecret@proxy.example:port",
        "http://me:very/secret@proxy.example:3128",
        "me:verysecret@proxy example",
        "http://me:verysecret@[fd00::1",
        "://proxy.example",
    ],
)
def test_a_malformed_setting_is_a_failure_of_the_proxy(text: str) -> None:
    with pytest.raises(ProxyError, match=r"invalid proxy .* in https_proxy: .*expected") as caught:
        chosen("https://ghcr.io", https_proxy=text)
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "secret" not in f"{caught.value} {caught.value.hint}"
    # The setting is only an error if it would be used.
    assert chosen("https://localhost", https_proxy=text) is None
    assert chosen("https://ghcr.io", https_proxy=text, NO_PROXY="ghcr.io") is None


def test_a_proxy_credential_may_contain_any_character() -> None:
    found = parse_proxy("http://me:p\u20acss@proxy.example", "HTTPS_PROXY")
    assert proxy_headers(found.url) == {"Proxy-Authorization": "Basic bWU6cOKCrHNz"}
    assert proxy_headers("http://proxy.example") == {}
