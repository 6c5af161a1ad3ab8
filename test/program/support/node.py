"""The Node.js that tests run with: .ci/node says which, and gets it."""

import functools
import os
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


@functools.cache
def folder():
    """The folder that is to be in PATH before others, or an empty text. For a session's workers it is in the environment."""
    if "EMBARK_TEST_NODE" not in os.environ:
        done = subprocess.run([TOP / ".ci/node"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise SystemExit(done.returncode)  # it has said why
        os.environ["EMBARK_TEST_NODE"] = done.stdout.strip()
    return os.environ["EMBARK_TEST_NODE"]


def before(path):
    """That PATH with the folder in front of it."""
    return f"{folder()}:{path}" if folder() else path


def first_in_path():
    """For this process and those that it starts."""
    if folder() and os.environ["PATH"].split(":")[0] != folder():
        os.environ["PATH"] = before(os.environ["PATH"])
