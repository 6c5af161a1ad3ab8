"""[require] manifest: what requirements.txt, pyproject.toml, package.json and package-lock.json name is installed."""

import json
import os
import shutil
import subprocess

import pytest

from conftest import PYTHON
from support import npm
from support.image import check, lines, write  # noqa: F401 - check is a fixture
from support.process import PATH
from test_versions import dist, venv  # noqa: F401 - venv is a fixture

NODE = {"PATH": PATH}


# --- requirements.txt

def test_requirements(check, venv, folder):
    site, env = venv
    dist(site, "Alembic", "1.14.1", ["alembic"])
    dist(site, "zope.interface", "6.0")
    write(folder / "requirements.txt", "alembic >= 1.14, <2  # migrations\nzope_interface\nwin; sys_platform == 'win32'\n"
                                       "--index-url https://example.com/simple\n")
    check("manifest = requirements.txt\n", 0, env=env)
    write(folder / "requirements.txt", "alembic>=1.15\nzope.interface==6.*\nmako>=1\nold; python_version < '3'\n-r more.txt\n")
    write(folder / "more.txt", "click\nzope-interface<6 \\\n  --hash=sha256:abc\n")
    process = check("manifest = requirements.txt\n", 72,
                    r"manifest requirements\.txt: alembic>=1\.15 is needed \(requirements\.txt:1\), 1\.14\.1 is installed: \S+Alembic-1\.14\.1\.dist-info",
                    r"mako>=1 \(requirements\.txt:3\) is not installed for \S+python3 \(Python 3\.\S+\) \(\S+ini:2\)",
                    r"click \(more\.txt:1\) is not installed", r"zope-interface<6 is needed \(more\.txt:2\), 6\.0 is installed", env=env)
    assert len(lines(process)) == 4


def test_nothing_installed_is_one_line(check, venv, folder):
    """The classic: pip installed into another interpreter."""
    write(folder / "requirements.txt", "a\nb>=1\nc\nd\n")
    process = check("manifest = requirements.txt\n", 72, r"nothing of it is installed for \S+ \(Python 3\S+\): a, b>=1, c, d", "hint: .*another interpreter",
                    env=venv[1])
    assert len(lines(process)) == 1


def test_extras(check, venv, folder):
    site, env = venv
    dist(site, "uvicorn", "0.30", requires=["click>=7", "httptools>=0.5 ; extra == 'standard'", "dotenv; extra == 'standard' and python_version < '3'",
                                            "watch[fast]>=1; extra == \"standard\"", "other ; extra == 'x'"])
    dist(site, "httptools", "0.4")
    write(folder / "requirements.txt", "uvicorn\n")
    check("manifest = requirements.txt\n", 0, env=env)
    write(folder / "requirements.txt", "Uvicorn[Standard]>=0.2\n")
    process = check("manifest = requirements.txt\n", 72, r"httptools>=0\.5 is needed \(requirements\.txt:1, for Uvicorn\[standard\]\), 0\.4 is",
                    r"watch \(requirements\.txt:1, for Uvicorn\[standard\]\) is not installed", env=env)
    assert len(lines(process)) == 2


def test_constraints_bind_what_is_installed(check, venv, folder):
    site, env = venv
    dist(site, "a", "1.0")
    dist(site, "b", "2.0")
    write(folder / "requirements.txt", "a\n-c constraints.txt\n")
    write(folder / "constraints.txt", "b<2\nc==1\na<2\n")
    process = check("manifest = requirements.txt\n", 72, r"b<2 is needed \(constraints\.txt:1\), 2\.0 is installed", env=env)
    assert len(lines(process)) == 1


def test_what_cannot_be_judged_is_one_line(check, venv, folder):
    site, env = venv
    dist(site, "a", "1.0")
    dist(site, "b", "nonsense")
    write(folder / "requirements.txt", "a @ https://example.com/a.zip\nb>=1\n-e .\ngit+https://example.com/c.git\nwhat is this\n"
                                       "k; platform_release > '5'\n")
    process = check("manifest = requirements.txt\n", 0,
                    r"manifest requirements\.txt: not judged: \. \(requirements\.txt:3\), .*c\.git \(requirements\.txt:4\), "
                    r"a \(requirements\.txt:1: whether it is the one of that address\), b \(requirements\.txt:2: its version\), what is this "
                    r".*k; platform_release > '5' \(requirements\.txt:6: its marker\)", env=env)
    assert len(lines(process)) == 1


