""".ci/sources: exactly the sources of the lock, by their hashes, with Debian's patches in."""

import hashlib
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from support import namespaces

TOP = Path(__file__).resolve().parents[3]
PATCH = """--- a/file
+++ b/file
@@ -1 +1 @@
-{}
+{}
"""


@pytest.fixture
def tree(tmp_path):
    """A tree whose lock names one part, whose files lie in .files."""
    class Tree:
        def __init__(self):
            self.top, self.files, self.mirror = tmp_path / "top", tmp_path / "files", tmp_path / "mirror"
            for folder in (self.top / ".ci", self.files, self.mirror / "debian/pool/main/i/inih", tmp_path / "out"):
                folder.mkdir(parents=True)
            (self.top / ".ci/sources").write_bytes((TOP / ".ci/sources").read_bytes())
            self.lock = ""
            self.make()

        def make(self):
            work = tmp_path / "work"
            (work / "inih-1").mkdir(parents=True)
            (work / "inih-1/file").write_text("one\n")
            patches = work / "debian/patches"
            patches.mkdir(parents=True)
            (patches / "series").write_text("# in this order\nb.patch\na.patch # the second\n\n")
            (patches / "b.patch").write_text(PATCH.format("one", "two"))
            (patches / "a.patch").write_text(PATCH.format("two", "three"))
            (self.files / "inih_1-1.dsc").write_text("Format: 3.0 (quilt)\n")
            with tarfile.open(self.files / "inih_1.orig.tar.gz", "w:gz") as tar:
                tar.add(work / "inih-1", "inih-1")
            with tarfile.open(self.files / "inih_1-1.debian.tar.xz", "w:xz") as tar:
                tar.add(work / "debian", "debian")
            for file in sorted(self.files.iterdir()):
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                self.lock += f"inih libinih 1-1 {digest} debian/pool/main/i/inih/{file.name}\n"
            (self.top / ".ci/sources.lock").write_text("# a comment\n" + self.lock)

        def to_mirror(self, name):
            (self.files / name).rename(self.mirror / "debian/pool/main/i/inih" / name)

        def get(self, prefix=(), **env):
            return subprocess.run(
                [*prefix, "bash", self.top / ".ci/sources", "get", tmp_path / "out", "inih"], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=100, env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "EMBARK_CACHE": str(tmp_path / "cache"),
                                  "EMBARK_SUITES": "bookworm", "EMBARK_MIRROR": f"file://{self.mirror}", **env})

        def good(self, done):
            assert done.returncode == 0, done.stdout + done.stderr
            assert (tmp_path / "out/inih/file").read_text() == "three\n"
            assert (tmp_path / "out/sources").read_text() == self.lock

    return Tree()


def test_files_of_a_folder(tree):
    tree.good(tree.get(EMBARK_SOURCES=str(tree.files)))


def test_files_of_a_mirror_and_then_of_the_cache(tree):
    for file in list(tree.files.iterdir()):
        tree.to_mirror(file.name)
    tree.good(tree.get())
    subprocess.run(["rm", "-rf", tree.mirror / "debian", tree.top.parent / "out/inih"], check=True)
    tree.good(tree.get())


def test_no_mirror_is_known(tree):
    """As where apt knows another distribution, or there is none."""
    namespaces.need()
    done = tree.get(["unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /etc/apt && exec "$@"', "sh"], EMBARK_MIRROR="")
    assert done.returncode == 1
    assert done.stderr.count("/etc/apt names no mirror of Debian: EMBARK_MIRROR=URL names one") == 1
    assert "no source of inih can be downloaded" in done.stderr


@pytest.mark.parametrize("name", ["inih_1.orig.tar.gz", "inih_1-1.debian.tar.xz"])
def test_another_file_of_that_name_is_not_taken(tree, name):
    tree.to_mirror(name)
    with open(tree.mirror / "debian/pool/main/i/inih" / name, "ab") as f:
        f.write(b"\0")
    done = tree.get(EMBARK_SOURCES=str(tree.files))
    assert done.returncode == 1
    assert f"another {name} than .ci/sources.lock says" in done.stderr
    assert f"{name}, which .ci/sources.lock names, can't be had" in done.stderr
    assert "no source of inih can be downloaded" in done.stderr and "EMBARK_SOURCES" in done.stderr


def test_the_lock_is_whole():
    """Every part has its three files, none of which changes its name with the time."""
    lines = [line.split() for line in (TOP / ".ci/sources.lock").read_text().splitlines() if not line.startswith("#")]
    for part in ("musl", "openssl", "inih", "libmd", "jansson", "postgresql"):
        places = [place for name, _, _, _, place in lines if name == part]
        assert len(places) == 3, part
        assert any(p.endswith(".dsc") for p in places) and any(".orig.tar." in p for p in places) and any(".debian.tar." in p for p in places)
    assert all(len(digest) == 64 for _, _, _, digest, _ in lines)
