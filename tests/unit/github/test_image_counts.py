"""How many images are kept: `keep_last`, `floor`, and what happens if none would be left."""

from __future__ import annotations

import pytest

from ghcrctl.errors import RefusedError
from ghcrctl.github.policy import Policy
from tests.unit.github.graphs import Versions
from tests.unit.github.plans import multi_platform, planned


@pytest.mark.parametrize("when_empty", ["delete-package", "fail"])
@pytest.mark.parametrize("floor", [1, 2])
def test_a_floor_that_was_given_comes_before_when_empty(when_empty: str, floor: int) -> None:
    versions = Versions().image("a", "v1").image("b", "v2").image("c", "v3")
    plan = planned(versions, Policy(include=("*",), when_empty=when_empty, floor=floor))
    assert not plan.deletes_package
    assert [versions.names[kept.digest] for kept in plan.kept] == ["b", "c"][2 - floor :]


def test_a_floor_of_zero_leaves_the_package_to_when_empty() -> None:
    versions = multi_platform("v1")
    assert planned(
        versions, Policy(include=("*",), when_empty="delete-package", floor=0)
    ).deletes_package
    with pytest.raises(RefusedError, match="leave nothing tagged"):
        planned(versions, Policy(include=("*",), when_empty="fail", floor=0))