def test_files_that_are_not_there(check, venv, folder):
    write(folder / "a.txt", "-r b.txt\n")
    write(folder / "b.txt", "-r a.txt\n")
    write(folder / "c.txt", "-r gone.txt\n")
    check("manifest = a.txt\nmanifest = c.txt\nmanifest = no.txt\nmanifest = pyproject.toml\nmanifest = package.json\n", 72,
          "manifest a.txt: files include each other", r"manifest gone\.txt: .* \(c\.txt:1\)", r"manifest no\.txt: No such file",
          r"manifest pyproject\.toml: No such file", r"manifest package\.json: No such file", env=venv[1])
    check("manifest = Gemfile\n", 78, "Gemfile is not supported, only requirements.txt")
    check("manifest = a.txt[x]\n", 78, "a.txt has no extras")


def test_as_pip_itself(check, folder):
    """pip check's cousin: a requirements file written by pip freeze is fulfilled, by the same interpreter."""
    frozen = subprocess.run([PYTHON, "-m", "pip", "freeze", "--all"], capture_output=True, text=True)
    if frozen.returncode != 0:
        pytest.skip("python3-pip is not installed")
    write(folder / "requirements.txt", frozen.stdout)
    check("manifest = requirements.txt\n", 0, env={"PATH": "/usr/bin:/bin"})


# --- pyproject.toml

PYPROJECT = """
[project]
name = "app"
requires-python = ">=3.8"
dependencies = ["a>=1", "win; sys_platform == 'win32'", "u[x]"]
[project.optional-dependencies]
Post_gres = ["b<2"]
dev = ["pytest"]
"""


def test_pyproject(check, venv, folder):
    site, env = venv
    dist(site, "a", "1.0")
    dist(site, "b", "1.0")
    dist(site, "u", "1.0", requires=["v ; extra == 'x'"])
    dist(site, "v", "1.0")
    write(folder / "pyproject.toml", PYPROJECT)
    check("manifest = pyproject.toml\nmanifest = pyproject.toml[post-gres]\n", 0, env=env)
    shutil.rmtree(site / "v-1.0.dist-info")
    check("manifest = pyproject.toml[dev, nope]\n", 72, r"pytest \(pyproject\.toml\) is not installed", "it has no extra called nope",
          r"v \(pyproject\.toml, for u\[x\]\) is not installed", env=env)
    write(folder / "pyproject.toml", PYPROJECT.replace(">=3.8", ">=4").replace("a>=1", "a>=2"))
    check("manifest = pyproject.toml\n", 72, r"Python >=4 is needed, \S+ is Python 3\.", r"a>=2 is needed \(pyproject\.toml\), 1\.0 is", env=env)
    write(folder / "pyproject.toml", "[project\n")
    check("manifest = pyproject.toml\n", 72, r"manifest pyproject\.toml: .*line 1", env=env)


def test_pyproject_of_poetry_and_dynamic(check, venv, folder):
    site, env = venv
    dist(site, "a", "1.4")
    dist(site, "b", "0.2.9")
    poetry = '[tool.poetry.dependencies]\npython = "^3.8"\na = "^1.2"\nb = {version = "~0.2.1"}\nc = {git = "https://x/y", branch = "z"}\n'
    write(folder / "pyproject.toml", poetry.replace('c = {git = "https://x/y", branch = "z"}\n', ""))
    check("manifest = pyproject.toml\n", 0, env=env)
    write(folder / "pyproject.toml", poetry.replace("^1.2", "^2").replace("~0.2.1", "~0.3"))
    check("manifest = pyproject.toml\n", 72, r"a>=2,<3 is needed \(pyproject\.toml\), 1\.4", r"b>=0\.3,<0\.4 is needed", env=env)
    write(folder / "reqs.txt", "a<1\n")
    write(folder / "pyproject.toml", '[project]\nname = "x"\ndynamic = ["dependencies"]\n'
                                     '[tool.setuptools.dynamic]\ndependencies = {file = ["reqs.txt"]}\n')
    check("manifest = pyproject.toml\n", 72, "a<1 is needed", env=env)
    write(folder / "pyproject.toml", '[project]\nname = "x"\ndynamic = ["dependencies"]\n')
    check("manifest = pyproject.toml\n", 0, "not judged: its dependencies are dynamic", env=env)


# --- package.json, package-lock.json

