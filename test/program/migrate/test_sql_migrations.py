"""[migrate] sql = DIR: embark's own migrations, each file once."""

import re
import signal

import pytest

from support.apps import ledger, outcomes
from support.process import lines_of_json, marked, send
from support.sql_files import Files, applied, files  # noqa: F401
from support.waiting import eventually


def sleeping(db):
    return db.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
                    " AND query LIKE '%%pg_sleep(100)%%' AND pid <> pg_backend_pid()")


# --- order

def test_by_number(files):
    for name in ("10_ten.sql", "1_one.sql", "2_two.sql", "0003.sql", "20261124150405_time.sql"):
        files.add(name, f"SELECT 1;\nCREATE TABLE t{name.split('.')[0]} (n int);")
    files.add("README.md", "no SQL").add(".hidden.sql", "nonsense").add("4_x.sql~", "nonsense")
    assert applied(files.serves()) == ["1_one.sql", "2_two.sql", "0003.sql", "10_ten.sql", "20261124150405_time.sql"]
    assert set(files.states().values()) == {"applied"}
    assert "everything is applied" in files.serves().stderr


@pytest.mark.parametrize("names,pattern", [
    (["1_a.sql", "01_b.sql"], r"01_b\.sql and migrations/1_a\.sql have the same number"),
    (["1_a.sql", "init.sql"], r"init\.sql: a migration's name starts with its number"),
    (["-1_a.sql"], "starts with its number"), ([], r"\[migrate\] sql = migrations holds no \.sql file\n  hint: .*copied"),
])
def test_names(files, embark, names, pattern):
    for name in names:
        files.add(name, "SELECT 1;")
    files.fails(78, pattern)
    files.start("check").expect(78, pattern)
    assert not files.has("embark_ledger")


def test_missing_folder(files):
    files.fails(78, r"\[migrate\] sql = nowhere: No such file.*\n  hint: .*copied", sql="nowhere")


def test_a_file_that_comes_late_is_applied_too(files):
    files.add("2_b.sql", "CREATE TABLE b (n int);").serves()
    assert applied(files.add("1_a.sql", "CREATE TABLE a (n int);").serves()) == ["1_a.sql"]


# --- once

def test_eight_replicas(files, any_db, embark, folder):
    for number in range(1, 6):
        files.add(f"{number}_x.sql", f"CREATE TABLE t{number} (n int); INSERT INTO t{number} VALUES (1);")
    files.add("6_index.sql", "-- embark: no transaction\nCREATE INDEX CONCURRENTLY t1_n ON t1 (n);")
    held = embark.barrier(8, "echo", "served", env={"DATABASE_URL": any_db.url}, config=files.config(), cwd=folder)
    for process in held.release():
        process.expect(0, "ready in", timeout=60)
    assert sum(len(applied(process)) for process in held.processes) == 6
    assert any_db.value("SELECT count(*) FROM t5") == 1
    assert any_db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 't1_n'::regclass")


def test_records_tell_what_was_applied(files, db):
    files.add("1_a.sql", "SELECT 1;").serves()
    (row,) = db.sql("SELECT name, length(sha256), state, run, started_at <= finished_at FROM embark_ledger_files")
    assert row[:3] == ("1_a.sql", 64, "applied") and row[4]
    assert ledger(db)[0]["run"] == row[3]


# --- transactions

def test_second_statement_fails(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "CREATE TABLE b (n int);\nINSERT INTO b VALUES (nonsense);\n").add("3_c.sql", "SELECT 1;")
    process = files.fails(65, r'2_b\.sql:2:23: ERROR 42703: column "nonsense" does not exist', "LINE 2: INSERT INTO b", r"the SQL migrations failed")
    assert applied(process) == ["1_a.sql"]
    assert files.has("a") and not files.has("b") and files.states() == {"1_a.sql": "applied"}
    (run,) = ledger(db)
    assert run["outcome"] == "failed" and "42703" in run["output"], run
    files.fails(80, "not run: with these files it failed", r"\| .*42703", retry_after="1h")
    files.add("2_b.sql", "CREATE TABLE b (n int);")
    assert applied(files.serves(retry_after="1h")) == ["2_b.sql", "3_c.sql"]


