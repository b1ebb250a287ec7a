"""``ghcrctl copy``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ghcrctl.registry.referrers import referrers_tag
from tests.builders import artifact, random_image
from tests.shell import Shell

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry, RegistryDouble

ONE, TWO = random_image(2, seed=1), random_image(1, seed=2)
SBOM = artifact("application/spdx+json", subject=ONE.root)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.fixture
def host(plain_registry: PlainRegistry) -> str:
    """A registry with two images and a referrer of the first."""
    plain_registry.push_image("octo/one", "1.0", ONE)
    plain_registry.push_image("octo/two", "2.0", TWO)
    plain_registry.push_image("octo/one", None, SBOM)
    return plain_registry.host


def test_several_images_go_into_a_namespace(shell: Shell, host: str) -> None:
    names = [f"{host}/octo/one:1.0", f"{host}/octo/two:2.0"]
    lines = shell.ok("copy", "--referrers", *names, names[0], f"{host}/mirror/all/")
    copies = [f"{host}/mirror/all/one:1.0", f"{host}/mirror/all/two:2.0"]
    assert [line for line in lines if line in copies] == copies
    assert lines[0] == f"1.0: Copying from {host}/octo/one"
    assert lines[4:7] == [
        "Referrers: 1",
        f"Digest: {ONE.root.digest}",
        copies[0],
    ]
    assert shell.ok("copy", "-q", *names, f"{host}/mirror/again") == [
        f"{host}/mirror/again:1.0",
        f"{host}/mirror/again:2.0",
    ]
    assert shell.ok("digest", f"{host}/mirror/again:2.0") == [str(TWO.root.digest)]


def test_an_image_that_fails_does_not_stop_the_others(shell: Shell, host: str) -> None:
    names = [f"{host}/octo/none:1", f"{host}/octo/two:2.0"]
    done = shell.run("copy", "-q", *names, f"{host}/mirror/")
    assert (done.returncode, done.stdout.split()) == (4, [f"{host}/mirror/two:2.0"])
    assert done.stderr.startswith("error: ")


def test_a_dry_run_counts_referrers(shell: Shell, host: str, plain_registry: PlainRegistry) -> None:
    names = [f"{host}/octo/one:1.0", f"{host}/mirror/one"]
    bare = shell.ok("copy", "--dry-run", *names)
    lines = shell.ok("copy", "--dry-run", "--referrers", *names)
    assert lines[0] == bare[0] == f"1.0: Copying from {host}/octo/one"
    assert len(lines) == len(bare) + 1
    assert lines[-1] != bare[-1]
    assert lines[-1].startswith("Would copy ")
    assert plain_registry.count("PUT") == plain_registry.count("POST") == 0


def test_the_local_store_is_an_end(shell: Shell, host: str) -> None:
    lines = shell.ok("copy", f"{host}/octo/one:1.0", "hello")
    assert lines[-1] == "hello:1.0"
    assert shell.ok("copy", "hello:1.0", f"{host}/octo/back:2")[0] == (
        "hello:1.0: Copying from the local store"
    )
    assert shell.ok("digest", f"{host}/octo/back:2") == [str(ONE.root.digest)]
    assert shell.ok("copy", "-q", f"{host}/octo/two:2.0", "store:") == [f"{host}/octo/two:2.0"]
    assert shell.ok("fsck")[-1].startswith("Checked 2 images")


def test_referrers_require_two_registries(shell: Shell, host: str) -> None:
    error = shell.fails(2, "copy", "--referrers", f"{host}/octo/one:1.0", "hello")
    assert "--referrers requires a registry" in error


def test_passwords_come_from_where_they_are_not_seen(shell: Shell, ghcr: RegistryDouble) -> None:
    ghcr.accounts["cat"] = "ghp_cat"
    ghcr.push_image("octo/image", "1.0", ONE)
    shell.environ["GHCRCTL_SRC_PASSWORD"] = "ghp_octo"
    names = [f"{ghcr.host}/octo/image:1.0", f"{ghcr.host}/cat/copy"]
    users = ["--src-creds", "octo", "--dest-creds", "cat"]
    done = shell.run("copy", "-q", "-D", *users, "--dest-password-stdin", *names, stdin="ghp_cat\n")
    assert (done.returncode, done.stdout.strip()) == (0, f"{ghcr.host}/cat/copy:1.0")
    assert "ghp_" not in done.stderr
    error = shell.fails(5, "copy", *names)
    assert "login" in error


def test_a_password_on_the_command_line_works_and_is_warned_of(
    shell: Shell, ghcr: RegistryDouble
) -> None:
    ghcr.push_image("octo/image", "1.0", ONE)
    given = ["--src-creds", "octo:ghp_octo", "--dest-creds", "octo:ghp_octo"]
    names = [f"{ghcr.host}/octo/image:1.0", f"{ghcr.host}/octo/copy"]
    done = shell.run("copy", "-q", *given, *names)
    assert done.returncode == 0
    assert done.stderr.splitlines() == [
        f"warning: Using --{side}-creds USER:PASS via the CLI is insecure. "
        f"Use --{side}-password-stdin."
        for side in ("src", "dest")
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--src-creds", "octo"], "no password for --src-creds"),
        (["--src-password-stdin"], "must provide --src-creds"),
        (["--src-creds", ":x"], "--src-creds requires a username"),
        (["--dest-creds", "octo:"], "must not be empty"),
        (["--dest-creds", "octo", "--dest-password-stdin"], "must not be empty"),
        (["--src-creds", "o:p", "--src-password-stdin"], "are mutually exclusive"),
        (["--platform", "linux/amd64", "--all-platforms"], "are mutually exclusive"),
        (["--src-password-stdin", "--dest-password-stdin"], "are mutually exclusive"),
        (["--src-key", "key.pem"], "--src-key requires --src-cert"),
    ],
)
def test_contradicting_options_are_rejected(
    shell: Shell, host: str, options: list[str], message: str
) -> None:
    assert message in shell.fails(2, "copy", *options, f"{host}/octo/one:1.0", f"{host}/octo/x")


def test_registry_options_require_one_registry(shell: Shell, host: str) -> None:
    error = shell.fails(2, "copy", "--dest-ca-file", "ca.pem", f"{host}/octo/one:1.0", "hello")
    assert "--dest-ca-file requires one registry: the target has no registry" in error
    names = [f"{host}/octo/one:1.0", "other.local/octo/two:2.0", "store:"]
    error = shell.fails(2, "copy", "--src-insecure", *names)
    assert "--src-insecure requires one registry: the source has 2 registries" in error


def test_cosign_signatures_are_copied(shell: Shell, plain_registry: PlainRegistry) -> None:
    host = plain_registry.host
    plain_registry.push_image("octo/image", "1.0", ONE)
    tag = f"{referrers_tag(ONE.root.digest)}.sig"
    plain_registry.push_image("octo/image", tag, artifact("", payload=b"signature"))
    shell.ok("copy", "--referrers", f"{host}/octo/image:1.0", f"{host}/octo/copy")
    assert tag in shell.ok("tags", "--all", f"{host}/octo/copy")
