"""The Go types of docker and OCI documents.

A template can use every field of a type; missing fields have zero values. JSON shows only the
fields of the document. Sources: moby, ``api/types/image``; docker-image-spec, ``specs-go/v1``; OCI
image spec 1.1, ``specs-go/v1``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ghcrctl.cli.format.values import (
    Duration,
    NilList,
    NilMap,
    NilSet,
    NilStruct,
    SetMap,
    StringMap,
    Struct,
    Time,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

_ZERO_TIME = "0001-01-01T00:00:00Z"
Make = Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a Go struct.

    Args:
        name: its name in Go and in templates.
        make: returns the value for a JSON value; for ``None`` the zero value of the type.
        key: its key in JSON; empty if it is the name.
        omits_empty: whether JSON omits an empty value (``omitempty``).
    """

    name: str
    make: Make
    key: str = ""
    omits_empty: bool = False

    @property
    def json_key(self) -> str:
        """The key in JSON."""
        return self.key or self.name


@dataclass(frozen=True, slots=True)
class GoType:
    """A Go struct type.

    Args:
        noun: the name of an instance in errors.
        fields: the fields, in the order of the type.
    """

    noun: str
    fields: tuple[Field, ...]

    def value(self, document: Mapping[str, Any], **hidden: Any) -> Struct:
        """Return the struct for a JSON object; unknown keys become fields at the end.

        Args:
            document: the JSON object.
            hidden: values by key that templates can use and JSON does not show.
        """
        given = {**hidden, **document}
        values = {each.name: each.make(given.get(each.json_key)) for each in self.fields}
        shown = {
            each.json_key: values[each.name]
            for each in self.fields
            if each.json_key in document and (values[each.name] or not each.omits_empty)
        }
        known = {each.json_key for each in self.fields}
        more = {key: document[key] for key in sorted(document.keys() - known)}
        aliases = {e.json_key: e.name for e in self.fields if e.json_key != e.name}
        return Struct(values | more, noun=self.noun, aliases=aliases, shown=shown | more)

    def pointer(self, value: Any) -> Any:
        """Return the struct for a JSON object, a nil pointer for ``None``."""
        if value is None:
            return NilStruct(self.value({}), noun=self.noun)
        return self.struct(value)

    def struct(self, value: Any) -> Any:
        """Return the struct for a JSON object or ``None``; any other value is kept."""
        return self.value(value or {}) if value is None or isinstance(value, dict) else value

    def structs(self, value: Any) -> Any:
        """Return structs for a JSON array."""
        return [self.struct(item) for item in value] if isinstance(value, list) else NilList()


def _text(value: Any) -> Any:
    return "" if value is None else value


def _number(value: Any) -> Any:
    return 0 if value is None else value


def _bool(value: Any) -> Any:
    return False if value is None else value


def _pointer(value: Any) -> Any:
    return NilStruct({}) if value is None else value


def _list(value: Any) -> Any:
    return NilList() if value is None else value


def _texts(value: Any) -> Any:
    return StringMap(value) if isinstance(value, dict) else NilMap() if value is None else value


def _set(value: Any) -> Any:
    if isinstance(value, dict):
        return SetMap({key: Struct({}) for key in value})
    return NilSet() if value is None else value


def _duration(value: Any) -> Any:
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return Duration(value) if is_number else Duration() if value is None else value


def _time(value: Any) -> Time:
    return Time(_ZERO_TIME if value is None else value)


