"""Registries for tests, on loopback: one like ghcr.io, one that follows the specification."""

from __future__ import annotations

import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.memory_backend import MemoryBackend
from ghcrctl.server.serve import Server
from tests.registry_double import wsgi
from tests.registry_double.faults import Fault, FaultScript, befall
from tests.registry_double.ghcr import Ghcr, Moods, Storage
from tests.registry_double.tokens import Authority
from tests.registry_double.wsgi import Answer, Environ, LogEntry

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from typing_extensions import Self

    from ghcrctl.server.backend import Backend
    from tests.builders import Built


class PlainRegistry:
    """A standard registry without authentication, with a log and a fault script."""

    def __init__(self, *, backend: Backend | None = None, page_size: int | None = None) -> None:
        self.backend: Backend = backend or MemoryBackend()
        self.log: list[LogEntry] = []
        self.faults: list[Fault] = []
        self._script = FaultScript(self.faults)
        self._lock = threading.Lock()
        self._directory = tempfile.TemporaryDirectory()
        self.app = RegistryApp(
            self.backend, upload_dir=Path(self._directory.name) / "uploads", page_size=page_size
        )
        self._servers = [Server(self._framed(self._answer, "registry"))]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def host(self) -> str:
        """Host and port, as in a reference."""
        return f"127.0.0.1:{self._servers[0].port}"

    @property
    def url(self) -> str:
        return self._servers[0].url

    def start(self) -> None:
        for server in self._servers:
            server.start()

    def stop(self) -> None:
        # In parallel, since each takes a while to notice.
        with ThreadPoolExecutor(len(self._servers)) as pool:
            list(pool.map(Server.stop, self._servers))
        self.app.close()
        self._directory.cleanup()

    def push_image(self, repository: str, tag: str | None, image: Built) -> None:
        """Store an image without any request; children get no tag."""
        place = MemoryPlace("the test")
        image.into(place)
        for descriptor, _ in image.contents:
            content = Content(place, descriptor)
            if not descriptor.is_manifest:
                self.backend.write(repository, content)
            else:
                is_root = descriptor.digest == image.root.digest
                self.backend.name(repository, tag if is_root else None, content)

    def count(self, method: str = "", path_contains: str = "") -> int:
        """Count requests in the log."""
        return sum(
            method in {"", entry.method} and path_contains in entry.path for entry in self.log
        )

    def _answer(self, environ: Environ) -> Answer:
        return wsgi.call(self.app, environ)

    def _framed(
        self, handle: Callable[[Environ], Answer], host: str
    ) -> Callable[[dict[str, Any], Callable[..., object]], Iterable[bytes]]:
        """Add the fault script and the log to a host."""

        def app(environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
            fault = self._script.take(environ, host)
            try:
                answer = befall(fault, environ, handle) if fault else handle(environ)
            except ConnectionResetError:
                self._note(environ, 0, host)
                raise
            self._note(environ, answer.status, host)
            body = answer.send(start_response)
            return () if environ["REQUEST_METHOD"] == "HEAD" else body

        return app

    def _note(self, environ: Environ, status: int, host: str) -> None:
        entry = LogEntry(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"],
            "HTTP_AUTHORIZATION" in environ,
            status,
            host,
            str(environ.get("QUERY_STRING", "")),
            str(environ.get("HTTP_RANGE", "")),
        )
        with self._lock:
            self.log.append(entry)


class RegistryDouble(PlainRegistry):
    """A registry that behaves like ghcr.io; ``moods`` are its behaviors on demand."""

    def __init__(self, *, backend: Backend | None = None) -> None:
        super().__init__(backend=backend, page_size=100)
        self.authority = Authority()
        self.moods = Moods()
        ghcr = Ghcr(self.app, self.authority, self.moods)
        self._ghcr = ghcr
        storage = Storage(self.app, ghcr, self.moods)
        self._servers.append(Server(self._framed(storage.handle, "storage")))
        ghcr.url, ghcr.storage_url = (server.url for server in self._servers)

    def answers_as(self, url: str, storage_url: str) -> None:
        """Set other addresses for the registry and its storage than those listened at."""
        self._ghcr.url, self._ghcr.storage_url = url, storage_url

    @property
    def accounts(self) -> dict[str, str]:
        """The token of each user."""
        return self.authority.accounts

    @property
    def public(self) -> set[str]:
        """The public repositories."""
        return self.authority.public

    @property
    def downloads(self) -> Counter[str]:
        """How often each manifest was fetched, by digest."""
        return self._ghcr.downloads

    @property
    def storage_host(self) -> str:
        return f"127.0.0.1:{self._servers[1].port}"

    def _answer(self, environ: Environ) -> Answer:
        return self._ghcr.handle(environ)
