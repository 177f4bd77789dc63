"""The house keeps its order: imports go one way, heavy packages load late, versions agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "tinykit"
ROOMS = ["data", "features", "models", "compress", "engine", "board", "exchange", "lab"]
LEAVES = {"errors", "pipeline", "toolchain", "look"}  # any room may use these
HEAVY = {"tensorflow", "tf_keras", "keras", "sklearn", "matplotlib", "tensorflow_model_optimization"}
MODULES = sorted(p for p in PACKAGE.rglob("*.py") if "_share" not in p.parts)


def imports(tree, package):
    """(module, whether at import time) for each import in a syntax tree."""
    late = {n for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for n in ast.walk(f)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node not in late
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield module, node not in late
            for alias in node.names:
                yield f"{module}.{alias.name}", node not in late


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_imports_go_one_way_and_heavy_ones_come_late(path):
    parts = ["tinykit", *path.relative_to(PACKAGE).with_suffix("").parts]
    package = parts[:-1]
    here = parts[1] if parts[1] in ROOMS else None
    for module, at_import_time in imports(ast.parse(path.read_text(encoding="utf-8")), package):
        top = module.split(".")
        assert not (top[0] in HEAVY and at_import_time), f"{path.name} imports {module} when it is loaded"
        if top[0] == "tensorflow" or top[0] == "tf_keras":
            assert here in ("models", "compress") or path.name == "tflite.py", f"{path} imports {module}"
        if top[0] != "tinykit" or len(top) < 2:
            continue
        if here and top[1] in ROOMS:
            assert ROOMS.index(top[1]) <= ROOMS.index(here), f"{path.relative_to(ROOT)} looks down into {module}"
        if parts[1] in LEAVES and top[1] in ROOMS:
            raise AssertionError(f"{path.relative_to(ROOT)} is a leaf and imports {module}")


def test_modules_fit_on_a_few_screens():
    long = {p.name: n for p in MODULES if (n := len(p.read_text(encoding="utf-8").splitlines())) > 450}
    assert not long, f"these have grown a second purpose: {long}"


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_has_nothing_to_say(words):
    command = [sys.executable, "-m", "ruff", *words, "--quiet", str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True)
    if "No module named" in run.stderr:
        pytest.skip("ruff is not installed; make env installs it.")
    assert run.returncode == 0, run.stdout + run.stderr


def locked():
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in lines if re.match(r"^[A-Za-z0-9]", line)}


def test_no_two_test_files_have_one_name():
    """Without packages pytest knows a test file by its name alone, and refuses the second."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert len(names) == len(set(names)), sorted(name for name in names if names.count(name) > 1)


def test_everything_the_project_needs_is_locked():
    if sys.version_info < (3, 11):
        pytest.skip("Reading pyproject.toml here needs tomllib, which came with Python 3.11.")
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = project["dependencies"] + extras["lab"] + extras["test"]
    names = {re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9_.-]+", w).group()).lower() for w in wanted}
    assert names <= locked(), "run make lock"


def test_conda_takes_its_versions_from_the_lock():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    assert "-r requirements.lock" in text and "-e ." in text
    assert not re.search(r"^\s+- (numpy|tensorflow|jupyterlab)", text, re.MULTILINE)
