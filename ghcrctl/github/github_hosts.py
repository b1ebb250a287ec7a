"""The URLs of the GitHub instance that a registry belongs to.

Sources: GitHub's documentation, "Working with the Container registry", for github.com, Enterprise
Server and Enterprise Cloud with data residency.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ghcrctl.credentials.registry_names import GITHUB, github_of
from ghcrctl.errors import UnsupportedError

_RESIDENT = ".ghe.com"


@dataclass(frozen=True, slots=True)
class Instance:
    """A GitHub instance.

    Args:
        registry: the name of its container registry.
        api: the URL of its REST API, without a trailing slash.
        web: the URL of its website.
    """

    registry: str
    api: str
    web: str

    def package_page(self, owner: str, package: str, *, is_organization: bool) -> str:
        """Return the URL of a package's page."""
        return f"{self._pages(owner, is_organization)}/package/{quote(package, safe='')}"

    def settings_page(self, owner: str, package: str, *, is_organization: bool) -> str:
        """Return the URL of a package's settings: visibility, access and linked repository."""
        return f"{self._pages(owner, is_organization)}/{quote(package, safe='')}/settings"

    def new_token_page(self, *scopes: str) -> str:
        """Return the URL to create a classic token with some scopes."""
        return f"{self.web}/settings/tokens/new?scopes={','.join(scopes)}"

    def _pages(self, owner: str, is_organization: bool) -> str:  # noqa: FBT001 selects a path
        kind = "orgs" if is_organization else "users"
        return f"{self.web}/{kind}/{owner}/packages/container"


def instance_of(registry: str, *, api: str | None = None, web: str | None = None) -> Instance:
    """Return the GitHub instance that a registry belongs to.

    Args:
        registry: the registry's name.
        api: the API's URL from the settings, if any.
        web: the website's URL from the settings, if any.

    Raises:
        UnsupportedError: the registry does not belong to GitHub, and no setting names its API.
    """
    found = _known(registry)
    if found is None and api is None:
        raise UnsupportedError(
            f"cannot manage packages of {registry}: it is not a GitHub registry",
            hint="for a registry of GitHub Enterprise Server, set "
            "GHCRCTL_GITHUB_API=https://HOST/api/v3",
        )
    usual_api, usual_web = found or ("", api or "")
    return Instance(registry, api or usual_api, web or usual_web)


def _known(registry: str) -> tuple[str, str] | None:
    host = github_of(registry)
    if host is None:
        return None
    if host == GITHUB or host.endswith(_RESIDENT):
        return f"https://api.{host}", f"https://{host}"
    return f"https://{host}/api/v3", f"https://{host}"
