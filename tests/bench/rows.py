"""The rows of the benchmark: one job each, done by ghcrctl and by other clients.

A contestant does its job once per call, in a new directory.
"""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from tests.bench.archives import NAME, files, load, name_layout, save
from tests.bench.bench import OURS
from tests.bench.content import TAG
from tests.bench.packages import prune
from tests.bench.targets import Target
from tests.builders import random_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.measure import Run

    Contestants = Mapping[str, Callable[[], Run]]


# A lower bound for every client: read, hash and write the same bytes.
MACHINE = "plain copy"

_START_UP_DOMINATES = "Starting Python and its HTTP client takes most of the time."


@dataclass(frozen=True, slots=True)
class Row:
    """One job.

    Args:
        name: its short name.
        about: a description of the job.
        target: the limits that the row is held to.
        contestants: builds the contestants, ghcrctl first.
        quick: whether a run is so short that it needs many repetitions.
    """

    name: str
    about: str
    target: Target
    contestants: Callable[[Bench], Contestants]
    quick: bool = False


def _start_up(bench: Bench) -> Contestants:
    return {
        "ghcrctl": lambda: bench.run([*OURS, "--version"]),
        "python": lambda: bench.run([sys.executable, "-c", "import click"]),
    }


def _list(bench: Bench) -> Contestants:
    few, many = _filled(bench, 10), _filled(bench, 10_000)
    return {
        "ghcrctl": lambda: bench.ghcrctl(many, "images", "-q"),
        "ghcrctl, 10 names": lambda: bench.ghcrctl(few, "images", "-q"),
    }


