"""Which migrations are pending, by name: `embark doctor` and `embark migrate --dry-run` beside what the tools themselves say."""

import os
import re

import pytest

from support.apps import PYTHON, Alembic, App, Django, NodePgMigrate, ledger
from support.doctor import migrations as doctor


def make(db, text):
    """As the service's role, whose tables they are then."""
    db.sql(f'SET ROLE "{db.role}"; {text}')


def dry_run(app, **how):
    process = app.embark.run("migrate", "--dry-run", **app.arguments(**how)).expect(0)
    return process.stdout


def pending_of(text):
    """The names in a dry run's output."""
    return re.findall(r"(?m)^  pending (\S.*)$", text)


# --- Alembic

@pytest.fixture
def alembic(folder, embark, db):
    """Files that `alembic revision` makes."""
    app = Alembic(folder, embark, db)
    app.tool(PYTHON, "-m", "alembic", "init", "made")
    (app.folder / "made" / "script.py.mako").rename(app.folder / "migrations" / "script.py.mako")
    return app


def revision(app, text, *words):
    app.tool(PYTHON, "-m", "alembic", "revision", "-m", text, *words)
    new = re.search(r"(?m)^Revision ID: (\w+)", max(app.versions.glob("*.py"), key=lambda p: p.stat().st_mtime_ns).read_text())[1]
    return new


def history(app):
    """`alembic history`, oldest first: "3f2a add users"."""
    lines = app.tool(PYTHON, "-m", "alembic", "history").splitlines()
    return [re.sub(r"^.* -> (\w+)(?: \([^)]*\))*, (.*)$", r"\1 \2", line) for line in reversed(lines)]


def upgrade(app, *words):
    app.tool(PYTHON, "-m", "alembic", "upgrade", *words)


def test_alembic_as_its_history_says(alembic):
    first = revision(alembic, "add users")
    for text in ("add an index", "don't \"quote\" me", "last: one"):
        revision(alembic, text)
    names = history(alembic)
    assert len(names) == 4
    rows = doctor(alembic, 0)
    assert rows.pending() == names and rows.text("pending") == "4 of 4: " + ", ".join(names)
    assert rows.text("files") == f"4 (Alembic), the last: {names[-1]}"
    assert "no table alembic_version" in rows.text("database")
    assert pending_of(dry_run(alembic)) == names
    upgrade(alembic, first)
    rows = doctor(alembic, 0)
    assert rows.pending() == names[1:] and rows.text("database") == f"at {names[0]} (public.alembic_version)"
    assert pending_of(dry_run(alembic)) == names[1:]
    upgrade(alembic, "head")
    rows = doctor(alembic, 0)
    assert rows.text("pending", "ok") == "none of 4" and rows.pending() == []
    assert pending_of(dry_run(alembic)) == []


def test_alembic_branches_and_a_merge(alembic):
    base = revision(alembic, "base")
    left = revision(alembic, "left")
    right = revision(alembic, "right", "--head", base, "--splice")
    alembic.command = f"{PYTHON} -m alembic upgrade heads"
    upgrade(alembic, left)
    assert doctor(alembic, 0).pending() == [f"{right} right"]
    alembic.tool(PYTHON, "-m", "alembic", "merge", "-m", "both", left, right)
    rows = doctor(alembic, 0)
    merged = next(name for name in history(alembic) if name.endswith(" both"))
    assert rows.pending() == [f"{right} right", merged]
    upgrade(alembic, "head")
    assert doctor(alembic, 0).text("database").startswith(f"at {merged}")


def test_alembic_with_several_heads(alembic):
    """`upgrade head` refuses, which is said before it is run, and is what a start ends with."""
    base = revision(alembic, "base")
    revision(alembic, "left")
    revision(alembic, "right", "--head", base, "--splice")
    rows = doctor(alembic, 80)
    assert "several heads" in rows.text("files", "bad") and "alembic merge heads" in rows.one("files", "bad")["hint"]
    assert "alembic upgrade head will refuse" in dry_run(alembic)
    alembic.fails(80, "Multiple head revisions", timeout=60)
    alembic.command = f"{PYTHON} -m alembic upgrade heads"
    rows = doctor(alembic, 0, retry_after="0s")
    assert not rows.of("files", "bad") and len(rows.pending()) == 3
    alembic.serves(timeout=60, retry_after="0s")
    assert not doctor(alembic, 0).of("files", "bad")  # nothing is run
    alembic.command = f"{PYTHON} -m alembic upgrade head"
    assert doctor(alembic, 80).of("files", "bad")  # another command runs again