@pytest.mark.parametrize("comment", ["-- embark: no transaction", "/* Embark: No Transaction */", "\ufeff-- embark: no transaction",
                                     "\n-- Copyright\n-- x\n\n/* and */ -- embark: no transaction, please", "--embark: no transaction\r"])
def test_without_a_transaction(files, db, comment):
    files.add("1_a.sql", "CREATE TABLE a AS SELECT 1 AS n;").add("2_index.sql", comment + "\nCREATE INDEX CONCURRENTLY a_n ON a (n);\nVACUUM a;\n")
    files.serves()
    assert db.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'a_n'::regclass")
    assert files.states()["2_index.sql"] == "applied"


@pytest.mark.parametrize("text", ["SELECT 1; -- embark: no transaction\nVACUUM;", "VACUUM;"])
def test_the_comment_stands_before_all_else(files, text):
    files.add("1_a.sql", text).fails(65, r"1_a\.sql:\d:1: VACUUM can't run in a transaction", "hint: .*-- embark: no transaction")


def half_way(files):
    files.add("1_a.sql", "-- embark: no transaction\nCREATE TABLE a (n int);\nSELECT 1/0;\nCREATE TABLE b (n int);\n").add("2_b.sql", "CREATE TABLE c (n int);")
    files.fails(65, r"1_a\.sql:3(:\d+)?: ERROR 22012", r"1_a\.sql runs without a transaction, and has stopped half-way", r"hint: .*--resolve")
    assert files.states() == {"1_a.sql": "failed"}


def test_half_way(files):
    """Nothing more is applied until somebody has said what became of it."""
    half_way(files)
    files.fails(65, r"1_a\.sql failed half-way, in an earlier run", r"hint: .*--resolve FILE")
    assert files.has("a") and not files.has("c")
    files.command("--resolve", "1_a.sql").expect(0, r"1_a\.sql counts as applied now")
    assert applied(files.serves()) == ["2_b.sql"]
    assert not files.has("b")


def test_resolve_as_pending(files, db):
    half_way(files)
    db.sql("DROP TABLE a")
    files.add("1_a.sql", "-- embark: no transaction\nCREATE TABLE a (n int);\nCREATE TABLE b (n int);\n")
    files.command("--resolve", "migrations/1_a.sql", "--as", "pending", retry_after="1h").expect(0, "counts as pending now")
    assert applied(files.serves(retry_after="1h")) == ["1_a.sql", "2_b.sql"]


def test_resolve_ends_the_waiting_for_retry_after(files):
    half_way(files)
    files.fails(80, "not run", retry_after="1h")
    files.command("--resolve", "1_a.sql", retry_after="1h").expect(0)
    files.serves(retry_after="1h")


@pytest.mark.parametrize("words,code,pattern", [
    (["--resolve", "1_a.sql", "--as", "nonsense"], 64, "expected applied or pending"), (["--resolve"], 64, "needs a value"), (["--as", "applied"], 64, "--resolve"),
    (["--resolve", "1_a.sql", "--status"], 64, "exclude"), (["--dry-run", "--status"], 64, "exclude"),
    (["--resolve", "9_z.sql"], 78, "nothing to resolve"), (["--resolve", "2_b.sql"], 78, "nothing to resolve"),
])
def test_resolve_nonsense(files, words, code, pattern):
    half_way(files)
    files.command(*words).expect(code, pattern)
    assert files.states() == {"1_a.sql": "failed"}


def test_resolve_on_an_empty_database(files):
    files.add("1_a.sql", "SELECT 1;")
    files.command("--resolve", "1_a.sql").expect(78, "nothing to resolve")


def test_resolve_while_it_runs(files, db):
    files.add("1_a.sql", "-- embark: no transaction\nSELECT pg_sleep(100);")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    files.command("--resolve", "1_a.sql").expect(75, "a migration runs just now")
    assert files.states() == {"1_a.sql": "running"}
    process.signal(signal.SIGTERM)
    process.expect(143, timeout=15)


