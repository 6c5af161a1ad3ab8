"""[require] module executes nothing that lies in the working directory, in PYTHONPATH or in RUBYLIB, and finds what the service would find there."""

import subprocess

import pytest

from conftest import PYTHON
from support.image import write
from support.process import PATH

# What a start of Python, the probe and its explanations import, and what they might.
NAMES = ("abc ast argparse base64 bisect bz2 codecs collections contextlib copy copyreg csv dataclasses datetime difflib email encodings enum fnmatch"
         " functools genericpath glob hashlib heapq importlib inspect io itertools json keyword linecache locale logging math operator os pathlib pickle"
         " pkgutil platform posixpath random re reprlib runpy selectors shutil signal site socket sre_compile stat string struct subprocess sysconfig"
         " tarfile tempfile textwrap threading token tokenize tomllib traceback types typing urllib uuid warnings weakref zipfile zipimport toml tomli pip"
         " setuptools apport_python_hook sitecustomize usercustomize python").split()
LEFT = "import os; open(os.environ['EXECUTED'], 'a').write(__file__ + '\\n')\n"


@pytest.fixture
def planted(folder):
    """A working directory in which every file says that it was executed."""
    for name in NAMES:
        write(folder / f"{name}.py", LEFT)
    for name in ("collections", "json", "email", "importlib", "urllib", "encodings"):
        write(folder / "packages" / name / "__init__.py", LEFT)
    for name in ("own", "planted", "__editable___planted_finder"):
        write(folder / f"{name}.pth", LEFT)
    write(folder / "service" / "__init__.py", LEFT)
    write(folder / "service" / "main.py", LEFT)
    return folder / "executed"


@pytest.fixture
def check(embark, folder, planted):
    def run(require, code, *patterns, env=None, words=()):
        env = {"PATH": PATH, "EXECUTED": str(planted), **(env or {})}
        process = embark.run("check", *words, config=f"[require]\n{require}", env=env).expect(code, *patterns)
        assert not planted.exists(), f"executed: {planted.read_text()}\n{process.describe()}"
        return process

    return run


ELSEWHERE = [{}, {"PYTHONPATH": "."}, {"PYTHONPATH": "{folder}"}, {"PYTHONPATH": "/nowhere::packages"}, {"PYTHONSAFEPATH": "1", "PYTHONPATH": "."},
             {"PYTHONSTARTUP": "re.py", "PYTHONPATH": "."}, {"PYTHONNOUSERSITE": "1", "PYTHONPATH": "."}]


@pytest.mark.parametrize("env", ELSEWHERE, ids=lambda env: ",".join(f"{k}={v}" for k, v in env.items()) or "nothing")
def test_python(check, folder, env):
    """What is found, what is missing with all of its explanations, versions and manifests."""
    env = {key: value.format(folder=folder) for key, value in env.items()}
    safe = "PYTHONSAFEPATH" in env and "PYTHONPATH" not in env
    check(f"module = {PYTHON}: service.main, psycopg2, os.path\n", 72 if safe else 0, env=env)
    check(f"module = {PYTHON}: service.nothing, psycopg3, alembik, alembic.nothing\n", 72, r"module service\.nothing", r"module psycopg3", env=env)
    check(f"module = {PYTHON}: psycopg2>=2, alembic>=99\n", 72, "module alembic: >=99 is needed", env=env)


@pytest.mark.parametrize("env", ELSEWHERE[:3], ids=lambda env: ",".join(env) or "nothing")
def test_manifests(check, folder, env):
    env = {key: value.format(folder=folder) for key, value in env.items()}
    write(folder / "requirements.txt", "psycopg2>=2\nno-such-thing>=1 ; platform_machine != 'x'\n")
    write(folder / "pyproject.toml", '[project]\nname = "x"\ndependencies = ["psycopg2[extra]>=2", "no-such-thing"]\n'
          '[tool.poetry.dependencies]\npython = "^3.9"\n')
    write(folder / "poetry" / "pyproject.toml", '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.9"\npsycopg2 = "^2.0"\nnothing = "~1.2"\n')
    check("manifest = requirements.txt\nmanifest = pyproject.toml\nmanifest = poetry/pyproject.toml\n", 72, "no-such-thing", env=env)


@pytest.mark.parametrize("words", [["-S"], ["-I"], ["-E"], ["-s"], ["-SE"]])
def test_the_services_own_flags(check, words):
    check("module = python: os, json\n", 0, words=["--", PYTHON, *words, "x.py"], env={"PYTHONPATH": "."})


def test_an_environment_with_a_zip_file_and_an_editable_install(check, folder):
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "own"], check=True)
    site, = (folder / "own").glob("lib/python3*/site-packages")
    write(folder / "src" / "edited" / "__init__.py")
    write(site / "edited-1.0.dist-info" / "METADATA", "Name: edited\nVersion: 1.0\n")
    write(site / "edited-1.0.dist-info" / "direct_url.json", '{"dir_info": {"editable": true}, "url": "file:///gone"}')
    write(site / "__editable__.edited-1.0.pth", "/gone/src\n")
    subprocess.run([PYTHON, "-m", "zipfile", "-c", folder / "lib.zip", folder / "src" / "edited"], check=True)
    write(site / "zip.pth", f"{folder}/lib.zip\n")
    env = {"PATH": f"{folder}/own/bin", "PYTHONPATH": "."}
    check("module = python: edited, nothing.at.all\n", 72, r"module nothing", env=env)
    check("module = python: edited>=1\n", 0, env=env)
    check("module = python: gone_too\n", 72, env=env)


