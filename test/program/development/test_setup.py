"""What sets the tests up: .ci/packages, .ci/node, .ci/programs, test/own-root, and the skipping where there are no namespaces."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.image import write
from support.process import need_root

TOP = Path(__file__).resolve().parents[3]
SYSTEM = "/usr/bin:/bin"


def script(path, text):
    write(path, "#!/bin/sh\n" + text)
    path.chmod(0o755)


# --- .ci/packages

LOCKED = "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 77 (apt-get)"
APT = {
    "no network": ("W: Failed to fetch http://deb.example/InRelease  Temporary failure resolving 'deb.example'\n"
                   "E: Unable to locate package musl-tools", "can't be reached: is the network up.*Unable to locate"),
    "refused": ("E: Failed to fetch http://deb.example/m.deb  Could not connect to deb.example:80 (192.0.2.1), connection timed out",
                "can't be reached: is the network up"),
    "disk": ("dpkg: error processing archive /var/cache/apt/archives/m.deb (--unpack):\n cannot copy extracted data for './usr/bin/x' to"
             " '/usr/bin/x.dpkg-new': failed to write (No space left on device)", "a disk is full: make room, then try again.*No space left"),
    "disk of archives": ("E: You don't have enough free space in /var/cache/apt/archives/.", "a disk is full"),
    "another Debian": ("E: Unable to locate package musl-tools", "is it Debian 12"),
    "something else": ("E: The value 'x' is invalid", "E: The value 'x' is invalid"),
}


@pytest.fixture
def packages(embark, folder):
    """`.ci/packages ensure build` on a machine that has no package, whose apt-get says what is in the file `says`, and fails as long as there is
    one. /usr/sbin, where a hook is put, is the test's own."""
    need_root("a mount namespace")
    script(folder / "bin/dpkg-query", "")
    script(folder / "bin/dpkg", f"echo dpkg \"$@\" >>{folder}/called")
    script(folder / "bin/apt-get", f"echo \"$@\" >>{folder}/called\ncat {folder}/says 2>/dev/null && exit 100; exit 0\n")

    def run(code, *patterns, **env):
        process = embark.program(TOP / ".ci/packages", "ensure", "build", prefix=["unshare", "--mount", "sh", "-c",
                                 "mount -t tmpfs none /usr/sbin && exec \"$@\"", "sh"], env={"PATH": f"{folder}/bin:{SYSTEM}", **env})
        return process.expect(code, *patterns)

    return run


@pytest.mark.parametrize("says, line", APT.values(), ids=APT)
def test_what_apt_fails_of_is_one_line(packages, folder, says, line):
    (folder / "says").write_text(says + "\n")
    process = packages(1, f"packages: could not install .*{line}")
    assert len([one for one in process.stderr.splitlines() if one.startswith("packages:")]) == 2, "what is done, and why it failed"
    (folder / "says").unlink()
    packages(0)


def test_an_interrupted_installation_is_gone_on_with(packages, folder):
    """apt-get says what to do, and it is done."""
    (folder / "says").write_text("E: dpkg was interrupted, you must manually run 'dpkg --configure -a' to correct the problem.\n")
    script(folder / "bin/dpkg", f"test \"$*\" = '--configure -a --force-confold' && rm {folder}/says")
    packages(0)


def test_another_installation_is_waited_for(packages, folder, embark):
    (folder / "says").write_text(LOCKED + "\n")
    script(folder / "bin/sleep", f"rm {folder}/says")
    packages(0, r"packages: waiting for another installation: held by process 77 \(apt-get\)")
    (folder / "says").write_text(LOCKED + "\n")
    packages(1, r"another installation does not end: held by process 77 \(apt-get\); try again", EMBARK_PACKAGES_PATIENCE="0")


# --- .ci/node

@pytest.fixture
def node(embark, folder):
    """`.ci/node` where `node --version` says something; npm is no real one, and brings what says to be Node.js 22.23.3."""
    script(folder / "npm", 'while [ "$1" != --prefix ]; do shift; done\n'
           f'if [ -e {folder}/fails ]; then cat {folder}/fails >&2; exit 1; fi\n'
           'mkdir -p "$2/node_modules/npm/bin" && touch "$2/node_modules/npm/bin/npm-cli.js"\n'
           'for name in x64 arm64; do mkdir -p "$2/node_modules/node-linux-$name/bin" && '
           'printf "#!/bin/sh\\necho v22.23.3\\n" >"$2/node_modules/node-linux-$name/bin/node"; done\n')

    def run(version, code=0, *patterns):
        script(folder / "bin/node", f"echo {version}" if version else "exit 127")
        script(folder / "bin/npm", f"exec {folder}/npm \"$@\"")
        process = embark.program(TOP / ".ci/node", env={"PATH": f"{folder}/bin:{SYSTEM}", "EMBARK_CACHE": str(folder / "cache")})
        return process.expect(code, *patterns).stdout.strip()

    return run


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.2", "v22.12.0", "v22.23.3", "v23.0.0", "v24.1.0", "v100.0.0"])
def test_a_node_that_will_do_is_taken(node, folder, version):
    assert node(version) == ""
    assert not (folder / "cache").exists()