@pytest.mark.parametrize("word", ["COMMIT;", "Rollback ;", "BEGIN;", "start  transaction;", "END;", "ABORT;", "/* x */ commit and chain;", "COMMIT",
                                  "prepare transaction 'x';"])
def test_transaction_words_are_refused_before_anything_is_sent(files, word):
    files.add("1_a.sql", f"CREATE TABLE a (n int);\nCOPY a FROM stdin;\n1\n\\.\n\\echo begin\n {word}\nSELECT 1;\n")
    for arguments in (("check",), ("echo", "served")):
        files.start(*arguments).expect(65, r"1_a\.sql:6:\d+: \w+: the file is run in a transaction that embark begins", r"hint: .*no transaction")
    assert not files.has("embark_ledger")


def test_words_that_look_like_it(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);\nSAVEPOINT s;\nINSERT INTO a VALUES (1);\nROLLBACK TO s;\nROLLBACK WORK TO SAVEPOINT s;\nRELEASE s;\n"
              "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END;\nDO $$ BEGIN PERFORM 1; END $$;\n"
              "COPY a FROM stdin;\n7\n\\.\nSELECT 'commit;';\n-- commit;\n")
    files.serves()
    assert db.sql("SELECT n FROM a") == [(7,)]


def test_its_own_transactions(files):
    files.add("1_a.sql", "-- embark: no transaction\nBEGIN;\nCREATE TABLE a (n int);\nCOMMIT;\n").serves()
    files.add("2_b.sql", "-- embark: no transaction\nBEGIN;\nCREATE TABLE b (n int);\n")
    files.fails(65, r"2_b\.sql begins a transaction and does not end it", "stopped half-way")
    assert files.states()["2_b.sql"] == "failed" and not files.has("b")


# --- what files do to their session

def test_search_path_of_a_dump(files, db):
    """pg_dump's files begin so; neither the records nor the next file suffer from it."""
    files.add("1_a.sql", "SELECT pg_catalog.set_config('search_path', '', false);\nSET default_transaction_read_only = on;\nCREATE TABLE public.a (n int);\n")
    files.add("2_b.sql", "CREATE TABLE b (n int);").add("3_c.sql", "-- embark: no transaction\nSET search_path = pg_catalog;\nVACUUM public.b;\n").add("4_d.sql", "SELECT * FROM b;")
    files.serves()
    assert set(files.states().values()) == {"applied"} and len(files.states()) == 4


@pytest.mark.parametrize("first", ["", "-- embark: no transaction\n"])
def test_role_of_a_file(files, db, first):
    db.server.sql(f'CREATE ROLE "{db.role}_other"; GRANT "{db.role}_other" TO "{db.role}"')
    try:
        files.add("1_a.sql", f'{first}SET ROLE "{db.role}_other";\nSELECT 1;\n').add("2_b.sql", "CREATE TABLE b (n int);").serves()
        assert db.value("SELECT tableowner FROM pg_tables WHERE tablename = 'b'") == db.role
    finally:
        db.sql(f'REASSIGN OWNED BY "{db.role}_other" TO postgres')
        db.server.sql(f'DROP ROLE "{db.role}_other"')


def test_role_that_is_read_only_by_default(files, db):
    db.server.sql(f'ALTER ROLE "{db.role}" SET default_transaction_read_only = on')
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "-- embark: no transaction\nVACUUM;").serves()


def test_role_that_may_not_create(files, db):
    db.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres; GRANT ALL ON SCHEMA public TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    files.add("1_a.sql", "SELECT 1;")
    process = files.start()
    process.wait(40)
    assert process.popen.returncode in (65, 77), process.describe()
    assert re.search("permission denied for schema public", process.stderr) and re.search(r"hint: GRANT CREATE ON SCHEMA", process.stderr), process.describe()


def test_table_that_is_there_needs_no_right_to_create(files, db):
    files.add("1_a.sql", "SELECT 1;").serves()
    db.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC')
    files.add("2_b.sql", "SELECT 2;").serves()


# --- interruptions

