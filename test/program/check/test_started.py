"""Which interpreter, environment and folder a service's command comes to: found, or it is said that it can't be told."""

import base64
import hashlib
import os
import shlex
import subprocess

import pytest

from conftest import PYTHON
from support import npm
from support.image import check, package, write  # noqa: F401 - check is a fixture
from support.process import PATH

MANAGERS = "uv uvx poetry pipenv pdm rye hatch conda mamba micromamba pixi pipx npm npx pnpm yarn bun gosu tini dumb-init sudo setpriv"


@pytest.fixture
def system(folder):
    """The managers' programs, which aren't run."""
    for name in MANAGERS.split():
        write(folder / "programs" / name, "#!/bin/sh\nexit 1\n", 0o755)
    return {"PATH": f"{folder}/programs:/usr/bin:/bin"}


def environment(path, *modules):
    subprocess.run([PYTHON, "-m", "venv", "--without-pip", path], check=True)
    site = next(path.glob("lib/python3*/site-packages"))
    for module in modules:
        package(site, module)
    write(path / "bin" / "serve", f"#!{path}/bin/python\n", 0o755)
    return path


@pytest.fixture
def finds(check, folder, system):
    """finds(words…): the module `only` is found by the service's interpreter; with env= and not_by=."""

    def run(*words, module="only", code=0, patterns=(), env=None, cwd=None):
        process = check(f"module = python: {module}\n", code, *patterns, words=["--", *words], env={**system, **(env or {})}, cwd=cwd)
        if code == 0 and not patterns:
            assert "can't be told" not in process.stderr, process.stderr
        return process

    return run


@pytest.fixture
def untold(finds):
    """untold(words…, pattern): no verdict, and a warning."""

    def run(*words, pattern, **how):
        finds(*words, patterns=[rf"require: module: not judged: {pattern}", "hint: name the interpreter: module = /path/to/bin/python"],
              **how)

    return run


# --- Shells

def test_a_shells_commands(finds, folder):
    venv = environment(folder / "venv", "only")
    package(folder / "app", "local")
    for text in (f"true; {venv}/bin/serve", f"{venv}/bin/serve --port 1 && echo over", f"sleep 0 & exec {venv}/bin/serve",
                 f". {venv}/bin/activate && exec serve", f"source {venv}/bin/activate; python -m x",
                 f"export PATH={venv}/bin:$PATH\nserve", f"PATH=\"{venv}/bin:$PATH\" serve", f"if true; then {venv}/bin/serve; fi",
                 f"cd /; exec {venv}/bin/serve >/dev/null 2>&1", f"cd {folder} && venv/bin/python -m x",
                 f"cd venv && bin/serve", "cd venv/bin && cd .. && ./bin/python -m x", "cd $HERE/venv && bin/python -m x",
                 f"(cd / && {venv}/bin/serve)"):
        finds("sh", "-ec", text, env={"HERE": str(folder)})
    finds("sh", "-c", "true; python3 -m x", code=72)
    finds("sh", "-c", "cd app && python3 -m x", module="local")
    finds("sh", "-c", "cd app; exec env A=1 python3 -m x", module="local")
    finds("env", "-C", "app", "python3", "-m", "x", module="local")
    finds("env", "--chdir=app", "python3", "-m", "x", module="local")
    finds("sh", "-c", "PYTHONPATH=app python3 -m x", module="local")
    finds("env", f"PYTHONPATH={folder}/app", "python3", "-m", "x", module="local")
    finds("sh", "-c", "python3 -m x", module="local", code=72)


@pytest.mark.parametrize("words", ["nice -n 5", "timeout -s INT 60", "gosu app", "tini -g --", "dumb-init -r 15:2 --", "stdbuf -oL",
                                   "sudo -u app --", "setpriv --reuid 1000 --clear-groups", "env -u X A=1"])
def test_what_only_starts_another(finds, folder, words):
    finds(*words.split(), f"{environment(folder / 'venv', 'only')}/bin/serve")


def test_a_folder_that_cannot_be_told(untold, folder):
    untold("sh", "-c", "cd $NOT_SET_HERE && python3 -m x", pattern=r"what the shell makes of \$NOT_SET_HERE can't be told")
    untold("sh", "-c", "cd `pwd` && python3 -m x", pattern="what the shell makes of")
    untold("sh", "-c", "cd nowhere && python3 -m x", pattern="what the command finds in nowhere, which is not there, can't be told")


# --- uv

def project(folder, *, text="[project]\nname = 'x'\n"):
    write(folder / "pyproject.toml", text)


UV = [["uv", "run"], ["uv", "--no-cache", "run", "--frozen"], ["uv", "run", "--no-sync", "--"], ["programs/uv", "-q", "run", "-p", "3.11"],
      ["sh", "-c", "exec uv run --extra x serve"]]