def test_alembic_up_to_a_revision(alembic):
    first = revision(alembic, "one")
    revision(alembic, "two")
    alembic.command = f"{PYTHON} -m alembic upgrade {first[:6]}"
    assert doctor(alembic, 0).text("pending") == f"1 of 1: {first} one"
    alembic.serves(timeout=60)
    assert doctor(alembic, 0).text("pending") == "none of 1"


def test_alembic_chain_with_a_missing_link(folder, embark, db):
    app = Alembic(folder, embark, db).add("aaa").add("bbb").add("ccc")
    app.drop("bbb")
    rows = doctor(app, 80)
    assert "down_revision bbb is in no file" in rows.text("files", "bad")
    app.fails(80, "bbb", timeout=60)


def test_alembic_revision_that_no_file_has(folder, embark, db):
    """The image is older (81), be it by a hand that no ledger knows of or by a run of embark's."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    upgrade(app, "head")
    app.drop("bbb")
    rows = doctor(app, 81)
    assert rows.one("lacking", "warning")["names"] == ["bbb"] and not rows.of("pending")
    assert "pending: not known: the database is at a revision that no file has" in dry_run(app)
    app.fails(81, "it lacks bbb", timeout=60)
    app.last = "aaa"
    app.add("bbb").serves(timeout=60, retry_after="0s")
    app.drop("bbb")
    rows = doctor(app, 81)
    assert "the image is older than the database: it lacks migrations/versions/bbb.py" in rows.text("next start", "bad")
    assert rows.of("lacking", "warning")
    assert re.search(r"(?m)^would refuse to start \(81\): .*\n  the image is older .*bbb\.py, applied on \S+, \d{4}-", dry_run(app))
    app.fails(81, r"bbb\.py")
    rows = doctor(app, 0, on_newer_database="continue")
    assert "skipped (on_newer_database = continue)" in rows.text("next start", "warning")
    assert dry_run(app, on_newer_database="continue").startswith("would run nothing (on_newer_database = continue)")


def test_alembic_table_elsewhere(folder, embark, db):
    """version_table_schema: the table is found in the schema that env.py names; one of the same name elsewhere is another service's."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    environment = app.folder / "migrations" / "env.py"
    environment.write_text(environment.read_text().replace("connection=connection, ", "connection=connection, version_table_schema='other', "))
    make(db, "CREATE SCHEMA other; CREATE TABLE other.alembic_version (version_num text); INSERT INTO other.alembic_version VALUES ('aaa')")
    rows = doctor(app, 0)
    assert rows.pending() == ["bbb"] and "other.alembic_version" in rows.text("database")
    make(db, "CREATE TABLE public.alembic_version (version_num text)")
    rows = doctor(app, 0)
    assert rows.pending() == ["bbb"] and "other.alembic_version" in rows.text("database")


def test_names_are_escaped_and_many(folder, embark, db):
    app = Alembic(folder, embark, db)
    for number in range(14):
        app.add(f"r{number:02}")
    text = (app.versions / "r00.py").read_text()
    (app.versions / "r00.py").write_text(text.replace('"""r00"""', '"""\x1b[31mred \x07"""'))
    rows = doctor(app, 0)
    assert rows.text("pending").endswith(", r09 and 4 more") and len(rows.pending()) == 14
    assert rows.pending()[0] == r"r00 \x1b[31mred \x07"
    assert "\x1b" not in dry_run(app)


# --- Django

def plan(app, *labels):
    """`showmigrations --plan` of these apps: names with whether they are applied."""
    lines = app.tool(PYTHON, "manage.py", "showmigrations", "--plan", "--no-color", *labels).splitlines()
    found = [re.match(r"\[(.)\]  (\S+)", line).groups() for line in lines if line.startswith("[")]
    return [(name, mark != " ") for mark, name in found if name.split(".")[0] in labels]


def django_pending(app, *labels):
    return [name for name, applied in plan(app, *labels) if not applied]


