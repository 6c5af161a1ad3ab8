"""[migrate] sql = DIR in a database that another tool has migrated: what its table says is applied is never run again."""

import re

import pytest

from support import trees
from support.sql_files import applied, files, second  # noqa: F401


def by_hand(db, steps):
    connection = db.connect_as_role()
    connection.autocommit = True
    for _, sql, _ in steps:
        connection.cursor().execute(sql)
    connection.close()


def origins(db):
    return dict(db.sql("SELECT name, origin FROM embark_ledger_files"))


@pytest.mark.parametrize("form", trees.FORMATS)
def test_half_by_the_tool_and_half_by_embark(files, db, second, form):
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS[:2])
    trees.steps_in(db, form, names[:2], files.path)
    process = files.command("--dry-run").expect(0)
    assert "3 of 5 pending" in process.stdout and trees.STEPS[2][0] in process.stdout, process.describe()
    doctor = files.start("doctor")
    doctor.wait(40)
    assert re.search(rf"pending +3 of 5: {names[2]},", doctor.stdout), doctor.describe()
    process = files.serves()
    assert applied(process) == names[2:] and "2 files are applied already, as " in process.stderr
    assert files.states() == {name: "applied" for name in names}
    told = origins(db)
    assert trees.TABLES[form] in told[names[0]] and told[names[2]] is None
    by_hand(second, trees.STEPS)
    assert trees.dump(db) == trees.dump(second)
    assert "everything is applied" in files.serves().stderr
    assert "0 of 5 pending" in files.command("--dry-run").expect(0).stdout and "0 of 5 pending" in files.command("--status").expect(0).stdout


@pytest.mark.parametrize("form", trees.FORMATS)
def test_all_by_the_tool(files, db, form):
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS)
    trees.steps_in(db, form, names, files.path)
    process = files.serves()
    assert applied(process) == [] and files.states() == {name: "applied" for name in names}
    assert db.value("SELECT count(*) FROM users") == 2


@pytest.mark.parametrize("form", ["flyway", "sqlx", "prisma", "atlas"])
def test_checksum_that_differs_is_said(files, db, form):
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS)
    trees.steps_in(db, form, names, files.path)
    path = files.path / names[3]
    path.write_text(path.read_text() + "-- changed\n")
    if form == "atlas":
        trees.hash_atlas(files.path)
    process = files.serves()
    assert f"{names[3]} has changed since " in process.stderr and names[2] + " has changed" not in process.stderr and applied(process) == []


@pytest.mark.parametrize("form,sql", [
    ("golang-migrate", "UPDATE schema_migrations SET dirty = true"), ("flyway", "UPDATE flyway_schema_history SET success = false WHERE version = '3'"),
    ("prisma", "UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name LIKE '%%index'"),
    ("sqlx", "UPDATE _sqlx_migrations SET success = false WHERE version = 20240101120003"),
    ("atlas", "UPDATE atlas_schema_revisions.atlas_schema_revisions SET error = 'x', applied = 0 WHERE version = '20240101120003'"),
])
def test_failed_half_way(files, db, form, sql):
    """An error with the way out, and the way out."""
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS[:3])
    trees.steps_in(db, form, names[:3], files.path)
    db.sql(sql)
    files.fails(80, rf"says that {names[2]} has failed half-way, when ", rf"hint: .*--resolve {names[2]}")
    process = files.command("--dry-run").expect(0)
    assert "failed half way" in process.stdout, process.describe()
    files.command("--resolve", names[2]).expect(0, "counts as applied now")
    assert applied(files.serves()) == names[3:]


def test_failed_and_to_be_run_again(files, db):
    names = trees.plant(files.path, "flyway")
    by_hand(db, trees.STEPS[:2])
    trees.steps_in(db, "flyway", names[:3], files.path)
    db.sql("UPDATE flyway_schema_history SET success = false WHERE version = '3'")
    files.command("--resolve", names[2], "--as", "pending").expect(0, "counts as pending now")
    assert applied(files.serves()) == names[2:]


def test_rolled_back_by_prisma(files, db):
    names = trees.plant(files.path, "prisma")
    by_hand(db, trees.STEPS[:2])
    trees.steps_in(db, "prisma", names[:3], files.path)
    db.sql("UPDATE _prisma_migrations SET finished_at = NULL, rolled_back_at = now() WHERE migration_name LIKE '%%index'")
    assert applied(files.serves()) == names[2:]


