"""Docker's engine as an end of a copy.

What belongs here: names there, and images on their way through its archives. What does not: its API
(``archive.daemon``).
"""

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
    named_like,
)
from ghcrctl.operations.moving.endpoints.files import FixedSink, from_archive, naming_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.digest import Digest
    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.moving.endpoints.base import OpenSink

_ID = re.compile(r"(?:sha256:)?[0-9a-f]{12,64}\Z")
# Pieces of an archive that wait for the engine.
_WAITING = 8
_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class EngineEnd:
    """An image of docker's engine.

    Args:
        reference: its name; ``None`` for the engine as a whole, or where the text is an ID.
        text: as it was written.
    """

    reference: Reference | None
    text: str
    registry = ""
    takes_one_platform = True
    is_one_by_one = True

    @classmethod
    def parse(cls, session: Session, text: str) -> EngineEnd:
        """Read what follows ``docker-daemon:``: a name as docker has it, an ID, or nothing."""
        if not text or _ID.match(text):
            return cls(None, text)
        local_names = session.has_local_names
        found = Reference.parse(text, default_registry=DOCKER_HUB, local_names=local_names)
        return cls(found, text)

    @property
    def what(self) -> str:
        """Its name or ID."""
        return str(self.reference.tagged()) if self.reference else self.text

    @property
    def where(self) -> str:
        """The engine."""
        return "docker's engine"

    @property
    def takes_several(self) -> bool:
        """Whether no name is given, so that each image keeps its own."""
        return not self.text

    @property
    def known(self) -> Naming | None:
        """Its name, if it is one."""
        return naming_of(self.reference.tagged()) if self.reference else None

    @contextmanager
    def source(self, session: Session) -> Iterator[OpenSource]:
        """Let the engine save it, which it does as a whole before its first byte comes."""
        if not self.text:
            raise UsageError(
                "`docker-daemon:` names no image", hint="docker images lists what it has"
            )
        stream = engine_of(session).save([self.what])
        try:
            with from_archive(session, stream, None, "docker-daemon:NAME:TAG") as found:
                naming = self.known or found.naming
                yield OpenSource(found.place, found.root, naming)
        finally:
            stream.close()

    @contextmanager
    def sink(self, session: Session, *, dry_run: bool) -> Iterator[OpenSink]:
        """Let the engine load what is written; where that fails it loads nothing."""
        engine = engine_of(session)
        engine.ping()
        if dry_run:
            yield FixedSink(ArchiveSink(len, session.settings.preferred_platform))
            return
        with _Feed(engine) as feed:
            sink = ArchiveSink(feed.write, session.settings.preferred_platform)
            sink.label = engine.label
            yield FixedSink(sink)
            sink.finish()

    def target(self, naming: Naming, digest: Digest | None) -> Target:
        """Return its name there; none where it has none to keep."""
        if self.text and self.reference is None:
            raise UsageError(f"`{self.text}` is an ID, not a name that an image can get")
        if self.reference:
            check_digest(f"docker-daemon:{self.text}", self.reference.digest, digest)
        named = self.reference or naming.reference
        if named is None:
            return Target(f"docker-daemon:{digest}", ("",))
        named = named_like(named, naming)
        return Target(f"docker-daemon:{named}", (str(named),), named)


def engine_of(session: Session) -> Engine:
    """Return the engine that docker's own variables name."""
    address, tls = session.settings.docker_engine
    return Engine(address, tls, connect_timeout=session.settings.get("connect_timeout"))


class _Feed:
    """Bytes on their way to an engine, which takes them in a thread of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._pieces: queue.Queue[bytes] = queue.Queue(_WAITING)
        self._is_dropped = threading.Event()
        self._error: BaseException | None = None
        self._loaded: list[str] = []
        self._thread = threading.Thread(target=self._load, name="engine", daemon=True)

    def __enter__(self) -> _Feed:
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
                f"{self._engine.label} took nothing of what it was given: it is no container image"
            )

    def write(self, data: bytes) -> None:
        """Hand on some bytes; none means the end.

        Raises:
            GhcrctlError: the engine has failed.
        """
        while self._thread.is_alive():
            try:
                self._pieces.put(bytes(data), timeout=_SECONDS)
            except queue.Full:
                continue
            return
        if self._error:
            raise self._error

    def _load(self) -> None:
        try:
            self._loaded = self._engine.load(self._chunks())
        except BaseException as error:  # noqa: BLE001 it is raised where the bytes come from
            self._error = error

    def _chunks(self) -> Iterator[bytes]:
        while not self._is_dropped.is_set():
            try:
                piece = self._pieces.get(timeout=_SECONDS)
            except queue.Empty:
                continue
            if not piece:
                return
            yield piece
        # An archive that is not whole must not look as if it were.
        raise InterruptedByUserError("interrupted")