def write(app, label, name, body):
    path = app.folder / label / "migrations"
    path.mkdir(parents=True, exist_ok=True)
    (app.folder / label / "__init__.py").touch()
    (path / "__init__.py").touch()
    (path / f"{name}.py").write_text("from django.conf import settings\nfrom django.db import migrations\n\n\n"
                                     "class Migration(migrations.Migration):\n\n" + body + "\n    operations = []\n")


@pytest.fixture
def django(folder, embark, db):
    """Two apps that depend on each other's migrations, beside installed ones."""
    app = Django(folder, embark, db)
    settings = app.folder / "settings.py"
    settings.write_text(settings.read_text().replace(
        "['notes']", "['django.contrib.contenttypes', 'django.contrib.auth', 'notes', 'billing']"))
    write(app, "notes", "0001_initial", "    initial = True\n    dependencies = [\n        migrations.swappable_dependency(settings.AUTH_USER_MODEL),\n    ]")
    write(app, "notes", "0002_tags", "    dependencies = [\n        ('notes', '0001_initial'),\n        (\"auth\", \"__first__\"),\n    ]")
    write(app, "billing", "0001_initial", "    dependencies = [('notes', '0002_tags')]")
    write(app, "billing", "0002_more", "    dependencies = [('billing', '0001_initial')]")
    write(app, "notes", "0003_paid", "    dependencies = [('notes', '0002_tags'), ('billing', '0001_initial')]")
    return app


def test_django_as_its_plan_says(django):
    rows = doctor(django, 0)
    assert rows.pending() == django_pending(django, "notes", "billing") and len(rows.pending()) == 5
    assert pending_of(dry_run(django)) == rows.pending()
    django.tool(PYTHON, "manage.py", "migrate", "billing", "0001_initial")
    rows = doctor(django, 0)
    assert rows.pending() == django_pending(django, "notes", "billing") and len(rows.pending()) == 2
    assert "installed packages' apps are not looked at" in rows.text("pending")
    django.serves(timeout=60)
    assert doctor(django, 0).text("pending", "ok").startswith("none of 5")


def test_django_app_with_a_label(django):
    """apps.py says that it is not called as its folder is."""
    (django.folder / "archive").mkdir()
    (django.folder / "archive" / "apps.py").write_text(
        "from django.apps import AppConfig\n\n\nclass ArchiveConfig(AppConfig):\n    name = 'archive'\n    label = 'attic'\n")
    settings = django.folder / "settings.py"
    settings.write_text(settings.read_text().replace("'billing'", "'billing', 'archive'"))
    write(django, "archive", "0001_initial", "    dependencies = [('notes', '0001_initial')]")
    write(django, "archive", "0002_more", "    dependencies = [('attic', '0001_initial')]")
    django.tool(PYTHON, "manage.py", "migrate", "attic", "0001_initial")
    rows = doctor(django, 0)
    assert rows.pending() == django_pending(django, "notes", "billing", "attic") and "attic.0002_more" in rows.pending()


@pytest.mark.parametrize("applied", [None, "0001_initial", "0002_tags", "0003_paid"])
def test_django_squash(django, applied):
    """A squash stands for what it replaces where all or none of that is applied."""
    if applied:
        django.tool(PYTHON, "manage.py", "migrate", "notes", applied)
    write(django, "notes", "0001_squashed_0002_tags",
          "    replaces = [('notes', '0001_initial'), ('notes', '0002_tags')]\n    dependencies = [migrations.swappable_dependency(settings.AUTH_USER_MODEL)]")
    rows = doctor(django, 0)
    assert rows.pending() == django_pending(django, "notes", "billing")


def test_django_with_two_last_ones(django):
    write(django, "notes", "0003_also", "    dependencies = [('notes', '0002_tags')]")
    rows = doctor(django, 80)
    assert "notes.0003_also and notes.0003_paid both come last" in rows.text("files", "bad")
    django.fails(80, "Conflicting migrations", timeout=60)


def test_django_migration_that_no_file_has(django):
    django.serves(timeout=60)
    (django.folder / "notes" / "migrations" / "0003_paid.py").unlink()
    rows = doctor(django, 81)
    assert rows.one("lacking")["names"] == ["notes.0003_paid"]
    assert "notes/migrations/0003_paid.py" in rows.text("next start", "bad")


