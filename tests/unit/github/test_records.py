"""Parsing GitHub's packages and versions, complete and malformed."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from ghcrctl.errors import InvalidResponseError
from ghcrctl.github.records import Package, Version, read_package, read_version

DIGEST = f"sha256:{'a' * 64}"
CREATED = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
UPDATED = datetime(2026, 11, 2, tzinfo=timezone.utc)
PACKAGE: dict[str, Any] = {
    "id": 1,
    "name": "team/app",
    "owner": {"login": "octo"},
    "visibility": "private",
    "version_count": 3,
    "created_at": "2026-11-01T12:00:00Z",
    "updated_at": "2026-11-02T00:00:00Z",
    "repository": {"full_name": "octo/source", "private": True},
    "html_url": "https://github.com/users/octo/packages/container/package/team%2Fapp",
}
VERSION: dict[str, Any] = {
    "id": 7,
    "name": DIGEST,
    "created_at": "2026-11-01T12:00:00Z",
    "updated_at": "2026-11-02T00:00:00Z",
    "metadata": {"package_type": "container", "container": {"tags": ["v1", "latest"]}},
    "html_url": "https://github.com/users/octo/packages/container/app/7",
}


def test_a_package_is_read() -> None:
    found = read_package(PACKAGE)
    assert found == Package(
        owner="octo",
        name="team/app",
        visibility="private",
        version_count=3,
        created=CREATED,
        updated=UPDATED,
        repository="octo/source",
        repository_is_private=True,
        page=PACKAGE["html_url"],
    )
    assert found.full_name == "octo/team/app"


@pytest.mark.parametrize("left_out", ["repository", "html_url", "version_count"])
@pytest.mark.parametrize("is_null", [True, False])
def test_a_package_may_lack_fields(left_out: str, is_null: bool) -> None:
    data = {key: value for key, value in PACKAGE.items() if key != left_out}
    found = read_package({**data, left_out: None} if is_null else data)
    assert found.repository == ("" if left_out == "repository" else "octo/source")
    assert found.repository_is_private == (left_out != "repository")
    assert found.page == ("" if left_out == "html_url" else PACKAGE["html_url"])
    assert found.version_count == (0 if left_out == "version_count" else 3)


@pytest.mark.parametrize("repository", [{"full_name": "octo/x"}, {"full_name": None}, {}])
def test_a_repository_may_lack_fields(repository: dict[str, Any]) -> None:
    found = read_package({**PACKAGE, "repository": repository})
    assert found.repository == (repository.get("full_name") or "")
    assert found.repository_is_private is False


def test_a_version_is_read() -> None:
    assert read_version(VERSION) == Version(
        id=7,
        digest=DIGEST,
        tags=("v1", "latest"),
        created=CREATED,
        updated=UPDATED,
        deleted=None,
        page=VERSION["html_url"],
    )


@pytest.mark.parametrize(
    "metadata",
    [None, {}, {"container": None}, {"container": {}}, {"container": {"tags": None}}],
)
def test_a_version_may_have_no_tags(metadata: Any) -> None:
    assert read_version({**VERSION, "metadata": metadata}).tags == ()
    without = {key: value for key, value in VERSION.items() if key != "metadata"}
    assert read_version(without).tags == ()


def test_invalid_tags_are_dropped() -> None:
    tags = ["v1", 7, None, "../escape", "", "a" * 129, "v2"]
    data = {**VERSION, "metadata": {"container": {"tags": tags}}}
    assert read_version(data).tags == ("v1", "v2")


def test_a_version_may_be_deleted_and_have_no_page() -> None:
    found = read_version({**VERSION, "deleted_at": "2026-11-03T00:00:00Z", "html_url": None})
    assert found.deleted == UPDATED + timedelta(days=1)
    assert found.page == ""


@pytest.mark.parametrize(
    "text", ["2026-11-01T12:00:00Z", "2026-11-01T12:00:00+00:00", "2026-11-01T12:00:00",
             "2026-11-01T14:00:00+02:00"],
)  # fmt: skip
def test_times_are_aware(text: str) -> None:
    found = read_version({**VERSION, "created_at": text})
    assert found.created == CREATED
    assert found.created.utcoffset() is not None


def broken(data: dict[str, Any], *keys: str) -> list[Any]:
    """Return objects that lack a field or have one of the wrong type."""
    made: list[Any] = [None, [], "text", 7]
    for key in keys:
        made.append({name: value for name, value in data.items() if name != key})
        wrong: list[Any] = [None, True, 1.5, [], {}]
        made += [{**data, key: value} for value in wrong]
    return made


@pytest.mark.parametrize(
    "data", broken(PACKAGE, "name", "owner", "visibility", "created_at", "updated_at")
)
def test_a_malformed_package_is_refused(data: Any) -> None:
    with pytest.raises(InvalidResponseError, match="an invalid package"):
        read_package(data)


@pytest.mark.parametrize("count", [True, "3", 1.5, [1]])
def test_an_invalid_count_is_refused(count: Any) -> None:
    with pytest.raises(InvalidResponseError, match="an invalid package"):
        read_package({**PACKAGE, "version_count": count})


@pytest.mark.parametrize("data", broken(VERSION, "id", "name", "created_at", "updated_at"))
def test_a_malformed_version_is_refused(data: Any) -> None:
    with pytest.raises(InvalidResponseError, match="an invalid version"):
        read_version(data)


@pytest.mark.parametrize(
    "more",
    [
        {"metadata": "text"},
        {"metadata": {"container": "text"}},
        {"metadata": {"container": {"tags": 7}}},
        {"metadata": {"container": {"tags": "v1"}}},
        {"deleted_at": 7},
        {"deleted_at": "yesterday"},
        {"html_url": 7},
        {"name": "sha256:short"},
        {"name": "v1"},
    ],
)
def test_a_version_with_a_malformed_field_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidResponseError, match="an invalid version"):
        read_version({**VERSION, **more})
