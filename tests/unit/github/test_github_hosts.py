"""The URLs of GitHub's API and website for a registry."""

from __future__ import annotations

import pytest

from ghcrctl.errors import UnsupportedError
from ghcrctl.github.github_hosts import instance_of


@pytest.mark.parametrize(
    ("registry", "api", "web"),
    [
        ("ghcr.io", "https://api.github.com", "https://github.com"),
        ("containers.octo.ghe.com", "https://api.octo.ghe.com", "https://octo.ghe.com"),
        ("containers.git.example", "https://git.example/api/v3", "https://git.example"),
    ],
)
def test_each_registry_has_its_api_and_website(registry: str, api: str, web: str) -> None:
    found = instance_of(registry)
    assert (found.api, found.web) == (api, web)


def test_settings_take_precedence() -> None:
    found = instance_of("registry.example", api="https://x.example/api", web="https://y.example")
    assert (found.api, found.web) == ("https://x.example/api", "https://y.example")


def test_another_registry_has_no_packages() -> None:
    with pytest.raises(UnsupportedError, match="not a GitHub registry") as caught:
        instance_of("registry.example")
    assert "GHCRCTL_GITHUB_API" in (caught.value.hint or "")


def test_pages_of_a_package_whose_name_has_slashes() -> None:
    found = instance_of("ghcr.io")
    page = found.settings_page("octo", "a/b", is_organization=True)
    assert page == "https://github.com/orgs/octo/packages/container/a%2Fb/settings"
    page = found.package_page("mona", "app", is_organization=False)
    assert page == "https://github.com/users/mona/packages/container/package/app"
