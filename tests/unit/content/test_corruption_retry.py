"""Retries for corrupted content."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ghcrctl.content.corruption_retry import CorruptionCount
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
def test_corrupted_content_is_fetched_again_or_from_other_urls(
    urls: tuple[str, ...], turns: list[tuple[str, ...]]
) -> None:
    count, blob = CorruptionCount(), replace(BLOB, urls=urls)
    assert count.next_urls(blob) == blob
    for turn in turns:
        assert count.record(blob)
        assert count.next_urls(blob).urls == turn
    assert not count.record(blob)
    assert count.record(Descriptor.of(b"other", BLOB.media_type))
