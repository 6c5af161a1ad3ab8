"""What the hint of a missing Python module proposes: the likeliest cause first, and nothing that wasn't looked at."""

import json
import os
import subprocess
import textwrap

import pytest

from conftest import PYTHON
from support.image import check, package, write  # noqa: F401 - check is a fixture

SYSTEM = {"PATH": "/usr/bin:/bin"}
REAL = os.path.realpath(PYTHON)
MINOR = subprocess.run([PYTHON, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True,
                       check=True).stdout.strip()


@pytest.fixture
def venv(folder):
    """The service's: (folder, site-packages)."""
    path = folder / ".venv"
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", path], check=True)
    return path, next(path.glob("lib/python3*/site-packages"))


@pytest.fixture
def missing(check, folder):
    """missing("myapp", pattern…): not found by the interpreter of .venv."""

    def run(name, *patterns, python=".venv/bin/python", code=72, env=SYSTEM):
        return check(f"module = {folder}/{python}: {name}\n", code, *patterns, env=env)

    return run


# --- An environment of another minor version

def foreign_environment(folder, config, version="3.8"):
    """As venv, virtualenv or uv has made it in a stage with another Python, copied to where /usr/bin/python3 is this one."""
    (folder / ".venv/bin").mkdir(parents=True)
    (folder / ".venv/bin/python").symlink_to(REAL)
    for name in ("python3", f"python{version}"):
        (folder / ".venv/bin" / name).symlink_to("python")
    write(folder / ".venv/pyvenv.cfg", config)
    package(folder / f".venv/lib/python{version}/site-packages", "shopapi")


@pytest.mark.parametrize("config", ["home = {home}\nversion = 3.8.18\n", "home = {home}\nversion_info = 3.8.18.final.0\n",
                                    "home = {home}\nimplementation = CPython\nuv = 0.4.0\nversion_info = 3.8.18\n"])
def test_environment_of_another_minor(missing, folder, config):
    foreign_environment(folder, config.format(home=os.path.dirname(REAL)))
    for python in ("python", "python3", "python3.8"):
        process = missing("shopapi", rf"the environment {folder}/\.venv was made by Python 3\.8\.18, and its interpreter is now "
                          rf"Python {MINOR}\.\d+ \({REAL}\)",
                          rf"\n  hint: builder and runtime differ in their version of Python: take 3\.8 or {MINOR} in all stages",
                          python=f".venv/bin/{python}")
        assert "let the service run in" not in process.stderr


def test_environment_of_the_same_minor_is_no_cause(missing, venv):
    """Another patch release is as good."""
    config = venv[0] / "pyvenv.cfg"
    lines = config.read_text().splitlines()
    write(config, "\n".join(f"version = {MINOR}.99" if line.startswith("version") else line for line in lines) + "\n")
    process = missing("shopapi", "hint: install it in the image that runs")
    assert "was made by" not in process.stderr


def test_packages_of_another_minor_beside_the_bases(check, folder):
    """COPY --from=builder /usr/local/lib/python3.8/site-packages, into a base with another Python: nothing runs it."""
    site = folder / "root/lib/python3.8/site-packages"
    package(site, "shopapi")
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "root"], check=True)
    os.remove(folder / "root/pyvenv.cfg")
    (folder / "root/bin/python3").unlink()
    (folder / "root/bin/python3").symlink_to(REAL)
    process = check("module = python: shopapi\n", 72, env={**SYSTEM, "VIRTUAL_ENV": f"{folder}/root"}, words=())
    said = process.stderr
    assert f"it is installed in {site}, for Python 3.8, and no Python 3.8 is in this image" in said, said
    assert f"hint: builder and runtime differ in their version of Python: take 3.8 or {MINOR} in all stages" in said


def test_an_interpreter_whose_name_lies(check, folder):
    """python3.8 is a link to another version: it is what it says of itself."""
    package(folder / "opt/lib/python3.8/site-packages", "shopapi")
    (folder / "opt/bin").mkdir()
    (folder / "opt/bin/python3.8").symlink_to(REAL)
    check("module = python: shopapi\n", 72,
          rf"for Python 3\.8, but {folder}/opt/bin/python3\.8 is Python {MINOR};", "hint: builder and runtime differ",
          env={**SYSTEM, "VIRTUAL_ENV": f"{folder}/opt"})


