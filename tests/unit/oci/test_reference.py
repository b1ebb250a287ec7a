"""Docker's grammar of references, and our differences."""

from __future__ import annotations

import pytest

from ghcrctl.errors import InvalidReferenceError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.reference import Reference, check_new_name, distinct

D256 = "sha256:" + "a" * 64
D512 = "sha512:" + "b" * 128


@pytest.mark.parametrize(
    ("text", "registry", "repository", "tag", "digest"),
    [
        ("hello_docker", "", "hello_docker", None, None),
        ("hello_docker:1.0", "", "hello_docker", "1.0", None),
        ("owner/image", "ghcr.io", "owner/image", None, None),
        ("owner/image:V1_x.y-z", "ghcr.io", "owner/image", "V1_x.y-z", None),
        ("ghcr.io/o/i", "ghcr.io", "o/i", None, None),
        ("ghcr.io/o/a/b/c:1", "ghcr.io", "o/a/b/c", "1", None),
        ("GHCR.io/o/i", "ghcr.io", "o/i", None, None),
        ("localhost/x", "localhost", "x", None, None),
        ("localhost:5000/x:2", "localhost:5000", "x", "2", None),
        ("host:5000/o/i:1@" + D256, "host:5000", "o/i", "1", D256),
        ("[::1]:5000/o/i:1", "[::1]:5000", "o/i", "1", None),
        ("[2001:db8::1]/o/i", "[2001:db8::1]", "o/i", None, None),
        ("o/i@" + D256, "ghcr.io", "o/i", None, D256),
        ("o/i@" + D512, "ghcr.io", "o/i", None, D512),
        ("docker.io/ubuntu", "docker.io", "library/ubuntu", None, None),
        ("index.docker.io/o/i", "docker.io", "o/i", None, None),
        ("o/a__b.c-d--e_f", "ghcr.io", "o/a__b.c-d--e_f", None, None),
        ("my.host/a", "my.host", "a", None, None),
        ("o/" + "a" * 253, "ghcr.io", "o/" + "a" * 253, None, None),
        ("o/i:" + "t" * 128, "ghcr.io", "o/i", "t" * 128, None),
    ],
)
def test_parsing_agrees_with_docker(
    text: str, registry: str, repository: str, tag: str | None, digest: str | None
) -> None:
    found = Reference.parse(text)
    assert (found.registry, found.repository, found.tag) == (registry, repository, tag)
    assert found.digest == (Digest.parse(digest) if digest else None)
    assert Reference.parse(str(found), default_registry="none.example") == found


@pytest.mark.parametrize(
    ("text", "what", "position"),
    [
        ("", "empty", None),
        ("https://ghcr.io/o/i", "scheme", None),
        ("ghcr.io/Own er/i", "a space", 12),
        ("host:5/Owner/i", "lower case", 8),
        ("host:5/oWner/i", "lower case", 9),
        ("[:::::]/o/i", "invalid host name", None),
        (":tag", "a path component is empty", None),
        ("o/i:", "empty", 5),
        ("o/i:-x", "at the start of a tag", 5),
        ("o/i:a/b", "`:`", 4),
        ("o/i:a b", "a space", 6),
        ("o/i:" + "t" * 129, "129", 5),
        ("o//i", "empty", 3),
        ("o/-i", "start with", 3),
        ("o/i-", "end with", 4),
        ("o/a..b", "separators", 4),
        ("o/a___b", "separators", 4),
        ("o/i@sha256:12", "64 hexadecimal digits", 5),
        ("o/i@md5:" + "a" * 32, "unknown algorithm", 5),
        ("o/i@sha256:" + "A" * 64, "lower case", 5),
        ("o/" + "a" * 254, "256", None),
        ("a" * 64, "image ID", None),
        ("-bad.host/i", "invalid host", None),
        ("host:99999/i", "65535", 6),
        ("o/i\x1b[31m", "x1b", 4),
    ],
)
def test_errors_state_the_reason_and_position(text: str, what: str, position: int | None) -> None:
    with pytest.raises(InvalidReferenceError) as caught:
        Reference.parse(text)
    message = str(caught.value)
    assert what in message
    assert message.isprintable()
    assert (f"(character {position})" in message) is (position is not None)
    assert caught.value.hint


def test_upper_case_is_converted_for_ghcr_with_a_warning() -> None:
    said: list[str] = []
    assert Reference.parse("Owner/Image:Tag", warn=said.append).repository == "owner/image"
    assert "owner/image" in said[0]


def test_the_default_registry_can_be_chosen() -> None:
    assert Reference.parse("o/i", default_registry="quay.io").registry == "quay.io"


@pytest.mark.parametrize("default", ["docker.io", "index.docker.io", "registry-1.docker.io"])
def test_with_docker_hub_as_default_one_part_names_belong_to_it(default: str) -> None:
    for text in ("alpine", "alpine:3", f"alpine@{D256}"):
        found = Reference.parse(text, default_registry=default)
        assert str(found) == f"docker.io/library/{text}"
        assert Reference.parse(text, default_registry=default, local_names=True).is_local
        assert Reference.parse(text).is_local
        assert Reference.parse(text, default_registry="quay.io").is_local
    assert str(Reference.parse("o/i", default_registry=default)) == "docker.io/o/i"
    assert str(Reference.parse("localhost/i", default_registry=default)) == "localhost/i"


def test_the_digest_takes_precedence_and_latest_is_the_default() -> None:
    assert Reference.parse("o/i:1@" + D256).target == D256
    assert Reference.parse("o/i").target == "latest"
    assert str(Reference.parse("o/i").tagged()) == "ghcr.io/o/i:latest"


def test_duplicate_names_are_removed() -> None:
    names = ["o/a", "o/a:latest", "o/b:1", f"o/a@sha256:{'a' * 64}", "o/b:1", "o/a", "o/b"]
    found = distinct(Reference.parse(name) for name in names)
    kept = ["o/a", "o/b:1", f"o/a@sha256:{'a' * 64}", "o/b"]
    assert found == [Reference.parse(name) for name in kept]


@pytest.mark.parametrize("registry", ["ghcr.io", "containers.corp.example", "containers.x.ghe.com"])
def test_github_registries_accept_upper_case_with_a_warning(registry: str) -> None:
    warned: list[str] = []
    found = Reference.parse(f"{registry}/Octo/App:Tag", warn=warned.append)
    assert (found.repository, found.tag) == ("octo/app", "Tag")
    assert warned == [f"repository names on {registry} are lower case; using `octo/app`"]


def test_a_known_github_registry_accepts_upper_case() -> None:
    assert Reference.parse("host:5/Octo/App", is_github=True).repository == "octo/app"


@pytest.mark.parametrize("name", ["sha256", "sha512:1.0", "docker.io/library/sha256:1"])
def test_a_new_name_that_looks_like_a_digest_is_rejected(name: str) -> None:
    reference = Reference.parse(name, default_registry="docker.io")
    with pytest.raises(InvalidReferenceError, match="cannot create the ambiguous tag"):
        check_new_name(reference)


@pytest.mark.parametrize("name", ["ghcr.io/octo/sha256:1", "docker.io/library/sha1", "o/sha256"])
def test_other_new_names_are_accepted(name: str) -> None:
    reference = Reference.parse(name)
    assert check_new_name(reference) == reference
