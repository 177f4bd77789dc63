"""hardware/TinyKit as an Arduino library: what arduino-lint asks of one in its strict mode, and of its sketch."""

import json
import re

import pytest
import real_arduino

from tinykit import toolchain

LIBRARY = toolchain.hardware_dir() / "TinyKit"
SRC, EXAMPLES = LIBRARY / "src", LIBRARY / "examples"
HEADERS = "\n".join(p.read_text(encoding="utf-8") for p in sorted(SRC.glob("*.h")))


def properties():
    lines = (LIBRARY / "library.properties").read_text(encoding="utf-8").splitlines()
    pairs = [line.partition("=") for line in lines if line.strip() and not line.startswith("#")]
    assert all(between == "=" and name == name.strip() for name, between, _ in pairs)
    assert len({name for name, _, _ in pairs}) == len(pairs)
    return {name: value for name, _, value in pairs}


def test_properties_are_those_of_a_library():
    p = properties()
    assert list(p) == ["name", "version", "author", "maintainer", "sentence", "paragraph", "category", "url",
                       "architectures", "includes", "depends"]  # fmt: skip
    assert all(value == value.strip() != "" for value in p.values())
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{2,15}", p["name"]) and p["name"] == LIBRARY.name
    assert not re.search("arduino|library", p["name"] + p["maintainer"], re.I)
    assert re.fullmatch(r"\d+\.\d+\.\d+", p["version"])
    assert p["category"] in ("Display", "Communication", "Signal Input/Output", "Sensors", "Device Control", "Timing",
                             "Data Storage", "Data Processing", "Other")  # fmt: skip
    assert p["url"].startswith("https://") and not p["paragraph"].startswith(p["sentence"])
    assert (SRC / p["includes"]).is_file() and p["includes"] == p["name"] + ".h"
    for needed in p["depends"].split(","):
        assert re.fullmatch(r"[A-Za-z0-9][\w.-]* \(>=\d+\.\d+\.\d+\)", needed), needed


def test_the_library_is_as_old_as_its_firmware():
    assert f'#define TK_FIRMWARE_VERSION "{properties()["version"]}"' in HEADERS


def test_its_files_are_where_the_arduino_tools_look():
    names = {p.name for p in LIBRARY.iterdir()}
    assert names == {"LICENSE", "README.md", "examples", "keywords.txt", "library.properties", "src"}
    files = [p for p in LIBRARY.rglob("*")]
    assert not any(p.is_symlink() or p.suffix in (".exe", ".pde", ".o") for p in files)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}", p.name) for p in files)
    assert {p.suffix for p in SRC.iterdir()} == {".c", ".h", ".inc"}  # nothing that waits for Arduino.h
    root = LIBRARY.parents[1] / "LICENSE"
    if root.is_file():
        assert (LIBRARY / "LICENSE").read_bytes() == root.read_bytes()


def test_every_example_is_a_sketch():
    sketches = [p for p in EXAMPLES.iterdir() if p.is_dir()]
    assert sketches
    for sketch in sketches:
        main = sketch / f"{sketch.name}.ino"
        text = main.read_text(encoding="utf-8")
        assert "void setup()" in text and "void loop()" in text
        assert not re.search(r"#include\s*[<\"]arduino\.h", text)  # the case matters on Linux
        assert {p.suffix for p in sketch.iterdir()} <= {".ino", ".h", ".cpp", ".yaml"}


def test_the_sketch_takes_its_libraries_from_where_the_library_says():
    yaml = (EXAMPLES / "Board" / "sketch.yaml").read_text(encoding="utf-8")
    pinned = dict(re.findall(r"^ +- (\w+) \((\d+\.\d+\.\d+)\)$", yaml, re.M))
    needed = dict(re.findall(r"(\w+) \(>=(\d+\.\d+\.\d+)\)", properties()["depends"]))
    assert set(pinned) == set(needed) and needed
    number = lambda text: tuple(map(int, text.split(".")))  # noqa: E731
    assert all(number(pinned[name]) >= number(least) for name, least in needed.items())


def test_keywords_are_names_that_there_are():
    lines = (LIBRARY / "keywords.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    assert all(len(row) == 2 and row[1] in ("KEYWORD1", "KEYWORD2", "LITERAL1") for row in rows), rows
    assert len({name for name, _ in rows}) == len(rows) > 20
    kinds = {"KEYWORD1": r"\b(?:struct|enum) {} *\{{", "KEYWORD2": r"\b{} *\(", "LITERAL1": r"(?:#define |\(){}\b"}
    for name, kind in rows:
        assert re.search(kinds[kind].format(name), HEADERS), name
    # What the sketch calls and names is coloured there.
    sketch = (EXAMPLES / "Board" / "Board.ino").read_text(encoding="utf-8")
    used = set(re.findall(r"\b(?:tk|TK)_\w+", re.sub(r"/\*.*?\*/", "", sketch, flags=re.S)))
    assert used <= {name for name, _ in rows}


@pytest.mark.parametrize("strictness", ["permissive", "", "strict"])
def test_arduino_lint_itself_would_take_the_properties(strictness):
    jsonschema = pytest.importorskip("jsonschema")
    referencing = pytest.importorskip("referencing")
    folder = real_arduino.folder_of("arduino+arduino-lint") / "etc" / "schemas"
    schemas = {p.name: json.loads(p.read_text(encoding="utf-8")) for p in folder.glob("*.json")}
    registry = referencing.Registry()
    for name, schema in schemas.items():
        made = referencing.Resource.from_contents(schema, referencing.jsonschema.DRAFT7)
        registry = registry.with_resource(schema.get("$id", name), made).with_resource(name, made)
    name = f"arduino-library-properties-{strictness + '-' if strictness else ''}schema.json"
    validator = jsonschema.Draft7Validator(schemas[name], registry=registry)
    assert [error.message for error in validator.iter_errors(properties())] == []
    assert list(validator.iter_errors({**properties(), "version": "new", "architectures": ""}))
