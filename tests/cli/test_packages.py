"""The commands ``packages list``, ``show`` and ``versions``.

Also contains the fixtures shared by the other tests of these commands.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.oci.platform import Platform
from tests.builders import artifact, index_of, random_image
from tests.packages_double import GitHubDouble
from tests.packages_double.fixtures import environ_for
from tests.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Built

NAME = "octo/app"
TOKEN = "ghp_octo"
ARM = Platform("linux", "arm64")
RELEASES = [index_of(random_image(seed=n), random_image(seed=n, platform=ARM)) for n in range(3)]
SIGNATURE = artifact("application/vnd.dev.cosign.artifact.sig.v1+json", payload=b"signed")
SIGNATURE_TAG = f"sha256-{RELEASES[0].root.digest.encoded}.sig"
LOOSE = random_image(seed=40)
LIBRARY = random_image(seed=50)
SETTINGS = "https://github.com/users/octo/packages/container/app/settings"


@pytest.fixture
def github() -> Iterator[GitHubDouble]:
    """GitHub with three releases, a signature, an untagged image and a library."""
    with GitHubDouble() as double:
        double.accounts["octo"] = TOKEN
        double.clock.now = datetime.now(timezone.utc)
        for number, release in enumerate(RELEASES):
            double.push(NAME, f"v1.{number}", release, ago(double, 90 - number))
        double.push(NAME, SIGNATURE_TAG, SIGNATURE, ago(double, 89.5))
        double.push(NAME, "latest", RELEASES[2], ago(double, 80))
        double.push(NAME, None, LOOSE, ago(double, 30))
        double.push("octo/lib", "1.0", LIBRARY, ago(double, 3))
        double.public.add("octo/lib")
        double.api.linked["octo/lib"] = "octo/lib"
        yield double


@pytest.fixture
def shell(tmp_path: Path, github: GitHubDouble) -> Shell:
    """A shell of the user octo."""
    made = Shell(tmp_path / "home")
    made.environ |= environ_for(github, made.folder)
    made.environ |= {"GHCRCTL_REGISTRY": github.host, "GHCRCTL_TOKEN": TOKEN}
    return made


__all__ = ["github", "shell"]


def ago(github: GitHubDouble, days: float) -> datetime:
    return github.clock.now - timedelta(days=days)


def digest_of(image: Built) -> str:
    return str(image.root.digest)


def manifests_of(image: Built) -> set[str]:
    """Return the digests of an image, or of an index and its images."""
    return {str(d.digest) for d, _ in image.contents if d.is_manifest}


def there(github: GitHubDouble, name: str = NAME) -> set[str]:
    """Return the digests of a package's versions."""
    return {record.digest for record in github.versions(name)}


def version_id(github: GitHubDouble, digest: str, name: str = NAME) -> int:
    return github.content.packages[name].by_digest[digest].id


def answer(shell: Shell, *arguments: str, status: int = 0) -> dict[str, Any]:
    """Run a ``packages`` command that prints one JSON object."""
    done = shell.run("packages", *arguments, "--format", "json")
    assert done.returncode == status, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data


# The packages of an owner


def test_list_shows_an_owners_packages_as_a_table(shell: Shell, github: GitHubDouble) -> None:
    headers, *rows = shell.ok("packages", "list", "octo")
    assert headers.split() == ["NAME", "VISIBILITY", "VERSIONS", "UPDATED", "REPOSITORY"]
    assert [row.split()[:3] for row in rows] == [
        ["octo/app", "private", str(len(github.versions(NAME)))],
        ["octo/lib", "public", "1"],
    ]
    assert rows[0].endswith(" -")
    assert rows[1].endswith(" octo/lib")


def test_list_without_an_owner_shows_ones_own(shell: Shell) -> None:
    assert shell.ok("packages", "list", "-q") == ["octo/app", "octo/lib"]


def test_list_as_json_has_one_object_a_package(shell: Shell) -> None:
    lines = shell.ok("packages", "list", "octo", "--format", "json")
    found = [json.loads(line) for line in lines]
    assert [p["Name"] for p in found] == ["octo/app", "octo/lib"]
    assert found[1]["Repository"] == "octo/lib"
    assert found[1]["Visibility"] == "public"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("visibility=public", ["octo/lib"]),
        ("linked=false", ["octo/app"]),
        ("linked=true", ["octo/lib"]),
        ("name=*a*", ["octo/app"]),
        ("repository=octo/*", ["octo/lib"]),
        ("name=none", []),
    ],
)
def test_list_filters(shell: Shell, condition: str, expected: list[str]) -> None:
    assert shell.ok("packages", "list", "octo", "-q", "--filter", condition) == expected


@pytest.mark.parametrize(
    ("key", "first"),
    [("name", "octo/app"), ("updated", "octo/lib"), ("versions", "octo/app")],
)
def test_list_sorts(shell: Shell, key: str, first: str) -> None:
    assert shell.ok("packages", "list", "octo", "-q", "--sort", key)[0] == first


@pytest.mark.parametrize("condition", ["colour=red", "visibility"])
def test_list_refuses_a_filter_that_is_none(shell: Shell, condition: str) -> None:
    assert condition.partition("=")[0] in shell.fails(
        2, "packages", "list", "octo", "--filter", condition
    )


def test_list_of_an_unknown_owner_is_not_found(shell: Shell) -> None:
    assert "nobody" in shell.fails(4, "packages", "list", "nobody")


