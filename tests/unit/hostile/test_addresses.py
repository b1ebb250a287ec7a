"""URLs that different programs parse differently."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import BlobUnknownError, InvalidResponseError, RedirectError
from ghcrctl.operations.moving.pull import pull
from ghcrctl.registry import client as client_module
from ghcrctl.registry.address_guard import AddressGuard
from ghcrctl.registry.endpoint import is_loopback
from ghcrctl.registry.urls import joined
from tests.builders import Built, random_image
from tests.registry_double import Fault

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "0",
        "[::ffff:a9fe:a9fe]",
    ],
)
def test_loopback_is_recognized_in_every_spelling(host: str) -> None:
    for url in (f"https://{host}/", f"https://{host}:5000/"):
        with pytest.raises(RedirectError, match="this machine"):
            AddressGuard().check(url)


@pytest.mark.parametrize(
    "host", ["ghcr.io", "1.example", "8.8.8.8", "[2001:db8::1]", "127.0.0.1.x"]
)
def test_other_hosts_are_not_loopback(host: str) -> None:
    AddressGuard().check(f"https://{host}/")
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "location",
    [
        "https://127.0.0.1\\.example.com/",
        "https://evil.example\\@ghcr.io/",
        "https://e\x1b[2Jvil.example/",
        "https://evil .example/",
        "https://evil\u202e.example/",
        "https://\x80evil.example/",
    ],
)
def test_ambiguous_host_is_rejected(location: str) -> None:
    assert joined("https://ghcr.io/v2/", location) is None


@pytest.mark.parametrize("url", ["http://[/x", "http://[::::]/x", "http://a\\b/x", "http://a b/x"])
def test_foreign_layer_with_an_invalid_url_is_a_clear_error(
    plain_registry: PlainRegistry, session: Session, url: str
) -> None:
    image = random_image(1, foreign=True)
    body = json.loads(image.raw)
    body["layers"][0]["urls"] = [url]
    raw = json.dumps(body).encode()
    bent = image.root.of(raw, image.root.media_type)
    evil = Built(bent, (*image.contents[:-1], (bent, raw)))
    plain_registry.push_image("octo/image", "1.0", evil)
    with pytest.raises(BlobUnknownError):
        pull(session, session.parse(f"{plain_registry.host}/octo/image:1.0"))


@pytest.mark.parametrize(
    "tag", ["../../../x", "..", "a b", "\x1b[2J", "1.0?x=y", "1.0/../1.0", "", "x" * 129, "a\n"]
)
def test_invalid_tags_are_not_listed(
    plain_registry: PlainRegistry, session: Session, tag: str
) -> None:
    body = json.dumps({"tags": ["1.0", tag]}).encode()
    plain_registry.faults.append(Fault(path_contains="/tags/list", status=200, body=body))
    repository = session.repository(session.parse(f"{plain_registry.host}/octo/image:1.0"))
    assert list(repository.tags()) == ["1.0"]


def test_endless_pages_are_an_error(
    plain_registry: PlainRegistry, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "_MAX_PAGES", 5)
    for number in range(10):
        link = f"</v2/octo/image/tags/list?n=1&last={number}>; rel=next"
        plain_registry.faults.append(
            Fault(path_contains="/tags/list", status=200, body=b"{}", headers={"Link": link})
        )
    repository = session.repository(session.parse(f"{plain_registry.host}/octo/image:1.0"))
    with pytest.raises(InvalidResponseError, match="endless"):
        list(repository.tags())
