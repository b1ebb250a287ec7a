"""Pull and push against Debian's docker-registry: plain, with passwords, with tokens."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    ExitStatus,
    GhcrctlError,
    ManifestUnknownError,
    NotFoundError,
    TlsError,
)
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.inspect import inspect_local, inspect_remote
from ghcrctl.operations.images.list import list_images
from ghcrctl.operations.images.remove import remove
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.pull import pull, tags_of
from ghcrctl.operations.moving.push import push
from ghcrctl.operations.registries.login import login
from ghcrctl.registry.referrers import referrers_tag
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, artifact, index_of, random_image
from tests.integration.docker_registry import (
    IMAGE,
    PASSWORD,
    USER,
    Desk,
    docker_registry,
    docker_registry_basic,
    docker_registry_client,
    docker_registry_token,
    proxy,
)
from tests.sessions import is_stored

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.transfer.events import Event
    from tests.integration.docker_registry import DockerRegistry, Proxy
    from tests.integration.token_server import TokenServer

__all__ = [
    "docker_registry",
    "docker_registry_basic",
    "docker_registry_client",
    "docker_registry_token",
    "proxy",
]
pytestmark = pytest.mark.integration

GUARDED = pytest.mark.parametrize(
    "registry", ["docker_registry_basic", "docker_registry_token"], indirect=True
)
# With tokens, there are two hosts: the registry and its token endpoint.
TOKENS = pytest.mark.parametrize("registry", ["docker_registry_token"], indirect=True)
WRONG = "no-such-secret"


@pytest.fixture(params=["docker_registry", "docker_registry_basic", "docker_registry_token"])
def registry(request: pytest.FixtureRequest) -> DockerRegistry:
    made: DockerRegistry = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def desk(registry: DockerRegistry, tmp_path: Path) -> Desk:
    return Desk(registry, tmp_path)


def pull_one(desk: Desk, text: str = "octo/image:1.0", folder: str = "home") -> bool:
    """Pull an image; return whether anything is new."""
    with desk.session(folder) as session:
        return pull(session, session.parse(desk.name(text))).updated


@pytest.mark.parametrize(
    "image",
    [
        IMAGE,
        random_image(format="docker"),
        index_of(random_image(1, seed=3), index_of(random_image(1, seed=4))),
        index_of(random_image(1, format="docker"), format="docker"),
        artifact("application/vnd.example.thing"),
    ],
    ids=["oci", "docker", "nested index", "docker list", "artifact"],
)
def test_pushed_image_is_pulled_byte_for_byte(desk: Desk, image: Built) -> None:
    desk.push(image)
    with desk.session() as session:
        name = session.parse(desk.name())
        result = pull(session, name, select=Selection(everything=True))
        assert result.digest == image.root.digest
        assert is_stored(session, image)
        assert not pull(session, name, select=Selection(everything=True)).updated
        for descriptor, content in image.contents:
            assert session.store.blobs.path(descriptor.digest).read_bytes() == content


def test_second_push_sends_no_blobs(desk: Desk) -> None:
    assert desk.push().count(Outcome.COPIED) == len(IMAGE.contents)
    desk.asked.clear()
    assert desk.push().count(Outcome.COPIED) == 0
    # Like docker, the push sets the tag again.
    [line] = [line for line in desk.asked if line.split()[0] not in {"HEAD", "GET"}]
    assert line.startswith(f"PUT {desk.registry.url}/v2/octo/image/manifests/1.0 ")
    assert not [line for line in desk.asked if "/blobs/" in line]


def test_blobs_of_another_repository_are_mounted(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        pull(session, session.parse(desk.name()))
        tag(session, desk.name(), [session.parse(desk.name("octo/other:2"))])
        events: list[Event] = []
        push(session, session.parse(desk.name("octo/other:2")), observer=events.append)
    mounted = [e for e in events if isinstance(e, Finished) and e.outcome is Outcome.MOUNTED]
    assert len(mounted) == len(IMAGE.blobs)
    assert {e.mounted_from for e in mounted} == {"octo/image"}
    assert pull_one(desk, "octo/other:2", folder="third")


def test_image_pulled_by_digest_has_no_tag(desk: Desk) -> None:
    desk.push()
    by_digest = desk.name(f"octo/image@{IMAGE.root.digest}")
    with desk.session() as session:
        pull(session, session.parse(by_digest))
        [row] = list_images(session)
        assert (row.tag, row.digest) == ("", IMAGE.root.digest)
        seen = inspect_local(session, by_digest)
        assert (seen["RepoTags"], seen["RepoDigests"]) == ([], [by_digest])


def test_inspect_is_the_same_before_and_after_pull(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        name = session.parse(desk.name())
        before = inspect_remote(session, name)
        pull(session, name)
        assert inspect_local(session, desk.name()) == before


def test_removed_image_can_be_pulled_again(desk: Desk) -> None:
    desk.push()
    pull_one(desk)
    with desk.session() as session:
        gone = remove(session, desk.name())
        assert gone.untagged == (desk.name(), f"{desk.name('octo/image')}@{IMAGE.root.digest}")
        assert list_images(session) == []
        assert not is_stored(session, IMAGE)
    assert pull_one(desk)


def test_list_and_pull_all_tags(desk: Desk) -> None:
    for text in ("octo/image:b", "octo/image:a"):
        desk.push(text=text)
    with desk.session() as session:
        tags = tags_of(session, session.parse(desk.name("octo/image")))
        for name in tags:
            pull(session, name)
        assert sorted(row.tag or "" for row in list_images(session)) == ["a", "b"]


def test_referrer_is_listed_by_the_referrers_tag(desk: Desk) -> None:
    desk.push()
    signature = artifact("application/vnd.example.signature", subject=IMAGE.root)
    desk.push(signature, "octo/image:signature")
    with desk.session() as session:
        tags = tags_of(session, session.parse(desk.name("octo/image")))
        repository = session.repository(session.parse(desk.name("octo/image")))
        found = repository.resolve(referrers_tag(IMAGE.root.digest))
        [entry] = json.loads(read_metadata(repository, found))["manifests"]
    assert entry["digest"] == str(signature.root.digest)
    assert entry["artifactType"] == "application/vnd.example.signature"
    assert sorted(t.tag or "" for t in tags) == ["1.0", "signature"]


def test_missing_image_is_not_found(desk: Desk) -> None:
    desk.push(artifact())
    for text in ("octo/image:none", "octo/nothing:1.0"):
        with pytest.raises(NotFoundError):
            pull_one(desk, text)


def test_deleted_manifest_is_not_found(desk: Desk) -> None:
    desk.push()
    with desk.session() as session:
        client = session.resolver.sign_in(desk.registry.host)
        client.delete_manifest("octo/image", str(IMAGE.root.digest))
    with pytest.raises(ManifestUnknownError):
        pull_one(desk)


def test_login_is_verified_before_it_is_stored(desk: Desk) -> None:
    desk.password = ""
    kept = desk.folder / "home" / "config" / "auth.json"
    with desk.session() as session:
        if desk.registry.accounts:
            with pytest.raises(GhcrctlError) as caught:
                login(session, desk.registry.host, USER, WRONG)
            assert caught.value.exit_status is ExitStatus.AUTH
            assert not kept.exists()
        desk.asked.clear()
        assert login(session, desk.registry.host, USER, PASSWORD).place == str(kept)
    assert desk.asked
    assert desk.registry.host in kept.read_text()
    # The push uses only the stored credential.
    desk.environ["GHCRCTL_CONFIG_DIR"] = str(kept.parent)
    assert desk.push().count(Outcome.COPIED) == len(IMAGE.contents)


@GUARDED
@pytest.mark.parametrize("password", ["", WRONG])
def test_denied_user_gets_an_error(desk: Desk, password: str) -> None:
    desk.push()
    desk.password = password
    for act in (pull, push):
        with desk.session("publisher") as session, pytest.raises(GhcrctlError) as caught:
            act(session, session.parse(desk.name()))
        assert caught.value.exit_status is ExitStatus.AUTH
        assert WRONG not in f"{caught.value} {caught.value.hint}"
    assert WRONG not in " ".join(desk.asked + desk.said)


@GUARDED
def test_untrusted_ca_is_an_error(desk: Desk) -> None:
    del desk.environ["GHCRCTL_CA_FILE"]
    with pytest.raises(TlsError, match="not trusted") as caught:
        pull_one(desk)
    assert caught.value.exit_status is ExitStatus.NETWORK
    assert "--ca-file" in (caught.value.hint or "")


@TOKENS
@pytest.mark.parametrize(
    "folder", ["config/certs.d", ".docker/certs.d", ".config/containers/certs.d"]
)
def test_certificates_in_directories_of_docker_and_podman(desk: Desk, folder: str) -> None:
    desk.push(artifact())
    authority = desk.environ.pop("GHCRCTL_CA_FILE")
    place = desk.folder / "home" / folder / desk.registry.host
    place.mkdir(parents=True)
    (place / "ca.crt").symlink_to(authority)
    assert pull_one(desk)


def test_insecure_skips_verification(desk: Desk) -> None:
    desk.push(artifact())
    desk.environ.pop("GHCRCTL_CA_FILE", None)
    desk.environ["GHCRCTL_INSECURE"] = "1"
    assert pull_one(desk)
    del desk.environ["GHCRCTL_INSECURE"]
    desk.environ["GHCRCTL_INSECURE_REGISTRIES"] = desk.registry.host
    assert pull_one(desk, folder="other")


def test_local_registry_bypasses_the_proxy(
    desk: Desk, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
    desk.push()
    assert pull_one(desk)
    assert proxy.seen == []


class TestClientCertificate:
    """A registry that requires a client certificate."""

    @pytest.fixture
    def registry(self, docker_registry_client: DockerRegistry) -> DockerRegistry:
        return docker_registry_client

    def test_missing_client_certificate_is_an_error(self, desk: Desk) -> None:
        with pytest.raises(TlsError, match="client certificate") as caught:
            pull_one(desk)
        assert "--client-cert" in (caught.value.hint or "")

    def test_client_certificate_in_settings(self, desk: Desk) -> None:
        certificate, key = desk.registry.client or (None, None)
        desk.environ |= {"GHCRCTL_CLIENT_CERT": str(certificate), "GHCRCTL_CLIENT_KEY": str(key)}
        desk.push()
        assert pull_one(desk)

    def test_certificate_and_key_in_one_file(self, desk: Desk) -> None:
        assert desk.registry.client
        both = desk.folder / "both.pem"
        both.write_bytes(b"".join(path.read_bytes() for path in desk.registry.client))
        desk.environ["GHCRCTL_CLIENT_CERT"] = str(both)
        assert len(desk.push()) == len(IMAGE.contents)

    def test_client_certificate_in_the_registry_directory(self, desk: Desk) -> None:
        assert desk.registry.client
        place = desk.folder / "publisher" / ".docker" / "certs.d" / desk.registry.host
        place.mkdir(parents=True)
        (place / "ca.crt").symlink_to(desk.environ.pop("GHCRCTL_CA_FILE"))
        for path, name in zip(desk.registry.client, ("client.cert", "client.key"), strict=True):
            (place / name).symlink_to(path)
        assert len(desk.push()) == len(IMAGE.contents)


class TestTokens:
    """Tests that need a registry with tokens."""

    @pytest.fixture
    def registry(self, docker_registry_token: DockerRegistry) -> DockerRegistry:
        return docker_registry_token

    @pytest.fixture
    def tokens(self, registry: DockerRegistry) -> TokenServer:
        assert registry.tokens
        return registry.tokens

    def test_one_token_is_used_for_a_whole_pull(self, desk: Desk, tokens: TokenServer) -> None:
        desk.push()
        tokens.requests.clear()
        pull_one(desk)
        assert [query["scope"] for query in tokens.requests] == [["repository:octo/image:pull"]]

    def test_each_repository_has_its_own_token(self, desk: Desk, tokens: TokenServer) -> None:
        for seed, text in enumerate(("octo/image:1", "octo/other:1")):
            desk.push(random_image(1, seed=seed), text)
        scopes = {scope for query in tokens.requests for scope in query["scope"]}
        assert scopes == {f"repository:octo/{name}:pull,push" for name in ("image", "other")}

    @pytest.mark.parametrize("reported", [True, False], ids=["announced", "unannounced"])
    def test_expired_token_is_renewed_during_a_transfer(
        self, desk: Desk, tokens: TokenServer, *, reported: bool
    ) -> None:
        tokens.taken_for, tokens.life = (300, 1) if reported else (2, 300)
        naps = [1.1 if reported else 2.1]

        def dawdle(event: Event) -> None:
            if isinstance(event, Finished) and naps:
                time.sleep(naps.pop())

        outcomes = desk.push(observer=dawdle, GHCRCTL_JOBS="1")
        assert outcomes == [Outcome.COPIED] * len(IMAGE.contents)
        assert len(tokens.requests) > 1
        refused = [line for line in desk.asked if " 401 " in line and "/uploads/" in line]
        assert bool(refused) is not reported
        tokens.taken_for = tokens.life = 300
        assert pull_one(desk)

    def test_public_image_needs_no_login(self, desk: Desk) -> None:
        desk.push(text="octo/public:1")
        desk.password = ""
        assert pull_one(desk, "octo/public:1")
        with pytest.raises(GhcrctlError) as caught:
            pull_one(desk)
        assert caught.value.exit_status is ExitStatus.AUTH

    def test_wrong_password_does_not_block_a_public_image(self, desk: Desk) -> None:
        desk.push(text="octo/public:1")
        desk.password = WRONG
        assert pull_one(desk, "octo/public:1")
        [warning] = desk.said
        assert "rejects the credential from the environment (GHCRCTL_TOKEN)" in warning
