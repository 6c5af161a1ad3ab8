"""Shared libraries that a command needs: real programs of glibc and musl, on this system and in bare trees by chroot.

What embark says is compared with what the loader itself does with the same program in the same place.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from support.image import write
from support.process import asan, need_root

GCC, MUSL = ["gcc"], ["musl-gcc"]


def build(folder, compiler, name="app", libs=(), words=(), source="int main(void) { return 0; }"):
    """A program, or with a name such as libx.so.1 a library."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shared = ["-shared", "-fPIC", f"-Wl,-soname,{path.name}"] if ".so" in path.name else []
    subprocess.run([*compiler, "-x", "c", "-", "-x", "none", "-o", str(path), *shared, "-Wl,--no-as-needed", *map(str, libs), *words],
                   input=source, text=True, check=True, capture_output=True)
    return path


def library(folder, compiler, name, libs=(), words=()):
    return build(folder, compiler, name, libs, words, f"int {re.sub('[^a-z]', '_', name)}(void) {{ return 0; }}")


@pytest.fixture
def compare(embark, folder):
    """compare(program, code, pattern…): what embark says, which must be what the loader does."""

    def run(program, code, *patterns, env=None, **how):
        process = embark.run("check", config=f"[require]\ncommand = {program}\n", env=env, **how).expect(code, *patterns)
        done = subprocess.run([str(program)], env={"PATH": "/usr/bin:/bin", **(env or {})}, cwd=folder, capture_output=True, text=True)
        assert (done.returncode == 0) == (code == 0), f"the loader: {done.returncode} {done.stderr}\n{process.describe()}"
        return process

    return run


def test_what_this_system_has(embark):
    """No program of the system is accused."""
    programs = [path for folder in ("/usr/bin", "/usr/sbin") for path in Path(folder).iterdir() if path.is_file() and os.access(path, os.X_OK)]
    programs = [path for path in programs if path.open("rb").read(4) == b"\x7fELF"][:400]
    embark.run("check", config="[require]\n" + "".join(f"command = {path}\n" for path in programs)).expect(0)


@pytest.mark.parametrize("compiler", [GCC, MUSL], ids=["glibc", "musl"])
def test_a_missing_library(compare, folder, compiler):
    one = library(folder / "libs", compiler, "libone.so.1")
    app = build(folder, compiler, libs=[one])
    search = "apt-file search libone.so.1" if compiler is GCC else "apk search so:libone.so.1"
    compare(app, 72, rf"require: command {app}: the shared library libone\.so\.1 is missing \(.*:2\)", rf"hint: install the package .*{search}")
    compare(app, 0, env={"LD_LIBRARY_PATH": f"/nowhere:{folder}/libs"})
    assert (folder / "libs/libone.so.1").exists()


@pytest.mark.parametrize("compiler", [GCC, MUSL], ids=["glibc", "musl"])
@pytest.mark.parametrize("tags", ["--enable-new-dtags", "--disable-new-dtags"])
def test_runpath_and_rpath(compare, folder, compiler, tags):
    """RUNPATH is for a program's own libraries only, with glibc; RPATH, and musl, hand it down."""
    two = library(folder / "libs", compiler, "libtwo.so.2")
    one = library(folder / "libs", compiler, "libone.so.1", [two])
    app = build(folder, compiler, libs=[one], words=[f"-Wl,{tags},-rpath,$ORIGIN/libs", f"-Wl,-rpath-link,{folder}/libs"])
    handed_down = compiler is MUSL or tags == "--disable-new-dtags"
    if handed_down:
        compare(app, 0)
    else:
        compare(app, 72, rf"the shared library libtwo\.so\.2 \(needed by {folder}/libs/libone\.so\.1\) is missing")
    two.unlink()
    compare(app, 72, rf"libtwo\.so\.2 \(needed by {folder}/libs/libone\.so\.1\) is missing")
    one.unlink()
    compare(app, 72, r"the shared library libone\.so\.1 is missing")


def test_origin_through_a_link(compare, folder):
    """$ORIGIN is where the program really is."""
    one = library(folder / "real/lib", GCC, "libone.so.1")
    app = build(folder / "real/bin", GCC, libs=[one], words=["-Wl,-rpath,${ORIGIN}/../lib"])
    (folder / "bin").mkdir()
    (folder / "bin/app").symlink_to("../real/bin/app")
    compare(folder / "bin/app", 0)
    compare(app, 0)


def test_all_that_are_missing(compare, folder):
    libs = [library(folder / "libs", GCC, f"lib{name}.so.1") for name in "abcdefgh"]
    app = build(folder, GCC, libs=libs)
    compare(app, 72, r"the shared libraries liba\.so\.1, libb\.so\.1, .*libf\.so\.1 and 2 more are missing")


