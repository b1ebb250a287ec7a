"""GitHub on loopback: the REST API and a registry like ghcr.io, with the same content."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.server.serve import Server
from tests.packages_double.api import Api
from tests.packages_double.versions import Clock, VersionedBackend
from tests.registry_double.double import RegistryDouble

if TYPE_CHECKING:
    from datetime import datetime

    from tests.builders import Built
    from tests.packages_double.versions import Record

STORAGE = "pkg-containers.githubusercontent.com"


class GitHubDouble(RegistryDouble):
    """GitHub's packages. ``api`` controls the REST API, ``moods`` the registry."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.content = VersionedBackend(self.clock)
        super().__init__(backend=self.content)
        self.api = Api(self.content, self.authority, self.host)
        self._servers.append(Server(self._framed(self.api.handle, "api")))
        self.api.url = self._servers[-1].url

    def take_names(self) -> dict[str, int]:
        """Use GitHub's host names; return each host's port, for an `Internet`."""
        hosts = ("ghcr.io", STORAGE, "api.github.com")
        registry, storage, api = (f"https://{host}" for host in hosts)
        self.answers_as(registry, storage)
        self.api.registry, self.api.url = hosts[0], api
        return {host: server.port for host, server in zip(hosts, self._servers, strict=True)}

    @property
    def api_url(self) -> str:
        return self.api.url

    def push(
        self, repository: str, tag: str | None, image: Built, at: datetime | None = None
    ) -> str:
        """Store an image without any request, as pushed at some time; children get no tag."""
        before, self.clock.now = self.clock.now, at or self.clock.now
        self.push_image(repository, tag, image)
        if at:
            self.clock.now = before
        return str(image.root.digest)

    def put_raw(
        self,
        repository: str,
        tag: str | None,
        raw: bytes,
        media_type: str,
        at: datetime | None = None,
    ) -> str:
        """Store a manifest whose content need not exist."""
        place = MemoryPlace("the test")
        descriptor = Descriptor.of(raw, media_type)
        place.put(descriptor, raw)
        before, self.clock.now = self.clock.now, at or self.clock.now
        self.content.name(repository, tag, Content(place, descriptor))
        if at:
            self.clock.now = before
        return str(descriptor.digest)

    def lose(self, repository: str, digest: str) -> None:
        """Delete a version, like a tool that does not know indexes."""
        self.content.remove(repository, self.content.packages[repository].by_digest[digest])

    def versions(self, repository: str) -> list[Record]:
        """Return the existing versions, newest first."""
        return list(reversed(self.content.packages[repository].active))

    def deleted(self, repository: str) -> list[Record]:
        return list(self.content.packages[repository].gone.values())

    def tags(self, repository: str) -> dict[str, str]:
        """Return the digest of each tag in the registry."""
        tags = self.content.tags(repository)
        return {tag: str(self.content.resolve(repository, tag).digest) for tag in tags}

    def has(self, repository: str, digest: str) -> bool:
        """Check whether the registry has a manifest, and everything that it lists."""
        from ghcrctl.github.manifest_facts import facts_of

        try:
            found = self.content.resolve(repository, str(Digest.parse(digest)))
        except Exception:  # noqa: BLE001 whatever it is, it is not there
            return False
        facts = facts_of(self.content.open(found).read(found.size), found.media_type)
        return all(self.has(repository, child.digest) for child in facts.children)
