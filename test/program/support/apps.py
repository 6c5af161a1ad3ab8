"""Applications with migrations, to be run by embark: one with a small tool of these tests (steps.py), and ones with Alembic, Django and
node-pg-migrate."""

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from .postgres import cache_folder
from .process import PATH

PYTHON = "/usr/bin/python3"
STEPS = Path(__file__).with_name("steps.py")
NODE_TOOLS = ["node-pg-migrate@9.0.0", "pg@8.23.1"]


def ledger(db, scope="embark", table="embark_ledger"):
    """The scope's runs, oldest first, as dictionaries."""
    connection = db.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (table,))
            if not cursor.fetchone()[0]:
                return []
            cursor.execute(f"SELECT * FROM {table} WHERE scope = %s ORDER BY id", (scope,))
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row)) for row in cursor.fetchall()]
    finally:
        connection.close()


def outcomes(db, **how):
    return [run["outcome"] for run in ledger(db, **how)]


class App:
    """A folder with migrations/*.sql, applied by steps.py. An older image is made by dropping files again."""

    command = f"{PYTHON}\n    {STEPS}\n    migrations"
    files = "migrations/*.sql"

    def __init__(self, folder, embark, db, name="app"):
        self.folder = folder / name
        self.folder.mkdir()
        self.folder.chmod(0o777)
        self.embark, self.db = embark, db
        (self.folder / "migrations").mkdir()

    def add(self, name, sql="SELECT 1"):
        (self.folder / "migrations" / f"{name}.sql").write_text(sql + "\n")
        return self

    def drop(self, *names):
        for name in names:
            (self.folder / "migrations" / f"{name}.sql").unlink()
        return self

    def config(self, extra="", **keys):
        keys = {"command": self.command, **({"files": self.files} if self.files else {}), **keys}
        return "[migrate]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if v is not None) + extra

    def arguments(self, env=None, url=None, extra="", keys=None, **more):
        """For embark() and embark.barrier(). `keys`, and other names: those of [migrate]."""
        return {"env": {"DATABASE_URL": url or self.db.url, **(env or {})}, "config": self.config(extra, **(keys or {}), **more),
                "cwd": self.folder}

    def start(self, *, pid1=False, prefix=(), words=("echo", "served"), **how):
        return self.embark(*words, pid1=pid1, prefix=prefix, **self.arguments(**how))

    def serves(self, timeout=40, **how):
        process = self.start(**how)
        process.expect(0, "(?m)^embark: ready in ", timeout=timeout)
        assert process.stdout == "served\n", process.describe()
        return process

    def fails(self, code, *patterns, timeout=40, **how):
        process = self.start(**how)
        process.expect(code, *patterns, timeout=timeout)
        assert "served" not in process.stdout, process.describe()
        return process

    def tool(self, *words):
        """Runs the tool by hand."""
        done = subprocess.run([str(word) for word in words], cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, env={"PATH": PATH, "DATABASE_URL": self.db.url, "HOME": str(self.folder)})
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout




class Alembic(App):
    command = f"{PYTHON} -m alembic upgrade head"
    files = None

    def __init__(self, folder, embark, db, name="alembicapp"):
        super().__init__(folder, embark, db, name)
        self.last = None
        self.versions = self.folder / "migrations" / "versions"
        self.versions.mkdir()
        (self.folder / "alembic.ini").write_text(
            "[alembic]\nscript_location = %(here)s/migrations\n\n[loggers]\nkeys = root, alembic\n[handlers]\nkeys = stderr\n"
            "[formatters]\nkeys = plain\n[logger_root]\nlevel = WARN\nhandlers = stderr\n"
            "[logger_alembic]\nlevel = INFO\nhandlers =\nqualname = alembic\n"
            "[handler_stderr]\nclass = StreamHandler\nargs = (sys.stderr,)\nformatter = plain\n"
            "[formatter_plain]\nformat = alembic: %(message)s\n")
        (self.folder / "migrations" / "env.py").write_text(
            "import os\nfrom logging.config import fileConfig\nfrom alembic import context\nfrom sqlalchemy import create_engine\n"
            "fileConfig(context.config.config_file_name)\n"
            "with create_engine(os.environ['DATABASE_URL']).connect() as connection:\n"
            "    context.configure(connection=connection, transaction_per_migration=True)\n"
            "    with context.begin_transaction():\n"
            "        context.run_migrations()\n")

    def add(self, name, sql="SELECT 1", down="SELECT 1"):
        (self.versions / f"{name}.py").write_text(
            f'"""{name}"""\nfrom alembic import op\nrevision = {name!r}\ndown_revision = {self.last!r}\n\n'
            f"def upgrade():\n    op.execute({sql!r})\n\ndef downgrade():\n    op.execute({down!r})\n")
        self.last = name
        return self

    def drop(self, *names):
        for name in names:
            (self.versions / f"{name}.py").unlink()
        return self


