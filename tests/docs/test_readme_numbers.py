"""The README quotes the measured times of the benchmarks page."""

from __future__ import annotations

import re

import pytest

from tests.architecture.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
BENCHMARKS = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
# The jobs of the README's table, and their names on the benchmarks page.
JOBS = {
    "pull": "pull",
    "pull at 40 MB/s per connection": "slow line",
    "pull 100 small layers": "many layers",
    "push": "push",
    "save to an archive": "save",
    "push an unchanged image": "push again",
}
_CLIENTS = ("ghcrctl", "skopeo", "docker")


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _measured() -> dict[tuple[str, str], tuple[float, str]]:
    """Return the median seconds and the ratio of each job and client."""
    found: dict[tuple[str, str], tuple[float, str]] = {}
    job = ""
    for line in BENCHMARKS.splitlines():
        cells = _cells(line)
        if len(cells) > 3 and re.match(r"\d+\.\d+ \(", cells[2]):
            job = cells[0] or job
            found[job, cells[1]] = (float(cells[2].split()[0]), cells[3])
    return found


MEASURED = _measured()


@pytest.mark.parametrize("job", JOBS)
def test_the_readme_rounds_the_measured_times(job: str) -> None:
    row = next(line for line in README.splitlines() if line.startswith(f"| {job} |"))
    for client, shown in zip(_CLIENTS, _cells(row)[1:], strict=False):
        if shown:
            digits = len(shown.partition(".")[2])
            assert float(shown) == round(MEASURED[JOBS[job], client][0], digits)


@pytest.mark.parametrize(
    ("job", "sentence"),
    [
        ("pull", "pulls in {skopeo} of skopeo's time and {docker} of docker's"),
        ("push", "pushes in {skopeo} and {docker}"),
    ],
)
def test_the_readme_quotes_the_measured_ratios(job: str, sentence: str) -> None:
    ratios = {client: MEASURED[job, client][1] for client in ("skopeo", "docker")}
    assert sentence.format(**ratios) in README
