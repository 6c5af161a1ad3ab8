"""The tools of the model, each with several layouts of its tree: usual ones, and places that are looked at less often."""

import json
import os
import runpy
import shutil
import subprocess
import sys
import traceback

from support.apps import js, node_modules
from support.process import PATH

PYTHON = "/usr/bin/python3"


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


class Tool:
    """A tree is written anew for each image, and the tool's own command line is known, without any wrapper, to be run alone."""

    name = ""
    layouts = ()            # the layouts' names, the usual one first
    targets = False         # whether a command may apply a part only
    seeds = False           # whether its command may do more after the migrations
    known = True            # embark reads a table of the tool's: what somebody changes there by hand is seen
    ways = ("options", "environment", "role")   # how another schema is chosen

    def write(self, image, folder):
        raise NotImplementedError

    def command(self, image):
        """The words of [migrate] command."""
        raise NotImplementedError

    def alone(self, image):
        """The same without wrappers."""
        return self.command(image)

    def down(self, image):
        """Takes the last migration back by hand."""
        return None

    def env(self, image, folder):
        return {}

    hidden = ()             # layouts behind a script, of which nobody can know what it runs

    def seen(self, image):
        """Whether embark is to notice what somebody does to the tool's table by hand: where it may go by files or by the build alone, and
        the tool is not to be known, it can't."""
        return self.known and not (image.layout in self.hidden and (image.files or image.build))

    def files(self, image):
        """[migrate] files for who wants to say it."""
        return ()

    def run(self, words, folder, env, output):
        """Runs the tool without embark; its exit status."""
        with open(output, "ab") as out:
            return subprocess.run(words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=out, check=False,
                                  timeout=120).returncode


class PythonTool(Tool):
    """Run alone in a fork of this process, which has the tool's modules: an interpreter's start is most of what they cost."""

    def run(self, words, folder, env, output):
        if os.path.basename(words[0]) not in ("python3", "alembic"):
            return super().run(words, folder, env, output)
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            code = 99
            try:
                code = run_python(words, folder, env, output)
            finally:
                os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def run_python(words, folder, env, output):
    out = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in (1, 2):
        os.dup2(out, number)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    added = [path for path in env.get("PYTHONPATH", "").split(":") if path]
    sys.path[:] = added + [path for path in sys.path if not path.startswith("/work") and "test/" not in path]
    code = 0
    try:
        if words[1:2] == ["-m"]:
            sys.argv = words[2:]
            sys.path.insert(0, str(folder))
            runpy.run_module(words[2], run_name="__main__", alter_sys=True)
        else:
            script = words[0] if words[0].endswith("alembic") else words[1]
            script = shutil.which(script, path=PATH) or script
            sys.argv = words[words.index(words[0] if words[0].endswith("alembic") else words[1]):]
            sys.path.insert(0, os.path.dirname(os.path.abspath(script)))
            runpy.run_path(script, run_name="__main__")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


