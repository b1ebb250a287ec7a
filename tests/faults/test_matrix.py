"""Every operation under every fault: it succeeds in the end, or fails clearly and harms nothing."""

from __future__ import annotations

import ssl
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
import trustme

from ghcrctl.content.retry import RetryPolicy
from ghcrctl.content.streams import Content
from ghcrctl.errors import GhcrctlError
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.operations.store.fsck import check
from ghcrctl.registry import blob_upload, parallel_ranges
from tests.builders import random_image
from tests.faults.matrix import CASES, DEAD, IMAGE, SEGMENT, Case
from tests.registry_double import PlainRegistry, RegistryDouble
from tests.sessions import session_on
from tests.unit.registry.lan import Lan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ghcrctl.content.ports import Source
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session

RETRIES = 2
BEFORE = random_image(1, seed=9)
SECRET = "ghp_octo"


@pytest.fixture(scope="module")
def registries() -> Iterator[tuple[RegistryDouble, PlainRegistry]]:
    """A registry that has bad luck, and one that has not."""
    with RegistryDouble() as far, PlainRegistry() as near:
        far.accounts["octo"] = SECRET
        yield far, near


class World:
    """Two registries with a repository each, and a user."""

    _numbers = count()

    def __init__(self, folder: Path, far: RegistryDouble, near: PlainRegistry) -> None:
        self.folder, self.far, self.near = folder, far, near
        self.repository = f"octo/image{next(self._numbers)}"
        self.said: list[str] = []

    def session(self, case: Case | None = None, **environ: str) -> Session:
        """Begin a session that tries as often as the tests say."""
        chunk = SEGMENT if case and case.moment.chunks else 0
        given = {
            "GHCRCTL_RETRIES": str(RETRIES),
            "GHCRCTL_STALL_TIMEOUT": str(case.patience if case else 5.0),
            "GHCRCTL_UPLOAD_CHUNK": str(chunk),
            **environ,
        }
        return session_on(
            self.folder,
            registry=self.far.host,
            token=SECRET,
            warn=self.said.append,
            debug=self.said.append,
            environ=given,
        )

    def name(self, session: Session, registry: PlainRegistry) -> Reference:
        """Return the image's name at a registry."""
        return session.parse(f"{registry.host}/{self.repository}:1.0")

    def ends(self, side: str) -> tuple[PlainRegistry, PlainRegistry]:
        """Return where a copy comes from and where it goes."""
        return (self.far, self.near) if side == "reading" else (self.near, self.far)

    def prepare(self, operation: str, side: str) -> None:
        """Put the image where it comes from, and another where it goes."""
        source, target = self.ends(side)
        source.push_image(self.repository, "1.0", IMAGE)
        if operation != "pull":
            target.push_image(self.repository, "1.0", BEFORE)
        if operation == "push":
            with self.session() as session:
                pull(session, self.name(session, self.near))
                tag(
                    session,
                    str(self.name(session, self.near)),
                    [self.name(session, self.far)],
                )

    def act(self, session: Session, operation: str, side: str) -> GhcrctlError | None:
        """Do it; return the error that ended it."""
        source, target = (self.name(session, registry) for registry in self.ends(side))
        try:
            if operation == "copy":
                copy(session, source, target)
            elif operation == "pull":
                pull(session, source)
            else:
                push(session, target)
        except GhcrctlError as error:
            return error
        return None

    def has_arrived(self, session: Session, operation: str, side: str) -> bool:
        """Return whether the image has its name at the target; check that it is complete."""
        place: Source
        if operation == "pull":
            name = str(self.name(session, self.far))
            found = [r.descriptor.digest for r in session.store.records() if r.name == name]
            place = session.store.blobs
        else:
            place = session.source(self.name(session, self.ends(side)[1]))
            found = [place.resolve("1.0").digest]
        if found != [IMAGE.root.digest]:
            return False
        for descriptor, content in IMAGE.contents:
            with Content(place, descriptor).open() as stream:
                assert stream.read() == content
        return True


@pytest.fixture
def world(tmp_path: Path, registries: tuple[RegistryDouble, PlainRegistry]) -> Iterator[World]:
    far, near = registries
    made = World(tmp_path / "home", far, near)
    yield made
    far.faults.clear()
    far.moods.expired = far.moods.rate_limited = 0


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the layer a large one, and no wait a long one."""
    monkeypatch.setattr(parallel_ranges, "SEGMENT", SEGMENT)
    monkeypatch.setattr(parallel_ranges, "PARALLEL_FROM", 4 * SEGMENT)
    monkeypatch.setattr(parallel_ranges, "_FAST", 1e15)
    monkeypatch.setattr(blob_upload, "CHUNK", SEGMENT)
    patient = RetryPolicy.delay
    monkeypatch.setattr(
        RetryPolicy, "delay", lambda *given: None if patient(*given) is None else 0.0
    )


@pytest.mark.parametrize(
    ("case", "operation"),
    [
        pytest.param(case, operation, id=f"{operation}: {case.name}")
        for case in CASES
        for operation in case.operations
    ],
)
def test_an_operation_under_a_fault(world: World, case: Case, operation: str) -> None:
    side = case.moment.side
    world.prepare(operation, side)
    with world.session() as session:
        before = session.store.records()
    with world.session(case) as session:
        fault = case.strike(world.far, world.repository)
        error = world.act(session, operation, side)
        world.far.faults.clear()
        assert type(error) is (case.outcome or type(None)), repr(error)
        told = [*world.said, str(error), str(error and error.hint)]
        assert not any(SECRET in text for text in told)
        if fault and case.limited and case.outcome:
            # The first request of all may be one to be told how to sign in.
            assert 1 <= fault.befell <= case.moment.each * (1 + RETRIES) + 1
    with world.session() as session:
        assert not check(session).faults
        arrived = world.has_arrived(session, operation, side)
        assert arrived == (case.outcome is None or case.arrives)
        if not arrived:
            assert session.store.records() == before
            assert world.act(session, operation, side) is None
            assert world.has_arrived(session, operation, side)
            assert not check(session).faults


@pytest.mark.parametrize("operation", ["pull", "push", "copy"])
@pytest.mark.parametrize(("what", "host", "proxy", "error"), DEAD, ids=[dead[0] for dead in DEAD])
def test_a_host_that_cannot_be_talked_to(
    world: World, operation: str, what: str, host: str, proxy: str, error: type[GhcrctlError]
) -> None:
    del what
    environ: dict[str, str] = {"HTTPS_PROXY": proxy} if proxy else {}
    with ExitStack() as closing, world.session(None, **environ) as session:
        if host == "TLS":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
            host = f"127.0.0.1:{closing.enter_context(Lan(context)).port}"
        world.near.push_image(world.repository, "1.0", IMAGE)
        near = world.name(session, world.near)
        dead = session.parse(f"{host}/octo/image:1.0")
        if operation == "push":
            pull(session, near)
            tag(session, str(near), [dead])
        before = session.store.records()
        acts: dict[str, Callable[[], object]] = {
            "pull": lambda: pull(session, dead),
            "push": lambda: push(session, dead),
            "copy": lambda: copy(session, near, replace(dead, tag="2")),
        }
        with pytest.raises(error) as caught:
            acts[operation]()
        assert caught.value.hint
        assert session.store.records() == before
        assert not check(session).faults