@pytest.mark.parametrize("first,state", [("", None), ("-- embark: no transaction\n", "running")])
def test_sigterm_during_a_statement(files, db, first, state):
    files.add("1_a.sql", f"{first}CREATE TABLE a (n int);\nSELECT pg_sleep(100);\n")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    process.signal(signal.SIGTERM)
    process.expect(143, timeout=12)
    eventually(lambda: not sleeping(db), timeout=5, what="the backend is gone")
    assert files.states().get("1_a.sql") == state and files.has("a") == bool(first)
    if first:
        files.fails(65, r"1_a\.sql was interrupted half-way, in an earlier run")
    else:
        files.add("1_a.sql", "CREATE TABLE a (n int);").serves()


@pytest.mark.parametrize("first", ["", "-- embark: no transaction\n"])
def test_sigkill_during_a_statement(files, db, first):
    """The whole container, as it were."""
    files.add("1_a.sql", f"{first}CREATE TABLE a (n int);\nSELECT pg_sleep(100);\n")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    for pid in marked(files.embark.mark):
        send(pid, signal.SIGKILL)
    if first:
        files.fails(65, r"1_a\.sql was interrupted half-way", extra="[service]\ngrace = 1s\n")
        assert files.has("a")
    else:
        files.add("1_a.sql", "CREATE TABLE a (n int);").serves(extra="[service]\ngrace = 1s\n")
    assert not sleeping(db)
    process.wait(5)


def test_embark_alone_is_killed(files, db):
    """Its child may live on: the next start ends the backend before it begins."""
    files.add("1_a.sql", "CREATE TABLE a (n int);\nSELECT pg_sleep(100);\n")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    send(process.pid, signal.SIGKILL)
    process.wait(5)
    files.add("1_a.sql", "CREATE TABLE a (n int);\n").serves(extra="[service]\ngrace = 1s\n")
    assert not sleeping(db) and files.states() == {"1_a.sql": "applied"}


def test_lock_is_lost_during_a_statement(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);\nSELECT pg_sleep(100);\n")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    for pid, _, _ in db.locks():
        db.sql("SELECT pg_terminate_backend(%s)", (pid,))
    process.expect(80, 'the lock "embark" was lost while the migration ran', timeout=15)
    eventually(lambda: not sleeping(db), timeout=5, what="the backend is gone")
    assert not files.has("a") and "1_a.sql" not in files.states()


def test_its_own_backend_is_ended(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);\nSELECT pg_sleep(100);\n")
    process = files.start()
    eventually(lambda: sleeping(db), what="the file is run")
    db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%pg_sleep(100)%%' AND pid <> pg_backend_pid()")
    code = process.wait(15)
    assert code in (65, 69) and re.search("57P01|terminating connection", process.stderr), process.describe()
    assert not files.has("a") and outcomes(db) == ["failed"]


# --- older, changed, other scopes

def test_changed_after_it_was_applied(files):
    files.add("1_a.sql", "CREATE TABLE a (n int);").serves()
    files.add("1_a.sql", "CREATE TABLE a (n bigint);").serves().wait_for_line(r"changed after they were applied: migrations/1_a\.sql")
    assert "changed" not in files.serves().stderr


def test_older_image(files):
    files.add("1_a.sql", "SELECT 1;").add("2_b.sql", "SELECT 1;").serves()
    files.drop("2_b.sql").fails(81, r"older than the database: it lacks migrations/2_b\.sql")
    files.serves(on_newer_database="continue")


def test_older_image_after_a_newer_ones_failure(files):
    """embark's own records say of each file whether it was begun: what has none was not applied."""
    files.add("1_a.sql", "CREATE TABLE a (n int);").serves()
    files.add("2_b.sql", "-- embark: no transaction\nINSERT INTO a VALUES (1); SELECT 1/0;").add("3_c.sql", "SELECT 1;").fails(65)
    files.drop("3_c.sql")
    assert files.command("--dry-run").stdout.startswith("would run: a newer image's run did not end well")
    files.fails(65, r"2_b\.sql failed half-way, in an earlier run", "hint: .*--resolve")
    files.drop("2_b.sql").fails(81, r"lacks migrations/2_b\.sql, of a run that did not end well")