def test_an_interpreter_that_is_a_link_to_nothing(check, folder, venv):
    package(venv[1], "shopapi")
    for name in ("python", "python3", f"python{MINOR}"):
        (venv[0] / "bin" / name).unlink()
    (venv[0] / "bin/python").symlink_to("/opt/builder/bin/python3.99")
    (venv[0] / "bin/python3").symlink_to("python")
    check("module = python: shopapi\n", 72,
          rf"installed in {venv[1]}, but {folder}/\.venv/bin/python3 is a link to /opt/builder/bin/python3\.99, which does not exist",
          "hint: the environment's own interpreter is not in this image", env=SYSTEM)


def test_an_interpreter_that_fails_is_not_proposed(check, folder, venv):
    package(venv[1], "shopapi")
    for name in ("python", "python3", f"python{MINOR}"):
        (venv[0] / "bin" / name).unlink(missing_ok=True)
        write(venv[0] / "bin" / name, "#!/bin/sh\nexit 1\n", 0o755)
    process = check("module = python: shopapi\n", 72, rf"installed in {venv[1]}, where no interpreter looks", env=SYSTEM)
    assert "let the service run in" not in process.stderr


def test_the_proposed_interpreter_finds_it(check, folder, venv):
    package(venv[1], "shopapi")
    check("module = python: shopapi\n", 72, rf"hint: let the service run in {folder}/\.venv/bin/python{MINOR} ", env=SYSTEM)
    check("module = python: shopapi\n", 0, words=[f"{folder}/.venv/bin/python{MINOR}", "-m", "shopapi"], env=SYSTEM)


def test_what_stands_beside_the_service_is_not_run(missing, folder, venv):
    """The search for the reason uses the standard library, not the service's files of these names."""
    for name in ("subprocess", "difflib", "json", "ast", "selectors", "signal"):
        write(folder / f"{name}.py", "open('executed', 'w')\n")
    package(folder / "venv" / "lib" / f"python{MINOR}" / "site-packages", "shopapi")
    missing("shopapi, shopapx", "shopapi")
    assert not (folder / "executed").exists()


# --- Editable installs

