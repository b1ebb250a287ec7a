"""The platform of a machine, by its system's name for the processor."""

from __future__ import annotations

import os
from types import SimpleNamespace

import pytest

from ghcrctl.errors import UnsupportedError
from ghcrctl.oci.host_processor import machine_name
from ghcrctl.oci.platform import Platform, machine_platform
from ghcrctl.settings import Settings, host_platform


@pytest.mark.parametrize(
    ("machine", "platform"),
    [
        ("x86_64", "linux/amd64"),
        ("AMD64", "linux/amd64"),
        ("x86", "linux/386"),
        ("i386", "linux/386"),
        ("i486", "linux/386"),
        ("i586", "linux/386"),
        ("i686", "linux/386"),
        ("aarch64", "linux/arm64"),
        ("ARM64", "linux/arm64"),
        ("arm64e", "linux/arm64"),
        ("aarch64_be", "linux/arm64be"),
        ("armv8l", "linux/arm/v8"),
        ("armv7l", "linux/arm/v7"),
        ("armv7hl", "linux/arm/v7"),
        ("armv7a", "linux/arm/v7"),
        ("ARM", "linux/arm/v7"),
        ("armv6l", "linux/arm/v6"),
        ("armv6hl", "linux/arm/v6"),
        ("armv5tel", "linux/arm/v5"),
        ("armv7b", "linux/armbe"),
        ("loongarch64", "linux/loong64"),
        ("riscv64", "linux/riscv64"),
        ("ppc64le", "linux/ppc64le"),
        ("ppc64", "linux/ppc64"),
        ("s390x", "linux/s390x"),
        ("mips64", "linux/mips64"),
        ("mips64el", "linux/mips64le"),
        ("mipsel", "linux/mipsle"),
        ("sparc64", "linux/sparc64"),
        ("sun4v", "linux/sparc64"),
    ],
)
def test_a_processor_has_its_platform(machine: str, platform: str) -> None:
    assert str(machine_platform(machine)) == platform
    # Users may write the same name.
    assert str(Platform.parse(f"linux/{machine}")) == platform


@pytest.mark.parametrize(
    "machine", ["vax", "ia64", "e2k", "alpha", "iPhone12,1", "Power Macintosh"]
)
def test_an_unknown_processor_is_an_error(machine: str) -> None:
    with pytest.raises(UnsupportedError) as caught:
        machine_platform(machine)
    assert str(caught.value) == (
        f"cannot determine the platform of this machine: unknown processor `{machine.lower()}`"
    )
    assert "--platform" in (caught.value.hint or "")
    assert caught.value.exit_status == 7


def test_an_unnamed_processor_is_not_amd64() -> None:
    with pytest.raises(UnsupportedError, match="does not report its processor"):
        machine_platform("")


@pytest.mark.parametrize(
    ("machine", "byte_order", "expected"),
    [
        ("mips64", "little", "mips64le"),
        ("mips64", "big", "mips64"),
        ("mips", "little", "mipsle"),
        ("x86_64", "little", "x86_64"),
        ("ppc64", "big", "ppc64"),
    ],
)
def test_linux_uses_one_name_for_both_byte_orders_of_mips(
    monkeypatch: pytest.MonkeyPatch, machine: str, byte_order: str, expected: str
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine=machine), raising=False)
    assert machine_name({}, byte_order=byte_order) == expected


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"PROCESSOR_ARCHITECTURE": "AMD64"}, "AMD64"),
        ({"PROCESSOR_ARCHITECTURE": "x86"}, "x86"),
        ({"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "AMD64"}, "AMD64"),
        ({"PROCESSOR_ARCHITECTURE": "x86", "PROCESSOR_ARCHITEW6432": "ARM64"}, "ARM64"),
        ({"PROCESSOR_ARCHITECTURE": "ARM64", "PROCESSOR_ARCHITEW6432": ""}, "ARM64"),
    ],
)
def test_on_windows_a_variable_names_the_processor(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], expected: str
) -> None:
    monkeypatch.delattr(os, "uname", raising=False)
    assert machine_name(environ) == expected


def test_an_unknown_machine_can_list_but_not_build_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(machine="vax"), raising=False)
    settings = Settings({})
    assert settings.preferred_platform == Platform("linux", "vax")
    for find in (host_platform, lambda: settings.platform, lambda: Platform.parse("windows")):
        with pytest.raises(UnsupportedError, match="unknown processor `vax`"):
            find()
    chosen = Settings({"GHCRCTL_PLATFORM": "linux/arm64"})
    assert chosen.platform == chosen.preferred_platform == Platform("linux", "arm64")
