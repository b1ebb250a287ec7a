"""Import a tar archive as an image with one layer."""

from __future__ import annotations

import json
import re
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace, Overlay
from ghcrctl.errors import UnsupportedError, UsageError
from ghcrctl.oci import media_types
from ghcrctl.oci.reference import check_new_name
from ghcrctl.operations.common.new_layer import (
    StagedLayer,
    rfc3339,
    store_layer,
    temporary_layer_file,
)
from ghcrctl.operations.making.dockerfile_changes import apply_changes
from ghcrctl.store.input_files import find_input, open_input
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ghcrctl.content.ports import Stream
    from ghcrctl.oci.descriptor import Descriptor
    from ghcrctl.oci.digest import Digest
    from ghcrctl.oci.platform import Platform
    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.new_layer import NewLayer
    from ghcrctl.operations.common.session import Session
    from ghcrctl.store.store import Store


# RFC 3986, section 3.1.
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")


@dataclass(frozen=True, slots=True)
class ImportResult:
    """The new image. ``name`` is empty if none was given."""

    image_id: Digest
    descriptor: Descriptor
    name: str


@contextmanager
def open_import(session: Session, source: Path | str) -> Iterator[Stream]:
    """Open an archive from a file or a URL.

    Raises:
        NotFoundError: the file or URL does not exist.
        UsageError: the path is a directory.
        StoreError: the file cannot be read.
        UnsupportedError: the URL is neither http nor https.
    """
    text = str(source)
    if isinstance(source, str) and text.lower().startswith(("http://", "https://")):
        with session.fetch(text) as stream:
            yield stream
        return
    if isinstance(source, str) and (scheme := _SCHEME.match(text)):
        raise UnsupportedError(
            f"cannot import from the URL: unsupported scheme `{scheme[1]}`",
            hint="download the file first; only http and https are supported",
        )
    path = Path(source)
    if stat.S_ISDIR(find_input(path).st_mode):
        raise UsageError(
            f"cannot import {path}: it is a directory",
            hint=f"tar -c -C {path} . | ghcrctl import - NAME",
        )
    with open_input(path) as file:
        yield file


def import_image(  # noqa: PLR0913 what docker's command takes
    store: Store,
    stream: Stream,
    *,
    reference: Reference | None,
    changes: Sequence[str] = (),
    message: str = "",
    platform: Platform,
    created: datetime | None = None,
) -> ImportResult:
    """Create an image from a tar archive, in OCI format.

    Args:
        store: the store for the image.
        stream: the archive, compressed or not; read once.
        reference: its name, with a tag; without a name it is dangling, as in docker.
        changes: Dockerfile instructions for the config.
        message: the comment in the history.
        platform: the platform of the image.
        created: the creation time, with a time zone; now by default.

    Raises:
        UsageError: a change is malformed, or the name has a digest.
        IntegrityError: the stream is not a tar archive, or is damaged; nothing is stored.
    """
    if reference and reference.digest:
        raise UsageError(f"cannot import to {reference}: expected a tag, not a digest")
    if reference:
        check_new_name(reference)
    config = apply_changes({}, changes)
    store.prepare()
    with temporary_layer_file(store.root) as path:
        layer = store_layer(stream, path)
        place = MemoryPlace("the archive")
        image = _config(layer, config, message, platform, created or datetime.now(timezone.utc))
        raw = json.dumps(image, sort_keys=True, separators=(",", ":")).encode()
        config_descriptor = place.add(raw, media_types.OCI_CONFIG)
        manifest = {
            "schemaVersion": 2,
            "mediaType": media_types.OCI_MANIFEST,
            "config": config_descriptor.to_json(),
            "layers": [layer.descriptor.to_json()],
        }
        root = place.add(json.dumps(manifest, indent=2).encode(), media_types.OCI_MANIFEST)
        name = str(reference) if reference else ""
        source = Overlay(place, StagedLayer(path, layer.descriptor))
        execute(make_plan(source, StorePlace(store), root, names=(name,)))
    return ImportResult(config_descriptor.digest, root, name)


def _config(
    layer: NewLayer, config: dict[str, object], message: str, platform: Platform, created: datetime
) -> dict[str, object]:
    """Build the image config, as docker import does (OCI image spec 1.1, config.md)."""
    timestamp = rfc3339(created)
    return {
        **platform.to_json(),
        "created": timestamp,
        "config": config,
        "rootfs": {"type": "layers", "diff_ids": [str(layer.diff_id)]},
        "history": [{"created": timestamp, "comment": message}],
    }
