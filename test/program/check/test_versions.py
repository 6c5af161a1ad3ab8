"""[require] module = python: NAME>=1.2, and import = python: with real interpreters."""

import subprocess

import pytest

from conftest import PYTHON
from support.image import check, lines, package, write  # noqa: F401 - check is a fixture

SYSTEM = {"PATH": "/usr/bin:/bin"}


@pytest.fixture
def venv(folder):
    """(site-packages, an environment with its python first)"""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    return next((folder / "venv").glob("lib/python3*/site-packages")), {"PATH": f"{folder}/venv/bin:/usr/bin:/bin"}


def dist(site, name, version, modules=(), requires=(), record=True):
    """A distribution as pip leaves it."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    headers = "".join(f"Requires-Dist: {line}\n" for line in requires)
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{headers}\nabout it\nVersion: 9\n")
    files = []
    for module in modules:
        package(site, module)
        files.append(module.replace(".", "/") + "/__init__.py")
    if record:
        write(info / "RECORD", "".join(f"{file},sha256=x,0\n" for file in files) + f"{info.name}/METADATA,,\n")
    return info


def test_versions_of_debian(check):
    check("module = python: alembic>=1.8.1.dev0,<2, psycopg2 ~= 2.9, sqlalchemy!=2.*\n", 0, env=SYSTEM)
    check("module = python: alembic>=1.99, psycopg2<2\n", 72,
          r"module alembic: >=1\.99 is needed, alembic 1\.\S+ is installed for /usr/bin/python3: /usr/lib/python3/dist-packages/alembic-\S+ \(",
          r"hint: /usr/bin/python3 -m pip install 'alembic>=1\.99'", r"module psycopg2: <2 is needed, psycopg2 2\.", env=SYSTEM)


def test_the_distribution_has_another_name(check, venv):
    site, env = venv
    dist(site, "psycopg2-binary", "2.9.10", ["psycopg2"])
    dist(site, "PyYAML", "6.0.2", ["yaml"])
    dist(site, "google-cloud-storage", "2.1", ["google.cloud.storage"])
    dist(site, "google-cloud-bigquery", "3.4", ["google.cloud.bigquery"])
    (site / "google" / "__init__.py").unlink(missing_ok=True)
    check("module = python: psycopg2>=2.9, yaml>=6,<7, google.cloud.storage==2.*, google.cloud.bigquery>=3\n", 0, env=env)
    check("module = python: psycopg2<2.9, google.cloud.bigquery<3\n", 72,
          r"module psycopg2: <2\.9 is needed, psycopg2.binary 2\.9\.10 is installed", r"bigquery 3\.4 is installed", env=env)
    # the module asked for by its distribution's name
    check("module = python: pyyaml\n", 72, "module pyyaml: .*the distribution PyYAML is installed, and brings yaml",
          "hint: give the name that is imported: module = python: yaml", env=env)


def test_the_first_in_the_path_counts(check, venv, folder):
    site, env = venv
    dist(site, "lib", "1.0", ["lib"])
    dist(folder / "newer", "lib", "2.0", ["lib"])
    check("module = python: lib==1.0\n", 0, env=env)
    check("module = python: lib==2.0\n", 0, env={**env, "PYTHONPATH": str(folder / "newer")})


def test_editable_and_egg(check, venv, folder):
    site, env = venv
    package(folder / "src", "edited")
    info = dist(site, "edited", "3.1", [], record=False)
    write(info / "top_level.txt", "edited\n")
    write(info / "RECORD", "__editable__.edited-3.1.pth,,\n")
    write(site / "__editable__.edited-3.1.pth", f"{folder}/src\n")
    package(folder / "old", "egged")
    write(folder / "old" / "egged.egg-info" / "PKG-INFO", "Metadata-Version: 1.0\nName: egged\nVersion: 0.7\n")
    write(folder / "old" / "egged.egg-info" / "top_level.txt", "egged\n")
    write(site / "egged.egg-link", f"{folder}/old\n.\n")
    write(site / "easy-install.pth", f"{folder}/old\n")
    check("module = python: edited>=3, egged<1\n", 0, env=env)
    check("module = python: edited>=4, egged>=1\n", 72, r"edited: >=4 is needed, edited 3\.1", r"egged: >=1 is needed, egged 0\.7", env=env)


def test_what_cannot_be_judged_is_said(check, venv, folder):
    site, env = venv
    package(folder, "local")
    check("module = python: local>=1, json>=2\n", 0,
          "module local: found, but no metadata .* tells its version, so >=1 is not judged", "module json: found, but no metadata", env=env)


def test_a_missing_module_is_not_judged_twice(check, venv):
    process = check("module = python: nothere>=1\n", 72, "module nothere: not found", env=venv[1])
    assert len(lines(process)) == 1


# --- import

def test_import(check, venv, folder):
    site, env = venv
    package(folder, "chatty", init="import os\nprint('@embark import-error x')\nos.write(1, b'\\n@embark missing chatty\\n')\n")
    check("import = python: chatty, json, sqlite3, os.path\nmodule = python: json\n", 0, env=env)


def test_import_fails(check, venv, folder):
    site, env = venv
    package(folder, "boom", init="\nraise RuntimeError('no luck')\n")
    package(folder, "quits", init="raise SystemExit(3)\n")
    package(folder, "lacks", init="import not_there\n")
    process = check("import = python: boom, quits, lacks, nothere\n", 72,
                    rf"import boom: fails in \S+python3: RuntimeError: no luck, at {folder}/boom/__init__\.py:2 \(\S+:2\)",
                    "import quits: .*SystemExit: 3", "import lacks: .*No module named 'not_there'", "hint: it needs not_there",
                    "module nothere: not found", env=env)
    assert len(lines(process)) == 4


def test_import_that_ends_the_interpreter(check, venv, folder):
    site, env = venv
    package(folder, "crash", init="import os\nos.kill(os.getpid(), 11)\n")
    package(folder, "leaves", init="import os\nos._exit(7)\n")
    check("import = python: json, crash, sqlite3\nmodule = python: nothere\n", 72,
          r"import crash: \S+python3 was killed by SIGSEGV.* while importing it", "import sqlite3: not tried", "module nothere: not found",
          env=env)
    check("import = python: leaves\n", 72, "import leaves: .*exited with status 7 while importing it", env=env)


def test_import_names_the_missing_library(check, venv, folder):
    """What module can't tell: the module's file is there, and what it was linked with is not."""
    site, env = venv
    write(folder / "need.c", "int needed(void) { return 1; }\n")
    write(folder / "ext.c", "int needed(void);\nvoid *PyInit_ext(void) { return needed() ? 0 : 0; }\n")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", "libpq.so.5", "need.c", "-Wl,-soname,libpq.so.5"], cwd=folder, check=True)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", site / "ext.so", "ext.c", "./libpq.so.5"], cwd=folder, check=True)
    (folder / "libpq.so.5").unlink()
    # the real libpq of this machine lacks `needed`: then that is what is said
    check("module = python: ext\n", 0, env=env)
    check("import = python: ext\n", 72, r"import ext: fails in \S+python3: (the shared library libpq\.so\.5 is missing|a shared library has no symbol needed)",
          env=env)


def test_one_start_for_everything(check, venv, folder):
    """module, versions, import and a manifest: a line of a .pth file counts the interpreter's starts."""
    site, env = venv
    dist(site, "lib", "1.0", ["lib"])
    write(site / "count.pth", f"import os; open('{folder}/starts', 'a').write('%d\\n' % os.getpid())\n")
    write(folder / "requirements.txt", "lib==1.0\n")
    check("module = python: lib>=1, json\nimport = python: lib\nmanifest = requirements.txt\n", 0, env=env)
    assert len(set((folder / "starts").read_text().split())) == 1  # lib and lib64 may be one folder