def test_a_library_for_another_machine(compare, folder):
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one], words=["-Wl,-rpath,$ORIGIN/libs"])
    data = bytearray(one.read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    one.write_bytes(data)
    compare(app, 72, rf"libone\.so\.1 \({folder}/libs/libone\.so\.1 is not one for this program's machine\) is missing",
            "hint: install it for this machine's architecture")


def test_a_soname_that_is_loaded_already(compare, folder):
    """A library found by its path satisfies a later need of its SONAME, with glibc."""
    one = library(folder / "hidden", GCC, "libone.so.1")
    plain = folder / "hidden/whatever.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(plain), "-Wl,-soname,libone.so.1"], input="int x;", text=True, check=True)
    two = library(folder / "libs", GCC, "libtwo.so.2", [one])
    app = folder / "app"
    nameless = folder / "nameless.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(nameless)], input="int y;", text=True, check=True)
    build(folder, GCC, libs=[nameless, two], words=[f"-Wl,-rpath,{folder}/libs", f"-Wl,-rpath-link,{folder}/hidden"])
    compare(app, 72, "libone.so.1 .*is missing")    # by its path: nameless.so
    nameless.unlink()
    compare(app, 72, rf"{nameless}, libone.so.1")


def test_what_is_not_known_is_not_said(embark, folder):
    """$LIB and $PLATFORM: their values are the loader's own."""
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one], words=["-Wl,-rpath,/opt/$LIB"])
    embark.run("check", config=f"[require]\ncommand = {app}\n").expect(0)


def test_ldconfig_was_forgotten(embark, folder):
    need_root("a mount")
    one = library(folder / "libs", GCC, "libembarktest.so.1")
    app = build(folder, GCC, libs=[one])
    cover = ["unshare", "--mount", "sh", "-c", f'mount --bind {folder}/libs /usr/local/lib && exec "$@"', "sh"]
    embark.run("check", config=f"[require]\ncommand = {app}\n", prefix=cover).expect(
        72, "libembarktest.so.1 is missing", r"hint: /usr/local/lib/libembarktest\.so\.1 is there, but not in /etc/ld\.so\.cache: RUN ldconfig")


def test_service_and_migration_commands(embark, folder, db):
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one])
    embark.run("check", "--", app).expect(127, r"service: .*libone\.so\.1 is missing")
    embark.run("check", config=f"[migrate]\ncommand = {app}\n").expect(127, r"migrate: .*libone\.so\.1 is missing")
    process = embark.run(app, env={"DATABASE_URL": db.url}).expect(127, r"service: .*libone\.so\.1 is missing")
    assert "database" not in process.stderr     # before anything is waited for


def test_a_script_s_interpreter(embark, folder):
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one])
    script = write(folder / "script", f"#!{app}\n", 0o755)
    embark.run("check", config=f"[require]\ncommand = {script}\n").expect(
        72, rf"command {script}: its interpreter can't be executed: {app}: the shared library libone\.so\.1 is missing")


# --- bare trees

class Tree:
    """A folder that stands for an image, entered by chroot."""

    def __init__(self, root, embark):
        self.root, self.embark = root, embark
        (root / "etc").mkdir(parents=True)
        shutil.copy(embark.binary, root / "embark")

    def copy(self, path, target=None):
        target = self.root / str(target or path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(os.path.realpath(path), target)
        return target

    def check(self, program, code, *patterns, env=None):
        write(self.root / "etc/embark.ini", f"[require]\ncommand = {program}\n")
        process = self.embark.run("/embark", "check", argv=["chroot", str(self.root), "/embark", "check"], env=env).expect(code, *patterns)
        done = subprocess.run(["/usr/sbin/chroot", str(self.root), program], env=env or {}, capture_output=True, text=True)
        assert (done.returncode == 0) == (code == 0), f"the loader: {done.returncode} {done.stderr}\n{process.describe()}"
        return process


@pytest.fixture
def tree(embark, folder):
    need_root("chroot")
    if asan():
        pytest.skip("the sanitizer build is not static")
    return Tree(folder / "tree", embark)


def loader_of(program):
    return re.search(r"interpreter (\S+?)[,\s]", subprocess.run(["file", "-L", str(program)], capture_output=True, text=True).stdout).group(1)


def libs_of(program):
    """As the loader itself lists them."""
    text = subprocess.run(["ldd", str(program)], capture_output=True, text=True).stdout
    return re.findall(r"=> (/\S+)", text)


def test_a_glibc_program_in_a_bare_tree(tree, folder):
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one, "-lm"])
    tree.copy(app, "/app")
    tree.check("/app", 72, "/app: its loader /lib64/ld-linux-x86-64.so.2 does not exist", "no C library")
    tree.copy(loader_of(app))
    tree.check("/app", 72, r"the shared libraries libone\.so\.1, libm\.so\.6, libc\.so\.6 are missing")
    tree.copy("/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libc.so.6")
    tree.copy("/lib/x86_64-linux-gnu/libm.so.6", "/usr/lib/x86_64-linux-gnu/libm.so.6")
    tree.check("/app", 72, r"the shared library libone\.so\.1 is missing")
    tree.copy(one, "/opt/mine/libone.so.1")
    tree.check("/app", 72, r"the shared library libone\.so\.1 is missing")
    write(tree.root / "etc/ld.so.conf", "/opt/mine\n")
    tree.check("/app", 72, r"the shared library libone\.so\.1 is missing")     # the loader reads the cache only
    subprocess.run(["ldconfig", "-r", str(tree.root)], check=True)
    tree.check("/app", 0)