def distribution(site, name, record, url="file:///build/src", version="1.0", **files):
    info = site / f"{name}-{version}.dist-info"
    write(info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    write(info / "direct_url.json", json.dumps({"dir_info": {"editable": True}, "url": url}))
    write(info / "RECORD", "".join(f"{file},,\n" for file in [f"{info.name}/METADATA", *record]))
    for file, text in files.items():
        write(info / file.replace("_txt", ".txt"), text)


COPY = r"\n  hint: COPY the source to {source} in the image that runs too, or install it there as a copy"


def test_editable_by_pth(missing, folder, venv):
    """uv, hatchling, poetry."""
    write(venv[1] / "_myapp.pth", "/build/src\n")
    distribution(venv[1], "myapp", ["_myapp.pth"])
    process = missing("myapp.main", rf"myapp is installed as editable: {venv[1]}/_myapp\.pth leads to /build/src, which does not exist",
                      COPY.format(source="/build/src"))
    assert "copied in part" not in process.stderr


def test_editable_whose_folder_lacks_the_module(missing, folder, venv):
    (folder / "src").mkdir()
    write(venv[1] / "_myapp.pth", f"{folder}/src\n")
    distribution(venv[1], "myapp", ["_myapp.pth"], url=f"file://{folder}")
    missing("myapp", rf"_myapp\.pth leads to {folder}/src, which has no such module")
    package(folder / "src", "myapp")
    missing("myapp", code=0)


def test_editable_under_another_name(missing, folder, venv):
    """A distribution's name doesn't tell what is imported, but for top_level.txt; a folder that isn't there is the likely cause."""
    write(venv[1] / "__editable__.my_project-1.0.pth", "/build/my%20code\n")
    distribution(venv[1], "my_project", ["__editable__.my_project-1.0.pth"], top_level_txt="shop\n", url="file:///build/my%20code")
    missing("shop.api", r"my_project is installed as editable: .* leads to /build/my%20code, which does not exist")
    missing("other", r"my_project is installed as editable")
    (venv[1] / "__editable__.my_project-1.0.pth").unlink()
    missing("shop", r"my_project is installed as editable: .*my_project-1\.0\.dist-info leads to /build/my code, which does not exist")


FINDERS = {
    "__editable___myapp_1_0_finder": """
        from __future__ import annotations
        import sys
        MAPPING: dict[str, str] = {'myapp': '/build/src/myapp', 'other': '/build/src/other'}
        NAMESPACES: dict[str, list[str]] = {}
        def install(): pass
        """,
    "_editable_impl_myapp": """
        from editables.redirector import RedirectingFinder as F
        F.install()
        F.map_module('myapp', '/build/src/myapp/__init__.py')
        """,
    "_myapp_editable": """
        def install(known_source_files, known_wheel_files, path): pass
        install({'myapp.core': '/build/src/myapp/core.py', 'myapp': '/build/src/myapp/__init__.py'}, {}, None)
        """,
}


@pytest.mark.parametrize("finder", FINDERS)
def test_editable_by_a_finder(missing, folder, venv, finder):
    """setuptools, the library editables, scikit-build."""
    text = textwrap.dedent(FINDERS[finder])
    write(venv[1] / f"{finder}.py", text)
    write(venv[1] / "__editable__.myapp-1.0.pth", f"import sys\nimport {finder} ;\n")
    distribution(venv[1], "myapp", ["__editable__.myapp-1.0.pth", f"{finder}.py"])
    process = missing("myapp", rf"myapp is installed as editable: {venv[1]}/{finder}\.py leads to /build/src/myapp", "which does not exist",
                      r"hint: COPY the source to /build/src/myapp")
    assert "give the name that is imported" not in process.stderr


def test_a_finder_is_no_module_to_name(missing, folder, venv):
    """Where the mapping can't be read either, the hint doesn't lead to the finder."""
    write(venv[1] / "__editable___myapp_1_0_finder.py", "MAPPING = make()\n")
    write(venv[1] / "__editable__.myapp-1.0.pth", "")
    distribution(venv[1], "myapp", ["__editable___myapp_1_0_finder.py"], url="file:///build/src")
    process = missing("myapp", "leads to /build/src, which does not exist")
    assert "python: __editable__" not in process.stderr


def test_egg_link_and_flits_link(missing, folder, venv):
    write(venv[1] / "myapp.egg-link", "/build/src\n../")
    missing("myapp", r"an editable install has its code elsewhere: .*myapp\.egg-link leads to /build/src, which does not exist")
    (venv[1] / "myapp.egg-link").unlink()
    (venv[1] / "flitted").symlink_to("/build/flitted")
    missing("flitted", rf"flitted is installed as editable: {venv[1]}/flitted leads to /build/flitted, which does not exist")


def test_a_link_in_the_path_names_its_target(missing, folder, venv):
    (folder / "lib").symlink_to("/mnt/lib")
    missing("x", rf"not in {folder}/lib \(a link to /mnt/lib\), which does not exist", env={**SYSTEM, "PYTHONPATH": f"{folder}/lib"})


def test_following_the_hint_of_an_editable_install(missing, folder, venv):
    """COPY the source to the folder that it names."""
    write(venv[1] / "_myapp.pth", f"{folder}/build/src\n")
    distribution(venv[1], "myapp", ["_myapp.pth"], url=f"file://{folder}/build")
    hint = missing("myapp", "hint: COPY the source to").stderr.split("COPY the source to ")[1].split(" in the image")[0]
    assert hint == f"{folder}/build/src"
    package(folder / "build/src", "myapp")
    missing("myapp", code=0)


# --- Manifests

def test_a_module_that_no_manifest_lists(check, folder, venv):
    write(folder / "requirements.txt", "shopapi>=1\n-r more.txt\n")
    write(folder / "more.txt", "PyYAML\n")

    def missing(name, *patterns):
        return check(f"module = {folder}/.venv/bin/python: {name}\nmanifest = requirements.txt\n", 72, *patterns,
                     words=[folder / ".venv/bin/python", "-m", "x"], env=SYSTEM).stderr

    said = missing("shopdb", r"module shopdb: .*; no requirement of that name is in requirements\.txt; looked in",
                   r"hint: add it to requirements\.txt, or what brings it, and build the image again")
    for listed in ("shopapi.main", "yaml"):
        said = missing(listed, rf"module {listed}: ")
        assert "no requirement of that name" not in said, said
    # a folder of that name hides that it is missing
    write(folder / "shopdb" / "env.py")
    missing("shopdb.config", rf"the folder {folder}/shopdb has that name but no __init__", "no requirement of that name is in")
    # what can't be read whole tells nothing
    write(folder / "more.txt", "git+https://example.com/x.git\n")
    assert "no requirement of that name" not in missing("shopdb")


def test_a_module_that_pyproject_does_not_list(check, folder, venv):
    write(folder / "pyproject.toml", "[project]\nname = 'x'\nversion = '1'\ndependencies = ['shopapi']\n")
    check(f"module = {folder}/.venv/bin/python: shopdb\nmanifest = pyproject.toml\n", 72,
          r"no requirement of that name is in pyproject\.toml", words=[folder / ".venv/bin/python", "-m", "x"], env=SYSTEM)
