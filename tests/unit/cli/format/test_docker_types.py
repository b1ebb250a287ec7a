"""Templates can use every field of docker's types, even if an image does not have it."""

from __future__ import annotations

import json

import pytest

from ghcrctl.cli.commands.images.inspect import as_struct
from ghcrctl.cli.format.docker_types import MANIFEST
from ghcrctl.cli.format.inspect_format import Inspection
from ghcrctl.cli.format.template import compile_template
from ghcrctl.cli.format.values import Duration
from ghcrctl.errors import InvalidTemplateError

BARE = {"Id": "sha256:aa", "Created": "0001-01-01T00:00:00Z", "Size": 7, "Config": {}}
NULLS = {**BARE, "Config": {"Env": None, "Labels": None, "Volumes": None, "Healthcheck": None}}
FULL = {
    **BARE,
    "Descriptor": {"mediaType": "m", "digest": "sha256:bb", "size": 3},
    "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
    "Config": {
        "Hostname": "h",
        "Env": ["A=1"],
        "Cmd": ["sh"],
        "ExposedPorts": {"80/tcp": {}, "53/udp": {}},
        "Volumes": {"/v": {}},
        "Labels": {"b": "2", "a": "1"},
        "Healthcheck": {"Test": ["CMD", "x"], "Interval": 90_000_000_000},
        "Memory": 5,
    },
}


def shown(document: dict[str, object], template: str) -> str:
    return Inspection(template).render([as_struct(document)]).removesuffix("\n")


@pytest.mark.parametrize("document", [BARE, NULLS])
@pytest.mark.parametrize(
    ("field", "wanted"),
    [
        *((f".Config.{name}", "") for name in ("User", "WorkingDir", "StopSignal", "Hostname")),
        *((f".Config.{name}", "[]") for name in ("Env", "Cmd", "Entrypoint", "Shell", "OnBuild")),
        *((f".Config.{name}", "map[]") for name in ("Labels", "Volumes", "ExposedPorts")),
        *((f".Config.{name}", "false") for name in ("ArgsEscaped", "Tty", "NetworkDisabled")),
        *((f".Config.{name}", "<nil>") for name in ("Healthcheck", "StopTimeout")),
        (".Config.Healthcheck.Test", "[]"),
        (".Config.Healthcheck.Interval", "0s"),
        (".Config.Healthcheck.Retries", "0"),
        *((f".{name}", "") for name in ("Variant", "OsVersion", "Os", "Architecture", "Comment")),
        *((f".{name}", "") for name in ("Author", "Parent", "DockerVersion", "Container")),
        (".ContainerConfig.Env", "[]"),
        (".GraphDriver.Name", ""),
        (".GraphDriver.Data", "map[]"),
        (".RootFS.Layers", "[]"),
        (".Manifests", "[]"),
        (".RepoTags", "[]"),
        (".Metadata.LastTagTime", "0001-01-01 00:00:00 +0000 UTC"),
        (".Descriptor", "<nil>"),
        (".Descriptor.Platform.OS", ""),
        (".VirtualSize", "7"),
        (".ID", "sha256:aa"),
    ],
)
def test_a_missing_field_has_the_zero_value_of_its_type(
    document: dict[str, object], field: str, wanted: str
) -> None:
    assert shown(document, f"{{{{{field}}}}}") == wanted


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        (
            "{{len .Config.Env}}{{range .Config.Env}}x{{end}}{{with .Config.Healthcheck}}h{{end}}",
            "0",
        ),
        ('{{index .Config.Labels "x"}}|{{.Config.Labels.x}}', "|<no value>"),
        ('{{index .Config.Volumes "/x"}}', "{}"),
        ("{{json .Config.Env}} {{json .Config.Labels}} {{json .Config.Healthcheck}}", "null " * 3),
        ("{{json .Config.StopTimeout}}{{json .Config.Volumes}}{{json .Config}}", "nullnull{}"),
        ('{{if eq .Config.User ""}}root{{end}}{{join .Config.Cmd " "}}', "root"),
        ("{{eq .Config.Healthcheck nil}}", "true"),
    ],
)
def test_zero_values_work_in_functions(template: str, wanted: str) -> None:
    assert shown(NULLS, template) == wanted.rstrip()


@pytest.mark.parametrize(
    ("template", "wanted"),
    [
        ("{{.Config.ExposedPorts}}", "map[53/udp:{} 80/tcp:{}]"),
        ("{{range $port, $_ := .Config.ExposedPorts}}{{$port}} {{end}}", "53/udp 80/tcp "),
        ("{{json .Config.Volumes}}", '{"/v":{}}'),
        ("{{.Config.Healthcheck}}", "{[CMD x] 1m30s 0s 0s 0s 0}"),
        ('{{printf "%v %s %d" .Config.Healthcheck.Interval .Config.Healthcheck.Interval '
         ".Config.Healthcheck.Interval}}", "1m30s 1m30s 90000000000"),
        ("{{json .Config.Healthcheck}}", '{"Test":["CMD","x"],"Interval":90000000000}'),
        ("{{.Descriptor.MediaType}} {{.Descriptor.mediaType}} {{.Descriptor.Annotations}}",
         "m m map[]"),
        ("{{json .Descriptor}}", '{"mediaType":"m","digest":"sha256:bb","size":3}'),
        ("{{json .Metadata}}{{.Metadata}}",
         '{"LastTagTime":"0001-01-01T00:00:00Z"}{0001-01-01 00:00:00 +0000 UTC}'),
        ("{{.Config.Memory}}{{.Config.Hostname}}", "5h"),
    ],
)  # fmt: skip
def test_fields_print_like_dockers_types(template: str, wanted: str) -> None:
    assert shown(FULL, template) == wanted


@pytest.mark.parametrize(
    "field",
    [".Nope", ".Config.Nope", ".Config.Healthcheck.Nope", ".RootFS.nope", ".Descriptor.Nope"],
)
@pytest.mark.parametrize("document", [BARE, NULLS, FULL])
def test_an_unknown_field_is_an_error(document: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidTemplateError, match="has no field"):
        shown(document, f"{{{{{field}}}}}")


def test_json_has_the_fields_of_the_image_in_the_order_of_the_type() -> None:
    (document,) = json.loads(Inspection("json").render([as_struct(FULL)]))
    assert list(document) == ["Id", "Created", "Config", "Size", "Metadata", "Descriptor"]
    assert list(document["Config"]) == [
        *("ExposedPorts", "Env", "Cmd", "Volumes", "Labels", "Healthcheck"),
        *("Hostname", "Memory"),
    ]


def test_missing_keys_of_a_manifest_are_empty() -> None:
    manifest = MANIFEST.value({"schemaVersion": 2, "layers": [{"size": 5}]})
    template = "{{.annotations}}{{.subject}}{{.config.digest}}{{(index .Layers 0).urls}}{{.layers}}"
    assert compile_template(template).render(manifest) == "map[]<nil>[][{  5 [] map[] [] <nil> }]"
    with pytest.raises(InvalidTemplateError):
        compile_template("{{.tags}}").render(manifest)


@pytest.mark.parametrize(
    ("nanoseconds", "wanted"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1_500, "1.5µs"),
        (2_000_000, "2ms"),
        (1_000_000_000, "1s"),
        (61_500_000_000, "1m1.5s"),
        (3_600_000_000_000, "1h0m0s"),
        (-90_000_000_000, "-1m30s"),
    ],
)
def test_a_duration_prints_as_in_go(nanoseconds: int, wanted: str) -> None:
    assert str(Duration(nanoseconds)) == wanted
