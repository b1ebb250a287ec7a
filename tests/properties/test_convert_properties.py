"""Conversions preserve an image's content, and no document causes a crash."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ghcrctl.content.memory_place import MemoryPlace
from ghcrctl.errors import GhcrctlError
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.digest import Digest
from ghcrctl.operations.making.convert import Conversion, convert_image
from ghcrctl.operations.making.flatten import FlattenOptions, flatten_image
from ghcrctl.operations.making.indexes import IndexTarget
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.making.rebase import RebaseOptions, rebase
from ghcrctl.store.place import StorePlace
from ghcrctl.transfer.execute import execute
from ghcrctl.transfer.plan import make_plan
from tests.builders import index_of, random_image, rewritten
from tests.filesystems import file, image_of, tar
from tests.sessions import session_on
from tests.unit.operations.making.test_convert import Conversions, diff_ids, image

if TYPE_CHECKING:
    import pytest

STEPS = st.lists(
    st.builds(
        Conversion,
        st.sampled_from([None, Format.OCI, Format.DOCKER]),
        st.sampled_from([None, Compression.GZIP, Compression.NONE]),
        force=st.booleans(),
    ),
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(contents=st.lists(st.binary(max_size=50), max_size=3), steps=STEPS)
def test_converting_back_and_forth_keeps_config_and_files(
    tmp_path_factory: pytest.TempPathFactory, contents: list[bytes], steps: list[Conversion]
) -> None:
    archives = [tar(file(str(number), data)) for number, data in enumerate(contents)]
    built = image_of(*archives)
    final = Conversion(Format.OCI, Compression.GZIP, force=True)
    with session_on(tmp_path_factory.mktemp("home")) as session:
        run = Conversions(session, tmp_path_factory.mktemp("folder"))
        place, root = run(built, *steps, final)
        new = image(place, root)
        assert diff_ids(place, new) == [str(Digest.of(data)) for data in archives]
        assert new.config == image(place, built.root).config
        assert run(built, final)[1] == root


# Only the parts that are read are checked.
FIELDS = ("annotations", "artifactType", "data", "platform", "schemaVersion", "x")
CONFIG_FIELDS = ("history", "rootfs", "created", "architecture", "config", "os.features")
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from(["", "x", "sha256:0"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from([*FIELDS, "empty_layer", "diff_ids"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    fields=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=2),
    of_layer=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=2),
    of_config=st.dictionaries(st.sampled_from(CONFIG_FIELDS), ODD, max_size=2),
    of_index=st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=2),
)
def test_odd_documents_are_errors_with_messages(
    tmp_path_factory: pytest.TempPathFactory,
    fields: dict[str, Any],
    of_layer: dict[str, Any],
    of_config: dict[str, Any],
    of_index: dict[str, Any],
) -> None:
    plain = random_image(1)
    config = json.dumps({**json.loads(plain.blobs[-1][1]), **of_config}).encode()
    described = Descriptor.of(config, media_types.OCI_CONFIG)
    layers = [{**layer, **of_layer} for layer in json.loads(plain.raw)["layers"]]
    odd = rewritten(plain, **{"config": described.to_json(), "layers": layers, **fields})
    built = rewritten(index_of(odd, platforms=(None,)), **of_index)
    memory = MemoryPlace()
    for descriptor, content in (*plain.contents, *built.contents, (described, config)):
        memory.put(descriptor, content)
    with session_on(tmp_path_factory.mktemp("home")) as session:
        store = StorePlace(session.store)
        for image_, name in ((plain, "plain"), (built, "odd")):
            with suppress(GhcrctlError):
                plan = make_plan(memory, store, image_.root, names=(f"{name}:1",))
                execute(plan)
        source, target, base = (
            IndexTarget(session.parse(f"{name}:1"), local=True) for name in ("odd", "new", "plain")
        )
        with suppress(GhcrctlError):
            flatten_image(session, source, target, FlattenOptions())
        with suppress(GhcrctlError):
            rebase(session, source, target, RebaseOptions(base, base))
        for conversion in (Conversion(Format.DOCKER), Conversion(None, Compression.ZSTD)):
            with suppress(GhcrctlError):
                convert_image(session, source, target, conversion)
