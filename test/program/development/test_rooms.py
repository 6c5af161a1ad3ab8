""".ci/rooms: what the documents for developers say of the tree is compared with the tree."""

import shutil
import subprocess

import pytest
from conftest import TOP


@pytest.fixture
def tree(tmp_path):
    """What .ci/rooms looks at, and the places that links lead to."""
    for folder in ("src", "include", "doc", "test", ".ci"):
        shutil.copytree(TOP / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "README.md", "CONTRIBUTING.md", "NEWS.md", "LICENSE", "Dockerfile.example"):
        shutil.copy(TOP / name, tmp_path / name)
    return tmp_path


def rooms(tree):
    return subprocess.run([tree / ".ci/rooms"], capture_output=True, text=True)


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_as_it_is(tree):
    done = rooms(tree)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name, old, new, said", [
    ("Makefile", "base linux", "linux base", "doc/architecture.svg is not that of the Makefile's list"),
    ("Makefile", "base linux", "base another linux", "doc/architecture.md has no row for src/core/another"),
    ("doc/architecture.md", "| `src/core/url` |", "| `src/core/base` |", "no row for src/core/url"),
    ("doc/architecture.md", "(../CONTRIBUTING.md)", "(../CONTRIBUTION.md)", "the link ../CONTRIBUTION.md leads nowhere"),
    ("doc/architecture.md", "`src/stages/lock/watch.c`", "`src/stages/lock/clock.c`", "src/stages/lock/clock.c is not there"),
    ("doc/architecture.md", "`EM_IS_OLDER`", "`EM_IS_ELDER`", "no source has EM_IS_ELDER"),
    ("CONTRIBUTING.md", "`make unit`", "`make units`", "make has no target units"),
    ("CONTRIBUTING.md", "#rules-and-what-checks-them", "#rules", "no heading is meant by doc/architecture.md#rules"),
])
def test_what_is_not_so_is_told(tree, name, old, new, said):
    change(tree / name, old, new)
    done = rooms(tree)
    assert done.returncode == 1
    assert said in done.stderr