class Django(App):
    command = f"{PYTHON} manage.py migrate --no-color"
    files = None

    def __init__(self, folder, embark, db, name="djangoapp"):
        super().__init__(folder, embark, db, name)
        shutil.rmtree(self.folder / "migrations")
        self.last = None
        self.versions = self.folder / "notes" / "migrations"
        self.versions.mkdir(parents=True)
        for path in (self.folder / "notes" / "__init__.py", self.versions / "__init__.py"):
            path.write_text("")
        (self.folder / "settings.py").write_text(
            "import os\nfrom urllib.parse import urlsplit, unquote\nu = urlsplit(os.environ['DATABASE_URL'])\nSECRET_KEY = 'x'\n"
            "INSTALLED_APPS = ['notes']\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\nUSE_TZ = True\n"
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': u.path[1:], 'USER': unquote(u.username),\n"
            "                         'PASSWORD': unquote(u.password), 'HOST': u.hostname, 'PORT': u.port}}\n")
        (self.folder / "manage.py").write_text(
            "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
            "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n")

    def add(self, name, sql="SELECT 1", down="SELECT 1"):
        before = f"[('notes', {self.last!r})]" if self.last else "[]"
        (self.versions / f"{name}.py").write_text(
            f"from django.db import migrations\n\nclass Migration(migrations.Migration):\n    dependencies = {before}\n"
            f"    operations = [migrations.RunSQL({sql!r}, {down!r})]\n")
        self.last = name
        return self

    drop = Alembic.drop


def node_modules(folder):
    """Where node-pg-migrate is installed: once, in the cache, and linked to from `folder`, since another user can't read a cache
    below /root."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    final = cache / ("node-tools-" + "-".join(NODE_TOOLS).replace("@", "-"))
    with open(cache / "node-tools.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not final.exists():
            temporary = cache / "node-tools.new"
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir()
            done = subprocess.run(
                ["npm", "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--no-package-lock", "--prefix",
                 str(temporary), *NODE_TOOLS], stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=temporary)
            assert done.returncode == 0, f"npm could not install {NODE_TOOLS}:\n{done.stdout}{done.stderr}"
            os.rename(temporary, final)
    (folder / "node_modules").symlink_to(final / "node_modules")


class NodePgMigrate(App):
    files = "migrations/*"

    def __init__(self, folder, embark, db, name="nodeapp"):
        super().__init__(folder, embark, db, name)
        node_modules(self.folder)
        (self.folder / "package.json").write_text('{"name": "app", "type": "commonjs"}\n')
        self.command = f"{shutil.which('node') or 'node'}\n    node_modules/node-pg-migrate/bin/node-pg-migrate.js\n    up"
        self.number = 0

    def path(self, name):
        return next((self.folder / "migrations").glob(f"*_{name}.js"))

    def add(self, name, sql="SELECT 1", down="SELECT 1"):
        self.number += 1
        (self.folder / "migrations" / f"{1700000000000 + self.number}_{name}.js").write_text(
            f"exports.up = (pgm) => {{ pgm.sql({js(sql)}); }};\nexports.down = (pgm) => {{ pgm.sql({js(down)}); }};\n")
        return self

    def drop(self, *names):
        for name in names:
            self.path(name).unlink()
        return self


def js(text):
    return "`" + text.replace("\\", "\\\\").replace("`", "\\`") + "`"


