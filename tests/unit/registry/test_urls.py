"""Comparing URLs."""

from __future__ import annotations

import pytest

from ghcrctl.errors import InvalidResponseError
from ghcrctl.registry.endpoint import spellings
from ghcrctl.registry.urls import origin, same_host


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://reg.example/v2/", "https://reg.example:443/x"),
        ("http://reg.example/v2/", "http://reg.example:80/x"),
        ("https://reg.example", "https://REG.example/"),
        ("https://reg.example/", "HTTPS://reg.example:/"),
        ("https://[::1]/", "https://[::1]:443/"),
    ],
)
def test_a_default_port_need_not_be_written(one: str, other: str) -> None:
    assert origin(one) == origin(other)
    assert same_host(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://reg.example/", "https://reg.example:80/"),
        ("http://reg.example/", "http://reg.example:443/"),
        ("http://reg.example/", "https://reg.example/"),
        ("https://reg.example/", "https://reg.example:444/"),
        ("https://reg.example/", "https://me@reg.example/"),
        ("https://reg.example/", "https://reg.example.evil/"),
        ("https://[::443]/", "https://[::]/"),
    ],
)
def test_different_urls_differ(one: str, other: str) -> None:
    assert origin(one) != origin(other)


def test_an_invalid_address_has_no_origin() -> None:
    with pytest.raises(InvalidResponseError):
        origin("https://[reg.example/")


@pytest.mark.parametrize(
    ("registry", "names"),
    [
        ("reg.example:443", ("reg.example:443", "reg.example")),
        ("reg.example:80", ("reg.example:80", "reg.example")),
        ("reg.example", ("reg.example", "reg.example:443")),
        ("reg.example:5000", ("reg.example:5000",)),
        ("[::1]", ("[::1]", "[::1]:443")),
    ],
)
def test_a_registry_name_may_include_the_default_port(
    registry: str, names: tuple[str, ...]
) -> None:
    assert spellings(registry) == names
