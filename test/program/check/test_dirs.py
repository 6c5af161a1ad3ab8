"""[require] dir with what it asks for, and mount."""

import os

import pytest

from support.image import check, write  # noqa: F401 - check is a fixture
from support.process import need_root


@pytest.fixture
def start(embark):
    """A start, in which the deployment's volumes are looked at, too."""

    def run(require, code, *patterns, **how):
        return embark.run("true", config="[require]\n" + require, **how).expect(code, *patterns)

    return run


def mounted(command):
    """A prefix that runs a command of the shell in a mount namespace of its own, then the rest."""
    return ["unshare", "--mount", "sh", "-c", f'{command} && exec "$@"', "sh"]


# --- not-empty

def test_not_empty(check, folder):
    (folder / "public").mkdir()
    check("dir = public\n", 0)
    check("dir = public : not-empty\n", 72, r"require: dir public: is empty \(.*embark\d.ini:2\)", "hint: COPY into it")
    write(folder / "public/.hidden")
    check("dir = public : not-empty\n", 0)
    check("dir = publik : not-empty\n", 72, rf"dir publik: does not exist; the nearest existing parent is {folder}, which holds public/")


def test_not_empty_behind_a_mount(check, folder):
    need_root("a mount")
    write(folder / "public/index.html")
    check("dir = public : not-empty\n", 72, "dir public: is empty", r"hint: none \(tmpfs\) is mounted there, and hides what the image holds",
          prefix=mounted(f"mount -t tmpfs none {folder}/public"))


def test_a_folder_that_may_not_be_listed(check, folder):
    need_root("becoming another user")
    (folder / "public").mkdir(mode=0o711)
    check("dir = public\n", 0, user="nobody")
    check("dir = public : not-empty\n", 72, "dir public: can't be listed: Permission denied: it belongs to 0:0 with mode 0711", user="nobody")


@pytest.mark.parametrize("value, said", [
    ("public : nonempty", '"nonempty" is neither not-empty nor free SIZE'),
    ("public : not-empty, free many", '"free many" is neither'),
    (" : not-empty", "names no directory"),
])
def test_mistakes(check, value, said):
    check(f"dir = x\n  {value}\n" if value[0] != " " else f"dir = {value}\n", 78, rf"embark1.ini:\d: \[require\] dir: .*{said}")


# --- free space

def test_free_space(start, check, folder):
    need_root("a mount")
    (folder / "data").mkdir()
    small = mounted(f"mount -t tmpfs -o size=8M none {folder}/data")
    start("dir = data : free 4M\n", 0, prefix=small)
    start("dir = data : free 100M\n", 72, r"dir data: has 8\.0 MiB free, of 100M that are asked for \(.*:2\)", "hint: make room", prefix=small)
    check("dir = data : free 100M\n", 0, prefix=small)      # in a build the disk isn't the deployment's
    start("dir = data : free 1\n", 0)


# --- mount

def test_mount(start, check, folder):
    need_root("a mount")
    (folder / "my data").mkdir()
    (folder / "link").symlink_to("my data")
    require = f"mount = {folder}/my data\n"
    start(require, 72, rf"mount {folder}/my data: nothing is mounted there: it lies on \S+ \(\S+\)", r"hint: mount a volume there.*docker run -v")
    for command in (f"mount -t tmpfs none '{folder}/my data'", f"mount --bind '{folder}' '{folder}/my data'"):
        start(require, 0, prefix=mounted(command))
        start("mount = link\n", 0, prefix=mounted(command))
    check(require, 0)   # a build has no volumes
    start("mount = /nowhere\n", 72, "mount /nowhere: does not exist; the nearest existing parent is /")


def test_mount_without_proc(start, folder):
    need_root("a mount")
    (folder / "data").mkdir()
    start("mount = data\n", 0, "mount data: can't be told, as /proc is not mounted", prefix=mounted("mount -t tmpfs none /proc"))


# --- links

def test_links(check, folder):
    (folder / "broken").symlink_to("/build/public")
    (folder / "chain").symlink_to("broken")
    check("dir = broken : not-empty\n", 72, f"{folder}/broken is a symbolic link to /build/public, which does not exist")
    check("dir = chain\n", 72, f"{folder}/chain is a symbolic link to broken, and that leads to /build/public, which does not exist")
    check("dir = broken/inner\n", 72, f"{folder}/broken is a symbolic link to /build/public, which does not exist")


def test_as_our_effective_user_sees_it(check, folder):
    need_root("becoming another user")
    (folder / "private").mkdir(mode=0o700)
    check("dir = private : not-empty\n", 72, r"dir private: can't be entered: Permission denied: it belongs to 0:0 with mode 0700, and we are \d+:",
          user="nobody")
    assert os.geteuid() == 0
