"""Separate credentials and TLS options for the source and target of a copy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ghcrctl.credentials.credential import Credential
from ghcrctl.errors import AuthError
from ghcrctl.operations.common.registry_access import Access, use_access
from ghcrctl.operations.moving.copy import CopyOptions, OpenTarget, copy_into
from ghcrctl.operations.moving.endpoints.registry import RegistryEndpoint
from tests.builders import random_image
from tests.sessions import name_at, session_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ghcrctl.oci.reference import Reference
    from ghcrctl.operations.common.session import Session
    from tests.registry_double import PlainRegistry, RegistryDouble

IMAGE = random_image(seed=1)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    """A session without credentials."""
    with session_on(tmp_path / "home") as made:
        yield made


def copy_between(
    session: Session,
    source: Reference,
    target: Reference,
    mine: Access | None = None,
    theirs: Access | None = None,
    *,
    referrers: bool = False,
) -> str:
    """Copy with separate access for each side; return the digest of the copy."""
    end = RegistryEndpoint(target)
    with (
        use_access(session, mine) as reader,
        use_access(session, theirs) as writer,
        end.sink(writer, dry_run=False) as sink,
    ):
        copy_options = CopyOptions(referrers=referrers)
        done = copy_into(
            session, RegistryEndpoint(source), OpenTarget(end, sink), copy_options, reader=reader
        )
    return str(done.descriptor.digest)


def as_user(registry: PlainRegistry, user: str) -> Access:
    return Access(registry.host, Credential(user, f"ghp_{user}", source="the test"))


@pytest.mark.parametrize("referrers", [False, True])
def test_each_side_has_its_own_credential(
    ghcr: RegistryDouble, session: Session, *, referrers: bool
) -> None:
    ghcr.accounts["cat"] = "ghp_cat"
    ghcr.push_image("octo/image", "1.0", IMAGE)
    source, target = name_at(ghcr, session), name_at(ghcr, session, "cat/copy:1.0")
    mine, theirs = as_user(ghcr, "octo"), as_user(ghcr, "cat")
    done = copy_between(session, source, target, mine, theirs, referrers=referrers)
    assert done == str(IMAGE.root.digest)
    users = {grant.user for grant in ghcr.authority.grants.values()}
    assert users == {"octo", "cat"}
    for grant in ghcr.authority.grants.values():
        assert not {r for r, _ in grant.scopes if not r.startswith(f"{grant.user}/")}


@pytest.mark.parametrize("given", ["nothing", "source", "target", "exchanged"])
def test_credentials_are_not_shared_between_sides(
    ghcr: RegistryDouble, session: Session, given: str
) -> None:
    ghcr.accounts["cat"] = "ghp_cat"
    ghcr.push_image("octo/image", "1.0", IMAGE)
    mine, theirs = as_user(ghcr, "octo"), as_user(ghcr, "cat")
    sides = {
        "nothing": (None, None),
        "source": (mine, None),
        "target": (None, theirs),
        "exchanged": (theirs, mine),
    }
    source, target = name_at(ghcr, session), name_at(ghcr, session, "cat/copy:1.0")
    with pytest.raises(AuthError):
        copy_between(session, source, target, *sides[given])
    assert ghcr.count("PUT") == 0


def test_a_side_without_a_credential_uses_that_of_the_session(
    ghcr: RegistryDouble, tmp_path: Path
) -> None:
    ghcr.accounts["cat"] = "ghp_cat"
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with session_on(tmp_path / "home", registry=ghcr.host, token="ghp_octo") as session:
        source, target = name_at(ghcr, session), name_at(ghcr, session, "cat/copy:1.0")
        assert copy_between(session, source, target, None, as_user(ghcr, "cat"))


def test_a_credential_is_sent_to_no_other_registry(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, session: Session
) -> None:
    with use_access(session, as_user(ghcr, "octo")) as side:
        assert side.credential_chain.find(ghcr.host, "octo/image") is not None
        assert side.credential_chain.find(plain_registry.host, "octo/image") is None
        assert side.store is session.store


def test_certificates_of_a_side_are_for_its_registry(session: Session) -> None:
    given = Access(
        "one.local",
        ca_file=Path("ca.pem"),
        client_cert=Path("cert.pem"),
        client_key=Path("key.pem"),
        insecure=True,
    )
    with use_access(session, given) as side:
        mine = side.transport_options("one.local").tls
        assert (mine.ca_file, mine.client_cert) == (Path("ca.pem"), Path("cert.pem"))
        assert (mine.client_key, mine.insecure) == (Path("key.pem"), True)
        for other in ("two.local", ""):
            tls = side.transport_options(other).tls
            assert tls == session.transport_options(other).tls
            assert not tls.insecure
        assert session.transport_options("one.local").tls.ca_file is None


def test_a_side_without_options_is_the_session(session: Session) -> None:
    for nothing in (None, Access("one.local")):
        with use_access(session, nothing) as side:
            assert side is session


def test_a_key_of_the_settings_is_not_mixed_with_a_certificate_of_a_side(tmp_path: Path) -> None:
    environ = {"GHCRCTL_CLIENT_CERT": "general.pem", "GHCRCTL_CLIENT_KEY": "general.key"}
    access = Access("one.local", client_cert=Path("both.pem"))
    with session_on(tmp_path, environ=environ) as session, use_access(session, access) as side:
        tls = side.transport_options("one.local").tls
        assert (tls.client_cert, tls.client_key) == (Path("both.pem"), None)


def test_secrets_are_not_in_any_repr(ghcr: RegistryDouble, tmp_path: Path) -> None:
    said: list[str] = []
    wrong = replace(as_user(ghcr, "octo"), credential=Credential("octo", "s3cret", source="here"))
    ghcr.push_image("octo/image", "1.0", IMAGE)
    with session_on(tmp_path, warn=said.append, debug=said.append) as session:
        with pytest.raises(AuthError) as caught:
            copy_between(
                session, name_at(ghcr, session), name_at(ghcr, session, "octo/copy"), wrong
            )
        said += [str(caught.value), caught.value.hint or "", repr(wrong)]
    assert len(said) > 3
    assert "s3cret" not in "\n".join(said)


@pytest.mark.parametrize("rule", ["{logical}/octo", "{logical}"])
def test_a_side_reaches_the_location_of_its_registry(
    ghcr: RegistryDouble, plain_registry: PlainRegistry, tmp_path: Path, rule: str
) -> None:
    ghcr.push_image("octo/image", "1.0", IMAGE)
    prefix = rule.format(logical="old.example")
    conf = tmp_path / "registries.conf"
    place = f"{ghcr.host}{prefix.removeprefix('old.example')}"
    conf.write_text(f'[[registry]]\nprefix = "{prefix}"\nlocation = "{place}"\n')
    environ = {"CONTAINERS_REGISTRIES_CONF": str(conf)}
    with session_on(tmp_path / "home", environ=environ) as session:
        source = session.parse("old.example/octo/image:1.0")
        target = session.parse(f"{plain_registry.host}/copy:1")
        access = Access("old.example", Credential("octo", "ghp_octo", source="the test"))
        assert copy_between(session, source, target, access) == str(IMAGE.root.digest)
    assert {grant.user for grant in ghcr.authority.grants.values()} == {"octo"}