def test_taken_back_by_goose(files, db):
    names = trees.plant(files.path, "goose")
    by_hand(db, trees.STEPS[:2])
    trees.steps_in(db, "goose", names[:3], files.path)
    db.sql("INSERT INTO goose_db_version (version_id, is_applied) VALUES (20240101120003, false)")
    assert applied(files.serves()) == names[2:]


def test_image_older_than_the_tools_table(files, db):
    names = trees.plant(files.path, "goose")
    by_hand(db, trees.STEPS)
    trees.steps_in(db, "goose", names, files.path)
    (files.path / names[4]).unlink()
    files.fails(81, "20240101120005")


# --- of another tool, or of nobody to be believed

@pytest.mark.parametrize("form,table", [
    ("dbmate", "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL)"),
    ("golang-migrate", "CREATE TABLE schema_migrations (version varchar PRIMARY KEY)"),
    ("dbmate", "CREATE TABLE schema_migrations (version varchar PRIMARY KEY); CREATE TABLE ar_internal_metadata (key varchar, value varchar)"),
    ("dbmate", "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, inserted_at timestamp)"),
    ("goose", "CREATE VIEW goose_db_version AS SELECT 1 AS id, 1::bigint AS version_id, true AS is_applied"),
])
def test_what_cannot_be_known(files, db, form, table):
    names = trees.plant(files.path, form)
    connection = db.connect_as_role()
    connection.autocommit = True
    connection.cursor().execute(table)
    connection.close()
    files.fails(80, "what is applied can't be known: ", r"hint: .*--baseline FILE")
    assert not files.has("users")
    files.command("--baseline", "none").expect(0)
    assert applied(files.serves()) == names


def test_table_of_somebody_else(files, db):
    """Who may create a table in our schema could make us believe that everything is applied."""
    names = trees.plant(files.path, "dbmate")
    mallory = db.role + "_mallory"
    db.server.sql(f'CREATE ROLE "{mallory}"')
    try:
        db.sql("CREATE TABLE schema_migrations (version varchar(128) PRIMARY KEY);"
               f"INSERT INTO schema_migrations VALUES ('20240101120001'); ALTER TABLE schema_migrations OWNER TO \"{mallory}\";"
               f'GRANT ALL ON schema_migrations TO "{db.role}"')
        files.fails(80, f"belongs to {mallory}, who is not to be believed")
    finally:
        db.sql(f'DROP OWNED BY "{mallory}"')
        db.server.sql(f'DROP ROLE "{mallory}"')
    assert applied(files.serves()) == names


def test_plain_names_and_the_table_of_another_service(files, db):
    """sqlx's numbers are no proof: the contents are."""
    files.add("1_a.sql", "CREATE TABLE a (n int);")
    (files.folder / "other").mkdir()
    other = files.folder / "other" / "1_x.sql"
    other.write_text("CREATE TABLE x (n int);")
    trees.steps_in(db, "sqlx", ["1_x.sql"], other.parent)
    files.fails(80, r"whether the table is of these files can't be told", "hint: .*format = embark")
    assert applied(files.serves(format="embark")) == ["1_a.sql"]


def test_plain_names_of_sqlx(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "CREATE TABLE b (n int);")
    trees.steps_in(db, "sqlx", ["1_a.sql"], files.path)
    assert applied(files.serves()) == ["2_b.sql"]


# --- by hand

def test_baseline(files, db):
    for number in range(1, 4):
        files.add(f"{number}_x.sql", f"CREATE TABLE t{number} (n int);")
    db.sql("CREATE TABLE t1 (n int); CREATE TABLE t2 (n int)")
    files.fails(65, 'relation "t1" already exists', "hint: .*--baseline FILE")
    files.command("--baseline", "2_x.sql").expect(0, r"2 files count now as applied, up to 2_x\.sql")
    assert applied(files.serves()) == ["3_x.sql"]
    assert origins(db) == {"1_x.sql": "baseline", "2_x.sql": "baseline", "3_x.sql": None}
    files.command("--baseline", "migrations/3_x.sql").expect(0, "0 files count now")


@pytest.mark.parametrize("words,code,pattern", [(["--baseline", "9_z.sql"], 78, "9_z.sql is none of the files"), (["--baseline"], 64, "needs a value"),
                                                (["--baseline", "1_a.sql", "--status"], 64, "exclude"), (["--baseline", "1_a.sql", "--as", "applied"], 64, "--resolve")])
def test_baseline_nonsense(files, words, code, pattern):
    files.add("1_a.sql", "SELECT 1;")
    files.command(*words).expect(code, pattern)


