"""The registry: against the manifest of the real files, and by downloads from this very computer."""

import csv
import hashlib
import json
import re
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from data_rows import HEADER, line, rows_of

from tinykit.data.registry import fetch, public
from tinykit.errors import DataError
from tinykit.toolchain import data_dir

BOOK = json.loads((data_dir() / "registry.json").read_text(encoding="utf-8"))


def test_every_entry_has_licence_commit_and_hash():
    assert set(public()) == set(BOOK["sets"]) and len(public()) == 7
    for name, entry in BOOK["sets"].items():
        assert entry["licence"] in ("MIT", "Apache-2.0", "CC-BY-4.0"), name
        if "archive" in entry:
            archive = entry["archive"]
            assert re.fullmatch(r"[0-9a-f]{64}", archive["sha256"]) and archive["url"].startswith("https://")
            assert archive["bytes"] > 1e8 and archive["files"] >= 8000 and archive["hash_from"] and entry["cite"]
            continue
        for source in entry["sources"]:
            assert re.fullmatch(r"[0-9a-f]{40}", source["commit"])
            for path, (where, digest) in source["files"].items():
                assert re.fullmatch(r"[0-9a-f]{64}", digest) and ".." not in path and not path.startswith("/") and where


def test_hashes_are_those_of_the_real_files(shared_data):
    with open(shared_data / "manifest.csv", newline="", encoding="utf-8") as file:
        known = {row["path"]: row for row in csv.DictReader(file)}
    for name, entry in BOOK["sets"].items():
        for source in entry.get("sources", ()):
            for path, (where, digest) in source["files"].items():
                row = known[f"gestures/{name}/{path}"]
                assert row["source_path"] == where and row["commit"] == source["commit"]
                assert hashlib.sha256((shared_data / row["path"]).read_bytes()).hexdigest() == digest


@pytest.fixture
def served(tmp_path):
    """A server on this computer with two files, and a registry that names them."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    files = {}
    for who in ("ann", "bo b"):
        text = f"{HEADER}\n" + "".join(line(row) + "\n" for take in rows_of(takes=3) for row in take)
        path = tmp_path / "www" / "me" / "repo" / ("c" * 40) / "data" / who / "punch.csv"
        path.parent.mkdir(parents=True)
        path.write_bytes(text.encode())
        files[f"{who}/punch.csv"] = [f"data/{who}/punch.csv", hashlib.sha256(text.encode()).hexdigest()]
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path / "www"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    book = {
        "format": 1,
        "base": f"http://127.0.0.1:{server.server_port}",
        "sets": {
            "two": {
                "about": "Two people",
                "licence": "MIT",
                "cite": "nobody",
                "sources": [{"repository": "me/repo", "commit": "c" * 40, "files": files}],
            }
        },
    }
    registry = tmp_path / "registry.json"
    registry.write_text(json.dumps(book), encoding="utf-8")
    yield server, registry, tmp_path
    server.shutdown()
    server.server_close()


def test_fetch_downloads_once_and_opens(served):
    server, registry, folder = served
    dataset = fetch("two", folder / "kept", progress=False, registry=registry)
    assert len(dataset) == 6 and dataset.persons == ("ann", "bo b")
    assert dataset.card["licence"] == "MIT" and "me/repo" in dataset.card["provenance"]
    server.shutdown()  # from now on there is no network
    assert fetch("two", folder / "kept", progress=False, registry=registry).fingerprint == dataset.fingerprint


def test_a_file_that_is_not_what_it_should_be_is_not_kept(served):
    _, registry, folder = served
    target = folder / "www" / "me" / "repo" / ("c" * 40) / "data" / "bo b" / "punch.csv"
    target.write_text(target.read_text(encoding="utf-8") + "9,9,9,9,9,9\n", encoding="utf-8")
    with pytest.raises(DataError, match="not what the registry says"):
        fetch("two", folder / "kept", progress=False, registry=registry)
    assert not (folder / "kept" / "bo b" / "punch.csv").exists() and (folder / "kept" / "ann" / "punch.csv").exists()


def test_no_network_and_no_such_set(served):
    server, registry, folder = served
    server.shutdown()
    server.server_close()
    with pytest.raises(DataError, match="could not be loaded"):
        fetch("two", folder / "kept", progress=False, registry=registry)
    with pytest.raises(DataError, match="no public set 'three'"):
        fetch("three", registry=registry)
    with pytest.raises(DataError, match="cannot be read"):
        fetch("two", registry=folder / "none.json")
