"""Real npm installs: made once, kept in embark's cache, copied for each test."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess

from support.postgres import cache_folder

DBMATE = "2.36.0"


def project(folder, name="app", dev=None, **dependencies):
    """package.json, package-lock.json and node_modules in `folder`, by npm install. Names with @ and / as keys of dict(**{…})."""
    package = {"name": name, "version": "1.0.0", "dependencies": dependencies, "devDependencies": dev or {}}
    shutil.copytree(cached(json.dumps(package, sort_keys=True)), folder, symlinks=True, dirs_exist_ok=True)
    return folder


def cached(text):
    """The cache's folder with the install of a package.json with that text: not to be changed."""
    cache = cache_folder()
    final = cache / ("npm-" + hashlib.sha256(text.encode()).hexdigest()[:16])
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / "npm.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            install(cache, final, text)
    return final


def dbmate_program():
    """npm's package of dbmate carries its program."""
    package = {"name": "app", "version": "1.0.0", "dependencies": {"dbmate": DBMATE}, "devDependencies": {}}
    found = list(cached(json.dumps(package, sort_keys=True)).glob("node_modules/@dbmate/linux-*/bin/dbmate"))
    assert found, "npm's dbmate holds no program for this machine"
    return found[0]


def install(cache, final, text):
    new = final.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    (new / "package.json").write_text(text)
    done = subprocess.run(["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--install-links=false",
                           "--cache", str(cache / "npm-cache")], cwd=new, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, env={**os.environ, "NODE_ENV": ""})
    if done.returncode != 0:
        raise AssertionError(f"npm install failed:\n{done.stdout}{done.stderr}")
    os.rename(new, final)


def package(folder, name, version="1.0.0", files=None, **fields):
    """node_modules/NAME by hand."""
    path = folder / "node_modules" / name
    path.mkdir(parents=True, exist_ok=True)
    (path / "package.json").write_text(json.dumps({"name": name, "version": version, **fields}))
    for file, text in (files if files is not None else {"index.js": ""}).items():
        (path / file).parent.mkdir(parents=True, exist_ok=True)
        (path / file).write_text(text)
    return path
