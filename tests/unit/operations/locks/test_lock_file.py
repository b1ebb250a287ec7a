"""The format of a lock file: it reads what it writes, and rejects everything else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ghcrctl.errors import ExitStatus, GhcrctlError, NotFoundError, UsageError
from ghcrctl.oci.digest import Digest
from ghcrctl.oci.platform import Platform
from ghcrctl.oci.reference import Reference
from ghcrctl.operations.locks.lock_file import (
    Pin,
    PinnedPlatform,
    edit_pins,
    format_pins,
    parse_pins,
    read_pins,
)

if TYPE_CHECKING:
    from collections.abc import Callable

FILE = Path("images.lock")
DIGEST = Digest.of(b"image")
AMD64 = Platform("linux", "amd64")
NAME = Reference("ghcr.io", "octo/app", "1.0")
PIN = Pin(NAME, DIGEST, (PinnedPlatform(AMD64, DIGEST, 5),))
ENTRY = f'[[image]]\nname = "ghcr.io/octo/app"\ntag = "1.0"\ndigest = "{DIGEST}"\n'

digests = st.builds(Digest.of, st.binary(max_size=4), st.sampled_from(["sha256", "sha512"]))
platforms = st.builds(
    Platform,
    st.sampled_from(["linux", "windows", "freebsd"]),
    st.sampled_from(["amd64", "arm64", "arm", "s390x"]),
    st.sampled_from(["", "v6", "v7"]),
    st.from_regex(r"\A[A-Za-z0-9_.+-]*\Z"),
).map(Platform.normalized)
names = st.builds(
    Reference,
    st.sampled_from(["ghcr.io", "docker.io", "localhost:5000", "[::1]:5000"]),
    st.from_regex(r"\A[a-z0-9]{1,5}/[a-z0-9]{1,5}([._]|__|-{1,3})[a-z0-9]{1,5}\Z"),
    st.from_regex(r"\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}\Z"),
)
pins = st.builds(
    Pin,
    names,
    digests,
    st.lists(
        st.builds(PinnedPlatform, platforms, digests, st.integers(0, 2**63 - 1)), max_size=3
    ).map(tuple),
    st.lists(platforms, max_size=3).map(tuple),
)


@given(st.lists(pins, max_size=5, unique_by=lambda pin: pin.name))
def test_a_written_file_is_read_back(written: list[Pin]) -> None:
    text = format_pins(written)
    read = parse_pins(text, FILE)
    assert read == {pin.name: pin for pin in written}
    assert format_pins(reversed(list(read.values()))) == text


@pytest.mark.parametrize("begin", [b"", b"\xef\xbb\xbf"], ids=["plain", "mark"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"], ids=["lf", "crlf"])
def test_files_edited_on_windows_are_read(begin: bytes, end: bytes) -> None:
    text = begin + format_pins([PIN]).replace(b"\n", end)
    assert parse_pins(text, FILE) == {NAME: PIN}


def test_a_link_to_itself_is_an_error(tmp_path: Path) -> None:
    link = tmp_path / "images.lock"
    link.symlink_to(link)
    with pytest.raises(UsageError, match="Too many levels of symbolic links"):
        edit_pins(link, lambda pins: pins.update({NAME: PIN}))
    assert link.is_symlink()


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode()))
def test_an_invalid_file_is_refused(raw: bytes) -> None:
    for text in (raw, b"version = 1\n" + raw, f"version = 1\n{ENTRY}".encode() + raw):
        try:
            parse_pins(text, FILE)
        except GhcrctlError as error:
            assert error.exit_status is ExitStatus.USAGE  # noqa: PT017 most are refused, not all


def test_names_are_sorted_and_each_platform_has_a_line() -> None:
    other = Pin(Reference("docker.io", "library/alpine", "3"), DIGEST, (), (AMD64,))
    text = format_pins([PIN, other]).decode()
    assert text.startswith("# ")
    assert "\nversion = 1\n" in text
    assert text.index("docker.io") < text.index("ghcr.io")
    assert 'only = ["linux/amd64"]\n' in text
    line = f'    {{ platform = "linux/amd64", digest = "{DIGEST}", size = 5 }},\n'
    assert text.count(line) == 1


def bent(old: str, new: str) -> bytes:
    assert old in ENTRY
    return f"version = 1\n{ENTRY.replace(old, new)}".encode()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "has no `version`"),
        (b"version = 2\nanything = 1\n", "unsupported version 2, expected 1"),
        (b"version = true", "unsupported version True"),
        (b'version = "1"', "unsupported version 1,"),
        (b"version = 1\nimages = []", "unknown key `images`"),
        (b"version = 1\nversion = 1\n", "duplicate key `version` on line 2"),
        (bent("tag =", 'name = "x"\ntag ='), "duplicate key `name` on line 4"),
        (b"version = 1\nimage = 3", "invalid `image`: expected a list of tables"),
        (b"version = 1\nimage = [3]", "image 1: expected a table"),
        (b"version = 1\n<<<<<<< HEAD\n=======\n>>>>>>> v1.2\n", "unresolved merge conflicts"),
        (b"version = 1\n\xff", "invalid TOML file"),
        (b"version = 1\nimage = " + b"[" * 100_000, "nested too deeply"),
        (b"version = 1\n[" + b"a." * 100_000 + b"a]", "dotted keys"),
        (b"version = 1\n" + b"'a'." * 100_000 + b"a = 1", "dotted keys"),
        (b"version = 1\nx = {y = '''\n''', " + b"a." * 100_000 + b"a = '1'}", "multi-line"),
        (bent("ghcr.io/octo/app", "octo/app"), "image 1: invalid name `octo/app`"),
        (bent("ghcr.io/octo/app", "ghcr.io/octo/app:2"), "expected a full repository"),
        (bent("ghcr.io/octo/app", "ghcr.io//app"), "image 1: invalid reference"),
        (bent("1.0", "a b"), "invalid tag `a b`"),
        (bent("tag =", "tags ="), "did you mean `tag`?"),
        (bent('tag = "1.0"\n', ""), "image 1: `tag` is missing or not a text"),
        (bent(str(DIGEST), "sha256:abc"), "image 1: invalid digest"),
        (bent("tag =", "only = []\ntag ="), "invalid `only`: expected a text or a list of texts"),
        (bent("tag =", 'only = ["a/b/c/d"]\ntag ='), "invalid platform"),
        (bent("tag =", 'only = ["windows/amd64:1\\n"]\ntag ='), "invalid platform"),
        (bent("tag =", "platforms = {}\ntag ="), "invalid `platforms`: expected a list of tables"),
        (bent("tag =", "platforms = [{}]\ntag ="), "image 1: platform 1: invalid `size`"),
        (
            bent("tag =", 'platforms = [{ platform = "linux/arm64", size = -1 }]\ntag ='),
            "invalid `size`",
        ),
        (f"version = 1\n{ENTRY}{ENTRY}".encode(), "pins ghcr.io/octo/app:1.0 twice"),
    ],
)
def test_a_malformed_file_is_refused(raw: bytes, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_pins(raw, FILE)
    assert said in f"{caught.value.message} {caught.value.hint}"
    assert caught.value.message.removeprefix("invalid TOML file ").startswith("images.lock")
    assert len(caught.value.message) < 400


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    with path.open("wb") as file:
        file.truncate(1024**3)
    with pytest.raises(UsageError, match="larger than"):
        read_pins(path)


def test_a_missing_file_gets_a_hint_to_create_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        read_pins(tmp_path / "images.lock")
    assert "ghcrctl lock add" in str(caught.value.hint)


def put(*given: Pin) -> Callable[[dict[Reference, Pin]], None]:
    return lambda there: there.update({pin.name: pin for pin in given})


def test_a_change_leaves_no_other_files(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    edit_pins(path, put(PIN))
    assert list(tmp_path.iterdir()) == [path]
    assert read_pins(path) == {NAME: PIN}


def test_an_unchanged_file_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    path.write_text(f"version=1\n{ENTRY}# mine\n")
    before = path.stat()
    edit_pins(path, lambda _: None)
    assert path.stat().st_ino == before.st_ino
    assert "# mine" in path.read_text()


def test_the_target_of_a_link_is_changed(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "images.lock"
    link.symlink_to(tmp_path / "there" / "images.lock")
    edit_pins(link, put(PIN))
    edit_pins(link, put(Pin(Reference("ghcr.io", "octo/b", "1"), DIGEST)))
    assert link.is_symlink()
    assert len(read_pins(tmp_path / "there" / "images.lock")) == 2


def test_a_malformed_file_is_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "images.lock"
    path.write_text("version = 9\n")
    with pytest.raises(UsageError):
        edit_pins(path, put(PIN))
    assert path.read_text() == "version = 9\n"
    assert list(tmp_path.iterdir()) == [path]
