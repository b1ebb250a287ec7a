"""Untrusted JSON: which documents are rejected as manifests and configs."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from ghcrctl.errors import InvalidDigestError, InvalidManifestError
from ghcrctl.oci import media_types as types
from ghcrctl.oci.config import ImageConfig
from ghcrctl.oci.descriptor import MAX_MEDIA_TYPE, MAX_URLS, Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.documents import MAX_JSON_DEPTH, MAX_METADATA_SIZE, load_object
from ghcrctl.oci.manifest import parse, parse_index, platform_not_found
from ghcrctl.oci.platform import Platform

BLOB = {"mediaType": types.OCI_CONFIG, "digest": "sha256:" + "a" * 64, "size": 2}
IMAGE = {"schemaVersion": 2, "config": BLOB, "layers": []}


def nested(depth: int, opening: str, closing: str) -> bytes:
    """Return an object of some depth; ``opening`` starts each level except the first."""
    return f'{{"a": {opening * (depth - 1)}0{closing * (depth - 1)}}}'.encode()


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_the_depth_of_json_is_limited(opening: str, closing: str) -> None:
    assert load_object(nested(MAX_JSON_DEPTH, opening, closing), "manifest")
    for depth in (MAX_JSON_DEPTH + 1, 900, 5_000, 400_000):
        with pytest.raises(InvalidManifestError, match="nested too deeply"):
            load_object(nested(depth, opening, closing), "manifest")


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b'{"layers": [], "layers": [1]}', "`layers` is a duplicate key"),
        (b'{"config": {"User": "", "User": "root"}}', "`User` is a duplicate key"),
        (b'{"a": 1, "\\u0061": 2}', "`a` is a duplicate key"),
        (b'{"size": NaN}', "NaN is not a number"),
        (b'{"size": -Infinity}', "-Infinity is not a number"),
        (json.dumps(IMAGE).encode("utf-16"), "not valid JSON"),
        (json.dumps(IMAGE).encode("utf-32"), "not valid JSON"),
        (b"\xef\xbb\xbf{}", "not valid JSON"),
        (b'{"a": "\xed\xa0\x80"}', "not valid JSON"),
        (b'{"a": ' + b"9" * 100_000 + b"}", "not valid JSON"),
        (b"[]", "not a JSON object"),
    ],
    ids=repr,
)
def test_ambiguous_json_is_rejected(raw: bytes, reason: str) -> None:
    for read in (parse, ImageConfig.parse):
        with pytest.raises(InvalidManifestError, match=reason):
            read(raw)


def test_the_worst_document_is_parsed_in_seconds() -> None:
    worst_status = (
        b'{"a": [' + b"[]," * 1_300_000 + b"0]}",
        b'{"a": [' + b"{}," * 1_300_000 + b"0]}",
        ("{" + ",".join(f'"{number}":0' for number in range(380_000)) + ',"7":1}').encode(),
    )
    for raw in worst_status:
        assert len(raw) <= MAX_METADATA_SIZE
        began = time.process_time()
        with pytest.raises(InvalidManifestError):
            parse(raw)
        assert time.process_time() - began < 5


@pytest.mark.parametrize("inner", [["x"], {"a": 1}, 5, True, "x" * 4_000_000])
def test_an_invalid_media_type_is_a_short_error(inner: Any) -> None:
    with pytest.raises(InvalidManifestError, match="unsupported manifest type") as caught:
        parse(json.dumps({**IMAGE, "mediaType": inner}).encode())
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "change",
    [{"size": value} for value in (-1, 2**63, 10**4000, 1.0, 1e300, True, None, "2", [2], {"a": 2})]
    + [
        {"mediaType": "x" * (MAX_MEDIA_TYPE + 1)},
        {"artifactType": "x" * (MAX_MEDIA_TYPE + 1)},
        {"artifactType": ["x"]},
        {"urls": ["https://example.com/"] * (MAX_URLS + 1)},
        {"digest": "sha256:../../../etc/passwd" + "x" * 42},
        {"digest": "sha256:" + "a" * 63 + "\n"},
        {"digest": "sha256:" + "\N{FULLWIDTH DIGIT ONE}" * 64},
        {"digest": "../sha256:" + "a" * 64},
        {"digest": "x" * 1_000_000},
    ],
    ids=lambda change: repr(change)[:60],
)
def test_an_invalid_descriptor_is_a_short_error(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidManifestError) as caught:
        parse(json.dumps({**IMAGE, "layers": [{**BLOB, **change}]}).encode())
    assert len(str(caught.value)) < 700


def test_values_at_their_limits_are_accepted() -> None:
    most = {"size": 2**63 - 1, "urls": ["https://x/"] * MAX_URLS, "mediaType": "x" * MAX_MEDIA_TYPE}
    found = Descriptor.from_json({**BLOB, **most})
    assert (found.size, len(found.urls)) == (2**63 - 1, MAX_URLS)


@pytest.mark.parametrize("text", ["x" * 1_000_000, "x" * 1_000_000 + ":1", "sha256:" + "a" * 9999])
def test_an_invalid_digest_is_shortened(text: str) -> None:
    with pytest.raises(InvalidDigestError) as caught:
        Digest.parse(text)
    assert len(str(caught.value)) < 600


def test_an_error_names_only_a_few_platforms() -> None:
    entries = [
        {**BLOB, "platform": {"os": "linux", "architecture": f"{number}-" + "x" * 300}}
        for number in range(1000)
    ]
    index = parse_index(json.dumps({"manifests": entries}).encode(), types.OCI_INDEX)
    hint = platform_not_found(index, Platform("linux", "amd64")).hint
    assert hint
    assert hint.endswith(" and 980 more")
    assert len(hint) < 5000


def test_a_descriptor_is_serialized_without_empty_fields() -> None:
    full = {
        **{key: BLOB[key] for key in ("mediaType", "digest", "size")},
        "urls": ["https://example.com/"],
        "annotations": {"a": "b"},
        "platform": {"os": "linux", "architecture": "amd64"},
        "artifactType": "text/x",
    }
    assert Descriptor.from_json(full).to_json() == full
    for key in ("urls", "annotations", "platform", "artifactType"):
        less = {k: v for k, v in full.items() if k != key}
        assert Descriptor.from_json(less).to_json() == less