@pytest.mark.parametrize("version", ["", "v4.9.1", "v18.20.4", "v20.18.9", "v21.7.3", "v22.11.0", "nonsense"])
def test_a_node_that_is_too_old_is_not(node, folder, version):
    path = node(version)
    assert path == str(folder / "cache/node-22.23.3/bin")
    assert subprocess.check_output([f"{path}/node", "--version"], text=True) == "v22.23.3\n"
    assert os.access(f"{path}/npm", os.X_OK)
    assert os.listdir(folder / "cache") in (["node-22.23.3", "node.lock"], ["node.lock", "node-22.23.3"]), "nothing else stays"
    (folder / "fails").write_text("npm is not asked again\n")
    assert node(version) == path


@pytest.mark.parametrize("says, line", [
    ("npm ERR! code ENOSPC\nnpm ERR! nospc ENOSPC: no space left on device, write", "the disk of .*/cache is full"),
    ("npm error code EAI_AGAIN\nnpm error request failed, reason: getaddrinfo EAI_AGAIN registry", "npm's registry can't be reached"),
    ("npm ERR! code ECONNREFUSED", "npm's registry can't be reached"),
    ("npm ERR! code E500", "(?s)E500.*node: npm could not install Node.js 22.23.3"),
], ids=["disk", "name", "refused", "other"])
def test_a_node_that_cannot_be_had(node, folder, says, line):
    (folder / "fails").write_text(says + "\n")
    node("v18.20.4", 1, line)
    assert os.listdir(folder / "cache") == ["node.lock"]
    (folder / "fails").unlink()
    node("v18.20.4")


# --- .ci/programs

@pytest.mark.parametrize("text, word", [
    ('import subprocess\nsubprocess.run(["strace", "-f"])\n', "strace"),
    ('import shutil\nprogram = shutil.which("strace")\n', "strace"),
    ('prefix = ["unshare", "--mount", "--", "strace"]\n', "strace"),
    ('script = "cd / && strace true"\n', "strace"),
    ("#!/bin/bash\nif true; then\n    strace -f true\nfi\n", "strace"),
    ("import psycopg2, pytest\n", "import pytest"),
], ids=["list", "which", "behind a prefix", "script in a string", "script", "module"])
def test_a_program_without_its_package_is_found(embark, folder, text, word):
    """What the group `test` has and `demo` has not."""
    write(folder / "one.py" if not text.startswith("#!") else folder / "one", text)
    process = embark.program(TOP / ".ci/programs", "--as", "test/demo", *folder.glob("one*"), env={"HOME": str(folder)})
    process.expect(1, rf"programs: test/demo/one.*: {word} is of .*, which is in none of the groups build demo")
    embark.program(TOP / ".ci/programs", "--as", "test/program", *folder.glob("one*")).expect(0)


# --- namespaces

def test_where_there_are_no_namespaces(binary, folder):
    """Those tests are skipped, one line says how many, and .ci/totals takes them for failed ones."""
    need_root("giving up CAP_SYS_ADMIN")
    environment = {**os.environ, "EMBARK_BIN": str(binary), "EMBARK_TEST_NODE": ""}
    done = subprocess.run(
        ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--", sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
         "test/program/service/test_exec.py", "-k", "test_mount_without_exec or test_same_process"],
        cwd=TOP, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    line = r"^namespaces: 2 tests skipped, as the kernel refuses namespaces \(unshare: .*\): to run them, run all as root on a machine"
    assert done.returncode == 0 and re.search(line, done.stdout, re.M), done.stdout + done.stderr
    assert re.search("1 passed, 2 skipped, [0-9]+ deselected", done.stdout)
    totals = subprocess.run([TOP / ".ci/totals"], input=done.stdout, capture_output=True, text=True, check=True).stdout
    assert sorted(totals.splitlines()) == ["pytest 1 0", "skipped 0 2"]


CHROOT = r"""
set -e
mount --make-rshared / && mount -t tmpfs none "$1" && cd "$1" && mkdir -p root/usr root/proc root/tree root/tmp root/mnt root/dev
for name in bin sbin lib lib64; do [ ! -L /$name ] || ln -s usr/$name root/$name; done
mount --bind /dev root/dev && mount --bind /usr root/usr && mount -t proc proc root/proc && cp "$2" root/tree
before=$(wc -l </proc/self/mountinfo)
! chroot root unshare --mount true 2>/dev/null || echo "this / is a mount point"
chroot root /tree/own-root sh -c 'cd /tree && unshare --mount mount -t tmpfs none /mnt && mount -t tmpfs none /mnt && pwd'
chroot root sh -c 'cd /tmp && exec /tree/own-root sh -c "pwd; exec nsenter --target \$\$ --mount ls /tree"'
[ "$before" = "$(wc -l </proc/self/mountinfo)" ] || echo "mounts got out"
"""


def test_own_root_in_a_chroot(embark, folder):
    """/ is no mount point there, and what is outside would see each mount."""
    need_root("a chroot")
    (folder / "fs").mkdir()
    process = embark.program("unshare", "--mount", "sh", "-c", CHROOT, "sh", folder / "fs", TOP / "test/own-root").expect(0)
    assert process.stdout == "/tree\n/tmp\nown-root\n", process.describe()


def test_own_root_where_nothing_is_to_be_done(embark):
    assert embark.program(TOP / "test/own-root", "sh", "-c", 'echo "$@"', "sh", "a b", "c").expect(0).stdout == "a b c\n"
    embark.program(TOP / "test/own-root", "sh", "-c", "exit 7").expect(7)
