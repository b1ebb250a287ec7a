"""Removing images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import (
    ConflictError,
)
from ghcrctl.operations.images import list_images
from ghcrctl.operations.pull import pull
from ghcrctl.operations.remove import remove
from ghcrctl.operations.tag import tag
from tests.builders import random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from ghcrctl.operations.session import Session
    from tests.registry_double import RegistryDouble


def test_an_id_with_names_of_several_repositories_is_removed_only_by_force(
    ghcr: RegistryDouble, session: Session
) -> None:
    ghcr.push_image("octo/image", "1.0", random_image())
    pull(session, name_at(ghcr, session))
    tag(session, str(name_at(ghcr, session)), [session.parse("other")])
    [image_id] = {row.image_id for row in list_images(session)}
    with pytest.raises(ConflictError):
        remove(session, image_id.short)
    gone = remove(session, image_id.short, force=True)
    assert len(gone.untagged) == 3
    session.store.close()
    assert gone.deleted[0] == image_id
