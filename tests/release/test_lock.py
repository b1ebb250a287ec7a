"""The hash-locked requirements satisfy pyproject.toml for each Python and system."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from release.contents import BUILD_LOCK, LOCK
from release.lock import build_requires
from release.repository import project

if TYPE_CHECKING:
    from pathlib import Path

PYTHONS = ("3.10.13", "3.11.7", "3.12.1", "3.13.0", "3.14.0")
SYSTEMS = {
    "linux": ("Linux", "posix", ("x86_64", "aarch64")),
    "darwin": ("Darwin", "posix", ("x86_64", "arm64")),
    "win32": ("Windows", "nt", ("AMD64", "ARM64")),
}
TARGETS = [
    (python, system, machine)
    for python, system in product(PYTHONS, SYSTEMS)
    for machine in SYSTEMS[system][2]
]


@dataclass(frozen=True, slots=True)
class Locked:
    """A locked requirement and its hashes."""

    requirement: Requirement
    hashes: tuple[str, ...]


def read_lock(path: Path) -> list[Locked]:
    """Return the requirements in a lock."""
    text = path.read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = []
    for line in lines:
        words, *hashes = re.split(r"\s+--hash=", line.strip())
        found.append(Locked(Requirement(words), tuple(hashes)))
    return found


def environment(python: str, system: str, machine: str) -> dict[str, str]:
    """Return the variables of dependency markers for a Python on a system."""
    name, os_name, _ = SYSTEMS[system]
    return {
        "extra": "",
        "implementation_name": "cpython",
        "os_name": os_name,
        "platform_machine": machine,
        "platform_python_implementation": "CPython",
        "platform_system": name,
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
        "sys_platform": system,
    }


def applicable(requirements: list[Requirement], target: dict[str, str]) -> list[Requirement]:
    """Return the requirements whose markers are true."""
    return [one for one in requirements if one.marker is None or one.marker.evaluate(target)]


@pytest.mark.parametrize("target", TARGETS, ids="-".join)
def test_every_dependency_is_locked_once_in_an_allowed_version(
    target: tuple[str, str, str],
) -> None:
    described = project()
    wanted = [*described["dependencies"], *described["optional-dependencies"]["serve"]]
    variables = environment(*target)
    locked = applicable([one.requirement for one in read_lock(LOCK)], variables)
    versions = {canonicalize_name(one.name): str(one.specifier)[2:] for one in locked}
    assert len(versions) == len(locked)
    for requirement in applicable([Requirement(one) for one in wanted], variables):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{requirement} is not locked: run make lock"
        assert requirement.specifier.contains(version), f"{requirement}: run make lock"


def test_the_build_backend_is_locked() -> None:
    locked = {one.requirement.name: one.requirement for one in read_lock(BUILD_LOCK)}
    for requirement in map(Requirement, build_requires()):
        version = str(locked[requirement.name].specifier)[2:]
        assert requirement.specifier.contains(version)


@pytest.mark.parametrize("path", [LOCK, BUILD_LOCK], ids=lambda path: path.name)
def test_every_locked_requirement_has_one_version_and_hashes(path: Path) -> None:
    for one in read_lock(path):
        assert re.fullmatch(r"==[\w.+!-]+", str(one.requirement.specifier))
        assert one.hashes
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in one.hashes)
        assert one.requirement.url is None


def test_the_wheel_pins_no_version() -> None:
    described = project()
    optional = [one for group in described["optional-dependencies"].values() for one in group]
    for requirement in map(Requirement, [*described["dependencies"], *optional]):
        operators = {one.operator for one in requirement.specifier}
        assert operators <= {">=", "!="}, requirement


def test_linux_installs_neither_keyring_nor_cryptography() -> None:
    variables = environment("3.11.7", "linux", "x86_64")
    locked = applicable([one.requirement for one in read_lock(LOCK)], variables)
    assert not {one.name for one in locked} & {"cryptography", "keyring", "zstandard"}