def test_baseline_of_flyway(files, db, second):
    """In an empty database it stands for what comes before it; elsewhere it is passed over."""
    files.add("V1__a.sql", "CREATE TABLE a (n int);").add("V2__b.sql", "CREATE TABLE b (n int);").add("V3__c.sql", "CREATE TABLE c (n int);")
    files.add("B1__old.sql", "SELECT nonsense;").add("B2__both.sql", "CREATE TABLE a (n int); CREATE TABLE b (n int);")
    assert applied(files.serves()) == ["B2__both.sql", "V3__c.sql"]
    assert origins(db)["V1__a.sql"] == "B2__both.sql"
    assert "0 of 3 pending" in files.command("--dry-run").expect(0).stdout
    names = ["V1__a.sql"]
    trees.steps_in(second, "flyway", names, files.path)
    assert applied(files.serves(url=second.url)) == ["V2__b.sql", "V3__c.sql"]


# --- with the tool beside it

@pytest.mark.parametrize("form", trees.FORMATS)
def test_keep_tool_table(files, db, second, form):
    """The rows are those that the tool would have written."""
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS[:1])
    trees.steps_in(db, form, names[:1], files.path)
    files.serves(keep_tool_table="yes", format=form)
    trees.steps_in(second, form, names, files.path)
    table = ("atlas_schema_revisions." if form == "atlas" else "") + trees.TABLES[form]
    columns = {"dbmate": "version", "goose": "version_id, is_applied", "golang-migrate": "*", "sqlx": "version, success, checksum",
               "flyway": "installed_rank, version, type, script, checksum, success", "node-pg-migrate": "name", "sql-migrate": "id",
               "prisma": "migration_name, checksum, finished_at IS NULL, applied_steps_count", "atlas": "version, type, applied = total, error, hash"}[form]
    question = f"SELECT {columns} FROM {table} ORDER BY 1, 2" if "," in columns else f"SELECT {columns} FROM {table} ORDER BY 1"
    assert [tuple(map(as_bytes, row)) for row in db.sql(question)] == [tuple(map(as_bytes, row)) for row in second.sql(question)]


def as_bytes(value):
    return bytes(value) if isinstance(value, memoryview) else value


@pytest.mark.parametrize("form", trees.FORMATS)
def test_keep_tool_table_from_nothing(files, db, form):
    """The table is made, and what embark alone has applied comes into it later as well; the next start takes nothing over."""
    names = trees.plant(files.path, form)
    files.serves(format=form)
    table = ("atlas_schema_revisions." if form == "atlas" else "") + trees.TABLES[form]
    assert not files.has(table)
    assert applied(files.serves(format=form, keep_tool_table="yes")) == []
    count = db.value(f"SELECT count(*) FROM {table}")
    assert count == {"golang-migrate": 1, "goose": 6}.get(form, 5)
    db.sql("DELETE FROM embark_ledger; DELETE FROM embark_ledger_files")
    assert applied(files.serves()) == [] and len(files.states()) == len(names)


def test_dbmate_goes_on(files, db, folder):
    names = trees.plant(files.path, "dbmate", trees.STEPS[:3])
    files.serves(keep_tool_table="yes")
    assert "Pending: 0" in trees.dbmate(folder, db, "status").stdout
    names += trees.plant(files.path, "dbmate", trees.STEPS[3:], first=4)
    trees.dbmate(folder, db, "up")
    assert applied(files.serves()) == [] and files.states() == {name: "applied" for name in names}
    assert db.value("SELECT count(*) FROM users") == 2


def test_dbmate_first(files, db, second, folder):
    names = trees.plant(files.path, "dbmate", trees.STEPS[:3])
    trees.dbmate(folder, db, "up")
    names += trees.plant(files.path, "dbmate", trees.STEPS[3:], first=4)
    pending = [line for line in trees.dbmate(folder, db, "status").stdout.splitlines() if line.startswith("[ ]")]
    for words in ("--dry-run", "--status"):
        shown = files.command(words).expect(0).stdout
        assert len(pending) == 2 and all(f"pending {line[4:].strip()}" in shown for line in pending), shown
    assert applied(files.serves()) == names[3:]
    trees.dbmate(folder, second, "up")
    assert trees.dump(db) == trees.dump(second)


def test_sql_migrate_before_and_after(files, db, second, folder):
    """The tool, then embark, then the tool again; the same as by the tool alone, and nothing twice."""
    names = trees.plant(files.path, "sql-migrate", trees.STEPS[:2])
    trees.sql_migrate(folder, db)
    names += trees.plant(files.path, "sql-migrate", trees.STEPS[2:4], first=3)
    assert applied(files.serves(keep_tool_table="yes")) == names[2:]
    names += trees.plant(files.path, "sql-migrate", trees.STEPS[4:], first=5)
    trees.sql_migrate(folder, db)
    assert applied(files.serves()) == [] and files.states() == {name: "applied" for name in names}
    trees.sql_migrate(folder, second)
    assert trees.dump(db) == trees.dump(second)