_HEALTHCHECK = GoType(
    "healthcheck",
    (
        Field("Test", _list, omits_empty=True),
        Field("Interval", _duration, omits_empty=True),
        Field("Timeout", _duration, omits_empty=True),
        Field("StartPeriod", _duration, omits_empty=True),
        Field("StartInterval", _duration, omits_empty=True),
        Field("Retries", _number, omits_empty=True),
    ),
)
# Fields that docker's image config had until version 28.
_CONTAINER_FIELDS = (
    Field("Hostname", _text, omits_empty=True),
    Field("Domainname", _text, omits_empty=True),
    Field("AttachStdin", _bool, omits_empty=True),
    Field("AttachStdout", _bool, omits_empty=True),
    Field("AttachStderr", _bool, omits_empty=True),
    Field("Tty", _bool, omits_empty=True),
    Field("OpenStdin", _bool, omits_empty=True),
    Field("StdinOnce", _bool, omits_empty=True),
    Field("Image", _text, omits_empty=True),
    Field("NetworkDisabled", _bool, omits_empty=True),
    Field("MacAddress", _text, omits_empty=True),
    Field("StopTimeout", _pointer, omits_empty=True),
)
_CONFIG = GoType(
    "config",
    (
        Field("User", _text, omits_empty=True),
        Field("ExposedPorts", _set, omits_empty=True),
        Field("Env", _list, omits_empty=True),
        Field("Entrypoint", _list, omits_empty=True),
        Field("Cmd", _list, omits_empty=True),
        Field("Volumes", _set, omits_empty=True),
        Field("WorkingDir", _text, omits_empty=True),
        Field("Labels", _texts, omits_empty=True),
        Field("StopSignal", _text, omits_empty=True),
        Field("ArgsEscaped", _bool, omits_empty=True),
        Field("Healthcheck", _HEALTHCHECK.pointer, omits_empty=True),
        Field("OnBuild", _list, omits_empty=True),
        Field("Shell", _list, omits_empty=True),
        *_CONTAINER_FIELDS,
    ),
)
_PLATFORM = GoType(
    "platform",
    (
        Field("Architecture", _text, "architecture"),
        Field("OS", _text, "os"),
        Field("OSVersion", _text, "os.version", omits_empty=True),
        Field("OSFeatures", _list, "os.features", omits_empty=True),
        Field("Variant", _text, "variant", omits_empty=True),
    ),
)
DESCRIPTOR = GoType(
    "descriptor",
    (
        Field("MediaType", _text, "mediaType"),
        Field("Digest", _text, "digest"),
        Field("Size", _number, "size"),
        Field("URLs", _list, "urls", omits_empty=True),
        Field("Annotations", _texts, "annotations", omits_empty=True),
        Field("Data", _list, "data", omits_empty=True),
        Field("Platform", _PLATFORM.pointer, "platform", omits_empty=True),
        Field("ArtifactType", _text, "artifactType", omits_empty=True),
    ),
)
MANIFEST = GoType(
    "manifest",
    (
        Field("SchemaVersion", _number, "schemaVersion"),
        Field("MediaType", _text, "mediaType", omits_empty=True),
        Field("ArtifactType", _text, "artifactType", omits_empty=True),
        Field("Config", DESCRIPTOR.struct, "config"),
        Field("Layers", DESCRIPTOR.structs, "layers"),
        Field("Manifests", DESCRIPTOR.structs, "manifests"),
        Field("Subject", DESCRIPTOR.pointer, "subject", omits_empty=True),
        Field("Annotations", _texts, "annotations", omits_empty=True),
    ),
)
IMAGE = GoType(
    "image",
    (
        Field("ID", _text, "Id"),
        Field("RepoTags", _list),
        Field("RepoDigests", _list),
        Field("Parent", _text),
        Field("Comment", _text),
        Field("Created", _text),
        Field("Container", _text),
        Field("ContainerConfig", _CONFIG.struct),
        Field("DockerVersion", _text),
        Field("Author", _text),
        Field("Config", _CONFIG.struct),
        Field("Architecture", _text),
        Field("Variant", _text, omits_empty=True),
        Field("Os", _text),
        Field("OsVersion", _text, omits_empty=True),
        Field("Size", _number),
        Field("VirtualSize", _number),
        Field(
            "GraphDriver",
            GoType("graph driver", (Field("Data", _texts), Field("Name", _text))).struct,
        ),
        Field("RootFS", GoType("RootFS", (Field("Type", _text), Field("Layers", _list))).struct),
        Field("Metadata", GoType("Metadata", (Field("LastTagTime", _time),)).struct),
        Field("Descriptor", DESCRIPTOR.pointer),
        Field("Manifests", _list, omits_empty=True),
    ),
)