def test_a_lock_that_is_renamed(files, db):
    """Applied is applied, whatever the lock is called now; and again when it is called as before."""
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "INSERT INTO a VALUES (1);").serves(lock="one")
    plan = files.command("--dry-run", lock="two").expect(0).stdout
    assert "0 of 2 pending" in plan
    process = files.serves(lock="two")
    assert applied(process) == [] and re.search(r'1_a\.sql is applied already, under the lock "one".*\n  hint: .*--baseline none', process.stderr)
    assert files.states(scope="one") == files.states(scope="two") == {"1_a.sql": "applied", "2_b.sql": "applied"}
    assert "everything is applied" in files.serves(lock="two").stderr
    assert applied(files.add("3_c.sql", "INSERT INTO a VALUES (2);").serves(lock="two")) == ["3_c.sql"]
    assert applied(files.serves(lock="three")) == []
    assert applied(files.add("4_d.sql", "INSERT INTO a VALUES (3);").serves(lock="three")) == ["4_d.sql"]
    assert "0 of 4 pending" in files.command("--dry-run", lock="one").expect(0).stdout
    assert applied(files.serves(lock="one")) == []
    assert db.value("SELECT array_agg(n ORDER BY n) FROM a") == [1, 2, 3]
    assert dict(db.sql("SELECT name, origin FROM embark_ledger_files WHERE scope = 'one'")) == {
        "1_a.sql": None, "2_b.sql": None, "3_c.sql": "lock one", "4_d.sql": "lock one"}


def test_a_lock_that_is_renamed_and_another_schema(files, db):
    """What is applied there isn't applied here."""
    db.sql(f'CREATE SCHEMA t1 AUTHORIZATION "{db.role}"')
    files.add("1_a.sql", "CREATE TABLE a (n int);").serves(lock="one")
    process = files.serves(lock="two", url=db.url_as(query="options=-csearch_path%3Dt1"))
    assert applied(process) == ["1_a.sql"] and files.has("t1.a")


def test_a_lock_that_is_renamed_together_with_a_file(files, db):
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "INSERT INTO a VALUES (1);").serves(lock="one")
    files.drop("2_b.sql").add("3_b.sql", "INSERT INTO a VALUES (1);")
    assert applied(files.serves(lock="two")) == [] and db.value("SELECT count(*) FROM a") == 1


def test_a_lock_that_is_renamed_together_with_an_edit(files, db):
    """Nobody knows whether 2_b.sql is ours, and was edited, or another service's."""
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "INSERT INTO a VALUES (1);").serves(lock="one")
    files.add("2_b.sql", "INSERT INTO a VALUES (1); -- edited")
    unclear = r"can't be known: 2_b\.sql is recorded as applied, with other contents, under the lock \"one\""
    assert re.search("pending: not known: what is applied " + unclear, files.command("--dry-run", lock="two").expect(0).stdout)
    files.fails(80, unclear, "hint: .*--baseline FILE.*--baseline none", lock="two")
    assert files.states(scope="two") == {} and db.value("SELECT count(*) FROM a") == 1
    files.command("--baseline", "2_b.sql", lock="two").expect(0)
    assert "everything is applied" not in files.serves(lock="two").stderr and db.value("SELECT count(*) FROM a") == 1


def test_a_lock_that_is_renamed_after_a_failure(files):
    """Without a transaction: half of it may be there."""
    files.add("1_a.sql", "CREATE TABLE a (n int);").add("2_b.sql", "-- embark: no transaction\nINSERT INTO a VALUES (1); SELECT 1/0;")
    files.fails(65, lock="one")
    files.fails(80, r'2_b\.sql was begun, and has not ended well, under the lock "one"', lock="two")


