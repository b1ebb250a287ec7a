"""How often wrong content is fetched again, and where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghcrctl.content.corruption_retry import Doubts
from ghcrctl.oci.descriptor import Descriptor

BLOB = Descriptor.of(b"content", "application/octet-stream")


@pytest.mark.parametrize(
    ("urls", "turns"),
    [
        ((), [()]),
        (("a",), [("a",)]),
        (("a", "b"), [("b", "a")]),
        (("a", "b", "c"), [("b", "c", "a"), ("c", "a", "b")]),
    ],
)
def test_content_is_fetched_once_more_or_at_each_other_address(
    urls: tuple[str, ...], turns: list[tuple[str, ...]]
) -> None:
    doubts, blob = Doubts(), replace(BLOB, urls=urls)
    assert doubts.turned(blob) == blob
    for turn in turns:
        assert doubts.note(blob)
        assert doubts.turned(blob).urls == turn
    assert not doubts.note(blob)
    assert doubts.note(Descriptor.of(b"other", BLOB.media_type))