# One package


def test_show_tells_tags_sizes_and_the_page_of_the_settings(shell: Shell) -> None:
    lines = shell.ok("packages", "show", NAME)
    facts = dict(line.split(":", 1) for line in lines[: lines.index("")])
    assert facts["Package"].strip() == NAME
    assert facts["Visibility"].strip() == "private"
    assert facts["Repository"].strip() == "not linked"
    assert facts["Settings"].strip() == SETTINGS
    table = lines[lines.index("") + 1 :]
    assert table[0].split()[:2] == ["TAGS", "KIND"]
    assert any(row.startswith("v1.2, latest ") for row in table)
    assert all("linux/amd64, linux/arm64" in row for row in table[1:])


def test_show_as_json_has_the_size_of_each_image(shell: Shell) -> None:
    data = answer(shell, "show", NAME)
    assert data["Settings"] == SETTINGS
    images = {image["Digest"]: image for image in data["Images"]}
    first = images[digest_of(RELEASES[0])]
    assert first["Tags"] == ["v1.0"]
    assert first["Attached"] == 1
    assert first["Platforms"] == ["linux/amd64", "linux/arm64"]
    assert 0 < first["Unique"] <= first["Size"] <= data["Size"]
    alone = sum(d.size for d, _ in LOOSE.contents) + LOOSE.root.size
    assert 0 < data["Loose"] <= alone
    assert sum(data["Kinds"].values()) == len(there_of(data, shell))


def test_a_tagged_signature_is_not_attached_to_itself(shell: Shell, github: GitHubDouble) -> None:
    github.push(NAME, "signed", SIGNATURE, ago(github, 1))
    images = {image["Digest"]: image for image in answer(shell, "show", NAME)["Images"]}
    assert images[digest_of(SIGNATURE)]["Attached"] == 0


def there_of(data: dict[str, Any], shell: Shell) -> list[str]:
    return shell.ok("packages", "versions", "-q", data["Package"])


def test_show_of_a_missing_package_is_not_found(shell: Shell) -> None:
    said = shell.fails(4, "packages", "show", "octo/nothing")
    assert "octo/nothing" in said


def test_show_of_one_version_names_the_package_that_is_meant(shell: Shell) -> None:
    assert "expected a package, not a version" in shell.fails(2, "packages", "show", f"{NAME}:v1.0")


# All versions


def test_versions_are_listed_the_newest_first(shell: Shell, github: GitHubDouble) -> None:
    numbers = [int(line) for line in shell.ok("packages", "versions", "-q", NAME)]
    assert numbers == [record.id for record in github.versions(NAME)]


def test_versions_as_json_have_kinds(shell: Shell) -> None:
    lines = shell.ok("packages", "versions", "--format", "json", NAME)
    found = {data["Digest"]: data for data in map(json.loads, lines)}
    assert found[digest_of(RELEASES[0])]["Kind"] == "index"
    assert found[digest_of(RELEASES[0])]["Tags"] == "v1.0"
    assert found[digest_of(LOOSE)]["Kind"] == "image"
    assert found[digest_of(SIGNATURE)]["Kind"] == "signature"
    children = manifests_of(RELEASES[0]) - {digest_of(RELEASES[0])}
    for child in children:
        assert found[child]["Kind"] == "platform"
        assert found[child]["NeededBy"]


def test_a_tree_shows_images_with_their_children(shell: Shell) -> None:
    lines = shell.ok("packages", "versions", "--tree", NAME)
    [start] = [n for n, line in enumerate(lines) if line.startswith("v1.0 ")]
    hanging = lines[start + 1 : start + 4]
    assert all(line[0] in "├└" for line in hanging)
    assert sorted(" ".join(line.split()[1:3]) for line in hanging) == sorted(
        ["linux/amd64 platform", "linux/arm64 platform", f"{SIGNATURE_TAG[:19]}....sig signature"]
    )
    roots = [line.split()[0] for line in lines[1:] if line[0] not in "├└│ "]
    assert roots == ["<none>", "v1.2,", "v1.1", "v1.0"]


def test_a_tree_shows_missing_images_of_an_index(shell: Shell, github: GitHubDouble) -> None:
    lost = next(iter(manifests_of(RELEASES[1]) - {digest_of(RELEASES[1])}))
    github.lose(NAME, lost)
    lines = shell.ok("packages", "versions", "--tree", "--no-trunc", NAME)
    [row] = [line for line in lines if lost in line]
    assert "missing" in row
    assert any("broken index" in line and line.startswith("v1.1 ") for line in lines)


def test_deleted_versions_are_listed_on_demand(shell: Shell, github: GitHubDouble) -> None:
    number = version_id(github, digest_of(LOOSE))
    github.lose(NAME, digest_of(LOOSE))
    assert shell.ok("packages", "versions", "--state", "deleted", "-q", NAME) == [str(number)]
    headers, row = shell.ok("packages", "versions", "--state", "deleted", NAME)
    assert "DELETED" in headers
    assert row.split()[0] == str(number)
    assert str(number) not in shell.ok("packages", "versions", "-q", NAME)


def test_a_tree_excludes_format_and_quiet(shell: Shell) -> None:
    assert "--tree cannot be combined with --format or --quiet" in shell.fails(
        2, "packages", "versions", "--tree", "-q", NAME
    )
