"""Remote registries must not make ghcrctl connect to this machine, whatever names resolve to."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.errors import RedirectError
from ghcrctl.registry.address_guard import AddressGuard, Zone, zone_of
from tests.unit.registry.lan import Lan, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.registry.transport import Transport

    Resolve = Callable[[str, str], None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Resolve:
    """Set the addresses that a name resolves to, in order."""
    known: dict[str, list[str]] = {}
    usual = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **options: Any) -> Any:
        if host not in known:
            return usual(host, port, *args, **options)
        address = known[host][0] if len(known[host]) == 1 else known[host].pop(0)
        found: list[Any] = []
        for each in address.split(","):
            found += usual(each, port, *args, **options)
        return found

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return lambda host, addresses: known.__setitem__(host, addresses.split(" then "))


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("127.0.0.1", Zone.MACHINE),
        ("127.255.0.9", Zone.MACHINE),
        ("0.0.0.0", Zone.MACHINE),
        ("::1", Zone.MACHINE),
        ("::", Zone.MACHINE),
        ("::ffff:127.0.0.1", Zone.MACHINE),
        ("::127.0.0.1", Zone.MACHINE),
        ("64:ff9b::7f00:1", Zone.MACHINE),
        ("2002:7f00:1::", Zone.MACHINE),
        ("2002:a9fe:a9fe::1", Zone.LINK),
        ("64:ff9b::a9fe:a9fe", Zone.LINK),
        ("::169.254.169.254", Zone.LINK),
        ("fe80::1", Zone.LINK),
        ("64:ff9b::808:808", Zone.ELSEWHERE),
        ("169.254.169.254", Zone.LINK),
        ("::ffff:169.254.169.254", Zone.LINK),
        ("fe80::1%eth0", Zone.LINK),
        ("10.0.0.1", Zone.ELSEWHERE),
        ("192.168.1.1", Zone.ELSEWHERE),
        ("140.82.112.33", Zone.ELSEWHERE),
        ("2001:db8::1", Zone.ELSEWHERE),
    ],
)
def test_each_address_has_a_zone(address: str, zone: Zone) -> None:
    assert zone_of(address) is zone


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "140.82.112.33,127.0.0.1"])
def test_a_name_that_resolves_to_this_machine_is_not_contacted(
    transport: Transport, lan: Lan, resolve: Resolve, address: str
) -> None:
    resolve("storage.example", address)
    transport.guard.trust("https://registry.example/v2/")
    with pytest.raises(RedirectError, match=r"registry\.example named this host") as caught:
        transport.request("GET", f"http://storage.example:{lan.port}/secret")
    assert "this machine" in caught.value.message
    assert (caught.value.retryable, lan.seen) == (False, [])


def test_the_connection_uses_the_checked_address(
    transport: Transport, lan: Lan, resolve: Resolve, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The name resolves to another machine during the check, and to this machine afterwards.
    resolve("storage.example", "2001:db8::1 then 127.0.0.1")
    transport.guard.trust("https://registry.example/v2/")
    admitted: list[str] = []
    monkeypatch.setattr(transport.guard, "admit", lambda _, address: admitted.append(address))
    with pytest.raises(Exception):  # noqa: B017, PT011 the tests allow no connection elsewhere
        transport.request("GET", f"http://storage.example:{lan.port}/secret")
    assert (admitted, lan.seen) == (["2001:db8::1"], [])


def test_a_local_registry_cannot_name_a_host_on_the_link(
    transport: Transport, lan: Lan, resolve: Resolve
) -> None:
    resolve("metadata.example", "169.254.169.254")
    transport.guard.trust(lan.url)
    with pytest.raises(RedirectError, match="link"):
        transport.request("GET", "http://metadata.example/")


def test_a_registry_whose_name_resolves_to_this_machine_may_name_others_here(
    transport: Transport, lan: Lan, resolve: Resolve
) -> None:
    resolve("registry.example", "127.0.0.1")
    registry = f"http://registry.example:{lan.port}"
    transport.guard.trust(registry)

    def lead(handler: Any) -> None:
        if handler.path == "/here":
            return answer(handler, b"here")
        return answer(handler, b"", status=307, Location=f"http://127.0.0.1:{lan.port}/here")

    lan.act = lead
    assert transport.request("GET", f"{registry}/v2/").text == "here"


def test_an_address_of_an_interface_is_this_machine() -> None:
    guard = AddressGuard()
    guard.trust("https://registry.example/v2/")
    guard.admit("https://storage.example/", "192.168.1.5")
    with pytest.raises(RedirectError, match=r"192\.168\.1\.5, an address of this machine"):
        guard.admit("https://storage.example/", "192.168.1.5", is_own=True)


def test_only_hosts_named_by_the_user_are_trusted() -> None:
    guard = AddressGuard()
    guard.trust("https://registry.example:443/v2/")
    guard.admit("https://registry.example/", "127.0.0.1")
    other = AddressGuard()
    other.trust("https://registry.example/")
    with pytest.raises(RedirectError):
        other.admit("https://registry.example:444/", "127.0.0.1")


HERE = ["http://127.0.0.1:5000/", "http://localhost/", "http://[::1]/", "http://a@127.0.0.2/"]
LINKED = ["http://169.254.169.254/latest", "http://[fe80::1]/"]


@pytest.mark.parametrize(
    ("registry", "allowed", "refused"),
    [
        ("https://registry.example/", ["https://10.0.0.1/"], [*HERE, *LINKED]),
        ("http://localhost:5000/", HERE, LINKED),
        ("http://169.254.1.1/", LINKED, HERE),
    ],
)
def test_hosts_as_written_are_in_a_zone_that_the_user_named(
    registry: str, allowed: list[str], refused: list[str]
) -> None:
    guard = AddressGuard()
    guard.trust(registry)
    for url in allowed:
        guard.check(url)
    for url in refused:
        with pytest.raises(RedirectError, match="named this host, which is an address of this"):
            guard.check(url)


def test_every_host_is_checked_except_those_named_by_the_user() -> None:
    asked: list[str] = []
    guard = AddressGuard(asked.append)
    guard.trust("https://Registry.example/v2/")
    guard.check("https://registry.example/token")
    guard.check("https://Storage.Example:8443/blob")
    assert asked == ["storage.example:8443"]


def test_a_registry_that_resolves_to_this_machine_may_name_it_but_not_the_link() -> None:
    guard = AddressGuard()
    guard.trust("https://registry.example/")
    guard.admit("https://registry.example/", "127.0.0.1")
    guard.check("http://localhost/")
    guard.admit("https://storage.example/", "127.0.0.1")
    with pytest.raises(RedirectError):
        guard.admit("https://storage.example/", "169.254.169.254")