# --- node-pg-migrate

def test_node_pg_migrate_as_it_says(folder, embark, db):
    app = NodePgMigrate(folder, embark, db).add("one").add("two")
    (app.folder / "migrations" / "1700000000010_three.sql").write_text("-- Up Migration\nSELECT 1;\n-- Down Migration\nSELECT 1;\n")

    def says():
        text = app.tool("node", "node_modules/node-pg-migrate/bin/node-pg-migrate.js", "up", "--dry-run")
        return re.findall(r"(?m)^> - (\S+)", text)

    assert doctor(app, 0).pending() == says() and len(says()) == 3
    app.tool("node", "node_modules/node-pg-migrate/bin/node-pg-migrate.js", "up", "1")
    rows = doctor(app, 0)
    assert rows.pending() == says() and len(says()) == 2
    assert rows.text("database") == "at 1700000000001_one (public.pgmigrations)"
    assert pending_of(dry_run(app)) == says()
    app.serves(timeout=60)
    assert doctor(app, 0).text("pending", "ok") == "none of 3"


# --- trees of plain files, with tables as their tools make them

class Tree(App):
    """Files of a tool, and a program of its name; nothing is run."""
    files = None

    def __init__(self, folder, embark, db, command, *paths):
        super().__init__(folder, embark, db, "tree")
        self.command = command
        for path in paths:
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text("SELECT 1;\n")
        word, *rest = command.split(" ", 1)
        program = self.folder / "bin" / os.path.basename(word)
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexit 1\n")
        program.chmod(0o755)
        self.command = " ".join([f"bin/{program.name}", *rest])


TREES = {
    "dbmate": (
        "dbmate up", ["db/migrations/20240101_one.sql", "db/migrations/20240102_two.sql"],
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('20240101')",
        ["20240102_two"]),
    "Rails": (
        "bundle exec rails db:migrate", ["db/migrate/20240101_one.rb", "db/migrate/20240102_two.rb"],
        "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); INSERT INTO schema_migrations VALUES ('20240102')",
        ["20240101_one"]),
    "golang-migrate": (
        "migrate -path sql -database x up", ["sql/1_one.up.sql", "sql/1_one.down.sql", "sql/2_two.up.sql", "sql/10_ten.up.sql"],
        "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL); INSERT INTO schema_migrations VALUES (2, false)",
        ["10_ten"]),
    "Prisma": (
        "npx prisma migrate deploy", ["prisma/migrations/1_one/migration.sql", "prisma/migrations/2_two/migration.sql"],
        """CREATE TABLE _prisma_migrations (id varchar(36) PRIMARY KEY, checksum varchar(64) NOT NULL, finished_at timestamptz,
           migration_name varchar(255) NOT NULL, logs text, rolled_back_at timestamptz, started_at timestamptz NOT NULL DEFAULT now(),
           applied_steps_count integer NOT NULL DEFAULT 0);
           INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('a', 'x', '1_one', now());
           INSERT INTO _prisma_migrations (id, checksum, migration_name, rolled_back_at) VALUES ('b', 'x', '2_two', now())""",
        ["2_two"]),
    "Knex": (
        "npx knex migrate:latest", ["migrations/1_one.js", "migrations/2_two.js"],
        """CREATE TABLE knex_migrations (id serial PRIMARY KEY, name varchar(255), batch integer, migration_time timestamptz);
           INSERT INTO knex_migrations (name) VALUES ('1_one.js')""",
        ["2_two.js"]),
    "Sequelize": (
        "npx sequelize-cli db:migrate", ["migrations/1_one.js", "migrations/2_two.js"],
        'CREATE TABLE "SequelizeMeta" (name varchar(255) PRIMARY KEY); INSERT INTO "SequelizeMeta" VALUES (\'1_one.js\')',
        ["2_two.js"]),
    "goose": (
        "goose -dir sql postgres up", ["sql/00001_one.sql", "sql/00002_two.sql", "sql/00010_ten.sql"],
        """CREATE TABLE goose_db_version (id serial PRIMARY KEY, version_id bigint NOT NULL, is_applied boolean NOT NULL, tstamp timestamp DEFAULT now());
           INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, true), (1, true), (2, true), (2, false)""",
        ["00002_two", "00010_ten"]),
    "Flyway": (
        "flyway -locations=filesystem:sql migrate", ["sql/V1__one.sql", "sql/V1.1__two.sql", "sql/V10__ten.sql", "sql/R__views.sql"],
        """CREATE TABLE flyway_schema_history (installed_rank integer PRIMARY KEY, version varchar(50), description varchar(200) NOT NULL,
           type varchar(20) NOT NULL, script varchar(1000) NOT NULL, checksum integer, installed_by varchar(100) NOT NULL,
           installed_on timestamp NOT NULL DEFAULT now(), execution_time integer NOT NULL, success boolean NOT NULL);
           INSERT INTO flyway_schema_history VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '"x"', NULL, 'x', now(), 0, true),
           (1, '1', 'one', 'SQL', 'V1__one.sql', 1, 'x', now(), 1, true)""",
        ["V1.1__two", "V10__ten", "R__views"]),
    "sqlx": (
        "sqlx migrate run", ["migrations/1_one.up.sql", "migrations/1_one.down.sql", "migrations/2_two.up.sql"],
        """CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(),
           success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL);
           INSERT INTO _sqlx_migrations VALUES (1, 'one', now(), true, '', 1)""",
        ["2_two"]),
    "Entity Framework": (
        "efbundle", ["Migrations/1_One.cs", "Migrations/1_One.Designer.cs", "Migrations/2_Two.cs", "Migrations/AppModelSnapshot.cs"],
        """CREATE TABLE "__EFMigrationsHistory" ("MigrationId" varchar(150) PRIMARY KEY, "ProductVersion" varchar(32) NOT NULL);
           INSERT INTO "__EFMigrationsHistory" VALUES ('1_One', '8.0.0')""",
        ["2_Two"]),
}


