"""Manifests and indexes: which are parsed, and which are rejected."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ghcrctl.errors import InvalidManifestError, PlatformNotFoundError, SchemaOneError
from ghcrctl.oci import media_types as types
from ghcrctl.oci.config import ImageConfig, parse_time
from ghcrctl.oci.manifest import Index, Manifest, parse, parse_index
from ghcrctl.oci.platform import Platform
from tests.builders import index_of, random_image

BLOB = {"mediaType": types.OCI_CONFIG, "digest": "sha256:" + "a" * 64, "size": 2}


def raw(**fields: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, **fields}).encode()


@pytest.mark.parametrize("kind", [types.OCI_MANIFEST, types.DOCKER_MANIFEST])
def test_both_formats_are_parsed_and_their_bytes_kept(kind: str) -> None:
    text = raw(mediaType=kind, config=BLOB, layers=[BLOB])
    parsed = parse(text, kind)
    assert isinstance(parsed, Manifest)
    assert (parsed.raw, parsed.descriptor.media_type) == (text, kind)
    assert len(parsed.children) == 2


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
def test_the_type_is_guessed_if_not_stated(kind: str) -> None:
    assert isinstance(parse(raw(config=BLOB, layers=[]), kind), Manifest)
    assert isinstance(parse(raw(manifests=[]), kind), Index)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b"", ""),
        (b"[]", ""),
        (b"{}", ""),
        (b"\xff\xfe", ""),
        (b"[" * 200_000, ""),
        (b'{"a":' * 100_000, ""),
        (raw(config=BLOB, layers=[], manifests=[]), ""),
        (raw(mediaType=types.OCI_INDEX, config=BLOB), ""),
        (raw(mediaType=types.OCI_MANIFEST, config=BLOB), types.DOCKER_MANIFEST),
        (raw(mediaType="text/html", config=BLOB), ""),
        (raw(config={**BLOB, "digest": "sha256:../../etc/passwd"}), ""),
        (raw(config={**BLOB, "size": -1}), ""),
        (raw(config={**BLOB, "size": True}), ""),
        (raw(config={**BLOB, "size": "2"}), ""),
        (raw(config={**BLOB, "mediaType": 5}), ""),
        (raw(config=BLOB, layers={}), ""),
        (raw(config=BLOB, layers=[7]), ""),
        (b" " * (4 * 1024 * 1024 + 1), ""),
    ],
)
def test_invalid_manifests_are_rejected(text: bytes, kind: str) -> None:
    with pytest.raises(InvalidManifestError):
        parse(text, kind)


@pytest.mark.parametrize(
    ("text", "kind"), [(raw(), types.DOCKER_SCHEMA1_SIGNED), (b'{"schemaVersion": 1}', "")]
)
def test_schema_1_is_rejected_with_a_hint(text: bytes, kind: str) -> None:
    with pytest.raises(SchemaOneError) as caught:
        parse(text, kind)
    assert caught.value.hint


def test_a_subset_keeps_attestations() -> None:
    images = [random_image(platform=Platform("linux", a)) for a in ("amd64", "arm64")]
    index = parse_index(index_of(*images).raw, types.OCI_INDEX)
    data = json.loads(index.raw)
    data["annotations"] = {"kept": "yes"}
    for entry in list(data["manifests"]):
        data["manifests"].append(
            {
                **BLOB,
                "mediaType": types.OCI_MANIFEST,
                "platform": {"os": "unknown", "architecture": "unknown"},
                "annotations": {"vnd.docker.reference.digest": entry["digest"]},
            }
        )
    whole = parse_index(json.dumps(data).encode(), types.OCI_INDEX)
    small = whole.subset((Platform("linux", "arm64"),))
    entries = json.loads(small.raw)["manifests"]
    assert len(entries) == 2
    assert entries[1]["annotations"]["vnd.docker.reference.digest"] == entries[0]["digest"]
    assert small.annotations == {"kept": "yes"}
    with pytest.raises(PlatformNotFoundError, match="s390x"):
        whole.subset((Platform("linux", "s390x"),))


def test_an_attestation_is_never_chosen_for_a_platform() -> None:
    entry = {**BLOB, "mediaType": types.OCI_MANIFEST}
    unknown = {"os": "unknown", "architecture": "unknown"}
    index = parse_index(raw(manifests=[{**entry, "platform": unknown}]), types.OCI_INDEX)
    assert index.choose(Platform("linux", "amd64")) is None
    assert index.platforms == ()


_ATTESTS = {"annotations": {"vnd.docker.reference.digest": "sha256:x"}}
_AMD64 = {"platform": {"os": "linux", "architecture": "amd64"}}


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([{}, _AMD64], 1),
        ([_AMD64, {}], 0),
        ([{}, {}], 0),
        ([_ATTESTS, {}], 1),
        ([_ATTESTS], None),
        ([{**_ATTESTS, "platform": {}}, {"platform": {}}], 1),
        ([{"platform": {"os": "", "architecture": ""}}], 0),
        ([{"platform": {"os": "", "architecture": "amd64"}}], 0),
        ([{"platform": {"os": "linux", "architecture": ""}}], None),
        ([{"platform": {"os": "linux", "architecture": "arm64"}}, {}], 1),
        ([{"platform": "linux/amd64"}], 0),
        ([{"mediaType": "text/plain"}, {}], 1),
        ([{"mediaType": "text/plain"}], None),
        ([{"mediaType": types.OCI_INDEX}], 0),
        ([], None),
    ],
)
def test_an_entry_without_a_platform_matches_every_machine(
    entries: list[dict[str, Any]], chosen: int | None
) -> None:
    common = {**BLOB, "mediaType": types.OCI_MANIFEST}
    index = parse_index(raw(manifests=[{**common, **e} for e in entries]), types.OCI_INDEX)
    found = index.choose(Platform("linux", "amd64"))
    assert found == (None if chosen is None else index.manifests[chosen])


def test_a_missing_platform_is_named_with_its_features() -> None:
    entry = {**BLOB, "mediaType": types.OCI_MANIFEST}
    platform = {"os": "linux", "architecture": "amd64", "os.features": ["erofs"]}
    index = parse_index(raw(manifests=[{**entry, "platform": platform}]), types.OCI_INDEX)
    with pytest.raises(PlatformNotFoundError) as caught:
        index.subset((Platform("linux", "amd64"),))
    assert "for linux/amd64 in" in caught.value.message
    assert "linux(+erofs)/amd64" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2024-01-02T03:04:05Z", "2024-01-02T03:04:05+00:00"),
        ("2024-01-02T03:04:05.123456789Z", "2024-01-02T03:04:05.123456+00:00"),
        ("2024-01-02T03:04:05.1+02:00", "2024-01-02T01:04:05.100000+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("0001-01-01T00:00:00+14:00", None),
        ("2024-13-02T03:04:05Z", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_times_of_images_are_parsed(text: str, shown: str | None) -> None:
    found = parse_time(text)
    assert (found.isoformat() if found else None) == shown


@pytest.mark.parametrize(
    "data", [{}, {"rootfs": None}, {"config": None}, {"history": 5}, {"created": 7, "author": []}]
)
def test_the_valid_parts_of_an_odd_config_are_parsed(data: dict[str, Any]) -> None:
    config = ImageConfig.parse(json.dumps(data).encode())
    assert (config.diff_ids, config.history, config.labels, config.created) == ((), (), {}, "")
