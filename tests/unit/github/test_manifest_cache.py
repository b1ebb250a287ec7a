"""The cache of manifests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from ghcrctl.github.manifest_cache import ManifestCache
from ghcrctl.oci.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path


def row(text: str) -> tuple[str, bytes, str]:
    raw = text.encode()
    return str(Digest.of(raw)), raw, "application/json"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, warnings: list[str]) -> ManifestCache:
    return ManifestCache(tmp_path / "cache" / "manifests.db", warnings.append)


def test_manifests_are_cached_for_other_runs(
    cache: ManifestCache, tmp_path: Path, warnings: list[str]
) -> None:
    rows = [row(f"manifest {number}") for number in range(1200)]
    cache.put(rows)
    again = ManifestCache(tmp_path / "cache" / "manifests.db", warnings.append)
    found = again.get([digest for digest, _, _ in rows] + [row("unknown")[0]])
    assert found == {digest: (raw, kind) for digest, raw, kind in rows}
    assert warnings == []


def test_a_manifest_with_the_wrong_digest_is_ignored(cache: ManifestCache) -> None:
    digest, _, kind = row("true")
    cache.put([(digest, b"false", kind)])
    assert cache.get([digest]) == {}


@pytest.mark.parametrize("damage", [b"not a database", b"SQLite format 3\0" + b"\xff" * 4000])
def test_a_damaged_file_is_replaced(
    cache: ManifestCache, tmp_path: Path, warnings: list[str], damage: bytes
) -> None:
    cache.put([row("one")])
    (tmp_path / "cache" / "manifests.db").write_bytes(damage)
    fresh = ManifestCache(tmp_path / "cache" / "manifests.db", warnings.append)
    assert fresh.get([row("one")[0]]) == {}
    fresh.put([row("two")])
    assert fresh.get([row("two")[0]]) != {}
    assert warnings == []


def test_an_unwritable_file_is_reported_once(tmp_path: Path, warnings: list[str]) -> None:
    (tmp_path / "cache").write_text("a file where a directory must be")
    cache = ManifestCache(tmp_path / "cache" / "manifests.db", warnings.append)
    cache.put([row("one")])
    assert cache.get([row("one")[0]]) == {}
    cache.put([row("two")])
    assert len(warnings) == 1
    assert "cannot cache manifests" in warnings[0]


def test_an_incompatible_table_is_reported_and_ignored(
    cache: ManifestCache, tmp_path: Path, warnings: list[str]
) -> None:
    (tmp_path / "cache").mkdir()
    with closing(sqlite3.connect(tmp_path / "cache" / "manifests.db")) as connection:
        connection.execute("CREATE TABLE manifests (other TEXT)")
        connection.commit()
    assert cache.get([row("one")[0]]) == {}
    assert len(warnings) == 1
