"""Parts of `make release` and of building for another processor that can be told without building: test/release looks at the whole."""

import os
import platform
import re
import shutil
import subprocess
import sys

import pytest

from conftest import TOP

VERSION = re.search(r"^VERSION := (.*)$", (TOP / "Makefile").read_text(), re.M)[1]


def run(*words, **env):
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return subprocess.run([str(word) for word in words], cwd=TOP, capture_output=True, text=True, timeout=100, env={**environment, **env})


def test_the_newest_of_the_news_is_this_version(binary):
    assert re.search(r"^## (\S+)$", (TOP / "NEWS.md").read_text(), re.M)[1] == VERSION
    assert run(binary, "version").stdout.startswith(f"embark {VERSION} (")


def test_version_names_the_sources(binary):
    """Those that the libraries were built from, which are the lock's."""
    said = re.search(r"\((.*)\)", run(binary, "version").stdout)[1].split(", ")
    lock = [line.split() for line in (TOP / ".ci/sources.lock").read_text().splitlines() if not line.startswith(("#", "cmocka "))]
    assert set(said) == {f"{ {'postgresql': 'libpq', 'inih': 'inih'}.get(part, package)} {version.rpartition('-')[0]}" for part, package, version, *_ in lock}


@pytest.mark.parametrize("target", ["check", "pytest", "release", "demo", "asan"])
def test_what_is_for_this_processor_only_is_refused_for_another(target):
    other = "aarch64" if platform.machine() == "x86_64" else "x86_64"
    done = run("make", "-n", f"ARCH={other}", target)
    assert done.returncode == 2 and f"ARCH={other} is for: make [all], install" in done.stderr


@pytest.fixture
def tree(tmp_path):
    """A tree that seems to be built for both processors."""
    for name in (".ci/release", "doc", "test/demo/app"):
        shutil.copytree(TOP / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (".ci/sources.lock", "LICENSE", "NEWS.md", "README.md", "Dockerfile.example", "Makefile"):
        shutil.copy(TOP / name, tmp_path / name)
    libraries = tmp_path / "libraries"
    (libraries / "licenses").mkdir(parents=True)
    lock = [line for line in (TOP / ".ci/sources.lock").read_text().splitlines() if not line.startswith(("#", "cmocka "))]
    (libraries / "sources").write_text("\n".join(lock) + "\n")
    for part in {line.split()[0] for line in lock}:
        (libraries / "licenses" / part).write_text(f"of {part}\n")
    for machine in ("x86_64", "aarch64"):
        folder = tmp_path / "build" / ("" if platform.machine() == machine else machine)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "embark").write_text(f"for {machine}\n")
        (folder / "deps.mk").write_text(f"DEPS := {libraries}\nCROSS := \n")
    return tmp_path


def release(tree, version=VERSION):
    return run(tree / ".ci/release/make", version, tree / "dist", SOURCE_DATE_EPOCH="1700000000")


def test_a_release_is_the_same_again(tree):
    """Also if its files are younger."""
    def contents():
        done = release(tree)
        assert done.returncode == 0, done.stderr
        return {path.name: path.read_bytes() for path in (tree / "dist").rglob("*") if path.is_file()}

    first = contents()
    assert len(first) == 7 + 2 + 1 + 2 * 3, "archives, packages, sums, bill; index and layout; an index of both; their manifests, configurations, layers"
    for path in tree.rglob("*"):
        os.utime(path, (1, 1))
    assert contents() == first
    assert not list(tree.glob(".ci/release/__pycache__"))


@pytest.mark.parametrize("spoil, said", [
    (lambda tree: (tree / "NEWS.md").write_text("# News\n"), f"release: NEWS.md says nothing of {re.escape(VERSION)}"),
    (lambda tree: (tree / ".ci/sources.lock").write_text((tree / ".ci/sources.lock").read_text().replace("musl 1.2", "musl 1.3")),
     r"release: musl 1\.2\S* is not of \.ci/sources\.lock"),
], ids=["news", "other sources"])
def test_what_is_no_release(tree, spoil, said):
    spoil(tree)
    done = release(tree)
    assert done.returncode == 1 and re.search(said, done.stderr), done.stderr
    assert not (tree / "dist").exists()


def test_of_when_it_is_has_to_be_known(tree):
    """No git, and nobody says so."""
    done = run("env", "-u", "SOURCE_DATE_EPOCH", "GIT_CEILING_DIRECTORIES=/", sys.executable, tree / ".ci/release/make", VERSION, tree / "dist")
    assert done.returncode == 1 and "SOURCE_DATE_EPOCH=SECONDS says" in done.stderr
