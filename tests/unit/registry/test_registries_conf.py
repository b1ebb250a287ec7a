"""The ``registries.conf`` files of podman, skopeo and buildah, and when they are invalid."""

from __future__ import annotations

from pathlib import Path

import pytest

from ghcrctl.errors import InvalidSettingError
from ghcrctl.oci.reference import Reference
from ghcrctl.registry.registries_conf import merged, read_rules
from ghcrctl.registry.registry_rules import Location, Rule
from ghcrctl.settings import Settings, read_toml
from ghcrctl.settings.registry_files import files_of_containers

PATH = "registries.conf"


def rules(text: str, *, drop_in: bool = False) -> list[Rule]:
    return read_rules(read_toml(text.encode(), Path(PATH)), PATH, drop_in=drop_in)


def test_version_2_is_read() -> None:
    text = """
        unqualified-search-registries = ["docker.io", "quay.io:5000"]
        short-name-mode = "permissive"
        credential-helpers = ["secretservice"]
        unknown = 1
        [[registry]]
        location = "a.io/"
        insecure = true
        [[registry]]
        prefix = "b.io/team"
        location = "c.lan/b"
        mirror-by-digest-only = true
        [[registry.mirror]]
        location = "d.lan"
        insecure = true
        [[registry]]
        prefix = "*.e.io"
        blocked = true
        [[registry.mirror]]
        location = "f.lan"
        pull-from-mirror = "tag-only"
        [aliases]
        "team/tool" = "b.io/team/tool"
        removed = ""
    """
    by_digest = Location("d.lan", insecure=True, pulls="digest-only")
    assert rules(text) == [
        Rule("a.io", Location("a.io", insecure=True), file=PATH, any_port=True),
        Rule("b.io/team", Location("c.lan/b"), (by_digest,), file=PATH, any_port=True),
        Rule(
            "*.e.io",
            Location(""),
            (Location("f.lan", pulls="tag-only"),),
            blocked=True,
            file=PATH,
            any_port=True,
        ),
    ]


def test_version_1_is_read() -> None:
    text = """
        [registries.search]
        registries = ["docker.io"]
        [registries.insecure]
        registries = ["a.io/", "b.io"]
        [registries.block]
        registries = ["b.io", "c.io"]
    """
    found = {rule.prefix: (rule.origin.insecure, rule.blocked) for rule in rules(text)}
    assert found == {"a.io": (True, False), "b.io": (True, True), "c.io": (False, True)}


def test_empty_lists_of_version_1_do_not_matter() -> None:
    lists = "".join(f"[registries.{n}]\nregistries = []\n" for n in ("search", "insecure", "block"))
    assert [rule.prefix for rule in rules(f'{lists}[[registry]]\nlocation = "a.io"')] == ["a.io"]


def test_the_first_of_two_equal_prefixes_counts_in_a_file_and_the_last_of_files() -> None:
    first, second = '[[registry]]\nprefix = "a.io"\nlocation = "{}"\n', "b.lan"
    both = rules(first.format("c.lan") + first.format(second))
    assert [rule.origin.name for rule in both] == ["c.lan"]
    later = [both, rules(first.format(second)), rules('[[registry]]\nlocation = "z.io"')]
    assert [rule.origin.name for rule in merged(later)] == ["b.lan", "z.io"]