class Alembic(PythonTool):
    name = "alembic"
    layouts = ("plain", "config", "blanks", "colons", "package", "variable", "section", "program", "sh", "script")
    hidden = ("script",)
    targets = seeds = True
    def folders(self, image):
        script = {"package": "notes/db", "config": "db"}.get(image.layout, "migrations")
        return script, {"blanks": ("core", "billing"), "colons": ("core", "lib/billing")}.get(image.layout, (f"{script}/versions",))

    def write(self, image, folder):
        script, places = self.folders(image)
        location = "notes:db" if image.layout == "package" else f"%(here)s/{'../' if image.layout == 'config' else ''}{script}"
        lines = [f"script_location = {location}"]
        if image.layout in ("blanks", "colons"):
            separator = " " if image.layout == "blanks" else ":"
            lines.append("version_locations = " + separator.join(f"%(here)s/{place}" for place in places))
            if separator == ":":
                lines.append("version_path_separator = :")
        section = "billing" if image.layout == "section" else "alembic"
        ini = {"config": "conf/alembic.ini", "variable": "etc/migrations.ini"}.get(image.layout, "alembic.ini")
        if image.layout == "variable":
            lines[0] = f"script_location = {script}"
        put(folder / ini, f"[{section}]\n" + "\n".join(lines) + "\n")
        for path in ("notes/__init__.py", "notes/db/__init__.py") if image.layout == "package" else ():
            put(folder / path, "")
        put(folder / script / "env.py",
            "import os\nfrom alembic import context\nfrom sqlalchemy import create_engine, text\n"
            "engine = create_engine(os.environ['DATABASE_URL'])\n"
            "with engine.connect() as connection:\n"
            "    context.configure(connection=connection, transaction_per_migration=True)\n"
            "    with context.begin_transaction():\n        context.run_migrations()\n"
            + ("with engine.begin() as connection:\n    connection.execute(text('SELECT test.seed()'))\n" if image.seeds else ""))
        before = None
        for place in places:
            (folder / place).mkdir(parents=True, exist_ok=True)
        for one in image.sorted():
            up = f"    op.execute({chr(10).join(one.up())!r})"
            if one.kind == "half":
                up = f"    with op.get_context().autocommit_block():\n    {up}"
            put(folder / places[one.place % len(places)] / f"{one.number:04}_{one.uid}_{one.word}.py",
                f'"""{one.uid}"""\n{one.comment("#")}\nfrom alembic import op\nrevision = {one.uid!r}\ndown_revision = {before!r}\n\n'
                f"def upgrade():\n{up}\n\ndef downgrade():\n    op.execute({chr(10).join(one.down())!r})\n")
            before = one.uid
        if image.layout == "script":
            put(folder / "migrate.sh", f"set -e\necho migrates\n{' '.join(self.alone(image))}\n")

    def words(self, image, *rest):
        options = {"config": ["-c", "conf/alembic.ini"], "section": ["-n", "billing"]}.get(image.layout, [])
        program = [PYTHON, "-m", "alembic.config" if image.layout == "program" else "alembic"]
        return [*program, *options, *rest]

    def alone(self, image):
        ordered = image.sorted()
        return self.words(image, "upgrade", "head" if image.target is None or not ordered else image.wanted()[-1].uid)

    def command(self, image):
        if image.layout == "sh":
            return ["sh", "-c", " ".join(self.alone(image))]
        return ["sh", "migrate.sh"] if image.layout == "script" else self.alone(image)

    def down(self, image):
        return self.words(image, "downgrade", "-1")

    def env(self, image, folder):
        return {"ALEMBIC_CONFIG": "etc/migrations.ini"} if image.layout == "variable" else {}

    def files(self, image):
        return [f"{place}/*.py" for place in self.folders(image)[1]]


class Django(PythonTool):
    """Migrations in two apps in turn: the first is near or far below, or installed."""

    name = "django"
    layouts = ("plain", "deep", "installed", "modules", "elsewhere", "admin", "sh")
    hidden = ("sh",)
    targets = seeds = True
    labels = ("notes", "billing")

    def apps(self, image):
        """(folder, module) of each."""
        first = {"deep": ("src/apps/crm/notes", "src.apps.crm.notes"), "installed": ("../site/extnotes/notes", "extnotes.notes"),
                 "elsewhere": ("backend/notes", "notes")}.get(image.layout, ("notes", "notes"))
        return first, (("backend/billing", "billing") if image.layout == "elsewhere" else ("billing", "billing"))

    def write(self, image, folder):
        top = folder / "backend" if image.layout == "elsewhere" else folder
        shutil.rmtree(folder / "../site", ignore_errors=True)
        apps = self.apps(image)
        places = [folder / path / "migrations" for path, module in apps]
        if image.layout == "modules":
            places[0] = folder / "history" / "notes"
            put(folder / "history" / "__init__.py", "")
        put(top / "settings.py",
            "import os\nfrom urllib.parse import urlsplit, unquote, parse_qs\nu = urlsplit(os.environ['DATABASE_URL'])\nSECRET_KEY = 'x'\n"
            f"INSTALLED_APPS = {[module for path, module in apps]!r}\nDEFAULT_AUTO_FIELD = 'django.db.models.AutoField'\nUSE_TZ = True\n"
            + ("MIGRATION_MODULES = {'notes': 'history.notes'}\n" if image.layout == "modules" else "") +
            "DATABASES = {'default': {'ENGINE': 'django.db.backends.postgresql', 'NAME': u.path[1:], 'USER': u.username,\n"
            "                         'HOST': u.hostname, 'PORT': u.port, 'OPTIONS': {k: v[0] for k, v in parse_qs(u.query).items()}}}\n")
        put(top / "manage.py",
            "import os, sys\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
            "from django.core.management import execute_from_command_line\nexecute_from_command_line(sys.argv)\n")
        for path, _ in apps:
            put(folder / path / "__init__.py", "")
        if image.seeds:
            put(folder / apps[1][0] / "apps.py",
                "from django.apps import AppConfig\nfrom django.db.models.signals import post_migrate\n\n"
                "def seed(sender, using, **rest):\n    from django.db import connections\n"
                "    connections[using].cursor().execute('SELECT test.seed()')\n\n"
                f"class Config(AppConfig):\n    name = {apps[1][1]!r}\n\n    def ready(self):\n        post_migrate.connect(seed, sender=self)\n")
        for place in places:
            put(place / "__init__.py", "")
        before = {}
        for one in image.sorted():
            which = one.place % 2
            name = f"{one.number:04}_{one.uid}_{one.word}"
            put(places[which] / f"{name}.py",
                f"{one.comment('#')}\nfrom django.db import migrations\n\nclass Migration(migrations.Migration):\n"
                f"    atomic = {one.kind != 'half'}\n    dependencies = {list(before.values())!r}\n"
                f"    operations = [migrations.RunSQL({chr(10).join(one.up())!r}, {chr(10).join(one.down())!r})]\n")
            before.pop(which, None)
            before[which] = (self.labels[which], name)

    def words(self, image, *rest):
        if image.layout == "admin":
            return [PYTHON, "-m", "django", *rest, "--settings=settings"]
        return [PYTHON, "backend/manage.py" if image.layout == "elsewhere" else "manage.py", *rest]

    def alone(self, image):
        wanted = image.wanted()
        if image.target is None or not wanted:
            return self.words(image, "migrate", "--no-color")
        last = wanted[-1]
        return self.words(image, "migrate", self.labels[last.place % 2], f"{last.number:04}_{last.uid}_{last.word}", "--no-color")

    def command(self, image):
        return ["sh", "-c", "exec " + " ".join(self.alone(image))] if image.layout == "sh" else self.alone(image)

    def env(self, image, folder):
        return {"PYTHONPATH": os.path.realpath(folder / "../site")} if image.layout == "installed" else {}

    def files(self, image):
        apps = [f"{path}/migrations/*.py" for path, module in self.apps(image)]
        return ["history/notes/*.py", apps[1]] if image.layout == "modules" else apps