@pytest.mark.parametrize("words", UV)
def test_uv(finds, folder, words):
    project(folder)
    environment(folder / ".venv", "only")
    finds(*words, *([] if words[0] == "sh" else ["serve"]))
    finds("uv", "run", "serve", module="missing", code=72, patterns=[rf"not found by {folder}/\.venv/bin/python"])


def test_uv_module_script_and_folders(finds, folder):
    project(folder / "api")
    environment(folder / "api" / ".venv", "only")
    package(folder, "here")
    package(folder / "api", "there")
    write(folder / "api" / "tools" / "run.py")
    package(folder / "api" / "tools", "beside")
    finds("uv", "run", "--project", "api", "-m", "x")
    finds("uv", "run", "--project=api", "-m", "x", module="here")
    finds("uv", "--directory", "api", "run", "serve", module="there")
    finds("uv", "run", "--project", "api", "python", "api/tools/run.py", module="beside")
    finds("uv", "run", "serve", module="only", env={"UV_PROJECT": f"{folder}/api"})
    finds("sh", "-c", "cd api && uv run serve")


def test_uv_environment_elsewhere(finds, untold, folder):
    project(folder)
    environment(folder / "opt" / "env", "only")
    untold("uv", "run", "serve", pattern=r"uv makes its environment \.venv at the start: what it will hold can't be told")
    finds("uv", "run", "serve", env={"UV_PROJECT_ENVIRONMENT": f"{folder}/opt/env"})
    finds("uv", "run", "serve", env={"UV_PROJECT_ENVIRONMENT": "opt/env"})
    finds("uv", "run", "--active", "serve", env={"VIRTUAL_ENV": f"{folder}/opt/env"})
    # uv doesn't take the active environment of its own accord
    untold("uv", "run", "serve", env={"VIRTUAL_ENV": f"{folder}/opt/env"}, pattern="uv makes its environment")


def test_uv_workspace(finds, folder):
    project(folder, text="[project]\nname = 'all'\n[tool.uv.workspace]\nmembers = ['apps/*']\n")
    project(folder / "apps" / "api")
    environment(folder / ".venv", "only")
    finds("sh", "-c", "cd apps/api && uv run serve")
    finds("uv", "run", "--project", "apps/api", "serve")


@pytest.mark.parametrize("words", [["uv", "run", "--with", "rich", "serve"], ["uv", "run", "--isolated", "serve"],
                                   ["uv", "run", "--script", "x.py"], ["uvx", "serve"], ["uv", "tool", "run", "serve"],
                                   ["pipx", "run", "serve"], ["hatch", "run", "serve"], ["hatch", "-e", "prod", "run", "serve"]])
def test_environments_of_their_own(untold, folder, words):
    project(folder)
    environment(folder / ".venv", "nothing")
    untold(*words, pattern=rf"in which environment {words[0]} runs a command can't be told")


# --- poetry, pipenv, pdm, rye, conda, pixi

def key(text):
    return base64.urlsafe_b64encode(hashlib.sha256(str(text).encode()).digest()).decode()[:8]


def test_poetry(finds, untold, folder):
    project(folder, text="[tool.poetry]\nname = 'Shop Api'\n")
    cache = folder / "cache" / "virtualenvs"
    where = {"POETRY_CACHE_DIR": str(folder / "cache")}
    untold("poetry", "run", "serve", env=where, pattern=r"which environment poetry takes \(.*/cache/virtualenvs holds none for this folder")
    environment(cache / f"shop-api-{key(os.path.realpath(folder))}-py3.11", "only")
    environment(cache / f"other-{key('/another')}-py3.11", "nothing")
    finds("poetry", "run", "serve", env=where)
    finds("poetry", "-q", "run", "python", "-m", "x", env=where)
    finds("poetry", "-C", str(folder), "run", "serve", env=where)
    finds("poetry", "run", "serve", env={"POETRY_VIRTUALENVS_PATH": str(cache)})
    finds("poetry", "run", "serve", env={"HOME": str(folder / "home")} | where)
    environment(folder / "active", "mine")
    finds("poetry", "run", "serve", module="mine", env={**where, "VIRTUAL_ENV": f"{folder}/active"})
    environment(folder / ".venv", "inproject")
    finds("poetry", "run", "serve", module="inproject", env=where)
    finds("poetry", "run", "serve", env={**where, "POETRY_VIRTUALENVS_IN_PROJECT": "false"})


def test_poetry_without_an_environment(finds, folder):
    project(folder)
    write(folder / "poetry.toml", "[virtualenvs]\ncreate = false\n")
    finds("poetry", "run", "python3", "-m", "x", module="alembic")
    finds("poetry", "run", "python3", "-m", "x", module="only", code=72, patterns=["not found by /usr/bin/python3"])


def test_pipenv(finds, untold, folder):
    write(folder / "Pipfile")
    home = {"WORKON_HOME": str(folder / "envs")}
    untold("pipenv", "run", "serve", env=home, pattern="which environment pipenv takes")
    environment(folder / "envs" / f"app-{key(os.path.realpath(folder) + '/Pipfile')}", "only")
    finds("pipenv", "run", "serve", env=home)


