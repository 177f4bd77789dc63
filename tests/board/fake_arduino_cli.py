"""A stand-in for arduino-cli 1.5, for the tests: the JSON, texts and exit codes of its sources, and no more.

A test makes one, ``Fake(folder, **scenario)``, and names its path in ``TINYKIT_ARDUINO_CLI``. What it does is in
a JSON file beside it, which the test may change at any time, and where it notes how it was called.

=============  ==============================================================================================
``version``    of the tool; before 1.0 it knows no ``--json``
``cores``      installed cores, id -> version; None: ``"platforms": null``
``libraries``  installed libraries, name -> version; None: ``"installed_libraries": null``
``online``     whether it reaches the internet
``profiles``   names of profiles whose downloads are there already
``compile``    ``"ok"``, ``"error"`` (diagnostics), ``"too_large"``, ``"warning"``, ``"crash"`` or ``"hang"``
``upload``     ``"ok"``, ``"no_device"``, ``"busy"``, ``"cable"``, ``"denied"``, ``"silent"`` (no updated port)
               or ``"hang"``
``touch_s``    seconds that it looks for the bootloader after a touch (the real one: 10, too short on a busy computer)
``late_s``     seconds that it goes on after the board is back, as the real one does while it looks for the port
``wrong_port`` what it says the port is afterwards, where that is not true
``size``       bytes of program that a compilation gives
``warnings``   texts that any object carries
``usb``        socket of a ``Usb`` in the test's process: the boards that it sees, touches and flashes
``minified``   one line of JSON
=============  ==============================================================================================
"""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

NANO = "arduino:mbed_nano"
PINNED = {NANO: "4.6.0"}
OWN = {"Arduino_LSM9DS1": "1.1.1", "Arduino_BMI270_BMM150": "1.2.3"}  # of a user who has all that is wanted
DEFAULTS = {
    "version": "1.5.1", "cores": {}, "libraries": {}, "online": True, "profiles": [], "compile": "ok", "upload": "ok",
    "touch_s": 60.0, "late_s": 0.0, "wrong_port": None, "size": 150_000, "warnings": [],
    "usb": None, "minified": False,
}  # fmt: skip


class Fake:
    """A fake tool: ``path`` for ``TINYKIT_ARDUINO_CLI``, ``set(...)`` for another scenario, ``calls``."""

    def __init__(self, folder, **scenario):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.scenario = self.folder / "scenario.json"
        self.scenario.write_text(json.dumps(DEFAULTS))
        self.set(**scenario)
        here, python = Path(__file__).resolve(), sys.executable
        if os.name == "posix":
            self.path = self.folder / "arduino-cli"
            self.path.write_text(f'#!/bin/sh\nexec "{python}" "{here}" "{self.scenario}" "$@"\n')
            self.path.chmod(self.path.stat().st_mode | stat.S_IXUSR)
        else:
            self.path = self.folder / "arduino-cli.cmd"
            self.path.write_text(f'@"{python}" "{here}" "{self.scenario}" %*\n')

    def set(self, **scenario):
        """Change what it does from now on."""
        unknown = set(scenario) - set(DEFAULTS)
        assert not unknown, f"the fake knows no {unknown}"
        _write(self.scenario, {**json.loads(self.scenario.read_text()), **scenario})

    @property
    def calls(self) -> list[list[str]]:
        """The words that it was called with, in order."""
        notes = self.folder / "calls.jsonl"
        return [json.loads(line) for line in notes.read_text().splitlines()] if notes.exists() else []

    def called(self, *words) -> list[list[str]]:
        """The calls that begin with these words."""
        return [call for call in self.calls if tuple(call[: len(words)]) == words]


# -- the tool ----------------------------------------------------------------------------------------------