@pytest.mark.parametrize("tool", TREES)
def test_tree(folder, embark, db, tool):
    command, paths, table, expected = TREES[tool]
    app = Tree(folder, embark, db, command, *paths)
    rows = doctor(app)
    assert f"({tool})" in rows.text("files") and rows.text("database").startswith("there is no table ")
    everything = rows.pending()
    make(db, table)
    rows = doctor(app)
    assert rows.pending() == expected and len(everything) > len(expected)
    assert pending_of(dry_run(app)) == expected


def test_tree_of_a_tool_told_by_its_files(folder, embark, db):
    """`sh migrate.sh`: the files' look is what tells."""
    app = Tree(folder, embark, db, "sh migrate.sh", "p/1_one/migration.sql", "p/2_two/migration.sql")
    app.files = "p/*/migration.sql"
    assert doctor(app).pending() == ["1_one", "2_two"]


@pytest.mark.parametrize("tool, row", [
    ("Prisma", "INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ('c', 'x', '2_two')"),
    ("golang-migrate", "UPDATE schema_migrations SET dirty = true"),
    ("Flyway", "INSERT INTO flyway_schema_history VALUES (2, '1.1', 'two', 'SQL', 'V1.1__two.sql', 1, 'x', now(), 1, false)"),
    ("sqlx", "INSERT INTO _sqlx_migrations VALUES (2, 'two', now(), false, '', 1)"),
])
def test_half_way(folder, embark, db, tool, row):
    """What the tool itself noted as failed: it goes on only when that is settled."""
    command, paths, table, _ = TREES[tool]
    app = Tree(folder, embark, db, command, *paths)
    make(db, table + ";" + row)
    rows = doctor(app)
    name, = rows.one("failed", "bad")["names"]
    assert name.endswith("two") and name not in (rows.pending() if rows.of("pending") else [])
    assert f"failed half way {name}" in dry_run(app)


def test_rows_that_no_file_has(folder, embark, db):
    app = Tree(folder, embark, db, "npx knex migrate:latest", "migrations/2_two.js", "migrations/3_three.js")
    make(db, "CREATE TABLE knex_migrations (id serial, name text); INSERT INTO knex_migrations (name) VALUES ('1_old.js'), ('2_two.js'), ('4_new.js')")
    rows = doctor(app)
    assert rows.one("lacking", "warning")["names"] == ["4_new.js"] and rows.pending() == ["3_three.js"]


