"""The sketch and the core against the headers of Arduino's mbed core and of the real libraries."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import real_arduino

from tinykit import toolchain

TINYKIT = toolchain.hardware_dir() / "TinyKit"
SRC, SKETCH = TINYKIT / "src", TINYKIT / "examples" / "Board"
LIBRARIES = ["arduino-libraries+Arduino_LSM9DS1", "arduino-libraries+Arduino_BMI270_BMM150"]


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    return real_arduino.MbedCore(LIBRARIES, tmp_path_factory.mktemp("mbed"))


@pytest.mark.parametrize("name", sorted(p.name for p in SKETCH.iterdir() if p.suffix in (".ino", ".cpp")))
def test_the_sketch_compiles_without_a_warning(core, name):
    made, warnings = core.compile(SKETCH / name, [SRC])
    assert made.stat().st_size > 1000 and warnings == []


def test_the_core_compiles_without_a_warning(core):
    sources = toolchain.core_sources()
    with ThreadPoolExecutor(2) as pool:
        told = list(pool.map(lambda source: core.compile(source, [SRC])[1], sources))
    assert len(told) > 60 and [line for lines in told for line in lines] == []


def test_a_warning_would_be_told(core, tmp_path):
    bad = tmp_path / "Bad.ino"
    bad.write_text("#include <Wire.h>\nvoid setup() { int x; Wire.setClock(x); }\nvoid loop() {}\n", encoding="utf-8")
    assert any("uninitialized" in line for line in core.compile(bad)[1])