class NodePgMigrate(Tool):
    name = "node-pg-migrate"
    layouts = ("plain", "folder", "glob", "file", "bin", "npm")
    ways = ("words", "role")

    def places(self, image):
        return {"folder": ("db/migrations",), "glob": ("modules/notes/migrations", "modules/billing/migrations"),
                "file": ("db/steps",)}.get(image.layout, ("migrations",))

    def write(self, image, folder):
        node_modules(folder)
        places = self.places(image)
        scripts = {"scripts": {"migrate": "node-pg-migrate up"}} if image.layout == "npm" else {}
        put(folder / "package.json", json.dumps({"name": "app", "type": "commonjs", **scripts}))
        if image.layout == "file":
            put(folder / "db.json", json.dumps({"migrations-dir": "db/steps"}))
        for place in places:
            (folder / place).mkdir(parents=True, exist_ok=True)
        for one in image.sorted():
            plain = "  pgm.noTransaction();\n" if one.kind == "half" else ""
            put(folder / places[one.place % len(places)] / f"{1700000000000 + one.number}_{one.uid}-{one.word}.js",
                f"{one.comment('//')}\nexports.up = (pgm) => {{\n{plain}  pgm.sql({js(chr(10).join(one.up()))});\n}};\n"
                f"exports.down = (pgm) => {{ pgm.sql({js(chr(10).join(one.down()))}); }};\n")

    schema = None

    def words(self, image, action):
        rest = {"folder": ["-m", "db/migrations"], "glob": ["--use-glob", "-m", "modules/*/migrations/*.js"],
                "file": ["-f", "db.json"]}.get(image.layout, [])
        return ["node", "node_modules/node-pg-migrate/bin/node-pg-migrate.js", action, *rest,
                *(["-s", self.schema] if self.schema else [])]

    def alone(self, image):
        return self.words(image, "up")

    def command(self, image):
        words = self.alone(image)
        if image.layout == "npm":
            return ["npm", "run", "migrate", *(["--", "-s", self.schema] if self.schema else [])]
        return ["node_modules/.bin/node-pg-migrate", *words[2:]] if image.layout == "bin" else words

    def down(self, image):
        return self.words(image, "down")

    def files(self, image):
        return [f"{place}/*" for place in self.places(image)]