def _filled(bench: Bench, names: int) -> Path:
    """Create a store with one image under many names."""
    store = bench.fresh("names")
    image = random_image(1)
    (store / "blobs" / "sha256").mkdir(parents=True)
    for descriptor, content in image.contents:
        (store / "blobs" / "sha256" / descriptor.digest.encoded).write_bytes(content)
    (store / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    path = store / "index.json"
    path.write_text(json.dumps({"schemaVersion": 2, "manifests": [_named(image.root.to_json())]}))
    bench.ghcrctl(store, "tag", "first", "ghcr.io/octo/image:0")
    document = json.loads(path.read_text())
    entry = document["manifests"][-1]
    noted = entry["annotations"]
    document["manifests"] = [
        {**entry, "annotations": {**noted, NAME: f"ghcr.io/octo/image:{number}"}}
        for number in range(names)
    ]
    path.write_text(json.dumps(document))
    return store


def _named(entry: dict[str, object]) -> dict[str, object]:
    return {**entry, "annotations": {NAME: "first:latest"}}


def _pull(bench: Bench) -> Contestants:
    return {
        **_pulls(bench, bench.registry, bench.layout),
        MACHINE: lambda: _copied_by_the_machine(bench),
    }


def _copied_by_the_machine(bench: Bench) -> Run:
    copied = bench.fresh("copied")
    done = bench.run([sys.executable, "-m", "tests.bench.limit", str(bench.layout), str(copied)])
    shutil.rmtree(copied)
    return done


def _pull_capped(bench: Bench) -> Contestants:
    layout = bench.make(bench.megabytes * 5 // 3, 1)
    return _pulls(bench, bench.line(rate=40_000_000, delay=20), layout)


def _pull_many(bench: Bench) -> Contestants:
    layout = bench.make(10, 100)
    return _pulls(bench, bench.line(delay=25), layout)


def _pulls(bench: Bench, host: str, layout: Path) -> Contestants:
    """Pull a layout's image from the registry, reached at a host."""
    image = f"{host}/{bench.published if layout == bench.layout else bench.publish(layout)}"

    def ours() -> Run:
        store = bench.fresh("store")
        done = bench.ghcrctl(store, "pull", "-q", image)
        shutil.rmtree(store)
        return done

    def skopeo() -> Run:
        layout = bench.fresh("layout")
        done = bench.skopeo_copy(f"docker://{image}", f"oci:{layout}:{TAG}")
        shutil.rmtree(layout)
        return done

    def crane() -> Run:
        layout = bench.fresh("layout")
        done = bench.run(["crane", "pull", "--insecure", "--format=oci", image, str(layout)])
        shutil.rmtree(layout)
        return done

    def docker() -> Run:
        done = bench.run_docker("pull", "-q", image)
        bench.run_docker("rmi", image)
        return done

    return {
        "ghcrctl": ours,
        "skopeo": skopeo,
        **({"crane": crane} if bench.has("crane") else {}),
        **({"docker": docker} if bench.docker else {}),
    }


def _push(bench: Bench) -> Contestants:
    def fresh(push: Callable[[Bench, str], Run]) -> Run:
        # Of a registry that has the bytes already, skopeo would remember where.
        with bench.empty_registry() as host:
            return push(bench, host)

    pushes = {name: partial(fresh, push) for name, push in _pushers(bench).items()}
    return {**pushes, MACHINE: lambda: _copied_by_the_machine(bench)}


def _push_again(bench: Bench) -> Contestants:
    pushers = _pushers(bench)
    for push in pushers.values():
        push(bench, bench.registry)
    return {name: partial(push, bench, bench.registry) for name, push in pushers.items()}


def _pushers(bench: Bench) -> dict[str, Callable[[Bench, str], Run]]:
    return {
        "ghcrctl": _push_ours,
        "skopeo": _push_skopeo,
        **({"crane": _push_crane} if bench.has("crane") else {}),
        **({"docker": _push_docker} if bench.docker else {}),
    }


def _push_ours(bench: Bench, host: str) -> Run:
    name = f"{host}/bench/pushed:1"
    name_layout(bench.layout, name)
    return bench.ghcrctl(bench.layout, "push", "-q", name)


def _push_skopeo(bench: Bench, host: str) -> Run:
    return bench.skopeo_copy(f"oci:{bench.layout}:{TAG}", f"docker://{host}/bench/pushed:1")


def _push_crane(bench: Bench, host: str) -> Run:
    return bench.run(["crane", "push", "--insecure", str(bench.layout), f"{host}/bench/pushed:1"])


def _push_docker(bench: Bench, host: str) -> Run:
    name, source = f"{host}/bench/docker:1", f"{bench.registry}/{bench.published}"
    bench.run_docker("pull", "-q", source)
    bench.run_docker("tag", source, name)
    return bench.run_docker("push", "-q", name)


def _copy(bench: Bench) -> Contestants:
    numbers = count()
    source = f"{bench.registry}/{bench.published}"

    def fresh() -> str:
        return f"{bench.registry}/bench/copied-{next(numbers)}:1"

    def skopeo() -> Run:
        return bench.skopeo_copy(f"docker://{source}", f"docker://{fresh()}")

    def crane() -> Run:
        return bench.run(["crane", "copy", "--insecure", source, fresh()])

    return {
        "ghcrctl": lambda: bench.run([*OURS, "copy", "-q", source, fresh()]),
        "skopeo": skopeo,
        **({"crane": crane} if bench.has("crane") else {}),
    }


ROWS = (
    Row(
        "start-up",
        "`ghcrctl --version`, and `python -c 'import click'`",
        Target("at most 1.5 times", {"python": 1.5}),
        _start_up,
        quick=True,
    ),
    Row(
        "images",
        "list 10,000 names, and 10",
        Target("at most twice the time of 10", {"ghcrctl, 10 names": 2.0}),
        _list,
        quick=True,
    ),
    Row(
        "pull",
        "pull 3 layers from docker-registry on loopback",
        Target(
            "0.8 of skopeo, 1.4 of a plain copy",
            {"skopeo": 0.8, MACHINE: 1.4},
            why_missed="A pull also starts an HTTP client, copies all bytes through Python, and "
            "shares the two processors with the registry.",
        ),
        _pull,
    ),
    Row(
        "slow line",
        "pull 1 layer with 40 MB/s per connection and 20 ms latency",
        Target("at most a third of skopeo", {"skopeo": 1 / 3}),
        _pull_capped,
    ),
    Row(
        "many layers",
        "pull 100 small layers with 25 ms latency",
        Target(
            "at most half of skopeo",
            {"skopeo": 0.5},
            why_missed="Start-up takes most of the time, and each layer about 1.6 ms of CPU time.",
        ),
        _pull_many,
    ),
    Row(
        "push",
        "push 3 layers to docker-registry on loopback",
        Target("not slower than skopeo", {"skopeo": 1.0}),
        _push,
    ),
    Row(
        "push again",
        "push an image that the registry already has: one HEAD and one PUT",
        Target(
            "not slower than skopeo",
            {"skopeo": 1.0},
            why_missed=_START_UP_DOMINATES,
        ),
        _push_again,
    ),
    Row(
        "copy",
        "copy 3 layers between repositories of one registry",
        Target("0.8 of skopeo", {"skopeo": 0.8}, why_missed=_START_UP_DOMINATES),
        _copy,
    ),
    Row(
        "load",
        "load an archive of `docker save` with uncompressed layers",
        Target(
            "at most half of skopeo's docker-archive to oci",
            {"skopeo": 0.5},
            why_missed="gzip, at the same level as skopeo's, takes nearly all of the time. "
            "`load --compress zstd` is faster.",
        ),
        load,
    ),
    Row(
        "save",
        "save 3 layers into an archive",
        Target(
            "at most 1.2 of cp",
            {"cp": 1.2},
            why_missed="`save` verifies the digest of every byte and syncs the archive to disk; "
            "`cp` does neither.",
        ),
        save,
    ),
    Row(
        "files",
        "list all files of 3 layers, and export them",
        Target("memory under 100 MB", peak=100_000_000),
        files,
    ),
    Row(
        "prune",
        "delete 4,971 of the 5,001 versions of a package; plan only, twice",
        Target(
            "one request per manifest, two per deletion",
            requests=15_200,
        ),
        prune,
    ),
)