def test_a_lock_that_is_renamed_while_a_migration_runs(files, db):
    """What the old name's holder does is waited for, and not done again."""
    files.add("1_a.sql", "CREATE TABLE a (n int);").serves(lock="one")
    files.add("2_b.sql", "SELECT pg_sleep(100); INSERT INTO a VALUES (1);")
    old = files.start(lock="one")
    eventually(lambda: sleeping(db), what="the file is run")
    new = files.start(lock="two")
    new.wait_for_line(r'waits for the migration under the lock "one"')
    assert files.states(scope="two") == {}
    db.sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%pg_sleep(100)%%' AND pid <> pg_backend_pid()")
    old.expect(65, timeout=40)
    eventually(lambda: sleeping(db), what="the file is run again")
    assert files.states(scope="two") == {"1_a.sql": "applied"}
    new.kill()


def test_two_services_in_one_schema(files, db, folder, embark):
    """Folders of their own, with names that are the same; even a file that is the same."""
    (folder / "second").mkdir()
    second = Files(folder / "second", embark, db)
    files.add("1_init.sql", "CREATE TABLE a (n int);").add("2_more.sql", "INSERT INTO a VALUES (1);").serves(lock="one")
    second.add("1_init.sql", "CREATE TABLE b (n int);").add("2_more.sql", "INSERT INTO b VALUES (1);")
    assert applied(second.serves(lock="two")) == ["1_init.sql", "2_more.sql"]
    both = "CREATE TABLE IF NOT EXISTS both_have (n int); INSERT INTO both_have VALUES (1);"
    assert applied(files.add("3_both.sql", both).serves(lock="one")) == ["3_both.sql"]
    assert applied(second.add("3_both.sql", both).serves(lock="two")) == ["3_both.sql"]    # with records of its own, it is another service
    assert "everything is applied" in files.serves(lock="one").stderr and "everything is applied" in second.serves(lock="two").stderr
    assert db.sql("SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM b), (SELECT count(*) FROM both_have)") == [(1, 1, 2)]


def test_a_new_service_that_shares_a_file(files, db, folder, embark):
    """Its contents are applied in this schema; the rest is its own, under whatever names."""
    (folder / "second").mkdir()
    second = Files(folder / "second", embark, db)
    files.add("1_both.sql", "CREATE TABLE both_have (n int);").add("2_own.sql", "CREATE TABLE a (n int);").add("3_x.sql", "SELECT 1;").serves(lock="one")
    second.add("1_both.sql", "CREATE TABLE both_have (n int);").add("2_own.sql", "CREATE TABLE b (n int);")
    assert applied(second.serves(lock="two")) == ["2_own.sql"]
    assert applied(second.add("3_x.sql", "CREATE TABLE c (n int);").serves(lock="two")) == ["3_x.sql"]
    (folder / "third").mkdir()
    third = Files(folder / "third", embark, db)
    third.add("1_both.sql", "CREATE TABLE both_have (n int);").add("2_y.sql", "SELECT 1;")
    third.command("--baseline", "none", lock="three").expect(0)
    third.fails(65, "already exists", lock="three")     # as it was told to


def test_ledger_in_a_schema(files, db):
    db.sql(f'CREATE SCHEMA "odd name" AUTHORIZATION "{db.role}"')
    files.add("1_a.sql", "SELECT 1;").serves(ledger="odd name.my ledger")
    assert files.states('"odd name"."my ledger_files"') == {"1_a.sql": "applied"}
    assert "everything is applied" in files.serves(ledger="odd name.my ledger").stderr


@pytest.mark.parametrize("keys,pattern", [({"ledger": "off"}, r"\[migrate\] sql needs the ledger"), ({"command": "true"}, "sql and command exclude each other")])
def test_what_does_not_go_together(files, keys, pattern):
    files.add("1_a.sql", "SELECT 1;").fails(78, pattern, **keys)


def test_records_that_somebody_has_taken_back_are_noticed(files, db):
    files.add("1_a.sql", "CREATE TABLE IF NOT EXISTS a (n int);").serves()
    db.sql("DELETE FROM embark_ledger_files")
    assert applied(files.serves()) == ["1_a.sql"]


# --- contents

