"""Project skeletons as their generators leave them: what `embark check --write` proposes for each passes as it is, and has what it should.

Django's and Alembic's are made by their generators; those of npm's create-* packages and of others are trees of their layout after an install
and a build, with the package.json of the generator and packages that hold next to nothing.
"""

import json
import os
import re
import shutil
import subprocess
import zipfile

import pytest

from conftest import PYTHON
from support import npm
from support.image import write
from support.process import PATH

SKELETONS = []


class Project:
    """The folder in which the service starts, and its command."""

    def __init__(self, folder):
        self.folder = folder
        self.env = {"PATH": PATH}

    def file(self, name, text="", mode=0o644):
        return write(self.folder / name, text, mode)

    def program(self, name):
        return self.file(name, "#!/bin/sh\n", 0o755)

    def venv(self, *distributions, name=".venv", programs=()):
        """With these installed, as "NAME==VERSION", or "NAME==VERSION=IMPORTED" where that differs."""
        subprocess.run([PYTHON, "-m", "venv", "--without-pip", self.folder / name], check=True)
        site = next((self.folder / name).glob("lib/python3*/site-packages"))
        for distribution in distributions:
            project, version = distribution.split("==")
            version, _, package = version.partition("=")
            package = package or project.replace("-", "_")
            info = f"{project.replace('-', '_')}-{version}.dist-info"
            write(site / package / "__init__.py")
            write(site / info / "METADATA", f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n")
            write(site / info / "RECORD", f"{package}/__init__.py,,\n{info}/METADATA,,\n")
        for program in programs:
            self.file(f"{name}/bin/{program}", f"#!{self.folder}/{name}/bin/python\n", 0o755)

    def activate(self, name=".venv"):
        self.env["PATH"] = f"{self.folder}/{name}/bin:{PATH}"

    def npm(self, name, dependencies, dev=(), scripts=(), programs=()):
        """package.json, and what `npm ci --omit=dev` installs of it, in the lowest version that is allowed."""
        self.file("package.json", json.dumps({"name": name, "version": "0.1.0", "private": True, "scripts": dict(scripts), "dependencies": dependencies,
                                              "devDependencies": dict(dev)}, indent=2))
        for package, wanted in dependencies.items():
            version = ".".join([*wanted.lstrip("^~>=").split("."), "0", "0"][:3])
            npm.package(self.folder, package, version, files={"index.js": ""})
        for program in programs:
            self.program(f"node_modules/.bin/{program}")


def skeleton(*lines, no=()):
    """`lines`: in the proposal. `no`: not in it."""
    def take(function):
        SKELETONS.append(pytest.param(function, lines, no, id=function.__name__))
        return function

    return take


@pytest.mark.parametrize("make, lines, no", SKELETONS)
def test_what_is_proposed_passes(embark, folder, make, lines, no):
    project = Project(folder / "app")
    project.folder.mkdir()
    words = make(project)
    how = {"cwd": project.folder, "env": project.env}
    ini = embark.run("check", "--write", "--", *words, **how).expect(0).stdout
    for line in lines:
        assert f"\n{line}\n" in ini, ini
    for line in no:
        assert f"\n{line}" not in ini, ini
    embark.run("check", config=ini, **how).expect(0, "all is there")
    # and what it proposes is looked at: without the project's packages it fails
    for name in (".venv", "node_modules", "vendor", "app.jar", "build"):
        if (project.folder / name).is_dir():
            shutil.rmtree(project.folder / name)
        elif (project.folder / name).exists():
            (project.folder / name).unlink()
    if os.listdir(project.folder):
        failed = embark.run("check", config=ini, **how)
        assert (failed.popen.returncode in (72, 126, 127) or "not judged" in failed.stderr
                or make.__name__ in NOTHING_INSTALLED), failed.describe()


# What runs with the machine's own packages.
NOTHING_INSTALLED = ("django_startproject", "rails_new")


# --- Python

@skeleton("file = manage.py", "module = python: django", "command = python3 manage.py migrate --noinput", "command = python3 manage.py runserver 0.0.0.0:8000")
def django_startproject(project):
    subprocess.run(["django-admin", "startproject", "shop", project.folder], check=True)
    return "python3", "manage.py", "runserver", "0.0.0.0:8000"


@skeleton("file = alembic.ini", "module = python: alembic", "dir = migrations : not-empty", "command = alembic upgrade head",
          "command = uvicorn main:app --host 0.0.0.0 --port 8000", "tcp = 127.0.0.1:8000", no=["command = sh"])
def alembic_init(project):
    """alembic init, and the shell's one-liner of a hundred Dockerfiles."""
    subprocess.run([PYTHON, "-m", "alembic", "init", "migrations"], cwd=project.folder, check=True, capture_output=True)
    project.file("main.py", "app = None\n")
    project.venv("alembic==1.13.2", "uvicorn==0.30.1", programs=["alembic", "uvicorn"])
    project.activate()
    return "sh", "-c", "alembic upgrade head && exec uvicorn main:app --host 0.0.0.0 --port 8000"


PYPROJECT = """[project]
name = "shop"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = [
    "flask>=3.0",
    "alembic>=1.13",
    "psycopg2-binary>=2.9",
]

[dependency-groups]
dev = ["pytest>=8"]
"""


@skeleton("manifest = pyproject.toml", "import = python: psycopg2", "command = .venv/bin/alembic upgrade head", "module = python: alembic",
          "command = .venv/bin/flask --app shop run --port 5000", "tcp = 127.0.0.1:5000")
def flask_with_uv(project):
    """uv init, uv add, uv sync --no-dev: the environment is .venv, and nothing is activated."""
    project.venv("flask==3.0.3", "alembic==1.13.2", "psycopg2-binary==2.9.9=psycopg2", programs=["flask", "alembic"])
    project.file("pyproject.toml", PYPROJECT)
    project.file("uv.lock", 'version = 1\nrequires-python = ">=3.9"\n\n[[package]]\nname = "flask"\nversion = "3.0.3"\n')
    project.file("alembic.ini", "[alembic]\nscript_location = alembic\n")
    project.file("alembic/env.py")
    project.file("shop.py", "app = None\n")
    return ".venv/bin/flask", "--app", "shop", "run", "--port", "5000"


@skeleton("manifest = pyproject.toml", "import = python: psycopg", "command = poetry run python manage.py migrate --noinput",
          "command = poetry run gunicorn shop.wsgi -b 0.0.0.0:8000", "tcp = 127.0.0.1:8000")
def django_with_poetry(project):
    """poetry config virtualenvs.in-project true, and poetry run in CMD."""
    project.venv("django==5.0.6", "psycopg==3.2.1", "gunicorn==22.0.0", programs=["gunicorn"])
    project.file("pyproject.toml", '[tool.poetry]\nname = "shop"\nversion = "0.1.0"\npackage-mode = false\n\n[tool.poetry.dependencies]\n'
                                   'python = "^3.9"\ndjango = "^5.0"\npsycopg = {version = "^3.1"}\ngunicorn = "*"\n\n[tool.poetry.group.dev.dependencies]\n'
                                   'pytest = "^8"\n')
    project.file("poetry.lock", '[[package]]\nname = "django"\nversion = "5.0.6"\n')
    project.file("manage.py", "import django\n")
    project.program("bin/poetry")
    project.env["PATH"] = f"{project.folder}/bin:{PATH}"
    return "poetry", "run", "gunicorn", "shop.wsgi", "-b", "0.0.0.0:8000"


# --- Ruby, PHP, Java

@skeleton("module = ruby: json, rake", "command = bin/rails db:prepare", "command = bin/rails server -b 0.0.0.0 -p 3000", "tcp = 127.0.0.1:3000")
def rails_new(project):
    project.file("Gemfile", 'source "https://rubygems.org"\n\ngem "json"\ngem "rake"\n\ngroup :development, :test do\n  gem "debug"\nend\n')
    project.file("config/application.rb", "require_relative 'boot'\n")
    project.file("config/database.yml", "production:\n  url: <%= ENV['DATABASE_URL'] %>\n")
    project.file("db/migrate/20240101000000_create_notes.rb", "class CreateNotes < ActiveRecord::Migration[7.1]; end\n")
    project.file("public/404.html")
    project.file("bin/rails", "#!/usr/bin/env ruby\n", 0o755)
    return "sh", "-c", "bin/rails db:prepare && exec bin/rails server -b 0.0.0.0 -p 3000"


@skeleton("command = php artisan migrate --force", "command = php -S 0.0.0.0:8000 -t public", "tcp = 127.0.0.1:8000", "module = php: laravel/framework")
def laravel_new(project):
    project.file("composer.json", json.dumps({"name": "laravel/laravel", "require": {"php": "^7 || ^8", "laravel/framework": "^11.0"}, "require-dev": {"phpunit/phpunit": "^11"}}))
    project.file("vendor/composer/installed.json", json.dumps({"packages": [{"name": "laravel/framework", "version": "v11.9.2", "install-path": "../laravel/framework"}]}))
    project.file("vendor/laravel/framework/composer.json", "{}")
    project.file("artisan", "#!/usr/bin/env php\n<?php\n", 0o755)
    project.file("public/index.php")
    return "sh", "-c", "php artisan migrate --force && php -S 0.0.0.0:8000 -t public"


@skeleton("command = java -jar app.jar", no=["[migrate]"])
def spring_initializr(project):
    """Flyway runs within the service."""
    with zipfile.ZipFile(project.folder / "app.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\nMain-Class: org.springframework.boot.loader.launch.JarLauncher\nStart-Class: shop.App\n"
                                             "Spring-Boot-Classes: BOOT-INF/classes/\nSpring-Boot-Lib: BOOT-INF/lib/\n")
        jar.writestr("org/springframework/boot/loader/launch/JarLauncher.class", b"\xca\xfe\xba\xbe")
        jar.writestr("BOOT-INF/classes/db/migration/V1__notes.sql", "CREATE TABLE notes ();")
    return "java", "-jar", "app.jar"


# --- Node.js

@skeleton("manifest = package.json", "command = node ./bin/www")
def express_generator(project):
    project.npm("express", {"cookie-parser": "~1.4.4", "debug": "~2.6.9", "express": "~4.16.1", "morgan": "~1.9.1"}, scripts={"start": "node ./bin/www"})
    project.file("bin/www", "#!/usr/bin/env node\n", 0o755)
    project.file("public/index.html")
    return "node", "./bin/www"


@skeleton("manifest = package.json", "command = node dist/main")
def nest_new(project):
    project.npm("nest", {"@nestjs/common": "^10.0.0", "@nestjs/core": "^10.0.0", "@nestjs/platform-express": "^10.0.0", "reflect-metadata": "^0.2.0", "rxjs": "^7.8.1"},
                dev={"@nestjs/cli": "^10.0.0", "typescript": "^5.1.3"}, scripts={"build": "nest build", "start:prod": "node dist/main"})
    project.file("dist/main.js")
    return "node", "dist/main"


@skeleton("manifest = package.json", "dir = .next/static", "dir = public", "inlined = NEXT_PUBLIC_API_URL", "command = npm start", no=["inlined = SECRET"])
def create_next_app(project):
    project.npm("next", {"react": "^18", "react-dom": "^18", "next": "14.2.35"}, dev={"typescript": "^5", "eslint": "^8"},
                scripts={"build": "next build", "start": "next start"}, programs=["next"])
    project.file(".env.production", "NEXT_PUBLIC_API_URL=https://api.example.com\nSECRET=x\n")
    project.file(".next/static/chunks/main.js", 'fetch("https://api.example.com/items")')
    project.file(".next/BUILD_ID", "x")
    project.file("public/next.svg")
    return "npm", "start"


@skeleton("manifest = package.json", "dir = .next/static", "dir = public", "command = node server.js")
def next_standalone(project):
    """output: "standalone", as Next's own Dockerfile copies it: of the packages only those that were traced."""
    project.npm("next", {"react": "^18", "react-dom": "^18", "next": "14.2.35"}, scripts={"start": "next start"})
    project.file(".next/static/chunks/main.js")
    project.file("public/next.svg")
    project.file("server.js")
    return "node", "server.js"


@skeleton("dir = dist", "inlined = VITE_API_URL", "manifest = package.json")
def create_vite(project):
    project.npm("vite", {"react": "^18.3.1", "react-dom": "^18.3.1"}, dev={"vite": "^5.4.10", "@vitejs/plugin-react": "^4.3.3"}, scripts={"build": "tsc -b && vite build"})
    project.file(".env", "VITE_API_URL=https://api.example.com\n")
    project.file("dist/index.html")
    project.file("dist/assets/index-x.js", 'fetch("https://api.example.com")')
    project.file("server.js")
    return "node", "server.js"


@skeleton("dir = build/client", "command = node build")
def sv_create(project):
    """adapter-node."""
    project.npm("svelte", {}, dev={"@sveltejs/kit": "^2.16.0", "@sveltejs/adapter-node": "^5.0.0", "svelte": "^5.0.0", "vite": "^6.0.0"}, scripts={"build": "vite build"})
    project.file("build/index.js")
    project.file("build/client/_app/immutable/a.js")
    return "node", "build"


@skeleton("dir = .output/public", "command = node .output/server/index.mjs")
def nuxi_init(project):
    project.npm("nuxt-app", {"nuxt": "^3.14.0", "vue": "latest", "vue-router": "latest"}, scripts={"build": "nuxt build"})
    project.file(".output/server/index.mjs")
    project.file(".output/public/_nuxt/a.js")
    return "node", ".output/server/index.mjs"


@skeleton("dir = dist/client", "command = node ./dist/server/entry.mjs")
def create_astro(project):
    """With @astrojs/node."""
    project.npm("astro", {"astro": "^4.16.0", "@astrojs/node": "^8.3.0"}, scripts={"build": "astro build"})
    project.file("dist/client/index.html")
    project.file("dist/server/entry.mjs")
    return "node", "./dist/server/entry.mjs"


@skeleton("dir = build", "inlined = REACT_APP_API_URL")
def create_react_app(project):
    project.npm("cra", {"react": "^18.3.1", "react-dom": "^18.3.1", "react-scripts": "5.0.1", "web-vitals": "^2.1.4"}, scripts={"build": "react-scripts build"})
    project.file(".env", "REACT_APP_API_URL=https://api.example.com\n")
    project.file("build/static/js/main.js", 'fetch("https://api.example.com")')
    project.file("public/index.html")
    project.file("server.js")
    return "node", "server.js"


@skeleton("dir = dist/shop/browser", "command = node dist/shop/server/server.mjs")
def ng_new(project):
    """--ssr."""
    project.npm("shop", {"@angular/core": "^17.3.0", "@angular/common": "^17.3.0", "rxjs": "~7.8.0", "tslib": "^2.3.0", "zone.js": "~0.14.3"},
                dev={"@angular/cli": "^17.3.0"}, scripts={"build": "ng build", "serve:ssr:shop": "node dist/shop/server/server.mjs"})
    project.file("dist/shop/browser/index.html")
    project.file("dist/shop/server/server.mjs")
    return "node", "dist/shop/server/server.mjs"
