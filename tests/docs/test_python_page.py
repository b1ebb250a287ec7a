"""The examples of the page about Python work against a registry on loopback."""

from __future__ import annotations

import doctest
import re
from typing import TYPE_CHECKING

import pytest

from ghcrctl.oci.platform import Platform
from tests.architecture.sources import ROOT
from tests.builders import index_of, random_image
from tests.registry_double import PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGE = ROOT / "docs" / "topics" / "python.md"
AMD64, ARM64 = Platform("linux", "amd64"), Platform("linux", "arm64")
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples() -> list[doctest.Example]:
    """Return the examples of the page in order, with their line numbers."""
    text, found = PAGE.read_text(encoding="utf-8"), []
    for block in _BLOCK.finditer(text):
        above = text[: block.start(1)].count("\n")
        for example in doctest.DocTestParser().get_examples(block[1], PAGE.name):
            example.lineno += above
            found.append(example)
    return found


@pytest.fixture
def _hello(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GHCRCTL_RETRIES", "0")
    monkeypatch.setenv("GHCRCTL_PLATFORM", "linux/amd64")
    with PlainRegistry() as registry:
        monkeypatch.setenv("GHCRCTL_DEFAULT_REGISTRY", registry.host)
        for tag, seed in {"1.0": 0, "1.1": 1, "latest": 1}.items():
            images = (random_image(platform=one, seed=seed) for one in (AMD64, ARM64))
            registry.push_image("octo/hello", tag, index_of(*images))
        yield


@pytest.mark.usefixtures("_hello")
def test_the_examples_print_what_the_page_shows() -> None:
    found = examples()
    assert len(found) > 20
    told: list[str] = []
    page = doctest.DocTest(found, {}, PAGE.name, str(PAGE), 0, None)
    flags = doctest.ELLIPSIS | doctest.REPORT_NDIFF
    failed, _ = doctest.DocTestRunner(optionflags=flags).run(page, out=told.append)
    assert not failed, "".join(told)
