"""Listing packages and versions, with sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.errors import InvalidFilterError, PackageUnknownError
from ghcrctl.operations.packages.list import describe, list_packages, version_rows
from tests.builders import artifact, attested, index_of, random_image
from tests.unit.operations.packages.content import NAME, days_ago, multi_platform, named

if TYPE_CHECKING:
    from ghcrctl.operations.common.session import Session
    from tests.packages_double import GitHubDouble


@pytest.fixture
def several(github: GitHubDouble) -> None:
    for number, name in enumerate(("app", "lib", "tool")):
        for version in range(number + 1):
            image = random_image(seed=10 * number + version)
            github.push(f"octo/{name}", f"v{version}", image, days_ago(github, 9 - number))
    github.public.add("octo/lib")
    github.api.linked["octo/lib"] = "octo/lib"


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ((), ["app", "lib", "tool"]),
        (("name=*l*",), ["lib", "tool"]),
        (("visibility=public",), ["lib"]),
        (("linked=false",), ["app", "tool"]),
        (("linked=true", "visibility=private"), []),
        (("name=app", "name=lib"), ["app", "lib"]),
        (("repository=octo/*",), ["lib"]),
    ],
)
def test_packages_are_filtered(
    at_github: Session, filters: tuple[str, ...], expected: list[str]
) -> None:
    assert [p.name for p in list_packages(at_github, "octo", filters)] == expected


@pytest.mark.usefixtures("several")
def test_packages_are_sorted_and_default_to_the_own_account(at_github: Session) -> None:
    assert [p.name for p in list_packages(at_github, None, sort="versions")] == [
        "tool",
        "lib",
        "app",
    ]
    assert next(p.name for p in list_packages(at_github, None, sort="updated")) == "tool"


@pytest.mark.parametrize("text", ["name", "colour=red", "=x", "", "linked=perhaps"])
def test_an_unknown_filter_is_refused(at_github: Session, text: str) -> None:
    with pytest.raises(InvalidFilterError):
        list_packages(at_github, "octo", [text])


def test_packages_of_an_organization_are_listed(at_github: Session, github: GitHubDouble) -> None:
    github.api.organizations.add("acme")
    github.push("acme/app", "v1", random_image(seed=1))
    github.public.add("acme/app")
    assert [p.full_name for p in list_packages(at_github, "ACME")] == ["acme/app"]
    with pytest.raises(PackageUnknownError):
        list_packages(at_github, "nobody")


def test_each_version_has_its_type(at_github: Session, github: GitHubDouble) -> None:
    index = multi_platform(1)
    github.push(NAME, "v1", index, days_ago(github, 9))
    github.push(NAME, "single", random_image(seed=3), days_ago(github, 8))
    github.push(NAME, "proven", attested(random_image(seed=4)), days_ago(github, 7))
    github.push(NAME, f"sha256-{index.root.digest.encoded}.sig", artifact(payload=b"s"))
    github.push(NAME, f"sha256-{'ab' * 32}.sbom", artifact(payload=b"b"))
    gone = github.push(NAME, "gone", random_image(seed=5))
    github.push(NAME, f"{gone.replace(':', '-')}.att", artifact(payload=b"a"))
    github.lose(NAME, gone)
    _, rows = version_rows(at_github, named(at_github))
    by_tag = {tag: row for row in rows for tag in row.version.tags}
    assert by_tag["v1"].kind == "index"
    assert by_tag["v1"].platforms == ("linux/amd64", "linux/arm64")
    assert by_tag["single"].kind == "image"
    signature = by_tag[f"sha256-{index.root.digest.encoded}.sig"]
    assert (signature.kind, signature.is_orphan) == ("signature", False)
    unknown = by_tag[f"sha256-{'ab' * 32}.sbom"]
    assert (unknown.kind, unknown.is_orphan) == ("SBOM", False)
    orphan = by_tag[f"{gone.replace(':', '-')}.att"]
    assert (orphan.kind, orphan.is_orphan) == ("attestation", True)
    kinds = [row.kind for row in rows]
    assert kinds.count("platform") == 3
    assert kinds.count("attestation") == 2
    assert {d for row in rows if row.kind == "platform" for d in row.above} == {
        by_tag["v1"].version.digest,
        by_tag["proven"].version.digest,
    }


def test_deleted_versions_are_listed(at_github: Session, github: GitHubDouble) -> None:
    github.push(NAME, "v1", random_image(seed=1), days_ago(github, 9))
    digest = github.push(NAME, "v2", random_image(seed=2), days_ago(github, 9))
    version_rows(at_github, named(at_github))
    github.lose(NAME, digest)
    _, [row] = version_rows(at_github, named(at_github), deleted=True)
    assert (row.version.digest, row.kind) == (digest, "image")
    assert row.version.deleted is not None


def test_bytes_are_counted_once_as_unique_or_shared(
    at_github: Session, github: GitHubDouble
) -> None:
    shared, one, two = (random_image(1, 5000, seed=number) for number in range(3))
    github.push(NAME, "a", index_of(shared, one), days_ago(github, 9))
    github.push(NAME, "b", index_of(shared, two), days_ago(github, 8))
    github.push(NAME, None, random_image(1, 7000, seed=9), days_ago(github, 7))
    view = describe(at_github, named(at_github))
    everything = {str(record.digest): record for record in github.versions(NAME)}
    b, a = view.tagged
    assert (a.tags, b.tags) == (("a",), ("b",))
    weigh = {d.digest: d.size for d, _ in shared.contents}
    assert view.shared == sum(weigh.values())
    assert a.size == a.unique + view.shared
    assert view.size == a.unique + b.unique + view.shared + view.loose
    assert view.loose > 7000
    assert sum(view.counts.values()) == len(everything)
    assert view.settings.endswith("/users/octo/packages/container/app/settings")
