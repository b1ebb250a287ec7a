"""Syncing a repository that has several names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import UsageError
from ghcrctl.operations.sync.plan import Job, TagAction, plan_job, plan_jobs
from tests.builders import random_image
from tests.sessions import session_on

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry, RegistryDouble

IMAGES = [random_image(seed=number) for number in range(3)]


def test_two_names_of_one_repository_are_the_same_place(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, tmp_path: Path
) -> None:
    rules = tmp_path / "registries.conf"
    rules.write_text(f'[[registry]]\nprefix="alias.lan"\nlocation="{plain_registry.host}"\n')
    ghcr.push_image("octo/image", "1", IMAGES[0])
    ghcr.push_image("octo/other", "2", IMAGES[1])
    for tag, image in zip(("1", "2", "old"), IMAGES, strict=True):
        plain_registry.push_image("octo/copy", tag, image)
    environ = {"CONTAINERS_REGISTRIES_CONF": str(rules)}
    with session_on(
        tmp_path / "home", registry=ghcr.host, token="ghp_octo", environ=environ
    ) as session:
        source, other = (session.parse(f"{ghcr.host}/octo/{name}") for name in ("image", "other"))
        copy = session.parse(f"{plain_registry.host}/octo/copy")
        alias = session.parse("alias.lan/octo/copy")
        one, two = Job(source, copy, delete=True), Job(other, alias, delete=True)
        tasks = plan_jobs(session, [one, two], lambda _, error: pytest.fail(error.message))
        assert [task.tag for task in tasks if task.what is TagAction.DELETE] == ["old"]
        with pytest.raises(UsageError, match="the same place"):
            plan_job(session, Job(alias, copy))
