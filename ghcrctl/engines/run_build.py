"""Driving an engine through one build.

What belongs here: the order of its commands, and that nothing of ours stays in its store. What does
not: the command lines (each engine's module).
"""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex
from typing import TYPE_CHECKING

from ghcrctl.engines.build_request import Work
from ghcrctl.engines.join_platforms import join

if TYPE_CHECKING:
    from pathlib import Path

    from ghcrctl.engines.build_request import Engine, Order
    from ghcrctl.engines.command_runner import Runner

# All engines take it for a name of this machine's.
_REPOSITORY = "localhost/ghcrctl-build"


def drive(engine: Engine, order: Order, folder: Path, runner: Runner) -> Path:
    """Build an image.

    An engine that builds for several platforms at once is told them all. Others build one after the
    other, each under a name of its own, and the images are joined here: removing a list of images
    makes some versions of buildah and podman remove images that it lists, whatever they are called.

    Args:
        engine: who builds.
        order: what.
        folder: a directory of its own, for all that is written.
        runner: runs the commands.

    Returns:
        An archive, or a directory with an OCI layout, of one image or index without a name.

    Raises:
        UnsupportedError: the engine lacks something, or failed.
    """
    engine.check(order)
    if engine.builds_indexes or len(order.platforms) < 2:
        return _drive(engine, order, folder, runner)
    layouts = []
    for number, platform in enumerate(order.platforms):
        part = folder / str(number)
        part.mkdir()
        single = replace(order, platforms=(platform,))
        layouts.append((platform, _drive(engine, single, part, runner)))
    joined = folder / "joined"
    join(layouts, joined)
    return joined


def _drive(engine: Engine, order: Order, folder: Path, runner: Runner) -> Path:
    work = Work(folder, f"{_REPOSITORY}:{token_hex(8)}")
    try:
        runner.build(engine.build(order, work))
        if identify := engine.identify(work):
            runner.step(identify)
        image_id = work.image_id.read_text().strip() if work.image_id.exists() else ""
        if save := engine.save(order, work, image_id):
            runner.step(save)
    finally:
        if forget := engine.forget(order, work):
            runner.attempt(forget)
    return work.image
