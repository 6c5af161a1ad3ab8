"""What `embark check` finds in the files of a module that is there: extension modules for another Python, C library or machine, and
shared libraries that are missing. Nothing of it is loaded; what embark says is compared with what the interpreter does."""

import subprocess

import pytest

from conftest import PYTHON
from support import npm
from support.image import check, package, write  # noqa: F401 - check is a fixture
from support.process import PATH

SUFFIX = subprocess.run([PYTHON, "-c", "import _imp; print(_imp.extension_suffixes()[0])"], capture_output=True, text=True,
                        check=True).stdout.strip()
TAG = SUFFIX.split(".")[1]


def build(path, *libraries, source="int x(void) { return 0; }", words=(), compiler="gcc"):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", path, f"-Wl,-soname,{path.name}", "-Wl,--no-as-needed",
                    *libraries, *words], input=source, text=True, check=True, capture_output=True)
    return path


def extension(path, *libraries, **how):
    """An extension module of Python's, which imports as an empty one."""
    name = path.name.split(".")[0]
    source = f"""
        #include <stddef.h>
        struct base {{ long refcount; void *type; void *init; long index; void *copy; }};
        static struct {{ struct base base; const char *name; const char *doc; long size; void *methods, *slots, *a, *b, *c; }} def =
            {{{{1, NULL, NULL, 0, NULL}}, "{name}", NULL, -1, NULL, NULL, NULL, NULL, NULL}};
        void *PyModule_Create2(void *, int);
        void *PyInit_{name}(void) {{ return PyModule_Create2(&def, 1013); }}
        """
    return build(path, *libraries, source=source, **how)


@pytest.fixture
def site(folder):
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    return next(folder.glob(".venv/lib/python3*/site-packages"))


@pytest.fixture
def modules(check, folder):
    """modules("psycopg2", code, pattern…): embark's word on it; where it is 0, the import must work, and where not, fail."""

    def run(name, code, *patterns, env=None, compare=True):
        env = {"PATH": PATH, **(env or {})}
        process = check(f"module = {folder}/.venv/bin/python: {name}\n", code, *patterns, env=env)
        if compare:
            done = subprocess.run([folder / ".venv/bin/python", "-c", f"import {name}"], env=env, cwd=folder, capture_output=True, text=True)
            assert (done.returncode == 0) == (code == 0), f"python: {done.stderr}\n{process.describe()}"
        return process

    return run


def test_a_missing_library(modules, site, folder):
    """module = psycopg2, without libpq.so.5."""
    library = build(folder / "libs" / "libpq_of_ours.so.5")
    package(site, "psycopg9", init="from psycopg9._psycopg import *\n")
    made = extension(site / "psycopg9" / f"_psycopg{SUFFIX}", library)
    modules("psycopg9", 72, rf"require: module psycopg9: found, but {made}: the shared library libpq_of_ours\.so\.5 \(needed by {made}\) "
            r"is missing \(.*:2\)", r"hint: install the package that has it in the stage that runs \(apt-file search libpq_of_ours\.so\.5\)")
    # the hint, followed
    modules("psycopg9", 0, env={"LD_LIBRARY_PATH": f"{folder}/libs"})


def test_a_library_of_a_library(modules, site, folder):
    inner = build(folder / "gone" / "libinner_of_ours.so.1")
    outer = build(folder / "libs" / "libouter_of_ours.so.1", inner)
    package(site, "two", init="from two import _two\n")
    extension(site / "two" / f"_two{SUFFIX}", outer, words=[f"-Wl,-rpath,{folder}/libs"])
    inner.unlink()
    modules("two", 72, rf"the shared library libinner_of_ours\.so\.1 \(needed by {outer}\) is missing")


def test_the_wheels_own_libraries(modules, site, folder):
    """As auditwheel makes it: psycopg2_binary.libs beside the package, found by $ORIGIN."""
    library = build(site / "wheel.libs" / "libz_of_ours.so.1")
    package(site, "wheel9", init="from wheel9 import _wheel\n")
    extension(site / "wheel9" / f"_wheel{SUFFIX}", library, words=["-Wl,-rpath,$ORIGIN/../wheel.libs"])
    modules("wheel9", 0)


def test_a_module_of_one_file(modules, site, folder):
    library = build(folder / "libs" / "libone_of_ours.so.1")
    extension(site / f"_single{SUFFIX}", library)
    extension(site / "_abi.abi3.so")
    modules("_single", 72, r"module _single: found, but .*libone_of_ours\.so\.1")
    modules("_abi", 0)


