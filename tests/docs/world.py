"""The hosts that pages talk to, and their content."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.content.streams import Content
from tests.builders import artifact, attested
from tests.docs import images
from tests.internet import Internet
from tests.packages_double import GitHubDouble
from tests.registry_double.double import PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.builders import Built

TOKEN = "ghp_octo"
_SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


@contextlib.contextmanager
def world() -> Iterator[Internet]:
    """Start every host: GitHub with ghcr.io, Docker Hub, Microsoft's registry, a private one."""
    with (
        GitHubDouble() as github,
        _docker_hub() as hub,
        _microsoft() as mcr,
        PlainRegistry() as own,
    ):
        _fill(github)
        hosts = github.take_names()
        others = {
            "registry-1.docker.io": hub,
            "mcr.microsoft.com": mcr,
            "registry.example.com": own,
        }
        hosts |= {name: int(r.host.rpartition(":")[2]) for name, r in others.items()}
        with Internet(hosts) as internet:
            yield internet


def environ(internet: Internet, folder: Path) -> dict[str, str]:
    """Return the environment of a user who has a token and reaches only these hosts."""
    internet.write_authority(folder / "authority.pem")
    return {
        "HTTPS_PROXY": internet.url,
        "NO_PROXY": "127.0.0.1,localhost",
        "GHCRCTL_CA_FILE": str(folder / "authority.pem"),
        "CR_PAT": TOKEN,
    }


def _fill(github: GitHubDouble) -> None:
    github.accounts["octo"] = TOKEN
    github.clock.now = datetime.now(timezone.utc)
    github.authority.members["octo-org"] = {"octo"}
    github.api.organizations.add("octo-org")
    _fill_tool(github)
    _fill_app(github)
    github.push("octo-org/library", "1.0", _app(50), _ago(github, 40))
    github.push("octo-org/service", "2.1", attested(_app(51)), _ago(github, 5))
    github.public.add("octo-org/library")
    github.api.linked["octo-org/library"] = "octo-org/library"


def _fill_tool(github: GitHubDouble) -> None:
    """Publish an image for two platforms, in two versions on the same base."""
    for number, day, size in ((0, 60, 4_402_176), (1, 12, 4_418_560)):
        layers = (images.alpine_layer("3.20.3"), images.tool_layer(f"1.{number}", size))
        created = _ago(github, day).strftime("%Y-%m-%dT%H:%M:%SZ")
        built = images.linux(*layers, created=created, command="/usr/bin/tool")
        github.push("octo/tool", f"1.{number}", built, _ago(github, day))
    github.public.add("octo/tool")


def _fill_app(github: GitHubDouble) -> None:
    """Publish a private package as pipelines leave it: releases, pull requests, leftovers."""
    for number in range(3):
        release = attested(_app(number))
        github.push("octo/app", f"v1.{number}.0", release, _ago(github, 90 - number))
        signature = artifact(_SIGNATURE, payload=f"signed {number}".encode())
        tag = f"sha256-{release.root.digest.encoded}.sig"
        github.push("octo/app", tag, signature, _ago(github, 90 - number))
        if number == 2:
            github.push("octo/app", "latest", release, _ago(github, 88))
    for number, day in ((12, 45), (13, 2)):
        github.push("octo/app", f"pr-{number}", attested(_app(number)), _ago(github, day))
    github.push("octo/app", None, _app(40), _ago(github, 32))
    github.api.linked["octo/app"] = "octo/app"
    github.api.pulls["octo/app"] = [13]
    github.api.branches["octo/app"] = ["main"]


def _app(number: int) -> Built:
    """Build one edition of an application on Alpine."""
    files: tuple[tuple[str, str | int], ...] = (("srv/app/app", 11_300_000 + 4096 * number),)
    layers = (images.alpine_layer("3.20.3"), images.Layer("COPY app /srv/app # buildkit", files))
    created = f"2026-08-{number % 28 + 1:02}T09:30:00Z"
    return images.image(*layers, platform=images.AMD64, created=created, command="/srv/app/app")


def _docker_hub() -> PlainRegistry:
    hub = PlainRegistry()
    for tag, version in (("3.19", "3.19.4"), ("3.20", "3.20.3"), ("latest", "3.20.3")):
        built = images.linux(images.alpine_layer(version), created="2026-09-06T22:20:07Z")
        hub.push_image("library/alpine", tag, built)
    return hub


def _microsoft() -> PlainRegistry:
    mcr = PlainRegistry()
    built, foreign = images.windows()
    mcr.push_image("windows/nanoserver", "ltsc2022", built)
    place = MemoryPlace("the publisher")
    for descriptor, data in foreign:
        place.put(descriptor, data)
        mcr.backend.write("windows/nanoserver", Content(place, descriptor))
    return mcr


def _ago(github: GitHubDouble, days: float) -> datetime:
    return github.clock.now - timedelta(days=days)