def test_pdm(finds, untold, folder):
    project(folder)
    untold("pdm", "run", "serve", pattern=r"pdm makes its environment \.venv at the start")
    environment(folder / "env", "only")
    write(folder / ".pdm-python", f"{folder}/env/bin/python")
    finds("pdm", "run", "serve")
    finds("pdm", "run", "-p", str(folder), "python", "-m", "x")
    (folder / "__pypackages__").mkdir()
    untold("pdm", "run", "serve", pattern="which packages pdm takes can't be told")


def test_rye_conda_and_pixi(finds, untold, folder):
    project(folder)
    environment(folder / ".venv", "only")
    finds("rye", "run", "serve")
    environment(folder / "conda" / "envs" / "prod", "only")
    root = {"MAMBA_ROOT_PREFIX": f"{folder}/conda"}
    finds("micromamba", "run", "-n", "prod", "serve", env=root)
    finds("conda", "run", "--no-capture-output", "-n", "prod", "python", "-m", "x", env=root)
    finds("conda", "run", "-p", f"{folder}/conda/envs/prod", "serve")
    finds("conda", "run", "-n", "prod", "serve", env={"CONDA_ENVS_PATH": f"/none:{folder}/conda/envs"})
    finds("mamba", "run", "serve", env={"CONDA_PREFIX": f"{folder}/conda/envs/prod"})
    untold("conda", "run", "-n", "dev", "serve", env=root, pattern="where conda has its environment dev can't be told")
    environment(folder / ".pixi" / "envs" / "default", "only")
    finds("pixi", "run", "serve")
    finds("pixi", "run", "a-task")
    untold("pixi", "run", "-e", "test", "serve", pattern="where pixi has its environment test")


# --- Node.js

@pytest.fixture
def apps(folder):
    """A workspace of two: only `api` has express."""
    write(folder / "package.json", '{"name": "all", "workspaces": ["apps/*"], "scripts": {"all": "node nowhere.js"}}')
    for name in ("api", "web"):
        write(folder / "apps" / name / "package.json",
              '{"name": "@shop/%s", "scripts": {"start": "node dist/main.js", "dev": "cross-env A=1 node -r x ./dist/main", "tool": "knex"}}' % name)
        write(folder / "apps" / name / "dist" / "main.js")
    npm.package(folder / "apps" / "api", "express")
    npm.package(folder / "apps" / "api" / "dist", "inner")
    return folder


@pytest.fixture
def express(check, system):
    def run(*words, code=0, module="express", patterns=()):
        process = check(f"module = node: {module}\n", code, *patterns, words=["--", *words], env={"PATH": f"{system['PATH']}:{PATH}"})
        if code == 0 and not patterns:
            assert "can't be told" not in process.stderr
        return process

    return run


@pytest.mark.parametrize("words", [
    "node apps/api/dist/main.js", "sh -c 'cd apps/api && node dist/main.js'", "sh -c 'cd apps/api; exec node dist/main'",
    "npm --prefix apps/api start", "npm --prefix=apps/api run start", "npm -w apps/api start", "npm -w @shop/api start",
    "npm start --workspace=@shop/api", "npm run start -w apps/api", "pnpm --filter @shop/api start", "pnpm --filter api run dev",
    "pnpm -C apps/api start", "pnpm --filter ./apps/api start", "pnpm --dir apps/api run tool", "yarn workspace @shop/api start",
    "yarn --cwd apps/api start", "bun --cwd apps/api run start", "sh -c 'cd apps/api && npm start'",
    "env NODE_ENV=production npm --prefix apps/api start -- --port 1", "npx --prefix apps/api knex", "tini -- npm -C apps/api run dev"])
def test_folder_of_the_package(express, apps, words):
    express(*shlex.split(words))
    express(*shlex.split(words), code=72, module="nothing", patterns=[rf"from {apps}/apps/api"])


def test_the_scripts_of_the_package_are_followed(express, apps):
    """npm start runs node dist/main.js: its node_modules count."""
    express("npm", "--prefix", "apps/api", "start", module="inner")
    express("pnpm", "--filter", "api", "run", "dev", module="inner")
    express("npm", "-w", "apps/web", "start", code=72, patterns=[rf"from {apps}/apps/web/dist"])


@pytest.mark.parametrize("words", [["pnpm", "--filter", "api...", "start"], ["pnpm", "-r", "start"], ["npm", "-ws", "start"],
                                   ["npm", "-w", "nowhere", "start"], ["pnpm", "--filter", "@shop/*", "start"],
                                   ["sh", "-c", "cd $NOT_SET_HERE && node main.js"]])
def test_folders_that_cannot_be_told(express, apps, words):
    express(*words, patterns=[r"require: module: not judged: .* can't be told", r"hint: manifest = DIR/package\.json looks from that folder"])