class Dbmate(Tool):
    name = "dbmate"
    layouts = ("plain", "folder", "twice", "comma", "variable", "variables", "dotenv", "sh")
    ways = ("search_path", "options", "environment", "role")

    def places(self, image):
        two = ("migs", "more/steps")
        return {"folder": ("migs",), "twice": two, "comma": two, "variable": ("migs",), "variables": two,
                "dotenv": ("other/migs",)}.get(image.layout, ("db/migrations",))

    def write(self, image, folder):
        places = self.places(image)
        for place in places:
            (folder / place).mkdir(parents=True, exist_ok=True)
        if image.layout == "dotenv":
            put(folder / ".env", "DBMATE_MIGRATIONS_DIR=other/migs\n")
        for one in image.sorted():
            half = " transaction:false" if one.kind == "half" else ""
            put(folder / places[one.place % len(places)] / f"{20230000000000 + one.number}_{one.uid}_{one.word}.sql",
                f"-- migrate:up{half}\n{one.comment('--')}\n" + "\n".join(one.up()) + "\n\n-- migrate:down\n" + "\n".join(one.down()) + "\n")

    def words(self, image, action):
        options = {"folder": ["-d", "migs"], "twice": ["--migrations-dir", "migs", "--migrations-dir", "more/steps"],
                   "comma": ["--migrations-dir=migs,more/steps"]}.get(image.layout, [])
        return ["dbmate", "--no-dump-schema", *options, action]

    def alone(self, image):
        return self.words(image, "migrate")

    def command(self, image):
        return ["sh", "-c", " ".join(self.alone(image))] if image.layout == "sh" else self.alone(image)

    def down(self, image):
        return self.words(image, "rollback")

    def env(self, image, folder):
        return {"variable": {"DBMATE_MIGRATIONS_DIR": "migs"},
                "variables": {"DBMATE_MIGRATIONS_DIR": "migs,more/steps"}}.get(image.layout, {})

    def files(self, image):
        return [f"{place}/*.sql" for place in self.places(image)]


SCRIPT = r"""set -e
case $DATABASE_URL in *schema=*) PGOPTIONS="-c search_path=${DATABASE_URL##*schema=}"; export PGOPTIONS; DATABASE_URL=${DATABASE_URL%%\?*};; esac
count=0
{
printf '%s\n' '\set ON_ERROR_STOP 1'
printf '%s\n' 'SET client_min_messages = error; CREATE TABLE IF NOT EXISTS done (name text PRIMARY KEY);'
for file in steps/*.sql; do
    [ -e "$file" ] || continue
    count=$((count + 1))
    [ "$count" -le "${1:-9999}" ] || break
    name=${file##*/}
    printf '%s\n' "SELECT NOT EXISTS (SELECT FROM done WHERE name = '$name') AS pending \gset"
    printf '%s\n' '\if :pending'
    printf '%s\n' "\i $file"
    printf '%s\n' "INSERT INTO done VALUES ('$name');"
    printf '%s\n' '\endif'
done
[ ! -e seed ] || printf '%s\n' 'SELECT test.seed();'
} >"/tmp/script.$$"
trap 'rm -f "/tmp/script.$$"' EXIT
psql -XAtq -d "$DATABASE_URL" -f "/tmp/script.$$"
"""


class Own(Tool):
    """A script of somebody's own, of which embark knows nothing but what [migrate] files and [image] build say."""

    name = "script"
    layouts = ("plain", "folder")
    targets = seeds = True
    known = False
    ways = ("schema", "options", "environment", "role")

    def write(self, image, folder):
        put(folder / "migrate.sh", SCRIPT.replace("/tmp/script", f"{folder}/../script"))
        (folder / "steps").mkdir(exist_ok=True)
        if image.seeds:
            put(folder / "seed", "")
        for one in image.sorted():
            put(folder / "steps" / f"{one.number:04}_{one.uid}_{one.word}.sql", one.comment("--") + "\n" + "\n".join(one.up()) + "\n")

    def command(self, image):
        return ["sh", "migrate.sh", *([str(image.target)] if image.target is not None else [])]

    def files(self, image):
        return ["steps"] if image.layout == "folder" else ["steps/*.sql", "migrate.sh"]


class Sql(Tool):
    """[migrate] sql."""

    name = "sql"
    layouts = ("plain",)
    ways = ("options", "environment", "role")

    def write(self, image, folder):
        (folder / "sql").mkdir(exist_ok=True)
        for one in image.sorted():
            first = "-- embark: no transaction\n" if one.kind == "half" else ""
            put(folder / "sql" / f"{one.number:04}_{one.uid}_{one.word}.sql", first + one.comment("--") + "\n" + "\n".join(one.up()) + "\n")

    def command(self, image):
        return None


TOOLS = {tool.name: tool for tool in (Alembic, Django, NodePgMigrate, Dbmate, Own, Sql)}