def test_entity_framework_without_sources(folder, embark, db):
    app = Tree(folder, embark, db, "./efbundle")
    make(db, TREES["Entity Framework"][2])
    rows = doctor(app)
    assert "compiled in" in rows.text("files") and rows.text("database").startswith("at 1_One ")
    assert not rows.of("pending")


def test_table_that_may_not_be_read(folder, embark, db):
    app = Alembic(folder, embark, db).add("aaa")
    db.sql("CREATE TABLE alembic_version (version_num text)")
    rows = doctor(app, 0)
    assert "may not be read by our role" in rows.text("database", "warning") and not rows.of("pending")
    assert "pending: not known: public.alembic_version may not be read" in dry_run(app)


def test_table_of_another_shape(folder, embark, db):
    app = Alembic(folder, embark, db).add("aaa")
    make(db, "CREATE TABLE alembic_version (number int)")
    assert "version_num" in doctor(app, 0).text("database", "warning")


# --- embark's own

@pytest.fixture
def own(folder, embark, db):
    app = App(folder, embark, db).add("1_one", "CREATE TABLE one (n int)").add("2_two").add("10_ten")
    app.files, app.command = None, None
    app.config = lambda extra="", **keys: "[migrate]\nsql = migrations\n" + "".join(f"{k} = {v}\n" for k, v in keys.items() if k != "command") + extra
    return app


def test_own_files(own, db):
    assert doctor(own, 0).pending() == ["1_one.sql", "2_two.sql", "10_ten.sql"]
    assert pending_of(dry_run(own)) == ["1_one.sql", "2_two.sql", "10_ten.sql"]
    own.serves()
    own.add("11_eleven", "-- embark: no transaction\nSELECT 1/0")
    rows = doctor(own, 0)
    assert rows.pending() == ["11_eleven.sql"] and rows.text("database") == "at 10_ten.sql (public.embark_ledger_files)"
    own.fails(65, "division by zero")
    rows = doctor(own, 65, retry_after="0s")
    assert rows.one("failed", "bad")["names"] == ["11_eleven.sql"] and "embark migrate --resolve" in rows.one("failed")["hint"]
    own.fails(65, "resolve", retry_after="0s")


# --- the ledger, and what the next start does

def test_ledger_rows(folder, embark, db):
    """The last run, and the same verdict as a start's and a dry run's, at each point of a life."""
    app = App(folder, embark, db).add("001_one", "CREATE TABLE one (n int)")
    image = {"extra": "[image]\nbuild = b17\n"}
    rows = doctor(app, 0, **image)
    assert rows.text("last run", "info").startswith('none yet under the lock "embark"')
    assert re.search(r"takes the lock and runs .*steps\.py migrations: there is no ledger yet$", rows.text("next start", "info"))
    app.serves(**image)
    rows = doctor(app, 0, **image)
    assert re.fullmatch(r"done .* ago \(on \S+, \d{4}-\d\d-\d\d [\d:]+ UTC, build b17\)(, with the image's files)?", rows.text("last run", "ok"))
    assert rows.text("next start", "ok") == "one query, and runs nothing: everything is applied"
    app.add("002_two", "SELECT 1/0").add("003_three")
    rows = doctor(app, 0, **image)
    assert rows.text("last run").endswith("with other files: the image has 2 more") and "there are new migrations" in rows.text("next start")
    assert rows.one("pending")["names"] == ["migrations/002_two.sql", "migrations/003_three.sql"]
    app.fails(80, "division by zero")
    rows = doctor(app, 80, retry_after="10m")
    assert rows.text("last run", "warning").startswith("failed ") and rows.of("last good", "ok")
    assert any("division by zero" in row["text"] for row in rows.of("its output"))
    assert rows.text("next start", "bad").startswith("not run: with these files it failed ") and "10 min" in rows.one("next start")["hint"]
    app.fails(80, "not run: with these files it failed", retry_after="10m")
    assert re.search(r"(?m)^would not run, and fail \(80\): .*\n  not run: with these files it failed .* ago on ", dry_run(app, retry_after="10m"))
    rows = doctor(app, 0, retry_after="0s")
    assert "takes the lock" in rows.text("next start", "info")
    app.drop("001_one")
    app.add("002_two")
    rows = doctor(app, 0)
    assert "  note: the image and the database have diverged" in dry_run(app)
    assert rows.of("next start", "warning") and "diverged" in rows.text("next start", "warning")
    assert [run["outcome"] for run in ledger(db)] == ["done", "failed"]


