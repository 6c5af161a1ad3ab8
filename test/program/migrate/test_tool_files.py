"""Where migration tools look, by their own rules: an image with one more migration in such a place runs its tool, and so does one whose tool
looks where embark doesn't. The tools here are small scripts that stand for them; the rules are what is tested."""

import json
import py_compile
import re

import pytest

from support.apps import PYTHON, Alembic, App, Django
from support.doctor import migrations as doctor

EVERYTHING = "everything is applied"


class Fake(App):
    """A folder with bin/NAME, which says that it ran and changes nothing."""
    files = None

    def __init__(self, folder, embark, db, command, files):
        super().__init__(folder, embark, db, "fake")
        (self.folder / "migrations").rmdir()
        self.command = command
        for word in ("alembic", "flyway", "dbmate", "goose", "rails", "knex", "node-pg-migrate", "prisma", "flask", "sqlx"):
            self.write(f"bin/{word}", "#!/bin/sh\necho 'the tool ran'\n").chmod(0o755)
        for name, text in files.items():
            self.write(name, text)

    def write(self, name, text="-- nothing\n"):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def ran(self, **how):
        return "the tool ran" in self.serves(timeout=60, **how).stderr


ALEMBIC = "bin/alembic upgrade heads"
REVISION = 'revision = "%s"\ndown_revision = None\n'
SQL = "-- nothing\n"
# What a tool finds: the command, the files of the first image, its environment, the file that the second one has more.
FOUND = {
    "flyway-below": ("bin/flyway -locations=filesystem:sql migrate", {"sql/V1__a.sql": SQL}, {}, "sql/2024/q1/V2__b.sql"),
    "flyway-two": ("bin/flyway -locations=filesystem:a,filesystem:b migrate", {"a/V1__a.sql": SQL, "b/V2__b.sql": SQL}, {}, "b/V3__c.sql"),
    "flyway-variable": ("bin/flyway migrate", {"a/V1__a.sql": SQL}, {"FLYWAY_LOCATIONS": "filesystem:a"}, "a/x/V3__c.sql"),
    "flyway-conf": ("bin/flyway migrate", {"flyway.conf": "flyway.locations=filesystem:a\n", "a/V1__a.sql": SQL}, {}, "a/V3__c.sql"),
    "flyway-toml": ("bin/flyway migrate", {"flyway.toml": '[flyway]\nlocations = ["filesystem:a"]\n', "a/V1__a.sql": SQL}, {}, "a/V3__c.sql"),
    "dbmate-twice": ("bin/dbmate -d a --migrations-dir b up", {"a/1.sql": SQL, "b/2.sql": SQL}, {}, "b/3.sql"),
    "dbmate-variable": ("bin/dbmate up", {"a/1.sql": SQL, "b/2.sql": SQL}, {"DBMATE_MIGRATIONS_DIR": "a,b"}, "b/3.sql"),
    "dbmate-dotenv": ("bin/dbmate up", {".env": "DBMATE_MIGRATIONS_DIR=a\n", "a/1.sql": SQL}, {}, "a/3.sql"),
    "goose-variable": ("bin/goose postgres x up", {"g/1.sql": SQL}, {"GOOSE_MIGRATION_DIR": "g"}, "g/2.sql"),
    "alembic-lines": (ALEMBIC, {"alembic.ini": "[alembic]\nscript_location = m\npath_separator = newline\nversion_locations =\n    %(here)s/a\n"
                                               "    %(here)s/b\n", "a/1.py": REVISION % "a", "b/1.py": REVISION % "b"}, {}, "a/2.py"),
    "alembic-toml": (ALEMBIC, {"pyproject.toml": '[tool.alembic]\nscript_location = "m"\n', "m/versions/1.py": REVISION % "a"}, {}, "m/versions/2.py"),
    "alembic-deep": (ALEMBIC, {"alembic.ini": "[alembic]\nscript_location = m\nrecursive_version_locations = true\n",
                               "m/versions/1.py": REVISION % "a"}, {}, "m/versions/2024/05/2.py"),
    "alembic-package": (f"{PYTHON} bin/alembic upgrade heads", {"alembic.ini": "[alembic]\nscript_location = shop.db:steps\n",
                                  "bin/alembic": "print('the tool ran')\n", "shop/db/steps/versions/1.py": REVISION % "a"}, {},
                        "shop/db/steps/versions/2.py"),
    "alembic-section": ("bin/alembic -c c.ini -n b upgrade head", {"c.ini": "[alembic]\nscript_location = a\n[b]\nscript_location = m\n",
                                                                  "m/versions/1.py": REVISION % "a"}, {}, "m/versions/2.py"),
    "flask": ("bin/flask db upgrade", {"migrations/alembic.ini": "[alembic]\n", "migrations/versions/1.py": REVISION % "a"}, {}, "migrations/versions/2.py"),
    "rails-below": ("bin/rails db:migrate", {"db/migrate/1_a.rb": SQL}, {}, "db/migrate/2024/2_b.rb"),
    "rails-paths": ("bin/rails db:migrate", {"db/migrate/1_a.rb": SQL, "db/x/3_a.rb": SQL, "config/database.yml": "p:\n  migrations_paths: db/x\n"}, {},
                    "db/x/4_b.rb"),
    "knex": ("bin/knex migrate:latest", {"knexfile.js": "module.exports = {migrations: {directory: ['./a', './b']}}\n", "a/1.js": SQL, "b/2.js": SQL}, {},
             "b/3.js"),
    "node-pg-migrate": ("bin/node-pg-migrate up", {"config/default.json": '{"db": {"migrations-dir": "steps"}}', "steps/1.js": SQL}, {}, "steps/2.js"),
    "prisma": ("bin/prisma migrate deploy --schema db/s.prisma", {"db/s.prisma": "", "db/migrations/1/migration.sql": SQL}, {}, "db/migrations/2/migration.sql"),
    "npm": ("npm run migrate", {"package.json": json.dumps({"scripts": {"migrate": "bin/dbmate -d a up"}}), "a/1.sql": SQL}, {}, "a/2.sql"),
    "sh": ("sh -c 'exec bin/dbmate -d \"$WHERE\" up'", {"a/1.sql": SQL}, {"WHERE": "a"}, "a/2.sql"),
}


