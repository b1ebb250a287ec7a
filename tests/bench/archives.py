"""The rows about archives and about the files of images."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from tests.bench.content import TAG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.bench.bench import Bench
    from tests.bench.measure import Run

    Contestants = Mapping[str, Callable[[], Run]]

NAME = "org.opencontainers.image.ref.name"
_SAVED = "ghcr.io/bench/saved:1"


def load(bench: Bench) -> Contestants:
    archive = bench.fresh("docker.tar")
    name_layout(bench.layout, _SAVED)
    bench.ghcrctl(bench.layout, "save", "--format", "docker", "-o", str(archive), _SAVED)

    def ours(*options: str) -> Run:
        store = bench.fresh("store")
        done = bench.ghcrctl(store, "load", "-q", *options, "-i", str(archive))
        shutil.rmtree(store)
        return done

    def skopeo() -> Run:
        layout = bench.fresh("layout")
        done = bench.skopeo_copy(f"docker-archive:{archive}", f"oci:{layout}:{TAG}")
        shutil.rmtree(layout)
        return done

    return {
        "ghcrctl": ours,
        "skopeo": skopeo,
        "ghcrctl, zstd": lambda: ours("--compress", "zstd"),
    }


def save(bench: Bench) -> Contestants:
    name_layout(bench.layout, _SAVED)
    copied = bench.fresh("copied.tar")
    bench.ghcrctl(bench.layout, "save", "-q", "-o", str(copied), _SAVED)

    def gone(done: Run, path: Path) -> Run:
        path.unlink()
        return done

    def ours() -> Run:
        path = bench.fresh("saved.tar")
        return gone(bench.ghcrctl(bench.layout, "save", "-q", "-o", str(path), _SAVED), path)

    def skopeo() -> Run:
        path = bench.fresh("saved.tar")
        return gone(bench.skopeo_copy(f"oci:{bench.layout}:{TAG}", f"oci-archive:{path}"), path)

    def machine(*then: str) -> Run:
        path = bench.fresh("again.tar")
        command = f'cp --reflink=never "$1" "$2" {" ".join(then)}'
        return gone(bench.run(["sh", "-c", command, "sh", str(copied), str(path)]), path)

    return {
        "ghcrctl": ours,
        "skopeo": skopeo,
        "cp": machine,
        # Ours is on the disk when it gets its name.
        "cp and sync": lambda: machine("&&", "sync", '"$2"'),
    }


def files(bench: Bench) -> Contestants:
    name_layout(bench.layout, _SAVED)
    return {
        "ghcrctl": lambda: bench.ghcrctl(bench.layout, "ls", "-R", _SAVED),
        "ghcrctl, export": lambda: bench.ghcrctl(bench.layout, "export", "-o", "/dev/null", _SAVED),
    }


def name_layout(layout: Path, name: str) -> None:
    """Give the layout's image a name of ours beside the tag that skopeo knows."""
    path = layout / "index.json"
    document = json.loads(path.read_text())
    entry = document["manifests"][0]
    renamed = {**entry, "annotations": {**entry["annotations"], NAME: name}}
    path.write_text(json.dumps({**document, "manifests": [entry, renamed]}))
