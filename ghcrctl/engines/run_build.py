"""A build with an engine: build, save, and delete the image from the engine's store."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import BuildFiles
from ghcrctl.engines.join_platforms import join_layouts

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.engines.build_request import BuildRequest, Engine
    from ghcrctl.engines.command_runner import Runner

# All engines treat this as a local name.
_REPOSITORY = "localhost/ghcrctl-build"


def run_build(engine: Engine, request: BuildRequest, folder: Path, runner: Runner) -> Path:
    """Build an image or an index.

    If the engine cannot build for multiple platforms at once, each platform is built under its own
    name and the images are joined here. The manifest lists of buildah and podman are not used:
    deleting one makes some versions delete the images in it, even if they have other names.

    Args:
        engine: build engine.
        request: what to build.
        folder: empty directory for all files of the build.
        runner: runs the commands.

    Returns:
        The path of an archive, or of a directory with an OCI layout. It has one image or index
        without a name.

    Raises:
        UnsupportedError: the engine does not support an option, or it failed.
    """
    engine.check(request)
    if engine.builds_indexes or len(request.platforms) < 2:
        return _run_build(engine, request, folder, runner)
    layouts = []
    for number, platform in enumerate(request.platforms):
        part = folder / str(number)
        part.mkdir()
        single = replace(request, platforms=(platform,))
        layouts.append((platform, _run_build(engine, single, part, runner)))
    joined = folder / "joined"
    join_layouts(layouts, joined)
    return joined


def _run_build(engine: Engine, request: BuildRequest, folder: Path, runner: Runner) -> Path:
    files = BuildFiles(folder, f"{_REPOSITORY}:{token_hex(8)}")
    try:
        runner.build(engine.build(request, files))
        if identify := engine.identify(files):
            runner.step(identify)
        image_id = files.image_id.read_text().strip() if files.image_id.exists() else ""
        if save := engine.save(request, files, image_id):
            runner.step(save)
    finally:
        if delete := engine.delete(request, files):
            runner.attempt(delete)
    return files.image