@pytest.mark.parametrize("name", FOUND)
def test_new_file_where_the_tool_looks(folder, embark, db, name):
    command, files, env, new = FOUND[name]
    app = Fake(folder, embark, db, command, files)
    assert app.ran(env=env)
    assert not doctor(app, 0, env=env).of("files", "warning")
    app.write(new)
    assert app.ran(env=env)


# What embark can't tell: its reason.
UNTOLD = {
    "classpath": ("bin/flyway -locations=classpath:db,filesystem:a migrate", {"a/V1__a.sql": SQL}, r"classpath:db"),
    "half-ini": (ALEMBIC, {"alembic.ini": "[alembic]\nscript_location = m\nnonsense\n", "m/versions/1.py": SQL}, r"alembic\.ini, line 3"),
    "half-json": ("bin/node-pg-migrate -f c.json up", {"c.json": "{", "migrations/1.js": SQL}, r"c\.json:1"),
    "code": ("bin/knex migrate:latest", {"knexfile.js": "module.exports = {migrations: {directory: dir}}\n", "migrations/1.js": SQL}, r"knexfile\.js computes"),
    "option": ("bin/dbmate --unheard-of up", {"db/migrations/1.sql": SQL}, "--unheard-of"),
    "gone": ("bin/dbmate -d a -d b up", {"a/1.sql": SQL}, "b: it does not exist"),
    "elsewhere": ("env -C . bin/dbmate up", {"db/migrations/1.sql": SQL}, "env does with -C"),
    "several": ("sh -c 'true && bin/dbmate up'", {"db/migrations/1.sql": SQL}, "more than one"),
    "script": ("./migrate.sh", {"migrate.sh": "#!/bin/sh\necho 'the tool ran'\n"}, "migrate.sh"),
    "empty": ("bin/dbmate -d a up", {"a/README.md": SQL}, "no migration of dbmate in a"),
}


