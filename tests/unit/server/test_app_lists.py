"""The rules of the OCI distribution spec 1.1 for lists, tested over HTTP."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from ghcrctl.oci import media_types
from ghcrctl.oci.digest import Digest
from ghcrctl.server.app import RegistryApp
from ghcrctl.server.memory_backend import MemoryBackend
from ghcrctl.server.serve import Server
from tests.builders import artifact, random_image
from tests.unit.server.test_app import BLOB, DIGEST, OTHER, begin, code_of, http, push_blob, url

if TYPE_CHECKING:
    from pathlib import Path

    from tests.registry_double import PlainRegistry

__all__ = ["http", "url"]


class TestLists:
    def test_tags_are_paginated_with_link_header(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        for tag in ("b", "c", "a", "B"):
            plain_registry.push_image("a/b", tag, random_image())
        first = http.get(f"{url}/a/b/tags/list", params={"n": 3})
        assert first.json() == {"name": "a/b", "tags": ["B", "a", "b"]}
        assert first.links["next"]["url"].startswith("/v2/a/b/tags/list?")
        rest = http.get(plain_registry.url + first.links["next"]["url"])
        assert (rest.json()["tags"], rest.links) == (["c"], {})

    @pytest.mark.parametrize(
        ("query", "tags"), [({"n": "0"}, []), ({"last": "a"}, ["b"]), ({"n": "9"}, ["a", "b"])]
    )
    def test_n_and_last_select_a_page(
        self,
        plain_registry: PlainRegistry,
        http: requests.Session,
        url: str,
        query: dict[str, str],
        tags: list[str],
    ) -> None:
        for tag in ("a", "b"):
            plain_registry.push_image("a/b", tag, random_image())
        assert http.get(f"{url}/a/b/tags/list", params=query).json()["tags"] == tags

    def test_catalog_lists_repositories(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        for name in ("z/z", "a/b"):
            plain_registry.push_image(name, "v1", random_image())
        assert http.get(f"{url}/_catalog").json() == {"repositories": ["a/b", "z/z"]}

    def test_referrers_are_listed_and_filtered(
        self, plain_registry: PlainRegistry, http: requests.Session, url: str
    ) -> None:
        image = random_image()
        signature = artifact("app/sig", subject=image.root, annotations={"k": "v"})
        bill = artifact("app/sbom", subject=image.root)
        for tag, built in (("v1", image), ("s", signature), ("b", bill)):
            plain_registry.push_image("a/b", tag, built)
        response = http.get(f"{url}/a/b/referrers/{image.root.digest}")
        assert response.headers["Content-Type"] == media_types.OCI_INDEX
        kinds = {entry["artifactType"] for entry in response.json()["manifests"]}
        assert kinds == {"app/sig", "app/sbom"}
        chosen = http.get(response.url, params={"artifactType": "app/sig"})
        assert chosen.headers["OCI-Filters-Applied"] == "artifactType"
        (entry,) = chosen.json()["manifests"]
        assert (entry["digest"], entry["annotations"]) == (str(signature.root.digest), {"k": "v"})

    def test_no_referrers_is_an_empty_index(self, http: requests.Session, url: str) -> None:
        response = http.get(f"{url}/no/where/referrers/{OTHER}")
        assert (response.status_code, response.json()["manifests"]) == (200, [])


class TestServer:
    def test_connection_is_usable_after_a_rejected_body(
        self, http: requests.Session, url: str
    ) -> None:
        for _ in range(3):
            assert http.put(f"{url}/a/b/blobs/uploads/none", data=iter([BLOB])).status_code == 404
            assert http.get(f"{url}/").status_code == 200

    def test_read_only_server_rejects_every_write(
        self, http: requests.Session, tmp_path: Path
    ) -> None:
        app = RegistryApp(MemoryBackend(), read_only=True, upload_dir=tmp_path)
        with Server(app) as server:
            for method, path in (
                ("POST", "blobs/uploads/"),
                ("PUT", "manifests/v1"),
                ("DELETE", "manifests/v1"),
                ("DELETE", f"blobs/{DIGEST}"),
                ("PATCH", "blobs/uploads/x"),
            ):
                response = http.request(method, f"{server.url}/v2/a/b/{path}", data=BLOB)
                assert (response.status_code, code_of(response)) == (405, "UNSUPPORTED")
            assert http.get(f"{server.url}/v2/").status_code == 200

    def test_closed_app_leaves_no_upload_files(
        self, http: requests.Session, tmp_path: Path
    ) -> None:
        app = RegistryApp(MemoryBackend(), upload_dir=tmp_path)
        with Server(app) as server:
            push_blob(http, f"{server.url}/v2")
            begin(http, f"{server.url}/v2")
            http.put(begin(http, f"{server.url}/v2"), params={"digest": str(OTHER)}, data=BLOB)
            assert len(list(tmp_path.iterdir())) == 1
        app.close()
        assert list(tmp_path.iterdir()) == []

    def test_concurrent_clients_get_their_own_blobs(self, url: str) -> None:
        seen: list[bool] = []

        def work(number: int) -> None:
            data = json.dumps(number).encode() * 1000
            digest = Digest.of(data)
            with requests.Session() as own:
                own.trust_env = False
                own.put(begin(own, url), params={"digest": str(digest)}, data=data)
                seen.append(own.get(f"{url}/a/b/blobs/{digest}").content == data)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert seen == [True] * 10
