"""Docker's engine as an endpoint: images are transferred as archives."""

from __future__ import annotations

import queue
import re
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ghcrctl.archive.archive_sink import ArchiveSink
from ghcrctl.archive.engine import Engine
from ghcrctl.content.thread_waits import join
from ghcrctl.errors import InterruptedByUserError, UnsupportedError, UsageError
from ghcrctl.oci.reference import DOCKER_HUB, Reference
from ghcrctl.operations.moving.endpoints.base import (
    Naming,
    OpenSource,
    Target,
    check_digest,
    with_source_tag,
)
from ghcrctl.operations.moving.endpoints.files import FixedSink, naming_of, open_archive_image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import OpenSink

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}\Z")
# Maximum number of archive chunks queued for the engine.
_QUEUE_LENGTH = 8
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class EngineEndpoint:
    """An image of docker's engine.

    Args:
        reference: its name; ``None`` for the whole engine, or if the text is an ID.
        text: the text as the user wrote it.
    """

    reference: Reference | None
    text: str
    registry = ""
    takes_one_platform = True
    is_sequential = True

    @classmethod
    def parse(cls, session: Session, text: str) -> EngineEndpoint:
        """Parse the text after ``docker-daemon:``: a name as in docker, an ID, or nothing."""
        if not text or _ID.match(text):
            return cls(None, text)
        local_names = session.has_local_names
        found = Reference.parse(text, default_registry=DOCKER_HUB, local_names=local_names)
        return cls(found, text)

    @property
    def what(self) -> str:
        """The name or ID."""
        return str(self.reference.tagged()) if self.reference else self.text

    @property
    def where(self) -> str:
        """The engine."""
        return "docker's engine"

    @property
    def takes_multiple(self) -> bool:
        """Whether no name is given, so each image keeps its own."""
        return not self.text

    @property
    def known(self) -> Naming | None:
        """The name, unless the text is an ID."""
        return naming_of(self.reference.tagged()) if self.reference else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Save the image with the engine, which finishes it before it sends the first byte."""
        if not self.text:
            raise UsageError(
                "`docker-daemon:` has no name", hint="list the engine's images: docker images"
            )
        stream = docker_engine(session).save([self.what])
        try:
            with open_archive_image(session, stream, None, "docker-daemon:NAME:TAG") as found:
                naming = self.known or found.naming
                yield OpenSource(found.place, found.root, naming)
        finally:
            stream.close()

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:
        """Load images with the engine, which loads either all of them or none."""
        engine = docker_engine(session)
        engine.ping()
        if dry_run:
            yield FixedSink(ArchiveSink(len, session.settings.preferred_platform))
            return
        with _EngineStream(engine) as feed:
            sink = ArchiveSink(feed.write, session.settings.preferred_platform)
            sink.label = engine.label
            yield FixedSink(sink)
            sink.finish()

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return the name in the engine; empty if there is no name to keep."""
        if self.text and self.reference is None:
            raise UsageError(f"invalid name `{self.text}` for a copy: it is an ID")
        if self.reference:
            check_digest(f"docker-daemon:{self.text}", self.reference.digest, digest)
        named = self.reference or naming.reference
        if named is None:
            return Target(f"docker-daemon:{digest}", ("",))
        named = with_source_tag(named, naming)
        return Target(f"docker-daemon:{named}", (str(named),), named)


def docker_engine(session: Session) -> Engine:
    """Return the engine selected by docker's environment variables."""
    address, tls = session.settings.docker_engine
    return Engine(address, tls, connect_timeout=session.settings.get("connect_timeout"))


class _EngineStream:
    """Sends bytes to an engine, which loads them in a separate thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pieces: queue.Queue[bytes] = queue.Queue(_QUEUE_LENGTH)
        self._is_dropped = threading.Event()
        self._error: BaseException | None = None
        self._loaded: list[str] = []
        self._thread = threading.Thread(target=self._load, name="engine", daemon=True)

    def __enter__(self) -> _EngineStream:
        self._thread.start()
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            self._is_dropped.set()
            self._thread.join(1.0)
            return
        self.write(b"")
        join(self._thread)
        if self._error:
            raise self._error
        if not self._loaded:
            raise UnsupportedError(
                f"{self._engine.label} loaded nothing: the source is not a container image"
            )

    def write(self, data: bytes) -> None:
        """Send bytes; empty bytes mark the end.

        Raises:
            GhcrctlError: the engine failed.
        """
        while self._thread.is_alive():
            try:
                self._pieces.put(bytes(data), timeout=_POLL_SECONDS)
            except queue.Full:
                continue
            return
        if self._error:
            raise self._error

    def _load(self) -> None:
        try:
            self._loaded = self._engine.load(self._chunks())
        except BaseException as error:  # noqa: BLE001 raised again in write() and __exit__()
            self._error = error

    def _chunks(self) -> Iterator[bytes]:
        while not self._is_dropped.is_set():
            try:
                piece = self._pieces.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                continue
            if not piece:
                return
            yield piece
        # An incomplete archive must not look complete.
        raise InterruptedByUserError("interrupted")