@pytest.mark.parametrize("form", ["new", "compat", "old"])
def test_forms_of_the_cache(tree, folder, form):
    """compat has both tables."""
    one = library(folder / "libs", GCC, "libone.so.1")
    app = build(folder, GCC, libs=[one])
    for path in (app, loader_of(app), "/lib/x86_64-linux-gnu/libc.so.6"):
        tree.copy(path, "/app" if path == app else path)
    tree.copy(one, "/opt/mine/libone.so.1")
    write(tree.root / "etc/ld.so.conf", "/opt/mine\n")
    subprocess.run(["ldconfig", "-c", form, "-r", str(tree.root)], check=True)
    tree.check("/app", 0)


def test_a_musl_program_in_a_bare_tree(tree, folder):
    one = library(folder / "libs", MUSL, "libone.so.1")
    app = build(folder, MUSL, libs=[one, "-lm"])
    tree.copy(app, "/app")
    tree.copy("/lib/ld-musl-x86_64.so.1")
    tree.check("/app", 72, r"the shared library libone\.so\.1 is missing")      # libc.so is the loader itself
    tree.copy(one, "/usr/local/lib/libone.so.1")
    tree.check("/app", 0)
    write(tree.root / "etc/ld-musl-x86_64.path", "/opt/one\n/opt/two:/opt/three")
    tree.check("/app", 72, r"the shared library libone\.so\.1 is missing")
    tree.copy(one, "/opt/three/libone.so.1")
    tree.check("/app", 0)


def test_of_the_other_libc(tree, folder):
    glibc, musl = build(folder, GCC, "glibc"), build(folder, MUSL, "musl")
    tree.copy(glibc, "/glibc")
    tree.copy("/lib/ld-musl-x86_64.so.1")
    tree.check("/glibc", 72, r"was built for glibc .*and this image has musl")
    (tree.root / "lib/ld-musl-x86_64.so.1").unlink()
    tree.copy(musl, "/musl")
    tree.copy(loader_of(glibc))
    tree.check("/musl", 72, r"was built for musl .*and this image has glibc")


def test_python_with_all_it_needs(tree):
    """Each of its libraries is left out once."""
    program = os.path.realpath("/usr/bin/python3")
    libs = libs_of(program)
    assert libs
    for path in (program, loader_of(program), *libs):
        tree.copy(path, "/python" if path == program else path)
    write(tree.root / "etc/embark.ini", "[require]\ncommand = /python\n")
    command = ["chroot", str(tree.root), "/embark", "check"]
    tree.embark.run(argv=command).expect(0)
    for path in libs:
        target = tree.root / path.lstrip("/")
        if not target.exists() or target.is_symlink():
            continue
        target.rename(str(target) + ".away")
        tree.embark.run(argv=command).expect(72, rf"the shared library {re.escape(Path(path).name)} ?\(?.*is missing")
        Path(str(target) + ".away").rename(target)


# --- other machines

def test_a_program_for_another_machine(embark, folder):
    app = build(folder, GCC)
    data = bytearray(app.read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    app.write_bytes(data)
    config = f"[require]\ncommand = {app}\n"
    embark.run("check", config=config).expect(72, r"is a program for AArch64 \(arm64\), and this machine is x86-64 \(amd64\)")
    need_root("a mount")
    # what the kernel shows where binfmt_misc is mounted and qemu was registered
    write(folder / "binfmt/qemu-aarch64", "enabled\ninterpreter /bin/true\nflags: \noffset 0\n"
          "magic 7f454c460201010000000000000000000200b700\nmask ffffffffffffff00fffffffffffffffffeffffff\n")
    write(folder / "binfmt/status", "enabled\n")
    cover = ["unshare", "--mount", "sh", "-c",
             f'mount -t tmpfs none /proc/sys/fs && mkdir /proc/sys/fs/binfmt_misc && cp {folder}/binfmt/* /proc/sys/fs/binfmt_misc && exec "$@"', "sh"]
    embark.run("check", config=config, prefix=cover).expect(0, "is a program for AArch64 .*it will run under /bin/true, slowly")
    write(folder / "binfmt/qemu-aarch64", (folder / "binfmt/qemu-aarch64").read_text().replace("/bin/true", "/nowhere"))
    embark.run("check", config=config, prefix=cover).expect(72, "is a program for AArch64")
    write(folder / "binfmt/qemu-aarch64", (folder / "binfmt/qemu-aarch64").read_text().replace("enabled", "disabled"))
    embark.run("check", config=config, prefix=cover).expect(72, "is a program for AArch64")
