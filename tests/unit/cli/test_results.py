"""Results of a command: lines, documents, digest files, and outputs and summaries of a job."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.cli.app import App
from ghcrctl.cli.results import Results
from ghcrctl.errors import InvalidTemplateError, UsageError
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.media_types import OCI_MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

A, B = Digest("sha256", "a" * 64), Digest("sha256", "b" * 64)
IMAGE = Descriptor(OCI_MANIFEST, A, 7)

# Names as the commands report them, each with its pinned form.
NAMES = [
    ("ghcr.io/octo/image:1", "ghcr.io/octo/image"),
    (f"ghcr.io/octo/image@{B}", "ghcr.io/octo/image"),
    (f"ghcr.io/octo/image:1@{B}", "ghcr.io/octo/image"),
    ("ghcr.io/octo/image", "ghcr.io/octo/image"),
    ("localhost:5000/image", "localhost:5000/image"),
    ("localhost:5000/image:1.0", "localhost:5000/image"),
    (f"localhost:5000/a/b@{B}", "localhost:5000/a/b"),
    (f"localhost:5000/a/b:x@{B}", "localhost:5000/a/b"),
    ("localhost/image:latest", "localhost/image"),
    ("127.0.0.1:5000/octo/image:1", "127.0.0.1:5000/octo/image"),
    ("[::1]:5000/octo/image:1", "[::1]:5000/octo/image"),
    ("[::1]/octo/image", "[::1]/octo/image"),
    (f"[fe80::2]/octo/image@{B}", "[fe80::2]/octo/image"),
    ("docker.io/library/alpine:3.20", "docker.io/library/alpine"),
    (f"docker.io/library/alpine@sha512:{'c' * 128}", "docker.io/library/alpine"),
    ("hello_docker:latest", "hello_docker"),
    ("hello_docker", "hello_docker"),
    (f"hello_docker@{B}", "hello_docker"),
]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> App:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    app = App()
    app.command = "pull"
    return app


def _outputs(folder: Path) -> dict[str, str]:
    text = (folder / "output").read_text()
    return {name: value for name, _, value in re.findall(r"(\w+)<<(.*)\n([^<]*?)\n\2\n", text)}


@pytest.mark.parametrize(("name", "bare"), NAMES)
def test_an_output_has_one_digest_in_place_of_tag_and_digest(
    app: App, tmp_path: Path, name: str, bare: str
) -> None:
    results = Results(app, None)
    results.add_image(name, A)
    results.end()
    assert _outputs(tmp_path) == {
        "name": name,
        "digest": str(A),
        "image": f"{bare}@{A}",
        "images": f"{bare}@{A}",
    }


def test_an_image_without_a_name_is_its_digest(app: App, tmp_path: Path) -> None:
    results = Results(app, None)
    results.add_created("", IMAGE)
    results.end()
    outputs = _outputs(tmp_path)
    assert (outputs["name"], outputs["image"], outputs["images"]) == ("", str(A), str(A))


def test_the_last_image_and_all_images_are_outputs(app: App, tmp_path: Path) -> None:
    results = Results(app, None)
    results.add_image("localhost:5000/one:1", A, 2048)
    results.add_image(f"localhost:5000/two@{B}", B, 0)
    results.add_image("oci:/a:b/dir:1", A, pinned=f"oci:/a:b/dir@{A}")
    results.add_image("localhost:5000/three|x", B)
    results.end()
    outputs = _outputs(tmp_path)
    assert (outputs["name"], outputs["digest"]) == ("localhost:5000/three|x", str(B))
    assert outputs["image"] == f"localhost:5000/three|x@{B}"
    assert outputs["images"].splitlines() == [
        f"localhost:5000/one@{A}",
        f"localhost:5000/two@{B}",
        f"oci:/a:b/dir@{A}",
        f"localhost:5000/three|x@{B}",
    ]
    assert (tmp_path / "summary").read_text().splitlines() == [
        "| pull | digest | transferred |",
        "|---|---|---:|",
        f"| localhost:5000/one:1 | {A} | 2.05kB |",
        f"| localhost:5000/two@{B} | {B} | 0B |",
        f"| oci:/a:b/dir:1 | {A} |  |",
        f"| localhost:5000/three&#124;x | {B} |  |",
        "",
    ]


def test_nothing_is_written_without_images(app: App, tmp_path: Path) -> None:
    results = Results(app, None, tmp_path / "digests")
    results.add({"Name": "x"})
    results.end()
    assert list(tmp_path.iterdir()) == []


def test_a_digest_file_has_one_digest_per_line(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = Results(app, None, tmp_path / "digests")
    results.add_image("octo/one:1", A)
    results.add_image(f"octo/one@{B}", B)
    results.out("a line")
    results.end()
    assert (tmp_path / "digests").read_text() == f"{A}\n{B}\n"
    assert capsys.readouterr().out == "a line\n"


def test_a_digest_file_is_checked_first(app: App, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Results(app, None, tmp_path / "none" / "digests")
    with pytest.raises(UsageError):
        Results(app, None, tmp_path)


def test_documents_replace_lines(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    results = Results(app, "json")
    assert results.are_documents
    results.out("a line")
    results.add_created("octo/one:1", IMAGE, B, Previous=None)
    results.add_created("", IMAGE)
    results.end()
    common = {"Digest": str(A), "MediaType": OCI_MANIFEST, "Size": 7}
    assert json.loads(capsys.readouterr().out) == [
        {"Name": "octo/one:1", **common, "ID": str(B), "Previous": None},
        {"Name": None, **common, "ID": None},
    ]


def test_a_single_document_is_an_object(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    assert not Results(app, None).are_documents
    results = Results(app, "json")
    results.add({"Name": "x"})
    results.end(single=True)
    assert json.loads(capsys.readouterr().out) == {"Name": "x"}


def test_no_document_is_an_empty_list(app: App, capsys: pytest.CaptureFixture[str]) -> None:
    Results(app, "json").end()
    Results(app, None).end()
    assert capsys.readouterr().out == "[]\n"


def test_a_failing_template_does_not_prevent_the_digest_file(app: App, tmp_path: Path) -> None:
    results = Results(app, "{{.None}}", tmp_path / "digests")
    results.add_created("octo/one:1", IMAGE)
    with pytest.raises(InvalidTemplateError):
        results.end()
    assert (tmp_path / "digests").read_text() == f"{A}\n"
    assert _outputs(tmp_path)["image"] == f"octo/one@{A}"


def test_a_digest_file_that_cannot_be_written_leaves_the_documents(
    app: App, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    results = Results(app, "json", folder / "digests")
    results.add_created("octo/one:1", IMAGE)
    folder.rmdir()
    with pytest.raises(UsageError):
        results.end(single=True)
    assert json.loads(capsys.readouterr().out)["Digest"] == str(A)
