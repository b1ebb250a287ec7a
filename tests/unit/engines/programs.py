"""Shell scripts that act as build engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders import Built

IMAGE_ID = f"sha256:{'5' * 64}"
# The script logs its arguments and saves a layout: that of the platform in its arguments, or the
# only one.
BUILDAH = f"""
here=${{0%/*}}
for word in "$@"; do echo "$word"; done >> "$here/calls"
echo -- >> "$here/calls"
case $1 in
build)
    for word in "$@"; do
        case $word in
        --iidfile=*) printf {IMAGE_ID} > "${{word#--iidfile=}}" ;;
        --platform=*) echo "${{word#--platform=}}" > "$here/platform" ;;
        esac
    done
    echo building
    echo thinking >&2
    exit "${{BUILD_STATUS:-0}}" ;;
push)
    read -r platform < "$here/platform"
    echo "no room" >&2
    [ -z "$PUSH_STATUS" ] || exit "$PUSH_STATUS"
    exec /bin/cp -R "$here/layouts/$platform" "${{3#oci:}}" ;;
esac
"""


def install(folder: Path, name: str, body: str) -> str:
    """Write a program and return its path."""
    folder.mkdir(exist_ok=True, parents=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def install_buildah(folder: Path, *images: Built, names: tuple[str, ...] = ("only",)) -> str:
    """Write a program that saves these images, each for the platform in its name."""
    (folder / "layouts").mkdir(parents=True, exist_ok=True)
    (folder / "platform").write_text("only\n")
    for name, image in zip(names, images, strict=True):
        write_layout(folder / "layouts" / name, image)
    return install(folder, "buildah", BUILDAH)


def calls(folder: Path) -> list[list[str]]:
    """Return the arguments of each call of that program."""
    calls = (folder / "calls").read_text().split("--\n")
    return [call.splitlines() for call in calls if call]


def write_layout(folder: Path, image: Built) -> Path:
    """Write an image as a layout, as an engine does (OCI image spec 1.1, image-layout.md)."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    for descriptor, content in image.contents:
        (blobs / descriptor.digest.encoded).write_bytes(content)
    index = {"schemaVersion": 2, "manifests": [image.root.to_json()]}
    (folder / "index.json").write_text(json.dumps(index))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder
