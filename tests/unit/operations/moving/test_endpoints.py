"""The notation of endpoints, and the names of several images at one target."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import RefusedError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.moving.endpoints.base import Naming
from ghcrctl.operations.moving.endpoints.parse import check_distinct_names, parse_endpoint
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from ghcrctl.operations.moving.endpoints.store import StoreEndpoint
from tests.sessions import session_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session

DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with session_on(tmp_path / "home") as made:
        yield made


@pytest.mark.parametrize(
    ("text", "kind", "where", "what"),
    [
        ("octo/image", RegistryEndpoint, "ghcr.io/octo/image", "latest"),
        ("ghcr.io/octo/image:1", RegistryEndpoint, "ghcr.io/octo/image", "1"),
        (f"localhost:5000/image@{DIGEST}", RegistryEndpoint, "localhost:5000/image", DIGEST),
        ("oci.local:5000/image", RegistryEndpoint, "oci.local:5000/image", "latest"),
        ("store.local/image", RegistryEndpoint, "store.local/image", "latest"),
        ("hello", StoreEndpoint, "the local store", "hello:latest"),
        ("hello:1", StoreEndpoint, "the local store", "hello:1"),
        ("store", StoreEndpoint, "the local store", "store:latest"),
        ("store:1.0", StoreEndpoint, "the local store", "1.0:latest"),
        ("store:store:1.0", StoreEndpoint, "the local store", "store:1.0"),
        ("store:octo/image:1", StoreEndpoint, "the local store", "ghcr.io/octo/image:1"),
        (f"store:{'b' * 64}", StoreEndpoint, "the local store", "b" * 64),
        ("store:", StoreEndpoint, "the local store", ""),
        ("ghcr.io/octo/image.tar", RegistryEndpoint, "ghcr.io/octo/image.tar", "latest"),
        ("hello:1.tar", StoreEndpoint, "the local store", "hello:1.tar"),
    ],
)
def test_endpoints_are_parsed(
    session: Session, text: str, kind: type, where: str, what: str
) -> None:
    end = parse_endpoint(session, text)
    assert isinstance(end, kind)
    assert (end.where, end.what) == (where, what)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("docker://ghcr.io/octo/image", "omit it"),
        ("docker-archive:image.tar", "archive:FILE"),
        ("oci-archive:image.tar:1", "archive:FILE"),
        ("containers-storage:image", "podman save"),
        ("./folder", "oci:./folder"),
        ("/srv/image", "oci:/srv/image"),
        ("~/image", "archive:~/image"),
        ("image.tar", "archive:image.tar"),
        ("octo/image.tar.gz", "archive:octo/image.tar.gz"),
        ("octo/Image:", "write it like ghcr.io"),
    ],
)
def test_an_invalid_endpoint_gets_a_hint(session: Session, text: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_endpoint(session, text)
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("source", "target", "name"),
    [
        ("octo/image:1", "registry.local/copy", "registry.local/copy:1"),
        ("octo/image:1", "registry.local/copy:2", "registry.local/copy:2"),
        ("octo/image", "registry.local/copy", "registry.local/copy:latest"),
        (f"octo/image@{DIGEST}", "registry.local/copy", f"registry.local/copy@{DIGEST}"),
        (f"octo/image@{DIGEST}", "registry.local/copy:3", "registry.local/copy:3"),
        ("octo/deep/image:1", "registry.local/", "registry.local/image:1"),
        ("octo/deep/image:1", "registry.local/a/b/", "registry.local/a/b/image:1"),
        ("octo/image:1", "other/", "ghcr.io/other/image:1"),
        ("octo/image:1", "docker.io/", "docker.io/library/image:1"),
        ("hello:1", "other/", "ghcr.io/other/hello:1"),
        ("octo/image:1", "hello", "hello:1"),
        ("octo/image:1", "store:", "ghcr.io/octo/image:1"),
        (f"octo/image@{DIGEST}", "store:", f"ghcr.io/octo/image@{DIGEST}"),
        (f"octo/image@{DIGEST}", "hello", "hello:latest"),
        ("octo/image:1", "store:other/name", "ghcr.io/other/name:1"),
    ],
)
def test_a_copy_has_the_name_of_its_source_by_default(
    session: Session, source: str, target: str, name: str
) -> None:
    naming = parse_endpoint(session, source).known
    assert naming is not None
    assert parse_endpoint(session, target).target(naming, Digest.parse(DIGEST)).shown == name


@pytest.mark.parametrize(
    ("sources", "target"),
    [
        (["octo/a:1", "octo/b:2"], "registry.local/all"),
        (["octo/a:1", "octo/b:1"], "registry.local/ns/"),
        ([f"octo/a@{DIGEST}", f"octo/b@{DIGEST}"], "registry.local/all"),
        (["octo/a:1", "other/a:1"], "store:"),
        (["octo/a:1"], "registry.local/all:1"),
    ],
)
def test_several_images_need_a_target_with_several_names(
    session: Session, sources: list[str], target: str
) -> None:
    check_distinct_names(
        [parse_endpoint(session, text) for text in sources], parse_endpoint(session, target)
    )


@pytest.mark.parametrize(
    ("sources", "target", "message"),
    [
        (["octo/a:1", "octo/b:1"], "registry.local/all", "would both be copied to"),
        (["octo/a:1", "other/a:1"], "registry.local/ns/", "would both be copied to"),
        (
            ["octo/a:1", "octo/b:2"],
            "registry.local/all:1",
            "cannot copy several images to one name",
        ),
        (["octo/a:1", "octo/b:2"], "hello", "cannot copy several images to one name"),
        (["octo/a:1", "octo/b:2"], "store:hello", "cannot copy several images to one name"),
    ],
)
def test_several_images_never_get_the_same_name(
    session: Session, sources: list[str], target: str, message: str
) -> None:
    ends = [parse_endpoint(session, text) for text in sources]
    with pytest.raises(UsageError, match=message):
        check_distinct_names(ends, parse_endpoint(session, target))


@pytest.mark.parametrize(
    ("text", "source", "shown", "pinned"),
    [
        ("oci:/a/lay", "o/i:1", "oci:/a/lay:1", "oci:/a/lay"),
        ("oci:/a/lay:1", "o/i:1", "oci:/a/lay:1", "oci:/a/lay"),
        ("oci:lay:localhost:5000/x:1", "o/i", "oci:lay:localhost:5000/x:1", "oci:lay"),
        ("oci:lay", f"o/i@{DIGEST}", f"oci:lay@{DIGEST}", "oci:lay"),
        ("archive:a.tar", "o/i:1", "archive:a.tar:ghcr.io/o/i:1", "archive:a.tar:ghcr.io/o/i"),
        ("archive:a.tar:x:2", "o/i:1", "archive:a.tar:x:2", "archive:a.tar:x"),
        ("archive:a.tar", "oci:lay", "archive:a.tar", "archive:a.tar"),
        ("docker-daemon:x:2", "o/i:1", "docker-daemon:x:2", "docker-daemon:x"),
        ("docker-daemon:", "oci:lay", f"docker-daemon:{DIGEST}", "docker-daemon:"),
        ("localhost:5000/x", "o/i:1", "localhost:5000/x:1", "localhost:5000/x"),
        ("localhost:5000/ns/", "o/i:1", "localhost:5000/ns/i:1", "localhost:5000/ns/i"),
        ("[::1]:5000/x:2", "o/i:1", "[::1]:5000/x:2", "[::1]:5000/x"),
        ("o/x", f"o/i@{DIGEST}", f"ghcr.io/o/x@{DIGEST}", "ghcr.io/o/x"),
        ("store:hello:3", f"o/i@{DIGEST}", "hello:3", "hello"),
    ],
)
def test_a_copy_is_pinned_by_one_digest_in_place_of_its_tag(
    session: Session, text: str, source: str, shown: str, pinned: str
) -> None:
    digest = Digest.parse(DIGEST)
    target = parse_endpoint(session, text).target(
        parse_endpoint(session, source).known or Naming(None, ""), digest
    )
    assert target.shown == shown
    separator = "" if pinned.endswith(":") else "@"
    assert target.pinned(digest) == f"{pinned}{separator}{DIGEST}"


@pytest.mark.parametrize(
    "text", ["oci:lay@{}", "archive:a.tar:o/x@{}", "o/x@{}", "store:o/x@{}", "docker-daemon:o/x@{}"]
)
def test_a_target_with_a_digest_gets_only_its_content(session: Session, text: str) -> None:
    target = parse_endpoint(session, text.format(DIGEST))
    naming = Naming(None, "1")
    assert DIGEST in target.target(naming, Digest.parse(DIGEST)).shown
    assert DIGEST in target.target(naming, None).shown
    with pytest.raises(RefusedError, match=r"its digest is|so it cannot be copied"):
        target.target(naming, Digest("sha256", "c" * 64))