def test_contents(files, db):
    files.add("1_bom.sql", b"\xef\xbb\xbfCREATE TABLE bom (n int);").add("2_crlf.sql", "CREATE TABLE crlf (n int);\r\nINSERT INTO crlf\r\nVALUES (1);\r\n")
    files.add("3_empty.sql", "").add("4_comment.sql", "-- nothing\n").add("5_no_semicolon.sql", "CREATE TABLE ns (n int)")
    files.add("6_copy.sql", "CREATE TABLE c (a int, b text);\nCOPY c FROM stdin;\n1\tx;y\n2\t\\N\n\\.\nINSERT INTO c VALUES (3);\n")
    files.add("7_notice.sql", "DROP TABLE IF EXISTS nowhere;\nDO $$ BEGIN RAISE NOTICE 'hello %', 1; END $$;\nSELECT 'a row';\n\\echo an echo\n")
    process = files.serves()
    assert len(applied(process)) == 7
    assert re.search(r"7_notice\.sql:2: NOTICE: hello 1", process.stderr) and "a row" in process.stderr and "an echo" in process.stderr
    assert db.sql("SELECT a, b FROM c ORDER BY a") == [(1, "x;y"), (2, None), (3, None)]


@pytest.mark.parametrize("text,pattern", [("SELECT :unset;\n", r"1_a\.sql:1:8: .*unset is not set"), ("SELECT 'open;\n", r"1_a\.sql:1:8: "),
                                          ("DO $$ BEGIN PERFORM :'x'; END $$;\n", r"1_a\.sql:1:"), ("SELECT 1;\0\n", "NUL"), ("\\connect x\n", r"1_a\.sql:1:1: ")])
def test_refused_before_anything_is_sent(files, text, pattern):
    files.add("1_a.sql", text)
    files.start("check").expect(65, pattern)
    files.fails(65, pattern)
    assert not files.has("embark_ledger")


def test_unreadable_file(files):
    (files.path / "1_a.sql").symlink_to("nowhere")
    process = files.fails(65, r"1_a\.sql: No such file")
    assert "applied" not in process.stderr
    files.drop("1_a.sql")
    (files.path / "1_a.sql").mkdir()
    files.fails(65, r"1_a\.sql: is a directory")


def test_odd_file_names(files, db):
    name = "1 it's \"ä\" %s.sql"
    files.add(name, "SELECT 1;").serves()
    assert files.states() == {name: "applied"}


# --- looks

def test_dry_run_and_status(files, db):
    files.add("1_a.sql", "SELECT 1;")
    process = files.command("--dry-run").expect(0)
    assert "would run" in process.stdout and "migrations" in process.stdout and not files.has("embark_ledger"), process.describe()
    files.serves()
    assert "would run nothing: everything is applied" in files.command("--dry-run").expect(0).stdout
    files.add("2_b.sql", "SELECT 1/0;")
    process = files.command("--dry-run").expect(0)
    assert re.search(r"(?m)^  new migrations/2_b\.sql$", process.stdout), process.describe()
    files.fails(65, "22012")
    process = files.command("--status").expect(0)
    assert "done" in process.stdout and "failed" in process.stdout, process.describe()


def test_as_a_job(files):
    files.add("1_a.sql", "CREATE TABLE a (n int);")
    files.command().expect(0, "(?m)^embark: done in .*migrate")
    assert files.has("a")


def test_json(files):
    files.add("1_a.sql", "SELECT 'a row';\n\\echo an echo\n").add("2_b.sql", "SELECT nonsense;")
    lines_of_json(files.fails(65, "nonsense", extra="[log]\nformat = json\n"))


# --- files that were renamed

def names(files):
    """Without what files were before they were edited."""
    return sorted(name for name in files.states() if not name.startswith("former: "))


@pytest.fixture
def two(folder, embark, db):
    db.sql("CREATE TABLE log (what text); ALTER TABLE log OWNER TO " + db.role)
    files = Files(folder, embark, db).add("001_a.sql", "INSERT INTO log VALUES ('a');").add("002_b.sql", "INSERT INTO log VALUES ('b');")
    files.serves()
    return files


def logged(db):
    return [row[0] for row in db.sql("SELECT what FROM log")]


def rename(files, old, new):
    (files.path / old).rename(files.path / new)


