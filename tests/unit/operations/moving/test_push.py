"""Pushing to a registry that behaves like ghcr.io."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    RefusedError,
)
from ghcrctl.operations.images.inspect import inspect_remote
from ghcrctl.operations.images.tag import tag
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.moving.push import push
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import artifact, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import RegistryDouble


def test_a_local_name_cannot_be_pulled_or_pushed(session: Session) -> None:
    for act in (pull, push):
        with pytest.raises(RefusedError, match="local name"):
            act(session, session.parse("hello_docker"))


def test_a_push_sends_everything_once_and_a_second_push_nothing(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image(2)
    ghcr.push_image("octo/image", "1.0", image)
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [name_at(ghcr, session, "octo/other:2")])
    result = push(session, name_at(ghcr, session, "octo/other:2"))
    assert result.descriptor.digest == image.root.digest
    assert inspect_remote(session, name_at(ghcr, session, "octo/other:2"))["RepoDigests"] == [
        f"{ghcr.host}/octo/other@{image.root.digest}"
    ]
    ghcr.log.clear()
    push(session, name_at(ghcr, session, "octo/other:2"))
    # The tag is read to check whether it would lose platforms.
    requests = [(e.method, e.status) for e in ghcr.log]
    assert requests == [("HEAD", 200), ("GET", 200), ("PUT", 201)]


def test_content_of_a_sibling_repository_is_mounted(ghcr: RegistryDouble, session: Session) -> None:
    ghcr.push_image("octo/image", "1.0", random_image(2))
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [name_at(ghcr, session, "octo/other:2")])
    outcomes = []
    push(
        session,
        name_at(ghcr, session, "octo/other:2"),
        observer=lambda e: outcomes.append(e.outcome) if isinstance(e, Finished) else None,
    )
    assert outcomes.count(Outcome.MOUNTED) == 3
    assert ghcr.count("PUT", "/blobs/uploads/") == 0


def test_an_artifact_with_a_subject_is_listed_under_the_fallback_tag(
    ghcr: RegistryDouble, session: Session
) -> None:
    image = random_image()
    signature = artifact("application/vnd.example.signature", subject=image.root)
    ghcr.push_image("octo/image", "sig", signature)
    pull(session, name_at(ghcr, session, "octo/image:sig"))
    tag(session, f"{ghcr.host}/octo/image:sig", [name_at(ghcr, session, "octo/copy:sig")])
    push(session, name_at(ghcr, session, "octo/copy:sig"))
    fallback = f"sha256-{image.root.digest.encoded}"
    repository = session.repository(name_at(ghcr, session, "octo/copy"))
    assert fallback in list(repository.tags())
