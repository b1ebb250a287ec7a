"""Pull and push against Debian's docker-registry: plain, with passwords, with tokens."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    ExitStatus,
    GhcrctlError,
    ManifestUnknownError,
    NotFoundError,
    TlsError,
)
from ghcrctl.operations.images import list_images
from ghcrctl.operations.inspect import inspect_local, inspect_remote
from ghcrctl.operations.pull import Selection, pull, tags_of
from ghcrctl.operations.push import push
from ghcrctl.operations.remove import remove
from ghcrctl.operations.tag import tag
from ghcrctl.registry.referrers import referrers_tag
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, artifact, index_of, random_image
from tests.integration.docker_registry import (
    PASSWORD,
    USER,
    docker_registry,
    docker_registry_basic,
    docker_registry_token,
)
from tests.sessions import is_stored, session_on
from tests.unit.store.acts import fill

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.session import Session
    from ghcrctl.transfer.events import Event
    from tests.integration.docker_registry import DockerRegistry

__all__ = ["docker_registry", "docker_registry_basic", "docker_registry_token"]
pytestmark = pytest.mark.integration

IMAGE = random_image(3, seed=1)


@pytest.fixture(params=["docker_registry", "docker_registry_basic", "docker_registry_token"])
def registry(request: pytest.FixtureRequest) -> DockerRegistry:
    made: DockerRegistry = request.getfixturevalue(request.param)
    return made


class Desk:
    """One person's machine: sessions that share a store, and what was said and asked."""

    def __init__(self, registry: DockerRegistry, folder: Path) -> None:
        self.registry = registry
        self.folder = folder
        self.password = PASSWORD
        self.said: list[str] = []
        self.asked: list[str] = []
        self.environ = {"GHCRCTL_CA_FILE": str(registry.ca)} if registry.ca else {}

    @contextmanager
    def session(self, folder: str = "home", **environ: str) -> Iterator[Session]:
        signed_in = {"GHCRCTL_USERNAME": USER} if self.registry.accounts and self.password else {}
        with session_on(
            self.folder / folder,
            registry=self.registry.host,
            token=self.password if signed_in else "",
            warn=self.said.append,
            debug=self.asked.append,
            environ={**self.environ, **signed_in, **environ},
        ) as made:
            yield made

    def name(self, text: str = "octo/image:1.0") -> str:
        return f"{self.registry.host}/{text}"

    def push(self, image: Built = IMAGE, text: str = "octo/image:1.0") -> list[Outcome]:
        """Push an image from a store that nothing else is in."""
        events: list[Event] = []
        with self.session("publisher") as session:
            fill(session.store, image, self.name(text), pulled=False)
            push(session, session.parse(self.name(text)), observer=events.append)
        return [e.outcome for e in events if isinstance(e, Finished)]


@pytest.fixture
def desk(registry: DockerRegistry, tmp_path: Path) -> Desk:
    return Desk(registry, tmp_path)


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        random_image(2, format="docker"),
        index_of(random_image(seed=3), index_of(random_image(seed=4))),
        index_of(random_image(format="docker"), format="docker"),
        artifact("application/vnd.example.thing"),
    ],
    ids=["oci", "docker", "nested index", "docker list", "artifact"],
)
def test_what_is_pushed_comes_back_byte_for_byte(desk: Desk, image: Built) -> None:
    desk.push(image)
    with desk.session() as session:
        name = session.parse(desk.name())
        result = pull(session, name, select=Selection(everything=True))
        assert result.digest == image.root.digest
        assert is_stored(session, image)
        assert not pull(session, name, select=Selection(everything=True)).updated
        for descriptor, content in image.contents:
            assert session.store.blobs.path(descriptor.digest).read_bytes() == content


def test_a_second_push_sends_nothing(desk: Desk) -> None:
    assert desk.push().count(Outcome.COPIED) == len(IMAGE.contents)
    desk.asked.clear()
    assert desk.push().count(Outcome.COPIED) == 0
    sent = [line for line in desk.asked if "/blobs/" in line]
    assert sent == []