def test_lines_of_site_packages_that_put_a_finder_in_place(check, folder):
    """They are run, as by each start of this Python: the module can't be found otherwise. The same names beside the service are not."""
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", folder / "own"], check=True)
    site, = (folder / "own").glob("lib/python3*/site-packages")
    write(folder / "src" / "found" / "__init__.py", LEFT)
    write(site / "__editable___found_finder.py",
          "import sys\nfrom importlib.machinery import PathFinder\nclass Finder:\n    @classmethod\n"
          f"    def find_spec(cls, name, path=None, target=None):\n        return PathFinder.find_spec(name, [{str(folder / 'src')!r}]) if name == 'found' else None\n"
          "def install(): sys.meta_path.append(Finder)\n")
    write(site / "__editable__.found-1.0.pth", "import __editable___found_finder; __editable___found_finder.install()\n")
    write(folder / "__editable___found_finder.py", LEFT)
    env = {"PATH": f"{folder}/own/bin", "PYTHONPATH": "."}
    check("module = python: found\n", 0, env=env)
    check("module = python: found, found.not_there\n", 72, r"module found\.not_there", env=env)


def test_pythonpath_is_where_the_service_finds_it(check, folder):
    write(folder / "libs" / "deep" / "__init__.py", LEFT)
    check(f"module = {PYTHON}: deep\n", 0, env={"PYTHONPATH": f"/nowhere:{folder}/libs"})
    check(f"module = {PYTHON}: deep\n", 72)
    check("module = python: deep\n", 72, words=["--", PYTHON, "-E", "x.py"], env={"PYTHONPATH": f"{folder}/libs"})
    # it comes before the standard library
    write(folder / "libs" / "colorsys.py", LEFT)
    process = check(f"module = {PYTHON}: colorsys\n", 0, env={"PYTHONPATH": "libs", "EMBARK_LOG_LEVEL": "debug"})
    assert f"module colorsys: {folder}/libs/colorsys.py" in process.stderr


def test_an_import_has_all_that_the_service_has(embark, folder, planted):
    """Its PYTHONPATH, for itself and what it starts, and the sitecustomize that lies there."""
    libs = folder / "libs"
    write(libs / "sitecustomize.py", "import os\nos.environ['CUSTOM'] = 'yes'\n")
    write(libs / "wanted.py", "import os, subprocess, sys\nassert os.environ['CUSTOM'] == 'yes'\nassert os.environ['PYTHONPATH'].endswith('libs')\n"
          "assert 'EMBARK_PYTHONPATH' not in os.environ\nsubprocess.run([sys.executable, '-c', 'import wanted_by_child'], check=True)\n")
    write(libs / "wanted_by_child.py")
    (folder / "empty").mkdir()
    embark.run("check", config=f"[require]\nimport = {PYTHON}: wanted\n", cwd=folder / "empty", env={"PATH": PATH, "PYTHONPATH": str(libs)}).expect(0)


def test_ruby(check, folder):
    for name in ("rubygems", "monitor", "set", "did_you_mean", "rbconfig", "evil", "bundler", "stringio"):
        write(folder / f"{name}.rb", "File.write(ENV['EXECUTED'], __FILE__, mode: 'a')\n")
    write(folder / "libs" / "feature.rb", "File.write(ENV['EXECUTED'], __FILE__, mode: 'a')\n")
    for env in ({}, {"RUBYOPT": "-r./evil"}, {"RUBYLIB": "."}, {"RUBYLIB": ".:libs", "RUBYOPT": "-revil -W0"}):
        check("module = ruby: no-such-gem\n", 72, "no-such-gem", env=env)
    check("module = ruby: feature\n", 0, env={"RUBYLIB": "/nowhere:libs"})


def test_node(check, folder):
    write(folder / "node_modules" / "thing" / "index.js", "require('fs').writeFileSync(process.env.EXECUTED, 'thing')\n")
    write(folder / "node_modules" / "thing" / "package.json", '{"name": "thing", "version": "1.0.0"}')
    write(folder / "evil.js", "require('fs').writeFileSync(process.env.EXECUTED, 'evil')\n")
    write(folder / ".noderc", "--require ./evil.js\n")
    write(folder / "package.json", '{"name": "x", "imports": {"#a": "./evil.js"}, "dependencies": {"thing": "*"}}')
    check("module = node: thing\nmanifest = package.json\n", 0, env={"NODE_OPTIONS": "--require ./evil.js"})


def test_php(check, folder):
    write(folder / "evil.php", "<?php file_put_contents(getenv('EXECUTED'), 'evil');\n")
    write(folder / "php.ini", f"auto_prepend_file = {folder}/evil.php\n")
    write(folder / "vendor" / "autoload.php", "<?php file_put_contents(getenv('EXECUTED'), 'autoload');\n")
    write(folder / "vendor" / "composer" / "installed.json", '{"packages": [{"name": "a/b", "version": "1.0.0", "install-path": "../a/b"}]}')
    write(folder / "vendor" / "a" / "b" / "b.php")
    check("module = php: a/b\n", 0, env={"PHPRC": str(folder), "PHP_INI_SCAN_DIR": str(folder)})