@pytest.mark.parametrize("name", UNTOLD)
def test_places_that_are_not_told(folder, embark, db, name):
    command, files, why = UNTOLD[name]
    app = Fake(folder, embark, db, command, files)
    for path in app.folder.glob("*.sh"):
        path.chmod(0o755)
    rows = doctor(app)
    assert re.search(why, rows.text("files", "warning"))


def test_loop_of_links_and_unreadable_folder(folder, embark, db):
    """Neither stops a start, nor is what was read taken for all."""
    app = Fake(folder, embark, db, "bin/flyway -locations=filesystem:sql migrate", {"sql/V1__a.sql": SQL})
    (app.folder / "sql" / "again").symlink_to(".")
    assert "sql/again: a loop of links" in doctor(app).text("files", "warning")
    assert app.ran()
    (app.folder / "sql" / "again").unlink()
    (app.folder / "sql" / "V2__b.sql").symlink_to("gone")
    assert "sql/V2__b.sql: No such file" in doctor(app).text("files", "warning")


def test_django_apps_at_any_depth(folder, embark, db):
    app = Django(folder, embark, db).add("0001_one")
    deep = app.folder / "src" / "apps" / "crm" / "leads" / "migrations"
    deep.mkdir(parents=True)
    (deep / "0001_a.py").write_text("x = 1\n")
    app.serves(timeout=60)
    assert not doctor(app, 0).of("files", "warning")
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    (deep / "0002_b.py").write_text("x = 2\n")
    assert "new migrations" in app.serves(timeout=60).stderr


def test_django_migrations_of_an_installed_package(folder, embark, db):
    """More, fewer or other ones: the command runs; the image is neither older nor newer by that."""
    app = Django(folder, embark, db).add("0001_one")
    installed = folder / "installed" / "shop" / "migrations"
    installed.mkdir(parents=True)
    (installed / "0001_a.py").write_text("x = 1\n")
    (installed / "0002_b.py").write_text("x = 1\n")
    env = {"PYTHONPATH": str(folder / "installed")}
    app.serves(timeout=60, env=env)
    app.serves(timeout=60, env=env).wait_for_line(EVERYTHING)
    (installed / "0002_b.py").unlink()
    assert EVERYTHING not in app.serves(timeout=60, env=env).stderr
    app.serves(timeout=60, env=env).wait_for_line(EVERYTHING)
    (installed / "0003_c.py").write_text("x = 1\n")
    assert EVERYTHING not in app.serves(timeout=60, env=env).stderr


def test_django_settings_that_lead_elsewhere(folder, embark, db):
    app = Django(folder, embark, db).add("0001_one")
    with open(app.folder / "settings.py", "a") as settings:
        settings.write("MIGRATION_MODULES = {}\n")
    assert "MIGRATION_MODULES" in doctor(app).text("files", "warning")


