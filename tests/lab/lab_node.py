"""The widgets' JavaScript in Node: what it counts is tested there, without a page."""

import json
import shutil
import subprocess

import pytest

NODE = shutil.which("node")


def node(script, name, *shared):
    """What a script prints that has a widget's functions before it."""
    from tinykit.lab.widget import module

    if NODE is None:
        pytest.skip("node is not on the PATH, so the page's arithmetic was not tried here.")
    code = module(name, *shared).replace("export default", "const made =") + script
    done = subprocess.run([NODE, "--input-type=module", "-"], input=code.encode(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout


def told(script, name, *shared):
    """The same for a script whose last expression is ``out``: what that is."""
    return json.loads(node(script + "\nprocess.stdout.write(JSON.stringify(out));", name, *shared))
