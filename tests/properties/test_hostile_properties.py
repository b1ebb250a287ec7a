"""Documents and texts of any form: parsed or rejected briefly, and never harmful when shown."""

from __future__ import annotations

import contextlib
import json
import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ghcrctl.cli.format.gojson import dumps
from ghcrctl.cli.format.printable import printable
from ghcrctl.errors import (
    InvalidManifestError,
    InvalidReferenceError,
    PlatformNotFoundError,
    SchemaOneError,
)
from ghcrctl.oci import media_types as types
from ghcrctl.oci.config import ImageConfig, parse_time
from ghcrctl.oci.documents import load_object
from ghcrctl.oci.manifest import Index, parse
from ghcrctl.oci.platform import Platform
from ghcrctl.oci.reference import Reference, is_tag
from tests.builders import index_of, random_image

if TYPE_CHECKING:
    from collections.abc import Iterator

_leaves = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from([types.OCI_MANIFEST, types.OCI_INDEX, types.DOCKER_LIST, "sha256:../x"]),
)
_values = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)
_IMAGE = random_image(2)
_WHOLE = {
    "manifest": json.loads(_IMAGE.raw),
    "index": json.loads(index_of(_IMAGE, annotations={"a": "b"}).raw),
    "config": json.loads(_IMAGE.contents[-2][1]),
}


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, (dict, list)):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _places(inner, (*path, key))


def _bent(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """Return a document with another value in one place."""
    if not path:
        return new
    changed = dict(value) if isinstance(value, dict) else list(value)
    changed[path[0]] = _bent(value[path[0]], path[1:], new)
    return changed


def _documents(kind: str) -> st.SearchStrategy[bytes]:
    places = list(_places(_WHOLE[kind]))
    bent = st.builds(lambda p, new: _bent(_WHOLE[kind], p, new), st.sampled_from(places), _values)
    return bent.map(lambda document: json.dumps(document).encode())


@given(st.one_of(_documents("manifest"), _documents("index"), st.binary(max_size=200)))
@example(b'{"mediaType": ["x"], "config": {}}')
@example(b'{"manifests": null}')
def test_any_manifest_is_parsed_or_rejected_briefly(raw: bytes) -> None:
    try:
        parsed = parse(raw)
    except (InvalidManifestError, SchemaOneError) as error:
        assert len(str(error)) < 1000  # noqa: PT017
        return
    assert parsed.raw == raw
    assert all(child.size >= 0 for child in parsed.children)
    if isinstance(parsed, Index):
        assert len(parsed.platforms) <= len(parsed.manifests)
        with contextlib.suppress(PlatformNotFoundError, InvalidManifestError):
            parsed.subset((Platform("linux", "amd64"),))


@given(st.one_of(_documents("config"), st.binary(max_size=200)))
def test_any_config_is_parsed_or_rejected(raw: bytes) -> None:
    try:
        config = ImageConfig.parse(raw)
    except InvalidManifestError as error:
        assert len(str(error)) < 300  # noqa: PT017
        return
    assert all(isinstance(value, str) for pair in config.labels.items() for value in pair)
    assert all(isinstance(text, str) for text in config.diff_ids)
    parse_time(config.created)
    str(config.platform)
    assert_harmless(dumps(config.data, indent=" "))


def assert_harmless(text: str, *, allowed: str = "\n") -> None:
    harmful = {c for c in text if unicodedata.category(c) in {"Cc", "Cf", "Zl", "Zp", "Cs"}}
    assert harmful <= {*allowed, "\u200c", "\u200d"}


_texts = st.one_of(
    st.text(max_size=50),
    st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"]), max_size=50),
)


@given(_texts)
def test_no_text_is_shown_with_terminal_control_characters(text: str) -> None:
    assert_harmless(printable(text), allowed="")
    assert_harmless(printable(text, keep="\n\t"), allowed="\n\t")
    assert_harmless(dumps({text: [text]}))
    printable(text).encode()


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=20), max_size=5))
def test_printed_json_parses_to_the_same_value(labels: dict[str, str]) -> None:
    assert json.loads(dumps(labels)) == labels


@given(st.text(max_size=140))
@example("..")
@example("a/../../b")
@example("1.0\n")
@example("x" * 129)
def test_accepted_tags_are_valid(text: str) -> None:
    try:
        as_reference = Reference.parse(f"ghcr.io/octo/image:{text}").tag == text
    except InvalidReferenceError:
        as_reference = False
    assert is_tag(text) == as_reference


@given(st.lists(st.sampled_from(["a", "b"]), min_size=2, max_size=4))
def test_a_duplicate_key_is_always_detected(keys: list[str]) -> None:
    raw = ("{" + ",".join(f'"{key}": 1' for key in keys) + "}").encode()
    if len(set(keys)) == len(keys):
        assert load_object(raw, "manifest") == dict.fromkeys(keys, 1)
    else:
        with pytest.raises(InvalidManifestError, match="is a duplicate key"):
            load_object(raw, "manifest")
