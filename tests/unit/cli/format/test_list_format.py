from __future__ import annotations

import subprocess
import sys

import pytest

from ghcrctl.cli.format.list_format import Listing
from ghcrctl.errors import InvalidTemplateError

LISTING = Listing(
    {
        "Repository": "REPOSITORY",
        "Tag": "TAG",
        "ID": "IMAGE ID",
        "CreatedSince": "CREATED",
        "Size": "SIZE",
        "Digest": "DIGEST",
    },
    ["Repository", "Tag", "ID", "CreatedSince", "Size"],
    noun="image",
    placeholders={"CreatedSince": "N/A"},
)
ROWS = [
    {
        "Repository": "ghcr.io/octo/app",
        "Tag": "1.0",
        "ID": "a1b2c3d4a1b2",
        "CreatedSince": "25 hours ago",
        "Size": "13.3kB",
        "Digest": "<none>",
    },
    {
        "Repository": "x/y",
        "Tag": "<none>",
        "ID": "998877669988",
        "CreatedSince": "",
        "Size": "1e+03kB",
        "Digest": "",
    },
]
TABLE = (
    "REPOSITORY         TAG       IMAGE ID       CREATED        SIZE\n"
    "ghcr.io/octo/app   1.0       a1b2c3d4a1b2   25 hours ago   13.3kB\n"
    "x/y                <none>    998877669988   N/A            1e+03kB\n"
)
JSON = (
    '{"CreatedSince":"25 hours ago","Digest":"\\u003cnone\\u003e","ID":"a1b2c3d4a1b2",'
    '"Repository":"ghcr.io/octo/app","Size":"13.3kB","Tag":"1.0"}\n'
    '{"CreatedSince":"","Digest":"","ID":"998877669988",'
    '"Repository":"x/y","Size":"1e+03kB","Tag":"\\u003cnone\\u003e"}\n'
)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, TABLE),
        ("", TABLE),
        ("table", TABLE),
        (" table ", TABLE),
        ("json", JSON),
        ("{{json .}}", JSON),
        ("{{.ID}}: {{.Repository}}", "a1b2c3d4a1b2: ghcr.io/octo/app\n998877669988: x/y\n"),
        (r"{{.ID}}\t{{.Tag}}\n", "a1b2c3d4a1b2\t1.0\n\n998877669988\t<none>\n\n"),
        ("table{{.ID}}", "IMAGE ID\na1b2c3d4a1b2\n998877669988\n"),
        (
            r"table {{.ID}}\t{{.Repository}}\t{{.Tag}}",
            "IMAGE ID       REPOSITORY         TAG\n"
            "a1b2c3d4a1b2   ghcr.io/octo/app   1.0\n"
            "998877669988   x/y                <none>\n",
        ),
        (
            r"table {{.ID}}: {{.Repository}}\t{{.Tag | upper}}\n{{json .Size}}",
            "IMAGE ID: REPOSITORY   TAG\nSIZE\n"
            'a1b2c3d4a1b2: ghcr.io/octo/app   1.0\n"13.3kB"\n'
            '998877669988: x/y   <NONE>\n"1e+03kB"\n',
        ),
        (
            r'table {{truncate .ID 3}}{{"\t"}}{{lower .Size}}',
            "IMAGE ID   SIZE\na1b        13.3kb\n998        1e+03kb\n",
        ),
        (
            # A function that splits its argument also splits the header.
            r"table {{.Tag}}\t{{index (split .Size `.`) 0}}",
            "TAG       83\n1.0       13\n<none>    1e+03kB\n",
        ),
        (
            r"table {{.Repository}}\t{{if .CreatedSince}}{{.CreatedSince}}{{else}}-{{end}}",
            "REPOSITORY         CREATED\nghcr.io/octo/app   25 hours ago\nx/y                -\n",
        ),
        ("plain", "plain\nplain\n"),
    ],
)
def test_format_works_like_in_docker(asked: str | None, expected: str) -> None:
    assert LISTING.render(ROWS, format=asked) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"),
        ("json", ""),
        ("{{.ID}}", ""),
        ("table {{.ID}}", "IMAGE ID\n"),
    ],
)
def test_an_empty_listing_prints_only_headers(asked: str | None, expected: str) -> None:
    assert LISTING.render([], format=asked) == expected


@pytest.mark.parametrize("asked", [None, "table"])
def test_quiet_prints_one_field(asked: str | None) -> None:
    quiet = LISTING.render(ROWS, format=asked, quiet_field="ID")
    assert quiet == "a1b2c3d4a1b2\n998877669988\n"


@pytest.mark.parametrize("asked", ["json", "{{.Tag}}", "table {{.Tag}}"])
def test_another_format_overrides_quiet(asked: str) -> None:
    loud = LISTING.render(ROWS, format=asked)
    assert LISTING.render(ROWS, format=asked, quiet_field="ID") == loud


@pytest.mark.parametrize("asked", ["{{.Nope}}", "table {{.Nope}}", "{{.ID", "table {{"])
def test_a_wrong_template_is_an_error(asked: str) -> None:
    with pytest.raises(InvalidTemplateError, match=r"^invalid template"):
        LISTING.render(ROWS, format=asked)


@pytest.mark.parametrize(
    "asked", [None, "json", "{{.Tag}}", "{{json .}}", r"table {{.Tag}}\t{{.ID}}"]
)
def test_no_format_prints_escape_sequences(asked: str | None) -> None:
    row = {**ROWS[0], "Tag": "a\x1b]0;gotcha\x07\x9b2J\u202eb"}
    rendered = LISTING.render([row], format=asked)
    assert not set(rendered) & set("\x1b\x07\x9b\u202e")
    assert "gotcha" in rendered


def test_a_value_with_tabs_and_line_feeds_stays_in_its_cell() -> None:
    row = {**ROWS[0], "Tag": "a\tb\nc"}
    rendered = LISTING.render([row], format=r"table {{.Tag}}\t{{.Size}}")
    assert rendered == "TAG       SIZE\na\\tb\\nc   13.3kB\n"


def test_tables_and_json_load_neither_the_template_engine_nor_click() -> None:
    code = (
        "import sys\n"
        "import ghcrctl.cli.format.inspect_format as i, ghcrctl.cli.format.list_format as l\n"
        "import ghcrctl.cli.format.units\n"
        "l.Listing({'ID': 'ID'}, ['ID']).render([{'ID': 'x'}], format=None)\n"
        "i.Inspection().render([{'Id': 'x'}])\n"
        "bad = {'click', 'rich', 'requests', 'json', 'ghcrctl.cli.format.template'}\n"
        "print(sorted(bad & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_listings_that_docker_does_not_have_use_null() -> None:
    own = Listing({"Name": "NAME", "Link": "LINK"}, ["Name", "Link"], empty_is_null=True)
    rows = [{"Name": "x", "Link": ""}]
    assert own.render(rows, format="json") == '{"Link":null,"Name":"x"}\n'
    assert own.render(rows, format="{{.Name}}-{{.Link}}") == "x-\n"
    assert own.render(rows, format=None) == "NAME      LINK\nx         \n"
