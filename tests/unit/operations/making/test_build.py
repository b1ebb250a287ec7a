"""Building with an engine, and loading the image into the store."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from ghcrctl.engines.build_request import BuildRequest
from ghcrctl.errors import NotFoundError, RefusedError, UnsupportedError, UsageError
from ghcrctl.operations.making.build import build_image, configured_engine, load_build, parse_names
from tests.builders import random_image
from tests.sessions import is_stored, session_on
from tests.unit.engines.programs import calls, install_buildah

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ghcrctl.operations.common.session import Session
    from ghcrctl.operations.making.build import Built

IMAGE = random_image()


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    install_buildah(folder, IMAGE)
    return folder


@pytest.fixture
def debugged() -> list[str]:
    return []


@pytest.fixture
def environ(programs: Path) -> dict[str, str]:
    return {"PATH": str(programs)}


@pytest.fixture
def session(tmp_path: Path, environ: dict[str, str], debugged: list[str]) -> Iterator[Session]:
    with session_on(tmp_path / "home", environ=environ, debug=debugged.append) as made:
        yield made


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    return folder


def build(session: Session, context: Path, *names: str) -> Built:
    order = BuildRequest(str(context), build_args=("TOKEN=hunter2",))
    references = parse_names(session, names)
    with build_image(
        session, configured_engine(session), order, quiet=True, tell=lambda _: None
    ) as image:
        return load_build(session, image, references)


def left_over(session: Session) -> list[Path]:
    return list((session.store.root / "ghcrctl").glob("build-*"))


def names_of(session: Session) -> list[str]:
    return sorted(record.name for record in session.store.records())


def test_a_built_image_is_stored_under_all_names(session: Session, context: Path) -> None:
    result = build(session, context, "hello", "octo/hello:1.0", "hello:latest")
    assert result.descriptor.digest == IMAGE.root.digest
    assert list(map(str, result.names)) == ["hello:latest", "ghcr.io/octo/hello:1.0"]
    assert names_of(session) == ["ghcr.io/octo/hello:1.0", "hello:latest"]
    assert {record.descriptor.digest for record in session.store.records()} == {IMAGE.root.digest}
    assert is_stored(session, IMAGE)
    assert not left_over(session)


def test_without_a_name_the_image_is_stored_by_its_id(session: Session, context: Path) -> None:
    result = build(session, context)
    assert result.names == ()
    assert names_of(session) == [""]
    [listed] = session.store.records()
    assert listed.facts.image_id == result.image_id


def test_the_engine_keeps_nothing(session: Session, context: Path, programs: Path) -> None:
    build(session, context, "hello")
    first, *_, last = calls(programs)
    assert last == ["rmi", first[1].removeprefix("--tag=")]
    assert "hello" not in str(calls(programs))


def test_debug_output_has_no_values(session: Session, context: Path, debugged: list[str]) -> None:
    build(session, context, "hello")
    assert debugged[0] == "build with buildah"
    assert "--build-arg=..." in debugged[1]
    assert "hunter2" not in "".join(debugged)


def test_a_build_that_fails_leaves_nothing(
    session: Session, context: Path, environ: dict[str, str]
) -> None:
    with (
        session_on(session.store.root.parent, environ={**environ, "BUILD_STATUS": "2"}) as failing,
        pytest.raises(UnsupportedError, match=r"^buildah build failed with status 2$"),
    ):
        build(failing, context, "hello")
    assert not left_over(session)
    assert not session.store.records()


def test_leftovers_of_a_killed_build_are_deleted_after_a_week(
    session: Session, context: Path
) -> None:
    session.store.prepare()
    old, new = (session.store.root / "ghcrctl" / name for name in ("build-old", "build-new"))
    for folder in (old, new):
        folder.mkdir()
        (folder / "image.tar").write_text("half")
    week_ago = time.time() - 7 * 24 * 3600 - 60
    os.utime(old, (week_ago, week_ago))
    build(session, context)
    assert left_over(session) == [new]


@pytest.mark.parametrize("kind", ["nothing", "file"])
def test_a_missing_context_is_named(session: Session, tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotFoundError, match=f"no such directory: .*{kind}"):
        build(session, tmp_path / kind)


@pytest.mark.parametrize(
    "context",
    ["-", "https://example.com/a.tar.gz", "git@github.com:octo/app.git", "github.com/octo/app"],
)
def test_a_remote_context_is_passed_to_the_engine(
    session: Session, programs: Path, context: str
) -> None:
    engine = configured_engine(session)
    with build_image(session, engine, BuildRequest(context), quiet=True, tell=lambda _: None):
        assert calls(programs)[0][-1] == context


def test_the_source_date_is_passed_to_the_engine(
    session: Session, context: Path, programs: Path, environ: dict[str, str]
) -> None:
    dated = {**environ, "SOURCE_DATE_EPOCH": "1700000000"}
    with session_on(session.store.root.parent, environ=dated) as other:
        build(other, context)
    assert "--timestamp=1700000000" in calls(programs)[0]


@pytest.mark.parametrize(
    ("names", "push", "error", "words"),
    [
        (["hello"], True, RefusedError, "belongs to no registry"),
        ([], True, UsageError, "nothing to push"),
        (["octo/hello@sha256:" + "0" * 64], False, UsageError, "not a digest"),
        (["Hello"], False, UsageError, "lower case"),
    ],
)
def test_a_bad_name_is_found_before_anything_is_built(
    session: Session, names: list[str], *, push: bool, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        parse_names(session, names, push=push)


def test_the_setting_chooses_the_engine(
    session: Session, environ: dict[str, str], tmp_path: Path
) -> None:
    assert configured_engine(session).name == "buildah"
    chosen = {**environ, "GHCRCTL_BUILDER": "podman"}
    with (
        session_on(tmp_path / "other", environ=chosen) as other,
        pytest.raises(UnsupportedError, match="podman is not on the PATH"),
    ):
        configured_engine(other)


def test_an_engine_that_is_unknown_is_an_error(tmp_path: Path, environ: dict[str, str]) -> None:
    with (
        session_on(tmp_path / "other", environ={**environ, "GHCRCTL_BUILDER": "kaniko"}) as other,
        pytest.raises(UsageError, match="invalid GHCRCTL_BUILDER `kaniko`: expected one of auto"),
    ):
        configured_engine(other)
