"""The first argument of `append`: a name, or a path of any system."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghcrctl.cli.commands.making.append import _begins_with_name
from ghcrctl.errors import UsageError


@pytest.mark.parametrize(
    "first",
    [
        "./rootfs",
        "../x",
        "/srv/rootfs",
        "~/x",
        "C:\\rootfs",
        "c:/rootfs",
        "rootfs\\sub",
        "\\\\srv\\x",
    ],
)
def test_a_path_is_a_layer(first: str) -> None:
    assert not _begins_with_name([first, "more.tar"])


@pytest.mark.parametrize("first", ["octo/image:1.0", "localhost:5000/x", "image", "c:1", "h/C:1"])
def test_a_name_is_the_new_image(first: str) -> None:
    assert _begins_with_name([first, "more.tar"])


def test_a_directory_that_might_be_a_name_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("rootfs").mkdir()
    with pytest.raises(UsageError, match="`rootfs` is a directory"):
        _begins_with_name(["rootfs", "more.tar"])
    assert not _begins_with_name(["rootfs"])
