"""Templates for docker's inspect and images, with the output of Go."""

from __future__ import annotations

import pytest

from ghcrctl.cli.format.template import compile_template
from ghcrctl.cli.format.values import NilList, NilMap, Row, StringMap, Struct

ID = "sha256:" + "0123456789abcdef" * 4
DIGEST = "ghcr.io/octo/app@sha256:" + "12" * 32

CONFIG = Struct(
    {
        "User": "",
        "ExposedPorts": {"80/tcp": {}, "443/tcp": {}},
        "Env": ["PATH=/bin", "LANG=C"],
        "Cmd": ["/bin/sh", "-c", "a < b && c"],
        "Entrypoint": NilList(),
        "Volumes": NilMap(),
        "WorkingDir": "/srv",
        "Labels": StringMap(
            {"maintainer": "octo", "org.opencontainers.image.source": "https://github.com/octo/app"}
        ),
    },
    noun="image config",
)
IMAGE = Struct(
    {
        "Id": ID,
        "RepoTags": ["ghcr.io/octo/app:1.0", "app:latest"],
        "RepoDigests": [DIGEST],
        "Created": "2024-01-01T00:00:00Z",
        "Author": "",
        "Config": CONFIG,
        "Architecture": "arm64",
        "Variant": "v8",
        "Os": "linux",
        "Size": 13256,
        "RootFS": Struct({"Type": "layers", "Layers": ["sha256:aa", "sha256:bb"]}),
    },
    noun="image",
    aliases={"ID": "Id"},
)
ROW = Row(
    {"ID": "0123456789ab", "Repository": "ghcr.io/octo/app", "Tag": "<none>", "Size": "13.3kB"},
    noun="image",
)

