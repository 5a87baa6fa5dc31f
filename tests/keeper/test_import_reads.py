"""Importing the keeper reads the package's own resources and does nothing else to the outside."""

import json
import subprocess
import sys

from keeper import resources

CHILD = """
import importlib, json, pkgutil, sys, sysconfig

OURS = sys.argv[1]
STANDARD = sysconfig.get_path("stdlib")
OUTSIDE = ("open", "os.", "shutil.", "socket.", "sqlite3.", "subprocess.", "tempfile.", "urllib.")
found = []


def note(event, arguments):
    if not event.startswith(OUTSIDE):
        return
    frame = sys._getframe(1)
    while frame and standard(frame.f_code.co_filename):
        frame = frame.f_back
    # Who had it done: one of our modules, a library, or importlib to load a module.
    if frame and frame.f_code.co_filename.startswith(OURS):
        found.append([event, *map(str, arguments[:2])])


def standard(file):
    frozen = file.startswith("<frozen ") and not file.startswith("<frozen importlib")
    return frozen or file.startswith(STANDARD)


sys.addaudithook(note)
import keeper

for module in pkgutil.walk_packages(keeper.__path__, "keeper."):
    importlib.import_module(module.name)
print(json.dumps(found))
"""


def test_importing_only_reads_resources(tmp_path):
    ours = resources.__file__.removesuffix("resources.py")
    command = [sys.executable, "-c", CHILD, ours]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = {tuple(each) for each in json.loads(done.stdout)}
    resource = {("open", str(path), "r") for path in (*resources.IDL.glob("*.json"), resources.CLASS_TABLE)}
    assert found & resource
    assert found - resource == set()
