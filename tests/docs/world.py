"""The hosts that pages talk to, and what is there."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from ghcrctl.content.memory import MemoryPlace
from ghcrctl.content.streams import Content
from tests.builders import artifact, attested, random_image
from tests.docs import images
from tests.internet import Internet
from tests.packages_double import GitHubDouble
from tests.registry_double.double import PlainRegistry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghp_octo"
_ALPINE = {"etc/os-release": "ID=alpine\nVERSION_ID=3.20.3\n", "bin/sh": "#!\n"}
_SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"


@contextlib.contextmanager
def world() -> Iterator[Internet]:
    """Start every host: GitHub with its registry, Docker Hub, Microsoft's, one of a company."""
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
    """Return the variables of somebody who has a token, and whose network is this one."""
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
    github.push("octo-org/library", "1.0", random_image(seed=50), _ago(github, 40))
    github.push("octo-org/service", "2.1", attested(random_image(seed=51)), _ago(github, 5))
    github.public.add("octo-org/library")
    github.api.linked["octo-org/library"] = "octo-org/library"


def _fill_tool(github: GitHubDouble) -> None:
    """Make a public image with files to look at, in two versions."""
    for number, day in enumerate((60, 12)):
        program = {"usr/bin/tool": f"#!/bin/sh\necho tool 1.{number}\n"}
        created = _ago(github, day).strftime("%Y-%m-%dT%H:%M:%SZ")
        built = images.linux(_ALPINE, program, created=created, command="/usr/bin/tool")
        github.push("octo/tool", f"1.{number}", built, _ago(github, day))
    github.public.add("octo/tool")


def _fill_app(github: GitHubDouble) -> None:
    """Make a private package as pipelines leave them: releases, pull requests, leftovers."""
    for number in range(3):
        release = attested(random_image(seed=number))
        github.push("octo/app", f"v1.{number}.0", release, _ago(github, 90 - number))
        signature = artifact(_SIGNATURE, payload=f"signed {number}".encode())
        tag = f"sha256-{release.root.digest.encoded}.sig"
        github.push("octo/app", tag, signature, _ago(github, 90 - number))
        if number == 2:
            github.push("octo/app", "latest", release, _ago(github, 88))
    for number, day in ((12, 45), (13, 2)):
        github.push(
            "octo/app", f"pr-{number}", attested(random_image(seed=number)), _ago(github, day)
        )
    github.push("octo/app", None, random_image(seed=40), _ago(github, 32))
    github.api.linked["octo/app"] = "octo/app"
    github.api.pulls["octo/app"] = [13]
    github.api.branches["octo/app"] = ["main"]


def _docker_hub() -> PlainRegistry:
    hub = PlainRegistry()
    for version in ("3.19", "3.20", "latest"):
        files = dict(_ALPINE)
        if version == "3.19":
            files["etc/os-release"] = "ID=alpine\nVERSION_ID=3.19.4\n"
        hub.push_image(
            "library/alpine", version, images.linux(files, created="2026-09-06T22:20:00Z")
        )
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