INSPECT = [
    ("{{.Id}}", ID),
    ("{{.ID}}", ID),
    ('{{printf "%.10s" .Id}}', "sha256:012"),
    ("{{slice .Id 7 19}}", "0123456789ab"),
    ('{{index (split .Id ":") 0}}', "sha256"),
    ("{{truncate .Id 9}}", "sha256:01"),
    ('{{.Size | printf "%d"}}', "13256"),
    ('{{printf "%8d|" .Size}}', "   13256|"),
    ("{{.Size}}", "13256"),
    ("{{if gt .Size 10000}}big{{else}}small{{end}}", "big"),
    ("{{.RepoTags}}", "[ghcr.io/octo/app:1.0 app:latest]"),
    ("{{json .RepoTags}}", '["ghcr.io/octo/app:1.0","app:latest"]'),
    ("{{index .RepoDigests 0}}", DIGEST),
    ("{{(index .RepoTags 0)}}", "ghcr.io/octo/app:1.0"),
    ("{{if .RepoDigests}}{{index .RepoDigests 0}}{{end}}", DIGEST),
    ('{{join .RepoTags ", "}}', "ghcr.io/octo/app:1.0, app:latest"),
    ("{{len .RepoTags}}", "2"),
    ("{{range .RepoTags}}{{.}}\n{{end}}", "ghcr.io/octo/app:1.0\napp:latest\n"),
    ("{{range .RootFS.Layers}}{{println .}}{{end}}", "sha256:aa\nsha256:bb\n"),
    ("{{range $i, $l := .RootFS.Layers}}{{$i}}:{{$l}} {{end}}", "0:sha256:aa 1:sha256:bb "),
    ("{{len .RootFS.Layers}} layers", "2 layers"),
    ("{{.RootFS}}", "{layers [sha256:aa sha256:bb]}"),
    ("{{.RootFS.Type | upper}}", "LAYERS"),
    ("{{json .RootFS}}", '{"Type":"layers","Layers":["sha256:aa","sha256:bb"]}'),
    ("{{.Os}}/{{.Architecture}}", "linux/arm64"),
    ("{{.Os}}/{{.Architecture}}{{with .Variant}}/{{.}}{{end}}", "linux/arm64/v8"),
    ("{{.Os}}/{{.Architecture}}{{if .Author}} by {{.Author}}{{end}}", "linux/arm64"),
    ("{{or .Author .Os}}", "linux"),
    ("{{title .Os}}", "Linux"),
    ("{{.Created}}", "2024-01-01T00:00:00Z"),
    ('{{index (split .Created "T") 0}}', "2024-01-01"),
    ("{{if .Config.Env}}has env{{else}}no env{{end}}", "has env"),
    ("{{range .Config.Env}}{{println .}}{{end}}", "PATH=/bin\nLANG=C\n"),
    ('{{range .Config.Env}}{{index (split . "=") 0}} {{end}}', "PATH LANG "),
    ('{{join .Config.Env ";"}}', "PATH=/bin;LANG=C"),
    ("{{.Config.Env}}", "[PATH=/bin LANG=C]"),
    ('{{join .Config.Cmd " "}}', "/bin/sh -c a < b && c"),
    ("{{json .Config.Cmd}}", '["/bin/sh","-c","a < b && c"]'),
    ('{{printf "%q" .Config.Cmd}}', '["/bin/sh" "-c" "a < b && c"]'),
    ("{{.Config.Entrypoint}}", "[]"),
    ("{{json .Config.Entrypoint}}", "null"),
    ("{{if not .Config.Entrypoint}}none{{end}}", "none"),
    ('{{join .Config.Entrypoint " "}}', ""),
    ("{{.Config.Volumes}}", "map[]"),
    ("{{json .Config.Volumes}}", "null"),
    ("{{range $k, $v := .Config.Volumes}}{{$k}}{{else}}no volumes{{end}}", "no volumes"),
    ("{{.Config.ExposedPorts}}", "map[443/tcp:map[] 80/tcp:map[]]"),
    ("{{json .Config.ExposedPorts}}", '{"443/tcp":{},"80/tcp":{}}'),
    ("{{range $p, $_ := .Config.ExposedPorts}}{{$p}} {{end}}", "443/tcp 80/tcp "),
    ("{{.Config.WorkingDir}}", "/srv"),
    ('{{with .Config.User}}{{.}}{{else}}{{"root"}}{{end}}', "root"),
    ("{{.Config.Labels.maintainer}}", "octo"),
    ("{{.Config.Labels.nope}}", "<no value>"),
    ('{{index .Config.Labels "nope"}}', ""),
    (
        '{{index .Config.Labels "org.opencontainers.image.source"}}',
        "https://github.com/octo/app",
    ),
    ('{{ index .Config "Labels" "maintainer" }}', "octo"),
    ("{{with .Config.Labels}}{{.maintainer}}{{end}}", "octo"),
    ('{{if index .Config.Labels "nope"}}yes{{else}}no{{end}}', "no"),
    (
        "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}\n{{end}}",
        "maintainer=octo\norg.opencontainers.image.source=https://github.com/octo/app\n",
    ),
    (
        "{{json .Config.Labels}}",
        '{"maintainer":"octo","org.opencontainers.image.source":"https://github.com/octo/app"}',
    ),
    ("{{$c := .Config}}{{$.Os}} {{$c.WorkingDir}}", "linux /srv"),
    ('{{if and (eq .Os "linux") (ne .Architecture "amd64")}}other{{end}}', "other"),
    ('{{if eq .Architecture "amd64" "arm64"}}known{{end}}', "known"),
    ("{{- range .RepoTags }}\n  {{- . }};\n{{- end }}", "ghcr.io/octo/app:1.0;app:latest;"),
    ("{{/* a comment */}}{{.Os}}", "linux"),
    ('{{define "tag"}}<{{.}}>{{end}}{{range .RepoTags}}{{template "tag" .}}{{end}}',
     "<ghcr.io/octo/app:1.0><app:latest>"),
]  # fmt: skip

IMAGES = [
    ("{{.ID}}: {{.Repository}}", "0123456789ab: ghcr.io/octo/app"),
    ("{{.Repository}}:{{.Tag}}", "ghcr.io/octo/app:<none>"),
    ('{{if ne .Tag "<none>"}}{{.Tag}}{{else}}untagged{{end}}', "untagged"),
    ("{{json .Tag}}", '"<none>"'),
    ("{{lower .Size}}", "13.3kb"),
    ("{{pad .Size 1 2}}|", " 13.3kB  |"),
    (
        "{{json .}}",
        '{"ID":"0123456789ab","Repository":"ghcr.io/octo/app",'
        '"Size":"13.3kB","Tag":"\\u003cnone\\u003e"}',
    ),
]


@pytest.mark.parametrize(("template", "expected"), INSPECT)
def test_a_template_of_inspect_prints_the_same_as_docker(template: str, expected: str) -> None:
    assert compile_template(template).render(IMAGE) == expected


@pytest.mark.parametrize(("template", "expected"), IMAGES)
def test_a_template_of_images_prints_the_same_as_docker(template: str, expected: str) -> None:
    assert compile_template(template).render(ROW) == expected


def test_a_template_can_be_rendered_many_times() -> None:
    template = compile_template("{{$n := len .}}{{$n}}")
    assert [template.render("a"), template.render("abc")] == ["1", "3"]
