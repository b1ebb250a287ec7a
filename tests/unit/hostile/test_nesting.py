"""Indexes that list the same indexes repeatedly: small, but exponential to walk naively."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import PlatformNotFoundError
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.inspect import inspect_remote
from ghcrctl.operations.moving.pull import pull
from tests.builders import Built, random_image

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry

EVERYTHING = Selection(everything=True)


def woven(depth: int, width: int, *, architecture: str = "amd64") -> Built:
    """Make indexes in rows, each of which lists all of the row below, and some twice.

    A walk that looks at each only once takes ``depth * width`` steps; one that does not, ``width``
    to the power of ``depth``.
    """
    image = random_image(1)
    contents, below = list(image.contents), [image.root]
    platform = {"platform": {"os": "linux", "architecture": architecture}}
    for row in range(depth):
        entries = [d.to_json() | (platform if row == 0 else {}) for d in below]
        made = []
        for number in range(width if row < depth - 1 else 1):
            body = {
                "schemaVersion": 2,
                "mediaType": media_types.OCI_INDEX,
                "manifests": entries * (2 if row else 1),
                "annotations": {"number": str(number)},
            }
            raw = json.dumps(body).encode()
            made.append((Descriptor.of(raw, media_types.OCI_INDEX), raw))
        contents += made
        below = [descriptor for descriptor, _ in made]
    return Built(below[0], tuple(contents))


def test_repeated_indexes_are_pulled_quickly(
    plain_registry: PlainRegistry, session: Session
) -> None:
    plain_registry.push_image("octo/image", "1.0", woven(5, 12))
    name = session.parse(f"{plain_registry.host}/octo/image:1.0")
    began = time.process_time()
    for _ in range(2):
        pull(session, name, select=EVERYTHING)
    inspect_remote(session, name)
    assert time.process_time() - began < 3


def test_platform_is_found_quickly_in_repeated_indexes(
    plain_registry: PlainRegistry, session: Session
) -> None:
    plain_registry.push_image("octo/image", "1.0", woven(5, 12, architecture="s390x"))
    began = time.process_time()
    with pytest.raises(PlatformNotFoundError):
        pull(session, session.parse(f"{plain_registry.host}/octo/image:1.0"))
    assert time.process_time() - began < 3
