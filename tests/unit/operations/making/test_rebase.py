"""Rebasing: the base is replaced, everything else is kept."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import pytest

from ghcrctl.content.streams import read_metadata
from ghcrctl.errors import (
    GhcrctlError,
    NotFoundError,
    PlatformNotFoundError,
    UnsupportedError,
    UsageError,
)
from ghcrctl.layers.compression import Compression
from ghcrctl.oci import media_types
from ghcrctl.oci.descriptor import Descriptor
from ghcrctl.oci.manifest import Manifest
from ghcrctl.oci.platform import Platform
from ghcrctl.operations.making.convert import Conversion, convert_image
from ghcrctl.operations.making.indexes import IndexTarget, open_source, read_entries, read_manifest
from ghcrctl.operations.making.media_formats import Format
from ghcrctl.operations.making.rebase import RebaseOptions, rebase
from ghcrctl.operations.moving.pull import pull
from ghcrctl.operations.store.fsck import check
from ghcrctl.transfer.events import Finished, Outcome
from tests.builders import Built, artifact, attested, index_of, random_image
from tests.sessions import name_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from ghcrctl.operations.common.session import Session
    from ghcrctl.transfer.events import Event
    from tests.registry_double import RegistryDouble

ARM = Platform("linux", "arm64")
AMD = Platform("linux", "amd64")
NAME, DIGEST = (f"org.opencontainers.image.base.{end}" for end in ("name", "digest"))
MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


def on(base: Built, own: Built, annotations: dict[str, str] | None = None, **fields: Any) -> Built:
    """Build an image on a base image.

    Args:
        base: the base.
        own: the image with its own layers and the config.
        annotations: annotations of the manifest.
        fields: fields of the config to replace.
    """
    (below, below_config), (above, above_config) = map(_parts, (base, own))
    diff_ids = [c["rootfs"]["diff_ids"] for c in (below_config, above_config)]
    config = {
        **above_config,
        "rootfs": {"type": "layers", "diff_ids": [*diff_ids[0], *diff_ids[1]]},
        "history": [*below_config["history"], *above_config["history"]],
        **fields,
    }
    raw = json.dumps({k: v for k, v in config.items() if v is not None}).encode()
    described = Descriptor.of(raw, json.loads(own.raw)["config"]["mediaType"])
    document = {
        **json.loads(own.raw),
        "config": described.to_json(),
        "layers": [*below, *above],
        **({"annotations": annotations} if annotations else {}),
    }
    manifest = json.dumps(document).encode()
    root = Descriptor.of(manifest, own.root.media_type)
    blobs = [*base.blobs[:-1], *own.blobs[:-1], (described, raw)]
    return Built(root, (*dict.fromkeys(blobs), (root, manifest)))


def _parts(image: Built) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    return json.loads(image.raw)["layers"], json.loads(image.blobs[-1][1])


OLD, NEW, OWN = random_image(2, seed=1), random_image(3, seed=2), random_image(1, seed=3)
IMAGE = on(OLD, OWN)


@pytest.fixture(params=["registry", "store"])
def end(
    request: pytest.FixtureRequest, ghcr: RegistryDouble, session: Session
) -> Callable[[str], IndexTarget]:
    """Return images by their names, at a registry or in the store."""
    local = request.param == "store"
    for name, image in (("app:1", IMAGE), ("base:old", OLD), ("base:new", NEW)):
        repository, tag = name.split(":")
        ghcr.push_image(f"octo/{repository}", tag, image)
        if local:
            pull(session, name_at(ghcr, session, f"octo/{name}"))
    return lambda text: IndexTarget(name_at(ghcr, session, f"octo/{text}"), local)


def image_at(session: Session, where: IndexTarget) -> Manifest:
    manifest = read_manifest(session, where)
    assert isinstance(manifest, Manifest)
    return manifest


def config_at(session: Session, where: IndexTarget) -> dict[str, Any]:
    place, _ = open_source(session, where)
    found: dict[str, Any] = json.loads(read_metadata(place, image_at(session, where).config))
    return found


def layers_of(*images: Built) -> list[dict[str, Any]]:
    return [layer for image in images for layer in _parts(image)[0]]


def test_the_layers_of_the_base_are_replaced_and_the_config_is_kept(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    bases = RebaseOptions(end("base:old"), end("base:new"))
    done = rebase(session, end("app:1"), end("app:2"), bases)
    made, named = done.descriptor, done.end
    assert named == end("app:2")
    manifest = image_at(session, named)
    assert manifest.descriptor == made
    assert [layer.to_json() for layer in manifest.layers] == layers_of(NEW, OWN)
    assert manifest.annotations == {
        NAME: str(end("base:new").reference),
        DIGEST: str(NEW.root.digest),
    }
    own, new = _parts(OWN)[1], _parts(NEW)[1]
    assert config_at(session, named) == {
        **own,
        "rootfs": {
            "type": "layers",
            "diff_ids": [*new["rootfs"]["diff_ids"], *own["rootfs"]["diff_ids"]],
        },
        "history": [*new["history"], *own["history"]],
    }
    assert not check(session).faults
    assert rebase(session, end("app:1"), end("app:3"), bases).descriptor == made
    # After rebasing back, only the annotations of the base differ.
    rebase(session, named, None, RebaseOptions(end("base:new"), end("base:old")), replace=True)
    assert image_at(session, named).layers == image_at(session, end("app:1")).layers
    assert image_at(session, named).config == image_at(session, end("app:1")).config


def test_attestations_of_unchanged_images_are_kept(
    session: Session, ghcr: RegistryDouble, warnings: list[str]
) -> None:
    base, app = (name_at(ghcr, session, f"octo/{name}:1") for name in ("base", "app"))
    ghcr.push_image("octo/base", "1", OLD)
    said = {NAME: str(base), DIGEST: str(OLD.root.digest)}
    built = attested(on(OLD, OWN, said))
    ghcr.push_image("octo/app", "1", built)
    assert (
        rebase(session, IndexTarget(app), None, RebaseOptions(), replace=True).descriptor.digest
        == built.root.digest
    )
    assert not warnings


def test_bases_are_read_from_annotations(session: Session, ghcr: RegistryDouble) -> None:
    base = name_at(ghcr, session, "octo/base:1")
    ghcr.push_image("octo/base", "1", OLD)
    said = {NAME: str(base), DIGEST: str(OLD.root.digest)}
    ghcr.push_image("octo/app", "1", on(OLD, OWN, said))
    where = IndexTarget(name_at(ghcr, session, "octo/app:1"))
    # The base has not changed, so nothing does.
    before = image_at(session, where)
    assert (
        rebase(session, where, None, RebaseOptions(), replace=True).descriptor == before.descriptor
    )
    ghcr.push_image("octo/base", "1", NEW)
    rebase(session, where, None, RebaseOptions(), replace=True)
    after = image_at(session, where)
    assert [layer.to_json() for layer in after.layers] == layers_of(NEW, OWN)
    assert after.annotations == {**said, DIGEST: str(NEW.root.digest)}
    ghcr.push_image("octo/base", "2", OLD)
    other = IndexTarget(name_at(ghcr, session, "octo/base:2"))
    rebase(session, where, None, RebaseOptions(new_base=other), replace=True)
    assert image_at(session, where).annotations[NAME] == str(other.reference)


def test_without_annotations_bases_must_be_named(
    session: Session, end: Callable[[str], IndexTarget]
) -> None:
    for bases, flag in (
        (RebaseOptions(), "--old-base"),
        (RebaseOptions(new_base=end("base:new")), "--old-base"),
        (RebaseOptions(old_base=end("base:old")), "--new-base"),
    ):
        with pytest.raises(UsageError, match="base image is unknown") as caught:
            rebase(session, end("app:1"), None, bases, replace=True)
        assert flag in str(caught.value.hint)


def test_a_wrong_base_is_reported_with_its_layer(
    session: Session, end: Callable[[str], IndexTarget], ghcr: RegistryDouble
) -> None:
    with pytest.raises(UnsupportedError, match="its layer 1 is sha256:") as caught:
        rebase(
            session,
            end("app:1"),
            None,
            RebaseOptions(end("base:new"), end("base:old")),
            replace=True,
        )
    assert str(IMAGE.blobs[0][0].digest) in caught.value.message
    assert str(NEW.blobs[0][0].digest) in caught.value.message
    with pytest.raises(UnsupportedError, match="the base has 3 layers, the image only 2"):
        rebase(
            session,
            end("base:old"),
            None,
            RebaseOptions(end("app:1"), end("base:new")),
            replace=True,
        )
    with pytest.raises(NotFoundError):
        rebase(
            session,
            end("app:1"),
            None,
            RebaseOptions(end("base:none"), end("base:new")),
            replace=True,
        )
    assert image_at(session, end("app:1")).descriptor == IMAGE.root
    assert ghcr.count("PUT", "/manifests/") == 0


def test_a_base_with_another_compression_matches(session: Session, ghcr: RegistryDouble) -> None:
    names = {}
    for name, image in (("app", IMAGE), ("old", OLD), ("new", NEW)):
        ghcr.push_image(f"octo/{name}", "1", image)
        names[name] = IndexTarget(name_at(ghcr, session, f"octo/{name}:1"))
    for name in ("old", "new"):
        zstd = Conversion(Format.OCI, Compression.ZSTD)
        convert_image(session, names[name], None, zstd, replace=True)
    rebase(session, names["app"], None, RebaseOptions(names["old"], names["new"]), replace=True)
    kinds = [layer.media_type for layer in image_at(session, names["app"]).layers]
    assert kinds == [media_types.OCI_LAYER_ZSTD] * 3 + [media_types.OCI_LAYER_GZIP]


def test_each_platform_gets_its_own_base(
    session: Session, ghcr: RegistryDouble, warnings: list[str]
) -> None:
    arm = {seed: random_image(2, seed=seed, platform=ARM) for seed in (1, 2, 3)}
    ghcr.push_image("octo/base", "old", index_of(OLD, arm[1]))
    ghcr.push_image("octo/base", "new", index_of(arm[2], NEW))
    ghcr.push_image("octo/base", "amd", NEW)
    both = index_of(IMAGE, on(arm[1], arm[3]), annotations={NAME: "x", "k": "v"})
    ghcr.push_image("octo/app", "1", both)
    old, new, amd, app, other = (
        IndexTarget(name_at(ghcr, session, f"octo/{text}"))
        for text in ("base:old", "base:new", "base:amd", "app:1", "app:2")
    )
    rebase(session, app, other, RebaseOptions(old, new))
    entries = {str(entry.platform): image for entry, image in read_entries(session, other)}
    for platform, images in (("linux/amd64", (NEW, OWN)), ("linux/arm64", (arm[2], arm[3]))):
        image = entries[platform]
        assert isinstance(image, Manifest)
        assert [layer.to_json() for layer in image.layers] == layers_of(*images)
    index = read_manifest(session, other)
    assert index.annotations == {**_said(session, new), "k": "v"}
    with pytest.raises(
        UnsupportedError, match="is for linux/amd64, but the image is for linux/arm64"
    ):
        rebase(session, app, other, RebaseOptions(old, amd))
    rebase(session, app, other, RebaseOptions(old, amd, platforms=(AMD,)))
    assert image_at(session, other).annotations == _said(session, amd)
    ghcr.push_image("octo/base", "less", index_of(NEW))
    less = IndexTarget(name_at(ghcr, session, "octo/base:less"))
    with pytest.raises(PlatformNotFoundError, match="linux/arm64"):
        rebase(session, app, other, RebaseOptions(old, less))
    assert not warnings


def _said(session: Session, base: IndexTarget) -> dict[str, str]:
    digest = read_manifest(session, base).descriptor.digest
    return {NAME: str(base.reference), DIGEST: str(digest)}


def test_layers_are_mounted_from_the_repository_of_the_base(
    session: Session, ghcr: RegistryDouble
) -> None:
    foreign = random_image(2, seed=4, foreign=True)
    for name, image in (("app", IMAGE), ("old", OLD), ("new", foreign)):
        ghcr.push_image(f"octo/{name}", "1", image)
    app, old, new = (
        IndexTarget(name_at(ghcr, session, f"octo/{n}:1")) for n in ("app", "old", "new")
    )
    events: list[Event] = []
    rebase(session, app, None, RebaseOptions(old, new), events.append, replace=True)
    seen = {e.step.descriptor.digest: e for e in events if isinstance(e, Finished)}
    kept, taken = (layer.digest for layer in image_at(session, new).layers)
    assert seen[kept].outcome is Outcome.SKIPPED
    assert seen[taken].outcome is Outcome.MOUNTED
    assert seen[taken].mounted_from == "octo/new"
    assert image_at(session, app).layers[0].urls == image_at(session, new).layers[0].urls
    other = IndexTarget(name_at(ghcr, session, "octo/other:1"))
    rebase(session, app, other, RebaseOptions(new, old), events.append)
    seen = {e.step.descriptor.digest: e for e in events if isinstance(e, Finished)}
    *below, own = (seen[layer.digest].mounted_from for layer in image_at(session, other).layers)
    assert (below, own) == (["octo/old"] * 2, "octo/app")
    assert not session.settings.store_dir.exists()


def test_a_local_image_gets_its_base_from_a_registry(
    session: Session, ghcr: RegistryDouble
) -> None:
    for name, image in (("app", IMAGE), ("old", OLD), ("new", NEW)):
        ghcr.push_image(f"octo/{name}", "1", image)
    app, old, new = (name_at(ghcr, session, f"octo/{n}:1") for n in ("app", "old", "new"))
    pull(session, app)
    local = IndexTarget(session.parse("mine").tagged(), local=True)
    rebase(
        session,
        IndexTarget(app, local=True),
        local,
        RebaseOptions(IndexTarget(old), IndexTarget(new)),
    )
    assert [layer.to_json() for layer in image_at(session, local).layers] == layers_of(NEW, OWN)
    assert not check(session).faults


def test_docker_images_get_dockers_layers_and_no_annotations(
    session: Session, ghcr: RegistryDouble
) -> None:
    old, own = (random_image(1, seed=seed, format="docker") for seed in (1, 2))
    for name, image in (("app", on(old, own)), ("old", old), ("new", NEW)):
        ghcr.push_image(f"octo/{name}", "1", image)
    app, old_end, new = (
        IndexTarget(name_at(ghcr, session, f"octo/{n}:1")) for n in ("app", "old", "new")
    )
    rebase(session, app, None, RebaseOptions(old_end, new), replace=True)
    made = image_at(session, app)
    assert {layer.media_type for layer in made.layers} == {media_types.DOCKER_LAYER_GZIP}
    assert not made.annotations


EMPTY = {"created_by": "CMD x", "empty_layer": True}
OLD_STEPS, NEW_STEPS, OWN_STEPS = (_parts(image)[1]["history"] for image in (OLD, NEW, OWN))
UNKNOWN = {"comment": "not in the image's history"}


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([*OLD_STEPS, EMPTY, *OWN_STEPS], [*NEW_STEPS, EMPTY, *OWN_STEPS]),
        # Steps that the base does not have belong to the image.
        ([EMPTY, *OLD_STEPS, EMPTY, *OWN_STEPS], [*NEW_STEPS, EMPTY, *OWN_STEPS]),
        ([], [*NEW_STEPS, UNKNOWN]),
        (None, [*NEW_STEPS, UNKNOWN]),
        (OLD_STEPS, [*NEW_STEPS, UNKNOWN]),
    ],
)
def test_the_history_has_a_step_for_each_layer(
    session: Session, ghcr: RegistryDouble, history: Any, expected: Any
) -> None:
    for name, image in (("app", on(OLD, OWN, history=history)), ("old", OLD), ("new", NEW)):
        ghcr.push_image(f"octo/{name}", "1", image)
    app, old, new = (
        IndexTarget(name_at(ghcr, session, f"octo/{n}:1")) for n in ("app", "old", "new")
    )
    rebase(session, app, None, RebaseOptions(old, new, created=MOMENT), replace=True)
    config = config_at(session, app)
    assert config["history"] == expected
    assert config["created"] == "2026-01-02T03:04:05Z"


def test_invalid_rebases_are_errors(session: Session, ghcr: RegistryDouble) -> None:
    for name, image in (("app", IMAGE), ("old", OLD), ("thing", artifact())):
        ghcr.push_image(f"octo/{name}", "1", image)
    app, old, thing = (
        IndexTarget(name_at(ghcr, session, f"octo/{n}:1")) for n in ("app", "old", "thing")
    )
    failures: list[tuple[IndexTarget, RebaseOptions, type[GhcrctlError]]] = [
        (app, RebaseOptions(old, thing), UnsupportedError),
        (app, RebaseOptions(thing, old), UnsupportedError),
        (thing, RebaseOptions(old, old), UnsupportedError),
    ]
    for source, bases, error in failures:
        with pytest.raises(error, match="not a container image"):
            rebase(session, source, app, bases)
    assert image_at(session, app).descriptor == IMAGE.root