def test_what_a_package_loads_itself_is_not_judged(modules, site, folder):
    """As torch does with nvidia's packages: the library is in another package, where no loader looks."""
    library = build(site / "other" / "lib" / "libcuda_of_ours.so.1")
    package(site, "loads", init=f"import ctypes\nctypes.CDLL('{library}', mode=ctypes.RTLD_GLOBAL)\nfrom loads import _loads\n")
    extension(site / "loads" / f"_loads{SUFFIX}", library)
    modules("loads", 0)


def test_only_what_is_imported_counts(modules, site, folder):
    """Plugins, and a package's tests, aren't its extension modules."""
    library = build(folder / "gone" / "libgone_of_ours.so.1")
    package(site, "plain", init="")
    build(site / "plain" / "libprovider.so", library)
    extension(site / "plain" / "tests" / f"_test{SUFFIX}", library)
    modules("plain", 0)


def test_an_extension_for_another_python(modules, site, folder):
    """site-packages of a 3.8 stage in this image: COPY of the folder, or an environment made there."""
    package(site, "pydantic9", init="from pydantic9 import _core\n")
    foreign = "_core.cpython-38-x86_64-linux-gnu.so"
    write(site / "pydantic9" / foreign)
    write(site / "pydantic9" / foreign.replace("_core", "_more"))
    modules("pydantic9", 72, rf"module pydantic9: found, but {site}/pydantic9/_core\.cpython-38-x86_64-linux-gnu\.so is for another interpreter: "
            rf"its name has cpython-38-x86_64-linux-gnu, and Python 3\.\d+\.\d+ takes {TAG}; 1 more are like it|_more",
            "hint: builder and runtime differ in their version of Python")
    for name in ("_core", "_more"):  # the hint, followed
        extension(site / "pydantic9" / f"{name}{SUFFIX}")
    modules("pydantic9", 0)


def test_an_extension_with_a_form_in_python(modules, site, folder):
    """Only what has no other form counts: of _speed there is a .py."""
    package(site, "quick", init="from quick import _speed\n", _speed="")
    write(site / "quick" / "_speed.cpython-38-x86_64-linux-gnu.so")
    modules("quick", 0)


def test_an_extension_for_another_c_library(modules, site, folder):
    package(site, "musl", init="from musl import _musl\n")
    write(site / "musl" / f"_musl{SUFFIX.replace('-gnu', '-musl')}")
    modules("musl", 72, "its name has cpython-.*-musl", "hint: install the packages in a stage from the same base image .*the C library")
    (site / "musl" / f"_musl{SUFFIX.replace('-gnu', '-musl')}").unlink()
    # a stable ABI's name doesn't tell it; what it needs does
    build(folder / "gone" / "libc.musl-x86_64.so.1")
    extension(site / "musl" / "_musl.abi3.so", folder / "gone" / "libc.musl-x86_64.so.1")
    modules("musl", 72, r"libc\.musl-x86_64\.so\.1", r"hint: it was built for musl \(Alpine\), and this image has glibc")


def test_an_extension_for_another_machine(modules, site, folder):
    package(site, "arm", init="from arm import _arm\n")
    path = extension(site / "arm" / "_arm.abi3.so")
    bytes = bytearray(path.read_bytes())
    bytes[18:20] = (183).to_bytes(2, "little")
    path.write_bytes(bytes)
    modules("arm", 72, r"_arm\.abi3\.so is for AArch64 \(arm64\), and what loads it is for x86-64",
            "hint: install it for this platform")


def test_a_start_does_not_pay_for_it(embark, site, folder):
    """It is the build's question."""
    library = build(folder / "libs" / "libpq_of_ours.so.5")
    package(site, "late", init="")
    extension(site / "late" / f"_late{SUFFIX}", library)
    config = f"[require]\nmodule = {folder}/.venv/bin/python: late\n"
    embark.run("check", config=config, env={"PATH": PATH}).expect(72)
    embark.run("true", config=config, env={"PATH": PATH, "EMBARK_SKIP": "wait"}).expect(0)


def test_an_addon_of_node(check, folder):
    npm.package(folder, "bcrypt9", files={"index.js": ""})
    library = build(folder / "libs" / "libvips_of_ours.so.42")
    made = build(folder / "node_modules" / "bcrypt9" / "build" / "Release" / "binding.node", library)
    write(folder / "node_modules" / "bcrypt9" / "build" / "Release" / "obj" / "x.node")
    check("module = node: bcrypt9\n", 72, rf"module bcrypt9: found, but {made}: the shared library libvips_of_ours\.so\.42 "
          rf"\(needed by {made}\) is missing", "hint: install the package", env={"PATH": PATH})
    check("module = node: bcrypt9\n", 0, env={"PATH": PATH, "LD_LIBRARY_PATH": f"{folder}/libs"})
