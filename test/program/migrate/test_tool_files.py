"""Where migration tools look, by their own rules: an image with one more migration in such a place runs its tool, and so does one whose tool
looks where embark doesn't. The tools here are small scripts that stand for them; the rules are what is tested."""

import json
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
