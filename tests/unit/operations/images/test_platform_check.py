"""A single-platform image is used whatever platform was requested, with a warning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from ghcrctl.operations.archives.save import save_docker
from ghcrctl.operations.common.platform_selection import Selection
from ghcrctl.operations.images.inspect import inspect_local, inspect_remote
from ghcrctl.operations.inside.export import export_archive
from ghcrctl.operations.inside.history import history
from ghcrctl.operations.inside.image_layers import ImageSelector, open_layers
from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
from ghcrctl.operations.making.indexes import IndexTarget
from ghcrctl.operations.making.mutate import Mutation, mutate
from ghcrctl.operations.moving.copy import copy
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.registries.digest import digest_of
from ghcrctl.operations.registries.exists import exists
from ghcrctl.operations.sync.plan import Job
from ghcrctl.operations.sync.run import run_jobs
from tests.builders import artifact, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble

    Act = Callable[[Session, Reference, Platform], object]

ARM, AMD = Platform("linux", "arm64"), Platform("linux", "amd64")


def _look(session: Session, name: Reference, platform: Platform) -> None:
    with open_layers(session, ImageSelector(str(name), platform, is_remote=True)):
        pass


ACTS: dict[str, Act] = {
    "pull": lambda s, n, p: pull(s, n, select=Selection((p,))),
    "copy": lambda s, n, p: copy(s, n, n.with_tag("copy"), select=Selection((p,))),
    "digest": lambda s, n, p: digest_of(s, n, platform=p),
    "exists": lambda s, n, p: exists(s, str(n), platform=p),
    "exists --local": lambda s, n, p: exists(s, str(n), platform=p, local=True),
    "inspect": lambda s, n, p: inspect_local(s, str(n), p),
    "inspect --remote": inspect_remote,
    "history": lambda s, n, p: history(s, ImageSelector(str(n), p)),
    "cat, ls, diff": _look,
    "export": lambda s, n, p: export_archive(s, ImageSelector(str(n), p), lambda _: None),
    "save": lambda s, n, p: save_docker(s, [str(n)], lambda _: None, select=Selection((p,))),
    "flatten": lambda s, n, p: flatten_image(
        s, IndexTarget(n), None, FlattenOptions(platforms=(p,))
    ),
    "mutate": lambda s, n, p: mutate(
        s, IndexTarget(n), None, Mutation(("USER 1",), platforms=(p,))
    ),
    "sync": lambda s, n, p: run_jobs(s, [Job(*_repositories(s, n), platforms=(p,))]),
}


def _repositories(session: Session, name: Reference) -> tuple[Reference, Reference]:
    return name.with_tag(None), session.parse(f"{name.registry}/octo/target")


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_an_image_for_another_platform_gives_a_warning(
    session: Session, ghcr: RegistryDouble, warnings: list[str], act: Act
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(1))
    name = name_at(ghcr, session)
    pull(session, name)
    act(session, name, AMD)
    assert not warnings
    act(session, name, ARM)
    expected = "image platform (linux/amd64) does not match the expected platform (linux/arm64)"
    assert set(warnings) == {expected}


def test_runnable_images_and_artifacts_give_no_warning(
    session: Session, ghcr: RegistryDouble, warnings: list[str]
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(1, platform=Platform("linux", "arm", "v6")))
    name = name_at(ghcr, session)
    pull(session, name, select=Selection((Platform("linux", "arm", "v7"),)))
    pull(session, name, select=Selection((AMD, Platform("linux", "arm", "v7"))))
    ghcr.push_image("octo/image", "1.0", artifact())
    pull(session, name, select=Selection((ARM,)))
    ghcr.push_image("octo/image", "1.0", index_of(random_image(1), random_image(1, platform=ARM)))
    pull(session, name, select=Selection((ARM,)))
    assert not warnings
