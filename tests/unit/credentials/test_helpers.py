"""Docker's credential helpers, with a real program on the PATH."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.credentials import helpers
from ghcrctl.credentials.credential import Credential
from ghcrctl.credentials.helpers import HelperError
from ghcrctl.credentials.own_store import default_store
from ghcrctl.errors import CredentialStoreError
from tests.unit.credentials.helper_user import NOTHING, User

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s3cr3t:ü"
HUB = "https://index.docker.io/v1/"


@pytest.fixture
def user(tmp_path: Path) -> User:
    return User(tmp_path)


# Input of helpers, and names


@pytest.mark.parametrize("registry", ["reg.io", "reg.io:5000", "docker.io", "localhost:5000"])
def test_what_is_stored_is_found_and_erased(user: User, registry: str) -> None:
    key = HUB if registry == "docker.io" else registry
    stored = user.own_store.store(registry, Credential("me", SECRET))
    assert (stored.place, stored.warning) == ("docker-credential-fake", None)
    assert user.kept == {key: ["me", SECRET]}
    found = user.find(registry)
    assert found == Credential("me", SECRET, None, "docker-credential-fake")
    assert user.own_store.erase(registry) == ["docker-credential-fake"]
    assert user.kept == {}
    assert user.own_store.erase(registry) == []
    assert user.find(registry) is None
    assert user.said == []
    assert SECRET not in "\n".join(user.log)


@pytest.mark.parametrize(
    ("registry", "asked"),
    [
        ("docker.io", [HUB, "docker.io", "https://docker.io"]),
        ("reg.io", ["reg.io", "https://reg.io"]),
        ("reg.io:5000", ["reg.io:5000", "https://reg.io:5000"]),
        ("[::1]:5000", ["[::1]:5000", "https://[::1]:5000"]),
    ],
)
def test_a_helper_is_asked_for_each_key_of_a_registry(
    user: User, registry: str, asked: list[str]
) -> None:
    assert user.find(registry, "octo/app") is None
    assert user.log == [f"get {key}" for key in asked]
    for key in asked:
        user.keep(**{key: ("u", f"s of {key}")})
        found = user.find(registry, "octo/app")
        assert found
        assert found.secret == f"s of {key}"
        assert user.own_store.erase(registry) == ["docker-credential-fake"]
        assert user.kept == {}


def test_an_empty_secret_under_one_name_does_not_hide_another(user: User) -> None:
    user.keep(**{"reg.io": ("u", ""), "https://reg.io": ("u", "s")})
    found = user.find()
    assert found
    assert found.secret == "s"


def test_an_identity_token_is_stored_and_read_like_docker(user: User) -> None:
    user.own_store.store("reg.io", Credential("me", "unused", "refresh"))
    assert user.kept == {"reg.io": ["<token>", "refresh"]}
    found = user.find()
    assert found
    assert (found.secret, found.identity_token) == ("", "refresh")
    assert "refresh" not in repr(found)


def test_a_user_name_may_be_empty(user: User) -> None:
    user.keep(**{"reg.io": ("", "s")})
    found = user.find()
    assert found
    assert (found.username, found.secret, found.identity_token) == ("", "s", None)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ('{"Username": "u", "Secret": "s"}', ("u", "s")),
        ('\n {"ServerURL": "", "Username": "u", "Secret": "s"}\n\n', ("u", "s")),
        # JSON as Go parses it.
        ('{"username": "u", "SECRET": "s"}', ("u", "s")),
        ('{"Secret": "s"}', ("", "s")),
        ('{"Username": null, "Secret": "s"}', ("", "s")),
        ('{"Username": "u", "Secret": "s"}\nbye', ("u", "s")),
        ('{"Username": "u", "Secret": "a\\nb \\u00fc"}', ("u", "a\nb ü")),
        ('{"Username": "u", "Secret": " s "}', ("u", " s ")),
        # Empty output.
        ("{}", None),
        ('{"Username": "u"}', None),
        ('{"Username": "u", "Secret": ""}', None),
        ('{"Username": "u", "Secret": null}', None),
        ('{"Username": "", "Secret": ""}', None),
        ('{"Username": "<token>", "Secret": ""}', None),
    ],
)
def test_responses_are_parsed_like_docker(
    user: User, response: str, expected: tuple[str, str] | None
) -> None:
    (user.home / "response").write_text(response)
    user.script(f"cat {user.home / 'response'}")
    found = user.find()
    assert ((found.username, found.secret) if found else None) == expected
    assert user.said == []


def test_a_helper_lists_the_registries_that_it_has(user: User) -> None:
    assert user.own_store.helper_registries() == ("docker-credential-fake", ())
    user.keep(**{HUB: ("u", "s"), "https://reg.io": ("u", "s"), "reg.io": ("u", "s")})
    assert user.own_store.helper_registries() == ("docker-credential-fake", ("docker.io", "reg.io"))
    user.configure({"credHelpers": {"reg.io": "fake"}})
    assert user.own_store.helper_registries() == ("", ())


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo garbage", "list printed invalid JSON"),
        ("echo '[1]'", "list did not print a JSON object"),
        ("echo no such verb; exit 1", "list failed with status 1: no such verb"),
    ],
)
def test_a_list_that_fails_is_explained(user: User, body: str, reason: str) -> None:
    user.script(body)
    with pytest.raises(CredentialStoreError, match=f"docker-credential-fake {reason}"):
        user.own_store.helper_registries()
    for nothing in ("exit 0", f"echo '{NOTHING}'; exit 1"):
        user.script(nothing)
        assert user.helper.list() == ()


# Failures


@pytest.mark.parametrize(
    "said", [NOTHING, f"  {NOTHING}\n", NOTHING.upper(), "credentials not found", f"{NOTHING}."]
)
def test_missing_credentials_are_not_a_failure(user: User, said: str) -> None:
    user.script(f"echo '{said}'; echo debug >&2; exit 1")
    assert user.find() is None
    assert user.said == []
    assert user.own_store.erase("reg.io") == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("echo boom; exit 3", "get failed with status 3: boom"),
        ("echo boom >&2; exit 3", "get failed with status 3: boom"),
        ("echo first; echo second; exit 1", "get failed with status 1: first"),
        ("echo; echo boom; exit 1", "get failed with status 1: boom"),
        ("exit 7", "get failed with status 7"),
        # Only the whole message means that there is no credential.
        (f"echo 'own_store sealed: {NOTHING}'; exit 1", f"status 1: own_store sealed: {NOTHING}"),
        (f"echo '{NOTHING}' >&2; exit 1", f"get failed with status 1: {NOTHING}"),
        (f"echo '{NOTHING}'", "get printed invalid JSON"),
        ("echo no credentials server URL; exit 1", "no credentials server URL"),
        ("kill -9 $$", "get was killed by SIGKILL"),
        ("kill -15 $$", "get was killed by SIGTERM"),
        ("kill -50 $$", "get was killed by signal 50"),
        ("exit 0", "get printed nothing"),
        ("echo; echo ' '", "get printed nothing"),
        ("echo garbage", "get printed invalid JSON"),
        ('echo \'{"Username": "u"\'', "get printed invalid JSON"),
        ("echo '[1]'", "get did not print a JSON object"),
        ("echo null", "get did not print a JSON object"),
        ('echo \'{"Username": 1, "Secret": "s"}\'', "invalid `Username`: expected a string"),
        ('echo \'{"Username": "u", "Secret": []}\'', "invalid `Secret`: expected a string"),
        (r"""printf '{"Username": "u", "Secret": "\377"}'""", "get printed invalid UTF-8"),
        ("while :; do echo 0123456789abcdef; done", "printed more than 1048576 bytes"),
        ("while :; do echo 0123456789abcdef >&2; done", "printed more than 1048576 bytes"),
        ("echo " + "x" * 300 + "; exit 1", f"status 1: {'x' * 200} (configured"),
    ],
)
def test_a_failure_is_reported_and_skipped(user: User, body: str, reason: str) -> None:
    user.script(body)
    auth = {"auths": {"reg.io": {"username": "file", "password": "s"}}}
    user.configure({"credsStore": "fake"} | auth)
    found = user.find()
    assert found
    assert found.username == "file"
    [said] = user.said
    assert "docker-credential-fake" in said
    assert reason in said
    assert str(user.home / ".docker" / "config.json") in said


def test_a_hanging_helper_is_killed(user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(helpers, "_TIMEOUT_SECONDS", 0.3)
    user.script("exec sleep 60")
    assert user.find() is None
    assert "cannot run docker-credential-fake get: it did not finish within 0.3 s" in user.said[0]


def test_deeply_nested_output_is_an_error(user: User) -> None:
    (user.home / "response").write_text('{"Secret": ' + "[" * 100_000)
    user.script(f"cat {user.home / 'response'}")
    assert user.find() is None
    assert "invalid JSON" in user.said[0]


def test_a_missing_helper_is_named(user: User) -> None:
    user.configure({"credsStore": "osxkeychain"})
    assert user.find() is None
    assert "docker-credential-osxkeychain is not on the PATH" in user.said[0]
    with pytest.raises(CredentialStoreError, match="osxkeychain is not on the PATH") as caught:
        user.own_store.store("reg.io", Credential("me", SECRET))
    assert caught.value.exit_status == 5
    assert caught.value.hint


def test_a_helper_that_cannot_be_started_is_named(user: User) -> None:
    user.program("#!/nowhere/interpreter\n")
    assert user.find() is None
    assert "cannot run docker-credential-fake get: No such file or directory" in user.said[0]


@pytest.mark.parametrize("name", ["../bin/x", "x/../../clone/y", "/tmp/x", "a\0b", ".."])
def test_a_helpers_name_cannot_be_a_path(
    user: User, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(user.home)
    (user.home / "docker-credential-..").mkdir()
    (user.home / "docker-credential-x").mkdir()
    user.configure({"credsStore": name})
    assert user.find() is None
    assert "on the PATH" in user.said[0]


def test_a_helper_of_the_current_directory_is_never_run(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = user.home / "clone"
    clone.mkdir()
    hostile = clone / "docker-credential-evil"
    hostile.write_text(f"#!/bin/sh\ntouch {user.home / 'ran'}\n")
    hostile.chmod(0o755)
    monkeypatch.chdir(clone)
    user.configure({"credsStore": "evil"})
    for path in ("", ".", f".:{user.environ['PATH']}", f"{user.environ['PATH']}:"):
        user.environ["PATH"] = path
        user.said.clear()
        assert user.find() is None
        assert "docker-credential-evil` in the current directory is ignored" in user.said[0]
        with pytest.raises(CredentialStoreError, match="in the current directory is ignored"):
            user.own_store.store("reg.io", Credential("me", SECRET))
    assert not (user.home / "ran").exists()


# Secrets


@pytest.mark.parametrize("stream", ["", ">&2"])
@pytest.mark.parametrize("verb", ["store", "erase"])
def test_no_message_repeats_a_secret_that_a_helper_echoes(
    user: User, verb: str, stream: str
) -> None:
    answer = json.dumps({"Username": "u", "Secret": "s3cret"})
    user.script(f"[ $1 = get ] && {{ echo '{answer}'; exit 0; }}; cat {stream}; exit 1")
    given = (Credential("u", "s3cret"),) if verb == "store" else ()
    with pytest.raises(CredentialStoreError) as caught:
        getattr(user.own_store, verb)("reg.io", *given)
    assert "s3cret" not in str(caught.value)
    assert f"docker-credential-fake {verb} failed with status 1" in str(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        """echo '{"Username": "u", "Secret": "s3cret"}'; exit 1""",
        """printf '{\n"Username": "u",\n"Secret": "s3cret"\n}\n'; exit 1""",
        """echo '{"Username": "u", "Secret": "s3cret"'""",
        """echo '"Secret": "s3cret"' >&2; exit 1""",
        """echo '{"Username": "u", "Secret": ["s3cret"]}'""",
    ],
)
def test_messages_do_not_show_the_output_of_a_failed_get(user: User, body: str) -> None:
    user.script(body)
    assert user.find() is None
    assert "docker-credential-fake" in user.said[0]
    assert "s3cret" not in user.said[0]


def test_a_secret_echoed_on_its_own_line_is_not_shown(user: User) -> None:
    user.script("echo wrong s3cret; echo keychain locked; exit 1")
    with pytest.raises(HelperError) as caught:
        user.helper.store("reg.io", Credential("u", "s3cret"))
    assert str(caught.value) == (
        "docker-credential-fake store failed with status 1: keychain locked"
    )


def test_a_secret_is_never_an_argument(user: User) -> None:
    user.script(f'echo "$@" >> {user.home / "arguments"}; cat > /dev/null')
    user.helper.store("reg.io", Credential("u", SECRET))
    assert (user.home / "arguments").read_text() == "store\n"


def test_no_repr_shows_a_helpers_environment(user: User) -> None:
    user.environ["GHCRCTL_TOKEN"] = "s3cret"
    assert "s3cret" not in repr(user.helper)


@pytest.mark.parametrize("name", ["Username", "Secret"])
def test_an_unusable_credential_is_skipped(user: User, name: str) -> None:
    answer = json.dumps({"Username": "u", "Secret": "s"} | {name: "\ud800"})
    user.script(f"printf '%s' '{answer}'".replace("\\u", "\\u"))
    assert user.find() is None
    assert user.said == [
        "ignoring the credential from docker-credential-fake: it is not valid UTF-8"
    ]


# Choice of the helper


@pytest.mark.parametrize(
    ("config", "registry", "expected"),
    [
        ({"credsStore": "a"}, "reg.io", "a"),
        ({"credsStore": "a", "credHelpers": {"reg.io": "b"}}, "reg.io", "b"),
        ({"credsStore": "a", "credHelpers": {"reg.io": "b"}}, "other.io", "a"),
        ({"credsStore": "a", "credHelpers": {"reg.io": ""}}, "reg.io", None),
        ({"credsStore": "", "credHelpers": {"reg.io": "b"}}, "reg.io", "b"),
        ({"credsStore": "a", "credHelpers": {"reg.io:5000": "b"}}, "reg.io", "a"),
        ({"credsStore": "a", "credHelpers": {"reg.io": "b"}}, "reg.io:5000", "a"),
        ({"credHelpers": {"reg.io:5000": "b"}}, "reg.io:5000", "b"),
        ({"credsStore": "a", "credHelpers": {HUB: "b"}}, "docker.io", "b"),
        ({"credsStore": "a", "credHelpers": {"docker.io": "b"}}, "docker.io", "b"),
        ({"credsStore": "a", "credHelpers": {"index.docker.io": "b"}}, "docker.io", "b"),
        ({"credHelpers": {"docker.io": "a", HUB: "b"}}, "docker.io", "b"),
        ({"credHelpers": {"https://reg.io/v2/": "b"}}, "reg.io", "b"),
        ({"credHelpers": {"https://reg.io": "b", "reg.io": "a"}}, "reg.io", "a"),
        ({"credsStore": "a", "credHelpers": {"reg.io": 5}}, "reg.io", "a"),
        ({"credsStore": "a", "credHelpers": ["reg.io"]}, "reg.io", "a"),
        ({"credsStore": 5}, "reg.io", None),
        ({"credsstore": "a", "CREDHELPERS": {"reg.io": "b"}}, "reg.io", "b"),
        ({"credsStore": None, "credHelpers": None}, "reg.io", None),
    ],
)
def test_the_registrys_helper_takes_precedence_over_the_store(
    user: User, config: Any, registry: str, expected: str | None
) -> None:
    for name in ("a", "b"):
        answer = json.dumps({"Username": name, "Secret": "s"})
        user.script(f"echo '{answer}'", name)
    user.configure(config)
    found = user.find(registry)
    assert (found.username if found else None) == expected
    assert user.said == []
    helper = default_store(user.environ, home=user.home, config_dir=user.home)._helper(registry)
    assert (helper.name if helper else None) == expected