@pytest.mark.parametrize("renames", [
    [("002_b.sql", "002_other.sql")], [("002_b.sql", "007_b.sql")], [("001_a.sql", "003_a.sql")],
    [("001_a.sql", "x"), ("002_b.sql", "001_a.sql"), ("x", "002_b.sql")]])
def test_renamed_file_is_the_applied_one(two, db, renames):
    for old, new in renames:
        rename(two, old, new)
    two.serves().wait_for_line("it was renamed")
    assert logged(db) == ["a", "b"] and names(two) == sorted(path.name for path in two.path.iterdir())
    two.serves().wait_for_line("everything is applied")
    # back again, as a rollback does
    for old, new in reversed(renames):
        rename(two, new, old)
    two.serves()
    assert logged(db) == ["a", "b"]


def test_one_is_put_in_front_and_takes_the_number(two, db):
    rename(two, "002_b.sql", "003_b.sql")
    rename(two, "001_a.sql", "002_a.sql")
    two.add("001_new.sql", "INSERT INTO log VALUES ('new');").serves()
    assert logged(db) == ["a", "b", "new"] and names(two) == ["001_new.sql", "002_a.sql", "003_b.sql"]


def test_second_file_with_the_same_contents(two, db):
    two.add("003_a_again.sql", "INSERT INTO log VALUES ('a');").serves()
    assert logged(db) == ["a", "b", "a"]


def test_changed_file_is_told_and_not_applied_again(two, db):
    two.add("002_b.sql", "INSERT INTO log VALUES ('changed');").serves().wait_for_line("002_b.sql has changed since it was applied")
    assert logged(db) == ["a", "b"]
    # it is known by its new contents from then on, also under another name
    rename(two, "002_b.sql", "005_b.sql")
    two.serves()
    assert logged(db) == ["a", "b"] and names(two) == ["001_a.sql", "005_b.sql"]


def test_former_contents_are_applied_as_well(two, db):
    """A file was edited, and renamed after that; then an older image comes, which has it as it was, under its first name."""
    first = (two.path / "002_b.sql").read_text()
    two.add("002_b.sql", "-- a remark\nINSERT INTO log VALUES ('b');").serves()
    rename(two, "002_b.sql", "005_b.sql")
    two.serves()
    (two.path / "005_b.sql").unlink()
    two.add("002_b.sql", first).add("006_c.sql", "INSERT INTO log VALUES ('c');").serves()
    assert logged(db) == ["a", "b", "c"]
    plan = two.command("--dry-run").expect(0)
    assert "former" not in plan.stdout


def test_records_of_an_older_embark(two, db):
    """They have no place."""
    db.sql("ALTER TABLE embark_ledger_files DROP CONSTRAINT embark_ledger_files_pkey, DROP COLUMN place, ADD PRIMARY KEY (scope, name)")
    two.add("003_c.sql", "INSERT INTO log VALUES ('c');").serves()
    assert logged(db) == ["a", "b", "c"] and len(names(two)) == 3


def test_one_table_of_records_for_two_schemas(folder, embark, db):
    db.server.sql(f"CREATE SCHEMA t1 AUTHORIZATION {db.role}; CREATE SCHEMA t2 AUTHORIZATION {db.role}", database=db.name)
    files = Files(folder, embark, db).add("001_a.sql", "CREATE TABLE a ();")
    for tenant in ("t1", "t2"):
        url = f"{db.url}?options=-csearch_path%3D{tenant}"
        files.serves(url=url, ledger="public.embark_ledger")
        files.serves(url=url, ledger="public.embark_ledger").wait_for_line("everything is applied")
    assert files.has("t1.a") and files.has("t2.a")


def test_records_that_another_role_has_made(two, db):
    role = db.role + "_mallory"
    db.server.sql(f"CREATE ROLE {role}; ALTER TABLE embark_ledger_files OWNER TO {role}; GRANT ALL ON embark_ledger_files TO {db.role}",
                  database=db.name)
    two.add("003_c.sql", "INSERT INTO log VALUES ('c');").fails(77, "belongs to")
    assert logged(db) == ["a", "b"]