def test_node_pg_migrate_goes_on(files, db, folder):
    steps = [step for step in trees.STEPS if step[0] != "index"]
    trees.plant(files.path, "node-pg-migrate", steps[:1])
    trees.node_pg_migrate(folder, db)
    trees.plant(files.path, "node-pg-migrate", steps[1:3], first=2)
    assert len(applied(files.serves(keep_tool_table="yes"))) == 2
    trees.plant(files.path, "node-pg-migrate", steps[3:], first=4)
    trees.node_pg_migrate(folder, db)
    assert applied(files.serves()) == [] and len(files.states()) == 4
    assert db.value("SELECT count(*) FROM users") == 2


@pytest.mark.parametrize("keys,pattern", [({}, "golang-migrate or sqlx|can't be told"), ({"format": "embark"}, "embark's files are no other tool's")])
def test_keep_tool_table_of_nobody(files, keys, pattern):
    files.add("1_a.up.sql" if not keys else "1_a.sql", "SELECT 1;")
    files.fails(78, pattern, keep_tool_table="yes", **keys)


def test_prisma_in_the_urls_schema(files, db):
    db.sql(f'CREATE SCHEMA app AUTHORIZATION "{db.role}"')
    names = trees.plant(files.path, "prisma")
    url = db.url + "?schema=app"
    assert applied(files.serves(url=url, keep_tool_table="yes")) == names
    assert files.has("app.users") and files.has("app._prisma_migrations") and not files.has("public.users")
    assert "everything is applied" in files.serves(url=url, keep_tool_table="yes").stderr


# --- under another name

@pytest.mark.parametrize("name", ["migrations", "ops.Done"])
def test_dbmate_with_a_table_of_another_name(files, db, folder, name):
    """dbmate before, embark, and dbmate again, with the variable by which dbmate itself knows the name."""
    db.sql(f'CREATE SCHEMA ops AUTHORIZATION "{db.role}"')
    env = {"DBMATE_MIGRATIONS_TABLE": name}
    names = trees.plant(files.path, "dbmate", trees.STEPS[:2])
    trees.dbmate(folder, db, "up", env=env)
    names += trees.plant(files.path, "dbmate", trees.STEPS[2:4], first=3)
    assert "2 of 4 pending" in files.command("--dry-run", env=env).expect(0).stdout
    assert applied(files.serves(keep_tool_table="yes", env=env)) == names[2:]
    assert not files.has("schema_migrations") and "Pending: 0" in trees.dbmate(folder, db, "status", env=env).stdout
    names += trees.plant(files.path, "dbmate", trees.STEPS[4:], first=5)
    trees.dbmate(folder, db, "up", env=env)
    assert applied(files.serves(env=env)) == [] and files.states() == {name: "applied" for name in names}


@pytest.mark.parametrize("name", ["migrations", "ops.Done"])
def test_table_of_another_name_is_made(files, db, folder, name):
    db.sql(f'CREATE SCHEMA ops AUTHORIZATION "{db.role}"')
    env = {"DBMATE_MIGRATIONS_TABLE": name}
    trees.plant(files.path, "dbmate")
    files.serves(keep_tool_table="yes", env=env)
    assert "Pending: 0" in trees.dbmate(folder, db, "status", env=env).stdout and not files.has("schema_migrations")


@pytest.mark.parametrize("form,env,rename", [
    ("goose", {"GOOSE_TABLE": "Ops.Done"}, "ALTER TABLE goose_db_version RENAME TO done; ALTER TABLE done SET SCHEMA ops"),
    ("flyway", {"FLYWAY_TABLE": "Done.v1"}, 'ALTER TABLE flyway_schema_history RENAME TO "Done.v1"'),
    ("flyway", {"FLYWAY_DEFAULT_SCHEMA": "ops"}, "ALTER TABLE flyway_schema_history SET SCHEMA ops"),
])
def test_table_of_another_name(files, db, form, env, rename):
    db.sql(f'CREATE SCHEMA ops AUTHORIZATION "{db.role}"')
    names = trees.plant(files.path, form)
    by_hand(db, trees.STEPS[:2])
    trees.steps_in(db, form, names[:2], files.path)
    db.sql(rename)
    assert applied(files.serves(env=env)) == names[2:]