def test_blobs_of_a_sibling_are_mounted(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        pull(session, session.parse(desk.name()))
        tag(session, desk.name(), [session.parse(desk.name("octo/other:2"))])
        events: list[Event] = []
        push(session, session.parse(desk.name("octo/other:2")), observer=events.append)
    mounted = [e for e in events if isinstance(e, Finished) and e.outcome is Outcome.MOUNTED]
    assert len(mounted) == len(IMAGE.blobs)
    assert {e.mounted_from for e in mounted} == {"octo/image"}


def test_by_digest_the_tag_is_none(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        pull(session, session.parse(desk.name(f"octo/image@{IMAGE.root.digest}")))
        [row] = list_images(session)
        assert (row.tag, row.digest) == ("", IMAGE.root.digest)


def test_inspect_says_the_same_before_and_after_the_pull(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        name = session.parse(desk.name())
        before = inspect_remote(session, name)
        pull(session, name)
        assert inspect_local(session, desk.name()) == before
        gone = remove(session, desk.name())
        assert gone.untagged == (desk.name(), f"{desk.name('octo/image')}@{IMAGE.root.digest}")


def test_all_tags_are_listed(desk: Desk) -> None:
    for text in ("octo/image:b", "octo/image:a"):
        desk.push(text=text)
    with desk.session() as session:
        tags, _ = tags_of(session, session.parse(desk.name("octo/image")))
        assert sorted(t.tag or "" for t in tags) == ["a", "b"]


def test_a_referrer_is_listed_under_the_tag_of_its_subject(desk: Desk) -> None:
    desk.push()
    signature = artifact("application/vnd.example.signature", subject=IMAGE.root)
    desk.push(signature, "octo/image:signature")
    with desk.session() as session:
        tags, helpers = tags_of(session, session.parse(desk.name("octo/image")))
        assert helpers == 1
        found = session.repository(session.parse(desk.name("octo/image"))).resolve(
            referrers_tag(IMAGE.root.digest)
        )
        assert found.is_index
    assert sorted(t.tag or "" for t in tags) == ["1.0", "signature"]


@pytest.mark.parametrize("text", ["octo/image:none", "octo/nothing:1.0"])
def test_what_is_not_there_is_not_found(desk: Desk, text: str) -> None:
    desk.push()
    with desk.session() as session, pytest.raises(NotFoundError):
        pull(session, session.parse(desk.name(text)))


def test_a_deleted_manifest_is_gone(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        client = session.client(desk.registry.host)
        client.delete_manifest("octo/image", str(IMAGE.root.digest))
        with pytest.raises(ManifestUnknownError):
            pull(session, session.parse(desk.name()))


@pytest.mark.parametrize("password", ["", "wrong"])
def test_who_may_not_is_told_so(desk: Desk, password: str) -> None:
    if not desk.registry.accounts:
        return
    desk.push()
    desk.password = password
    for act in (pull, push):
        with desk.session("publisher") as session, pytest.raises(GhcrctlError) as caught:
            act(session, session.parse(desk.name()))
        assert caught.value.exit_status is ExitStatus.AUTH
        assert "wrong" not in str(caught.value).partition("says")[0]


def test_an_authority_that_is_not_trusted_is_told(desk: Desk) -> None:
    if not desk.registry.ca:
        return
    del desk.environ["GHCRCTL_CA_FILE"]
    with desk.session() as session, pytest.raises(TlsError, match="not trusted") as caught:
        pull(session, session.parse(desk.name()))
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "--ca-file" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "folder",
    ["config/certs.d", ".docker/certs.d", ".config/containers/certs.d"],
)
def test_certificates_are_found_where_docker_and_podman_keep_them(desk: Desk, folder: str) -> None:
    if not desk.registry.ca:
        return
    desk.push()
    del desk.environ["GHCRCTL_CA_FILE"]
    place = desk.folder / "home" / folder / desk.registry.host
    place.mkdir(parents=True)
    (place / "ca.crt").write_bytes(desk.registry.ca.read_bytes())
    with desk.session() as session:
        assert pull(session, session.parse(desk.name())).updated


def test_insecure_trusts_anybody(desk: Desk) -> None:
    desk.push()
    desk.environ.pop("GHCRCTL_CA_FILE", None)
    with desk.session(GHCRCTL_INSECURE="1") as session:
        assert pull(session, session.parse(desk.name())).updated
    with desk.session("other", GHCRCTL_INSECURE_REGISTRIES=desk.registry.host) as session:
        assert pull(session, session.parse(desk.name())).updated


class TestTokens:
    """What only a registry with tokens can show."""

    @pytest.fixture
    def registry(self, docker_registry_token: DockerRegistry) -> DockerRegistry:
        return docker_registry_token

    def test_one_token_serves_a_whole_pull(self, desk: Desk) -> None:
        desk.push()
        tokens = desk.registry.tokens
        assert tokens
        tokens.requests.clear()
        with desk.session() as session:
            pull(session, session.parse(desk.name()))
        assert [query["scope"] for query in tokens.requests] == [["repository:octo/image:pull"]]

    def test_a_token_that_ends_is_renewed_in_the_middle(self, desk: Desk) -> None:
        tokens = desk.registry.tokens
        assert tokens
        tokens.life = 1
        image = random_image(2, seed=8)
        with desk.session() as session:
            fill(session.store, image, desk.name(), pulled=False)
            client = session.client(desk.registry.host)
            push(session, session.parse(desk.name()))
            before = len(tokens.requests)
            # What is said to live for a second is renewed after one.
            client._auth._tokens = {
                scope: (token, 0.0) for scope, (token, _) in client._auth._tokens.items()
            }
            assert client.has_blob("octo/image", image.blobs[0][0].digest)
            assert len(tokens.requests) == before + 1

    def test_a_public_image_needs_nobody(self, desk: Desk) -> None:
        desk.push(text="octo/public:1")
        desk.password = ""
        with desk.session() as session:
            assert pull(session, session.parse(desk.name("octo/public:1"))).updated
            with pytest.raises(GhcrctlError) as caught:
                pull(session, session.parse(desk.name()))
            assert caught.value.exit_status is ExitStatus.AUTH

    def test_a_wrong_password_does_not_stand_before_a_public_image(self, desk: Desk) -> None:
        desk.push(text="octo/public:1")
        desk.password = "wrong"
        with desk.session() as session:
            assert pull(session, session.parse(desk.name("octo/public:1"))).updated
        [warning] = desk.said
        assert "rejects the credential from the environment (GHCRCTL_TOKEN)" in warning
