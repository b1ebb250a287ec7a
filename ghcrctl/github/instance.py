"""Where GitHub is for a registry: its API, and its pages for people.

What belongs here: addresses. Sources: GitHub's documentation, "Working with the Container
registry", for github.com, for Enterprise Server and for Enterprise Cloud with data residency.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from ghcrctl.credentials.registry_names import GITHUB, github_of
from ghcrctl.errors import UnsupportedError

_RESIDENT = ".ghe.com"


@dataclass(frozen=True, slots=True)
class Instance:
    """One GitHub.

    Args:
        registry: the name of its container registry.
        api: the address of its REST API, without a slash at its end.
        web: the address of its pages.
    """

    registry: str
    api: str
    web: str

    def package_page(self, owner: str, package: str, *, is_organization: bool) -> str:
        """Return the page of a package."""
        return f"{self._pages(owner, is_organization)}/package/{quote(package, safe='')}"

    def settings_page(self, owner: str, package: str, *, is_organization: bool) -> str:
        """Return the page where visibility, access and the linked repository are set."""
        return f"{self._pages(owner, is_organization)}/{quote(package, safe='')}/settings"

    def new_token_page(self, *scopes: str) -> str:
        """Return the page that makes a classic token with some scopes."""
        return f"{self.web}/settings/tokens/new?scopes={','.join(scopes)}"

    def _pages(self, owner: str, is_organization: bool) -> str:  # noqa: FBT001 one of two words
        kind = "orgs" if is_organization else "users"
        return f"{self.web}/{kind}/{owner}/packages/container"


def instance_of(registry: str, *, api: str | None = None, web: str | None = None) -> Instance:
    """Return the GitHub that a registry belongs to.

    Args:
        registry: its name.
        api: the address of the API, where a setting gives it.
        web: the address of the pages, where a setting gives it.

    Raises:
        UnsupportedError: the registry is none of GitHub's, and no setting says where its API is.
    """
    found = _known(registry)
    if found is None and api is None:
        raise UnsupportedError(
            f"{registry} is no registry of GitHub: only those have packages to look after",
            hint="where it is one of an Enterprise Server, say where its API is: "
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