@pytest.fixture
def app(folder):
    return npm.project(folder, semver="^7.5.0", ms="2.1.3", nanoid="^5.0.0", dev={"once": "^1.4.0"})


BOTH = "manifest = package.json\nmanifest = package-lock.json\n"


def test_after_npm_install(check, app):
    check(BOTH, 0, env={"PATH": "/nowhere"})  # nothing is started for it
    # as npm ci --omit=dev leaves it
    shutil.rmtree(app / "node_modules" / "once")
    shutil.rmtree(app / "node_modules" / "wrappy")
    check(BOTH, 0)


def test_a_package_is_missing(check, app):
    shutil.rmtree(app / "node_modules" / "ms")
    process = check(BOTH, 72, r"manifest package\.json: ms is not installed", r"manifest package-lock\.json: node_modules/ms is not installed",
                    "hint: npm ci")
    assert len(lines(process)) == 2
    shutil.rmtree(app / "node_modules")
    process = check("manifest = package.json\n", 72, rf"nothing of it is installed in {app}/node_modules or above: semver, ms, nanoid|ms, nanoid, semver")
    assert len(lines(process)) == 1


def test_a_package_is_of_another_version(check, app):
    path = app / "node_modules" / "ms" / "package.json"
    path.write_text(path.read_text().replace("2.1.3", "2.0.0"))
    check(BOTH, 72, rf"manifest package\.json: ms 2\.1\.3 is needed, 2\.0\.0 is installed: {app}/node_modules/ms",
          r"manifest package-lock\.json: ms 2\.1\.3 is needed, 2\.0\.0", "hint: install again")


def test_what_is_no_range(check, folder):
    ranges = {"tag": "latest", "git": "github:a/b", "any": "*", "empty": "", "alias": "npm:other@^1", "ws": "workspace:^2", "ws2": "workspace:*",
              "bad": "npm:other@^3", "opt": "^1"}
    for name in ranges:
        npm.package(folder, name, "2.0.0" if name == "ws" else "1.5.0")
    shutil.rmtree(folder / "node_modules" / "opt")
    write(folder / "package.json", json.dumps({"dependencies": ranges, "optionalDependencies": {"opt": "^1"}, "peerDependencies": {"p": "1"}}))
    process = check("manifest = package.json\n", 72, r"installed, version not judged: git \(github:a/b\), tag \(latest\)|tag \(latest\), git \(github:a/b\)",
                    r"bad npm:other@\^3 is needed, 1\.5\.0 is installed")
    assert len(lines(process)) == 2


def test_lock_of_version_1_and_workspaces(check, folder):
    npm.package(folder, "a", "1.0.0")
    npm.package(folder / "node_modules" / "a", "b", "2.0.0")
    write(folder / "package-lock.json", json.dumps({"lockfileVersion": 1, "dependencies": {
        "a": {"version": "1.0.0", "dependencies": {"b": {"version": "2.0.0"}}}, "d": {"version": "1.0.0", "dev": True},
        "o": {"version": "1.0.0", "optional": True}}}))
    check("manifest = package-lock.json\n", 0)
    npm.package(folder / "node_modules" / "a", "b", "2.0.1")
    check("manifest = package-lock.json\n", 72, "b 2.0.0 is needed, 2.0.1 is installed: .*/node_modules/a/node_modules/b")
    # a workspace whose folder was not copied
    (folder / "node_modules" / "w").symlink_to("../packages/w")
    write(folder / "package-lock.json", json.dumps({"lockfileVersion": 3, "packages": {
        "": {}, "packages/w": {"version": "1.0.0"}, "node_modules/w": {"resolved": "packages/w", "link": True}}}))
    check("manifest = package-lock.json\n", 72, rf"w is not installed; {folder}/node_modules/w is a symbolic link to \.\./packages/w, which does not exist")
    write(folder / "packages" / "w" / "package.json", "{}")
    check("manifest = package-lock.json\n", 0)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"dependencies": [1]}', '{"dependencies": {"a": 1}}', '{"packages": {"node_modules/": 1}}'])
def test_hostile_json(embark, check, folder, text):
    write(folder / "package.json", text)
    write(folder / "package-lock.json", text)
    assert embark.run("check", config="[require]\n" + BOTH).wait(20) in (0, 72)
    os.mkfifo(folder / "fifo.txt")
    check("manifest = fifo.txt\n", 72, "manifest fifo.txt")