ONE = '[[registry]]\nlocation = "a.io"\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("registry = 7", "`registry` must be a list"),
        ('[registry]\nlocation = "a.io"', "`registry` must be a list"),
        ("registry = [7]", "list of tables"),
        ("[[registry]]", "neither"),
        ('[[registry]]\nprefix = "a.io"', "no `location`"),
        ('[[registry]]\nprefix = "https://a.io"\nlocation = "b.io"', "scheme"),
        ('[[registry]]\nlocation = "http://a.io"', "scheme"),
        (f"{ONE}insecure = 'yes'", "`insecure` must be a boolean"),
        (f"{ONE}blocked = 1", "`blocked` must be a boolean"),
        ("[[registry]]\nlocation = 7", "`location` must be a string"),
        (f"{ONE}pull-from-mirror = 'all'", "belongs to"),
        (f"{ONE}[[registry.mirror]]", "mirror of `a.io` has no `location`"),
        (f"{ONE}[[registry.mirror]]\nlocation = 'https://b.io'", "scheme"),
        (f"{ONE}[[registry.mirror]]\nlocation = 'b.io'\npull-from-mirror = 'x'", "pull-from"),
        (
            f"{ONE}mirror-by-digest-only = true\n"
            "[[registry.mirror]]\nlocation = 'b.io'\npull-from-mirror = 'all'",
            "excludes",
        ),
        (f"{ONE}{ONE}insecure = true", "different `insecure`"),
        (f"{ONE}[[registry]]\nprefix = 'b.io'\nlocation = 'a.io'\nblocked = true", "`blocked`"),
        (f"[registries.search]\nregistries = ['b.io']\n{ONE}", "mixes version 1"),
        ("[registries.search]\nregistries = ['http://b.io']", "scheme"),
        ("[registries.block]\nregistries = 'b.io'", "`registries` must be a list"),
        ("[registries.insecure]\nregistries = [7]", "list of strings"),
        ("registries = 7", "`registries` must be a table"),
        ("unqualified-search-registries = ['a.io/team']", "invalid registry"),
        ("short-name-mode = 'never'", "short-name-mode"),
        ("[aliases]\nimage = 'image:1'", "invalid alias"),
        ("[aliases]\nimage = 'a.io/image:1'", "invalid alias"),
        ("[aliases]\n'image:1' = 'a.io/image'", "invalid alias"),
        ("[aliases]\n'a.io/image' = 'b.io/image'", "invalid alias"),
        ("[aliases]\n'IMAGE!' = 'b.io/image'", "invalid alias"),
        ("[aliases]\nimage = 7", "invalid alias"),
    ],
)
def test_an_invalid_file_is_an_error(text: str, reason: str) -> None:
    with pytest.raises(InvalidSettingError, match=reason) as caught:
        rules(text)
    assert caught.value.message.startswith("invalid registries.conf registries.conf: ")


def test_a_drop_in_must_be_version_2() -> None:
    with pytest.raises(InvalidSettingError, match="drop-in"):
        rules("[registries.search]\nregistries = ['a.io']", drop_in=True)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_files_of_the_user_are_found_in_order(tmp_path: Path) -> None:
    own = tmp_path / ".config" / "containers"
    second = write(own / "registries.conf.d" / "2.conf", "")
    first = write(own / "registries.conf.d" / "1.conf", "")
    write(own / "registries.conf.d" / "3.ignored", "no toml")
    (own / "registries.conf.d" / "4.conf").mkdir()
    given = write(tmp_path / "given.conf", "")
    for name in ("CONTAINERS_REGISTRIES_CONF", "REGISTRIES_CONFIG_PATH"):
        main, drop_ins = files_of_containers({name: str(given)}, tmp_path)
        assert main == given
        assert drop_ins[-2:] == [first, second]
    main = write(own / "registries.conf", "")
    assert files_of_containers({}, tmp_path) == (main, [first, second])


def test_a_drop_in_replaces_an_entry_of_the_main_file(tmp_path: Path) -> None:
    own = tmp_path / ".config" / "containers"
    write(own / "registries.conf", '[[registry]]\nlocation = "a.io"\n')
    drop_in = write(own / "registries.conf.d" / "a.conf", f"{ONE}blocked = true")
    blocked = Settings({"HOME": str(tmp_path)}).routes.find(Reference.parse("a.io/x")).blocked
    assert blocked
    assert blocked.file == str(drop_in)


def test_a_configured_file_that_is_missing_or_invalid_is_an_error(tmp_path: Path) -> None:
    given = tmp_path / "given.conf"
    environ = {"HOME": str(tmp_path), "CONTAINERS_REGISTRIES_CONF": str(given)}
    with pytest.raises(InvalidSettingError, match=r"cannot read .*given\.conf: No such file"):
        _ = Settings(environ).routes
    given.write_text("no toml")
    with pytest.raises(InvalidSettingError, match=r"given\.conf"):
        _ = Settings(environ).routes