def test_changed_file_and_an_interrupted_run(folder, embark, db):
    app = App(folder, embark, db).add("001_one")
    app.serves()
    app.add("001_one", "SELECT 2")
    rows = doctor(app, 0)
    assert "changed after they were applied: migrations/001_one.sql" in rows.text("next start", "warning")
    assert rows.text("last run").endswith("with other files: 1 with other contents")
    db.sql("UPDATE embark_ledger SET outcome = 'interrupted'")
    assert "was interrupted" in doctor(app, 0).of("next start", "warning")[0]["text"]
    db.sql("UPDATE embark_ledger SET outcome = 'running', finished_at = NULL")
    assert doctor(app, 0).text("last run", "warning").startswith("killed: it began ")


def test_without_ledger_files_or_database(folder, embark, db):
    app = App(folder, embark, db).add("001_one")
    rows = doctor(app, 0, ledger="off")
    assert rows.text("last run") == "not recorded ([migrate] ledger = off)"
    assert rows.text("next start").endswith(": no ledger is kept ([migrate] ledger = off)")
    app.files = None
    rows = doctor(app, 0)
    assert rows.one("files", "warning")["hint"] == "name them in [migrate] files"
    gone = Alembic(folder, embark, db).add("aaa").add("bbb")
    rows = doctor(gone, url="postgresql://nobody@127.0.0.1:1/none")
    assert rows.text("files") == "2 (Alembic), the last: bbb" and "no connection" in rows.text("database", "info")
    assert not rows.of("next start") and not rows.of("pending")


def test_folder_that_is_missing(folder, embark, db):
    app = App(folder, embark, db)
    app.files = "nowhere/*.sql"
    assert doctor(app, 78).of("files", "bad")


def test_skipped_migrations(folder, embark, db):
    """EMBARK_SKIP=migrate: what would be refused is no failure of that start's."""
    app = Alembic(folder, embark, db).add("aaa").add("bbb")
    app.drop("aaa")
    assert doctor(app, 80).of("files", "bad")
    assert not doctor(app, 0, env={"EMBARK_SKIP": "migrate"}).of("files", "bad")


# --- [bootstrap]: what a start sets up first

@pytest.mark.parametrize("when", ["missing", "always"])
def test_dry_run_tries_the_superusers_login(folder, embark, db, server, when):
    app = App(folder, embark, db).add("001_one")
    boss = f"boss_{db.role}"
    server.sql(f"CREATE ROLE {boss} SUPERUSER LOGIN PASSWORD 'Boss-1'")
    good, bad = (f"[bootstrap]\nurl = {db.url_as(user=boss, password=password)}\nwhen = {when}\n" for password in ("Boss-1", "wrong"))
    # the login works: the superuser's is needed with always only
    process = embark.run("migrate", "--dry-run", **app.arguments(extra=bad)).expect(77 if when == "always" else 0)
    assert ("would run" in process.stdout) == (when == "missing")
    assert "would run: " in embark.run("migrate", "--dry-run", **app.arguments(extra=good)).expect(0).stdout
    # the role is missing
    new = db.url_as(user="newcomer", password="Secret-1")
    process = embark.run("migrate", "--dry-run", **app.arguments(extra=good, url=new)).expect(0)
    assert process.stdout.startswith("would set up the database first") and "newcomer" in process.stdout and "Secret-1" not in process.stdout
    embark.run("migrate", "--dry-run", **app.arguments(extra=bad, url=new)).expect(77, boss)
    assert not server.sql("SELECT FROM pg_roles WHERE rolname = 'newcomer'")
    # the database is
    process = embark.run("migrate", "--dry-run", **app.arguments(extra=good, url=db.url_as(name="nowhere"))).expect(0)
    assert process.stdout.startswith("would set up the database first")
    assert not server.sql("SELECT FROM pg_database WHERE datname = 'nowhere'")
    server.sql(f"DROP ROLE {boss}")