def test_alembic_in_a_package_is_no_refusal(folder, embark, db):
    """A package that only the interpreter's own start-up would find: what it holds isn't known, and nothing is held against it."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.serves(timeout=60)
    ini = app.folder / "alembic.ini"
    (app.folder / "notes").mkdir()
    (app.versions / "bbb.py").rename(app.folder / "notes" / "bbb.py")
    text = ini.read_text().replace("[alembic]\n", "[alembic]\nversion_locations = %(here)s/migrations/versions, gone:x\n")
    ini.write_text(text)
    rows = doctor(app)
    assert not rows.of("lacking", "bad") and "gone:x" in rows.text("files", "warning")


def test_django_app_that_is_installed_later(folder, embark, db):
    """Its migrations were there before, and are none of Django's until the settings name it."""
    app = Django(folder, embark, db).add("0001_one")
    app.serves(timeout=60)
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    settings = app.folder / "settings.py"
    settings.write_text(settings.read_text().replace("['notes']", "['notes', *MORE]"))
    (app.folder / "more.py").write_text("MORE = []\n")
    settings.write_text("from more import MORE\n" + settings.read_text())
    app.serves(timeout=60)
    app.serves(timeout=60).wait_for_line(EVERYTHING)
    (app.folder / "more.py").write_text("MORE = ['django.contrib.contenttypes']\n")
    assert EVERYTHING not in app.serves(timeout=60).stderr
    assert db.value("SELECT to_regclass('django_content_type') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)


def test_django_folder_that_becomes_a_package(folder, embark, db):
    """Without __init__.py Django has an app without migrations, whatever lies there."""
    app = Django(folder, embark, db).add("0001_one", "CREATE TABLE one (n int)")
    (app.versions / "__init__.py").unlink()
    app.serves(timeout=60)
    app.serves(timeout=60)
    assert not db.value("SELECT to_regclass('one') IS NOT NULL")
    (app.versions / "__init__.py").touch()
    app.serves(timeout=60)
    assert db.value("SELECT to_regclass('one') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)


def test_django_migrations_that_are_compiled(folder, embark, db):
    app = Django(folder, embark, db).add("0001_one")
    app.serves(timeout=60)
    app.add("0002_two", "CREATE TABLE two (n int)")
    py_compile.compile(app.versions / "0002_two.py", app.versions / "0002_two.pyc", doraise=True)
    (app.versions / "0002_two.py").unlink()
    app.serves(timeout=60)
    assert db.value("SELECT to_regclass('two') IS NOT NULL")


def test_alembic_revision_with_a_hidden_name(folder, embark, db):
    """Alembic takes it like any other."""
    app = Alembic(folder, embark, db).add("aaa")
    app.serves(timeout=60)
    app.add("bbb", "CREATE TABLE two (n int)")
    (app.versions / "bbb.py").rename(app.versions / ".bbb.py")
    app.serves(timeout=60)
    assert db.value("SELECT to_regclass('two') IS NOT NULL")
    app.serves(timeout=60).wait_for_line(EVERYTHING)


# What steers a tool beside its words and its migrations: the command, the files, then another environment, or files as they are then.
STEERED = {
    "flyway-conf": ("bin/flyway migrate", {"flyway.conf": "flyway.locations=filesystem:a\nflyway.target=1\n", "a/V1__a.sql": SQL}, {},
                    {"flyway.conf": "flyway.locations=filesystem:a\n"}),
    "flyway-placeholder": ("bin/flyway -locations=filesystem:a migrate", {"a/V1__a.sql": SQL}, {"FLYWAY_PLACEHOLDERS_ROLE": "x"}, {}),
    "rails-version": ("bin/rails db:migrate", {"db/migrate/1_a.rb": SQL}, {"VERSION": "1"}, {}),
    "npm-script": ("npm run migrate", {"package.json": json.dumps({"scripts": {"migrate": "bin/dbmate -d a up"}}), "a/1.sql": SQL}, {},
                   {"package.json": json.dumps({"scripts": {"migrate": "bin/dbmate --strict -d a up"}})}),
    "shell-variable": ("sh -c 'bin/alembic upgrade $REVISION'", {"alembic.ini": "[alembic]\nscript_location = m\n",
                                                               "m/versions/1.py": REVISION % "a"}, {"REVISION": "head"}, {}),
    "env-py": (ALEMBIC, {"alembic.ini": "[alembic]\nscript_location = m\n", "m/env.py": "run()\n", "m/versions/1.py": REVISION % "a"}, {},
               {"m/env.py": "run('other')\n"}),
    "knexfile": ("bin/knex migrate:latest", {"knexfile.js": "module.exports = {a: {seeds: {directory: './seeds'}}}\n", "migrations/1.js": SQL,
                                             "seeds/1.js": SQL}, {}, {"migrations/2.js": SQL}),
    "script": ("./migrate.sh", {"migrate.sh": "#!/bin/sh\necho 'the tool ran'\n", "a/1.sql": SQL}, {},
               {"migrate.sh": "#!/bin/sh\necho 'the tool ran'\n: differently\n"}),
}


@pytest.mark.parametrize("name", STEERED)
def test_changed_settings(folder, embark, db, name):
    """The command is another one, though its words and its migrations are the same."""
    command, files, env, then = STEERED[name]
    app = Fake(folder, embark, db, command, files)
    for path in app.folder.glob("*.sh"):
        path.chmod(0o755)
    how = {"extra": "[image]\nbuild = 1\n"} if name not in ("script",) else {"files": "a"}
    assert app.ran(**how)
    if name == "script":
        assert not app.ran(**how)
    for path, text in then.items():
        app.write(path, text)
        if path.endswith(".sh"):
            (app.folder / path).chmod(0o755)
    process = app.serves(timeout=60, env=env, **how)
    assert "the tool ran" in process.stderr
    assert re.search("its settings|new migrations", process.stderr), process.stderr


def test_files_of_any_name_count_where_they_are_named(folder, embark, db):
    """README.sql is nobody's migration, unless somebody says so."""
    app = Fake(folder, embark, db, "./migrate.sh", {"migrate.sh": "#!/bin/sh\necho 'the tool ran'\n", "a/1.sql": SQL, "a/README_first.sql": SQL})
    (app.folder / "migrate.sh").chmod(0o755)
    app.files = "a"
    assert app.ran()
    assert not app.ran()
    app.write("a/README_first.sql", "-- other\n")
    assert app.ran()
    app.write("a/.hidden.sql")
    assert app.ran()


# --- check, while the image is built

def check(app, code, **how):
    return app.embark.run("check", **app.arguments(**how)).expect(code)


def forked(folder, embark, db, **files):
    return Fake(folder, embark, db, ALEMBIC, {"alembic.ini": "[alembic]\nscript_location = m\n", "m/versions/a.py": REVISION % "a",
                                              "m/versions/b.py": REVISION % "b", **files})


def test_several_heads_are_told_at_build_time(folder, embark, db):
    app = forked(folder, embark, db)
    check(app, 0)
    app.command = "bin/alembic upgrade head"
    process = check(app, 80)
    assert "the migrations have 2 (a, b)" in process.stderr and "hint: alembic merge heads" in process.stderr
    app.write("m/versions/c.py", 'revision = "c"\ndown_revision = ("a", "b")\n')
    check(app, 0)


def test_several_heads_behind_a_script(folder, embark, db):
    """The files show it, and the script says what it goes to."""
    app = forked(folder, embark, db)
    app.write("run.sh", "#!/bin/sh\nset -e\nalembic upgrade head\n").chmod(0o755)
    app.files = "m/versions"
    for command in ("./run.sh", "sh run.sh", "sh -c 'true && alembic upgrade head'"):
        app.command = command
        check(app, 80)
    app.write("run.sh", "#!/bin/sh\nalembic upgrade heads\n")
    app.command = "./run.sh"
    check(app, 0)


def test_several_heads_where_more_files_may_be(folder, embark, db):
    """One of them may join the heads: a warning."""
    app = forked(folder, embark, db, **{"alembic.ini": "[alembic]\nscript_location = m\nversion_locations = m/versions, gone:x\n"})
    app.command = "bin/alembic upgrade head"
    assert "the migrations have 2" in check(app, 0).stderr


def test_several_commands_with_files(folder, embark, db):
    app = Fake(folder, embark, db, "sh -c 'true && bin/dbmate up'", {"db/migrations/1.sql": SQL})
    app.files = "db/migrations"
    assert "all of them are skipped together" in check(app, 0).stderr
    app.command = "sh -c 'exec bin/dbmate up'"
    assert "skipped together" not in check(app, 0).stderr