class Tool:
    def __init__(self, file, arguments):
        self.file, self.arguments = Path(file), arguments
        self.s = json.loads(self.file.read_text())
        self.flags, self.words = {}, []
        with open(self.file.parent / "calls.jsonl", "a") as notes:
            notes.write(json.dumps(arguments) + "\n")

    # -- its words

    FLAGS = {
        "--json": 0, "--no-color": 0, "--verbose": 0, "--show-properties": 0, "--format": 1, "--fqbn": 1,
        "--profile": 1, "--library": 1, "--build-path": 1, "--export-binaries": 0, "--port": 1, "--input-dir": 1,
    }  # fmt: skip

    def read(self):
        rest = list(self.arguments)
        old = tuple(map(int, self.s["version"].split(".")[:2])) < (1, 0)
        while rest:
            word = rest.pop(0)
            if not word.startswith("--"):
                self.words.append(word)
                continue
            name, _, value = word.partition("=")
            if name not in self.FLAGS or (old and name == "--json"):
                self.fatal(f"unknown flag: {name}", 1, plain=True)
            if self.FLAGS[name] and not value:
                value = rest.pop(0)
            self.flags.setdefault(name, []).append(value)

    @property
    def json(self):
        return "--json" in self.flags or self.flags.get("--format") == ["json"]

    def flag(self, name):
        return self.flags.get(name, [""])[-1]

    def print(self, answer, stream=sys.stdout):
        if self.s["warnings"] and isinstance(answer, dict):
            answer = {**answer, "warnings": self.s["warnings"]}
        print(json.dumps(answer) if self.s["minified"] else json.dumps(answer, indent=2), file=stream, flush=True)

    def say(self, text):
        """What is for people: at once without ``--json``, with it only inside an object."""
        if not self.json:
            print(text, flush=True)

    def fatal(self, error, code, output=None, plain=False):
        if self.json and not plain:
            self.print({"error": error, **({"output": output} if output else {})}, sys.stderr)
        else:
            print(error, file=sys.stderr)
        sys.exit(code)

    # -- its commands

    def run(self):
        self.read()
        name = "_".join(self.words[:2]) if self.words[0] in ("core", "lib") else self.words[0]
        getattr(self, name.replace("-", "_"))()

    def version(self):
        answer = {"Application": "arduino-cli", "VersionString": self.s["version"], "Commit": "", "Status": "",
                  "Date": ""}  # fmt: skip
        self.print(answer) if self.json else print(f"arduino-cli  Version: {self.s['version']} Commit:  Date: ")

    def core_list(self):
        cores = self.s["cores"]
        if cores is not None:
            cores = [{"id": k, "installed_version": v, "latest_version": v, "releases": {}} for k, v in cores.items()]
        self.print({"platforms": cores})

    def core_update_index(self):
        self.need_network("Error updating indexes: Some indexes could not be updated.", 1)
        self.say("Downloading index: package_index.tar.bz2 downloaded")

    def core_install(self):
        self.need_network("Error during install: Error downloading tool arduino:bossac: dial tcp: lookup "
                          "downloads.arduino.cc: no such host", 1)  # fmt: skip
        core, _, version = self.words[2].partition("@")
        if core not in PINNED:
            self.fatal(f"Error during install: Platform '{core}' not found", 1)
        for share in ("0.00%", "48.20%", "100.00%"):
            print(f"{core}@{version} 12.34 MiB / 80.00 MiB {share}", end="\r", flush=True)
        self.say(f"\nPlatform {core}@{version} installed")
        self.keep(cores={**(self.s["cores"] or {}), core: version or PINNED[core]})

    def lib_list(self):
        found = self.s["libraries"]
        if found is not None:
            found = [{"library": {"name": name, "version": version}} for name, version in found.items()]
        self.print({"installed_libraries": found})

    def lib_update_index(self):
        self.need_network("Error updating library index: dial tcp: i/o timeout", 1)
        self.say("Downloading index: library_index.tar.bz2 downloaded")

    def lib_install(self):
        self.need_network("Error installing: dial tcp: i/o timeout", 1)
        new = dict(word.partition("@")[::2] for word in self.words[2:])
        self.say("\n".join(f"Installed {name}@{version}" for name, version in new.items()))
        self.keep(libraries={**(self.s["libraries"] or {}), **new})

    def compile(self):
        sketch, profile = Path(self.words[1]), self.flag("--profile")
        if profile and self.flags.get("--library"):
            self.fatal("You cannot use the --library flag while compiling with a profile.", 7)
        if not (sketch / f"{sketch.name}.ino").is_file():
            self.fatal(f"Can't open sketch: main file missing from sketch: {sketch}", 1)
        self.open(sketch)
        if profile:
            self.load(sketch, profile)
        platform = ":".join(self.fqbn(sketch).split(":")[:2])
        if not profile and platform not in (self.s["cores"] or {}):
            self.failed(f"Platform '{platform}' not found: platform not installed\nTry running "
                        f"`arduino-cli core install {platform}`")  # fmt: skip
        if "--show-properties" in self.flags:
            return self.say("build.arch=MBED_NANO")
        build = Path(self.flag("--build-path"))
        (build / "sketch").mkdir(parents=True, exist_ok=True)
        (build / "sketch" / f"{sketch.name}.ino.cpp.o").write_bytes(b"")
        how = self.s["compile"]
        if how == "hang":
            self.hang()
        if how == "crash":
            print("panic: runtime error: invalid memory address", file=sys.stderr)
            sys.exit(2)
        if how == "error":
            fault = {"severity": "ERROR", "message": "'Wier' was not declared in this scope",
                     "file": f"{sketch}/{sketch.name}.ino", "line": 41, "column": 5}  # fmt: skip
            note = {"severity": "WARNING", "message": "unused variable 'a'", "file": f"{sketch}/x.h", "line": 3}
            self.failed("exit status 1", [note, fault])
        if how == "too_large":
            self.failed("text section exceeds available space in board", None)
        (build / f"{sketch.name}.ino.bin").write_bytes(b"\0" * self.s["size"])
        libraries = [{"name": n, "version": v} for n, v in (self.s["libraries"] or {}).items()]
        result = {
            "build_path": str(build),
            "used_libraries": libraries,
            "executable_sections_size": [{"name": "text", "size": self.s["size"], "max_size": 983040},
                                         {"name": "data", "size": 190_000, "max_size": 262144}],
            "board_platform": {"id": platform, "version": (self.s["cores"] or {}).get(platform, PINNED.get(platform))},
        }  # fmt: skip
        if how == "warning":
            result["diagnostics"] = [{"severity": "WARNING", "message": "unused variable 'a'", "file": "/x/Board.ino",
                                      "line": 3, "column": 7}]  # fmt: skip
        self.print({"compiler_out": "", "compiler_err": "", "builder_result": result, "upload_result": {},
                    "success": True})  # fmt: skip

    def upload(self):
        port, build = self.flag("--port"), Path(self.flag("--input-dir"))
        if not list(build.glob("*.ino.bin")):
            self.fatal("Error during Upload: Error finding build artifacts: looking for build artifacts: could not "
                       "find a valid build artifact", 1)  # fmt: skip
        how = self.s["upload"]
        failed = "Failed uploading: uploading error: exit status 1"
        said = {"stdout": f"Performing 1200-bps touch reset on serial port {port}\nWaiting for upload port...\n"}
        if how == "hang":
            self.hang()
        words = {
            "no_device": f"No device found on {Path(port).name}\n",
            "busy": f"Cannot perform port reset: TOUCH: error during reset: opening port at 1200bps: Serial port busy\n"
            f"No device found on {Path(port).name}\n",
            "denied": "Cannot perform port reset: TOUCH: error during reset: opening port at 1200bps: Permission "
            f"denied\nNo device found on {Path(port).name}\n",
            "cable": "SAM-BA operation failed\n",
        }
        if how in words:
            self.fatal(failed, 1, {**said, "stderr": words[how]})
        after = self.flash(port, said, failed) if self.s["usb"] else port
        time.sleep(self.s["late_s"])
        answer = {**said, "stderr": ""}
        if how != "silent":
            answer["updated_upload_port"] = {"address": self.s["wrong_port"] or after, "protocol": "serial"}
        self.print(answer)

    # -- inside

    def hang(self):
        """For ever, and so does what it has started, as it does a compiler."""
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        (self.file.parent / "child").touch()
        time.sleep(600)

    def flash(self, port, said, failed):
        """As arduino-cli and bossac do it: touch, look for the bootloader, write, look for the sketch."""
        import serial

        here = {entry["device"]: entry for entry in self.usb(do="ports")["ports"]}
        if port not in here:
            self.fatal(failed, 1, {**said, "stderr": f"No device found on {Path(port).name}\n"})
        number, target = here[port]["serial_number"], port
        if here[port]["pid"] != 0x005A:
            try:
                touch = serial.Serial(port, 1200, exclusive=True)
                with contextlib.suppress(OSError):  # a pseudo-terminal has no such line
                    touch.dtr = False
                touch.close()
            except OSError:
                self.fatal(failed, 1, {**said, "stderr": "Cannot perform port reset: Serial port busy\n"
                                       f"No device found on {Path(port).name}\n"})  # fmt: skip
            target = self.wait(lambda e: e["pid"] == 0x005A and e["serial_number"] == number)
        if target is None:
            self.fatal(failed, 1, {**said, "stderr": f"No device found on {Path(port).name}\n"})
        return self.usb(do="flash", address=target)["address"]

    def wait(self, wanted):
        end = time.monotonic() + self.s["touch_s"]
        while time.monotonic() < end:
            for entry in self.usb(do="ports")["ports"]:
                if wanted(entry):
                    return entry["device"]
            time.sleep(0.05)

    def usb(self, **words):
        """As ``usb.ask``, without importing all that ``usb`` needs."""
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(self.s["usb"])
            line.sendall(json.dumps(words).encode() + b"\n")
            with line.makefile() as answer:
                return json.loads(answer.readline())

    @property
    def old(self):
        """Whether it knows no ``dir:`` in a sketch.yaml, and then opens no sketch that has one."""
        return tuple(map(int, self.s["version"].split(".")[:2])) < (1, 3)

    def open(self, sketch):
        project = sketch / "sketch.yaml"
        if self.old and project.is_file() and "- dir:" in project.read_text():
            self.fatal("Can't open sketch: error loading sketch project file: yaml: unmarshal errors", 1)

    def load(self, sketch, profile):
        """What a profile names is downloaded when it is first used; a failure is a warning, and then an error."""
        text = (sketch / "sketch.yaml").read_text()
        if not re.search(rf"^  {profile}:", text, re.MULTILINE):
            self.fatal(f"Profile '{profile}' not found", 1)
        if profile in self.s["profiles"]:
            return
        for folder in re.findall(r"- dir: '(.*)'", text):
            if not (Path(folder) / "library.properties").is_file():
                self.fatal(f"Invalid library directory in sketch project: {folder}", 1)
        platform = re.search(r"- platform: (\S+) \((\S+)\)", text)
        if not self.s["online"]:
            warning = (f"Error initializing instance: Loading required platform {platform[1]}@{platform[2]}: Error "
                       "downloading https://downloads.arduino.cc/packages/package_index.tar.bz2: dial tcp: lookup "
                       "downloads.arduino.cc: no such host")  # fmt: skip
            self.s["warnings"] = [*self.s["warnings"], warning]
            if not self.json:
                print(warning, file=sys.stderr)
            self.failed(f"Platform '{platform[1]}' not found: platform not installed")
        self.say(f"Downloading platform {platform[1]}@{platform[2]}...")
        self.keep(profiles=[*self.s["profiles"], profile])

    def failed(self, cause, diagnostics=None):
        """A compilation that fails: with --json its object is on standard output."""
        error = f"Error during build: {cause}"
        if not self.json:
            self.fatal(error, 1)
        result = None if diagnostics is None else {"diagnostics": diagnostics}
        self.print({"compiler_out": "", "compiler_err": "", "builder_result": result, "upload_result": {},
                    "success": False, "error": error})  # fmt: skip
        sys.exit(1)

    def fqbn(self, sketch):
        if self.flag("--fqbn"):
            return self.flag("--fqbn")
        if not (sketch / "sketch.yaml").is_file():
            self.fatal("Missing FQBN (Fully Qualified Board Name)", 1)
        return re.search(r"fqbn: (\S+)", (sketch / "sketch.yaml").read_text())[1]

    def need_network(self, error, code):
        if not self.s["online"]:
            self.fatal(error, code)

    def keep(self, **what):
        self.s.update(what)
        _write(self.file, {**json.loads(self.file.read_text()), **what})


def _write(file, scenario):
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(scenario))
    os.replace(part, file)


if __name__ == "__main__":
    Tool(sys.argv[1], sys.argv[2:]).run()
