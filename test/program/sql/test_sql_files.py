"""embark sql: files that results go into, files that are included, and files that are no SQL."""

import bz2
import gzip
import io
import lzma
import os
import stat
import subprocess
import tarfile
import zipfile

import pytest


@pytest.fixture
def sql(embark, folder):
    """sql(db, text, *words): the text as a file, run by embark sql to its end."""
    def run(db, text, *words, name="file.sql", **how):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        process = embark("sql", *words, name, env={"DATABASE_URL": db if isinstance(db, str) else db.url}, **how)
        process.wait(60)
        return process

    return run


@pytest.fixture
def nowhere(refused_port):
    """A server that isn't there: what is told is told before anything is sent."""
    return f"postgresql://app:x@127.0.0.1:{refused_port}/app"


# --- \\g FILE and \\o FILE

OUTPUT = """SELECT 'first';
SELECT 1, 'one' \\g a.out
SELECT 2 \\g (format=unaligned) b.out
\\o c.out
SELECT 3;
\\qecho asked
\\echo plain
COPY (SELECT 4) TO STDOUT;
SELECT 5 \\g d.out
SELECT 6;
\\p
\\o
SELECT 7;
\\o e.out
\\o f.out
SELECT 8;
\\o
SELECT 'none' \\g /dev/null
\\o /dev/null
SELECT 'none';
\\o
SELECT 'DO $$BEGIN END$$', 'SELECT 9' \\gexec
"""


def test_files_are_as_psql_writes_them(sql, db, folder):
    process = sql(db, OUTPUT).expect(0)
    ours = {path.name: path.read_text() for path in folder.glob("*.out")}
    there = folder / "psql"
    there.mkdir()
    (there / "file.sql").write_text(OUTPUT)
    done = subprocess.run([db.server.programs.program("psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", db.url, "-f", "file.sql"], cwd=there,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert ours == {path.name: path.read_text() for path in there.glob("*.out")} and process.stdout == done.stdout
    assert ours["c.out"] == "3\nasked\n4\n6\n" and ours["e.out"] == "" and len(ours) == 6


def test_file_is_emptied_first(sql, db, folder):
    (folder / "a.out").write_text("what was there before\n")
    sql(db, "SELECT 1 \\g a.out\nSELECT 2 \\g a.out\n").expect(0)
    assert (folder / "a.out").read_text() == "2\n"


def test_output_that_an_included_file_opens_stays(sql, db, folder):
    (folder / "inc.sql").write_text("\\o a.out\n")
    process = sql(db, "\\i inc.sql\nSELECT 1;\n").expect(0)
    assert (folder / "a.out").read_text() == "1\n" and process.stdout == ""


@pytest.mark.parametrize("text,place,why", [("CREATE TABLE t (n int);\nINSERT INTO t VALUES (1) RETURNING n \\g nowhere/x\n", r"2:38: \\g", "No such file or directory"),
                                            ("\\o .\n", r"1:1: \\o", "[Ii]s a directory"), ("SELECT 1 \\g fifo\n", r"1:10: \\g", "No such device or address")])
def test_file_that_cannot_be_written(sql, db, folder, text, place, why):
    """And the statement isn't sent."""
    os.mkfifo(folder / "fifo")
    sql(db, text).expect(65, rf"file\.sql:{place}: .* can't be written: {why}")
    assert db.value("SELECT to_regclass('t') IS NULL") or db.value("SELECT count(*) FROM t") == 0


def test_full_device(sql, db):
    sql(db, "SELECT 1 \\g /dev/full\n").expect(71, "results can't be written")


@pytest.mark.parametrize("text", ["SELECT 1 \\g |cat\n", "SELECT 1 \\g | cat >x\n", "\\o |cat\n", "SELECT 1 \\g (format=csv) |cat\n", "\\out |cat\n"])
def test_no_program_is_run(sql, nowhere, text):
    sql(nowhere, text).expect(65, r"file\.sql:1:\d+: \\\w+: no program is run for results", "nothing was sent")


@pytest.mark.parametrize("text", ["\\set p '|cat >x'\nSELECT 1 \\g :p\n", "\\set p '|cat >x'\n\\o :p\nSELECT 1;\n"])
def test_no_program_of_a_variable(sql, db, folder, text):
    sql(db, text).expect(65, "no program is run for results")
    assert not (folder / "x").exists()


def test_secret_in_a_file(sql, db, folder):
    sql(db, "SELECT :'password' \\g a.out\n", "-v", "password=Hush-Hush-1").expect(0)
    assert (folder / "a.out").read_text() == "****\n"


def test_file_of_a_migration(embark, folder, db):
    (folder / "migrations").mkdir()
    (folder / "migrations" / "1_a.sql").write_text("SELECT 1 \\g a.out\nSELECT 'to the log';\n")
    embark("true", env={"DATABASE_URL": db.url}, config="[migrate]\nsql = migrations\n", cwd=folder).expect(0, "to the log", timeout=40)
    assert (folder / "a.out").read_text() == "1\n" and stat.S_IMODE((folder / "a.out").stat().st_mode) & 0o111 == 0


# --- \\i from the wrong folder

@pytest.mark.parametrize("words", ["\\i", "\\include"])
def test_included_from_the_wrong_folder(sql, db, nowhere, folder, words):
    (folder / "sub").mkdir()
    (folder / "sub" / "inc.sql").write_text("SELECT 9;\n")
    told = (r"sub/file\.sql:1:1: inc\.sql: No such file", r"hint: .*\\ir inc\.sql finds sub/inc\.sql")
    sql(nowhere, f"{words} inc.sql\n", name="sub/file.sql").expect(65, *told, "nothing was sent")
    # where nobody sees it before
    sql(db, f"\\set f inc.sql\n{words} :f\n", name="sub/file.sql").expect(65, r"sub/inc\.sql|inc\.sql: No such file", told[1])
    assert sql(db, "\\ir inc.sql\n", name="sub/file.sql").expect(0).stdout == "9\n"


def test_included_that_is_nowhere(sql, nowhere):
    process = sql(nowhere, "\\i inc.sql\n", name="sub/file.sql").expect(65, r"inc\.sql: No such file")
    assert "\\ir" not in process.stderr


# --- what is no SQL

def tarred(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 8
        tar.addfile(info, io.BytesIO(b"SELECT 1"))
    return out.getvalue()


def zipped():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.sql", "SELECT 1;")
    return out.getvalue()


KINDS = {
    "gzip": (lambda: gzip.compress(b"SELECT 1;"), "compressed by gzip", "gzip -d"), "bzip2": (lambda: bz2.compress(b"SELECT 1;"), "compressed by bzip2", "bzip2 -d"),
    "xz": (lambda: lzma.compress(b"SELECT 1;"), "compressed by xz", "xz -d"), "tar": (lambda: tarred("a.sql"), "a tar archive", "tar -x"),
    "zip": (zipped, "a zip archive", "unzip"), "zstd": (lambda: b"\x28\xb5\x2f\xfd\x20\x09\x49\0\0SELECT 1;", "compressed by zstd", "zstd -d"),
    "lz4": (lambda: b"\x04\x22\x4d\x18\x64\x40\xa7\x09\0\0\x80SELECT 1;\0\0\0\0", "compressed by lz4", "lz4 -d"),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("included", [False, True])
def test_packed(sql, nowhere, db, folder, kind, included):
    make, what, hint = KINDS[kind]
    told = (rf"packed\.sql:1:1: this is {what}", f"hint: unpack it where the image is built: {hint}")
    if included:
        (folder / "packed.sql").write_bytes(make())
        sql(nowhere, "\\i packed.sql\n").expect(65, *told, "nothing was sent")
        sql(db, "\\set f packed.sql\n\\i :f\n").expect(65, *told)
    else:
        sql(nowhere, make(), name="packed.sql").expect(65, *told, "nothing was sent")


@pytest.mark.parametrize("form,what", [("c", "custom"), ("t", "tar")])
def test_dump_of_pg_dump(sql, db, nowhere, folder, form, what):
    db.sql(f"CREATE TABLE t (n int); ALTER TABLE t OWNER TO {db.role}")
    subprocess.run([db.server.programs.program("pg_dump"), f"-F{form}", "-f", folder / "dump", "-d", db.url], check=True)
    sql(nowhere, (folder / "dump").read_bytes(), name="a.sql").expect(65, rf"a\.sql:1:1: this is a dump in pg_dump's {what} format", "hint: pg_restore -f FILE")


@pytest.mark.parametrize("text", ["BZh SELECT 1;", "PK", "toc.dat"])
def test_text_that_begins_like_it(sql, db, text):
    """The server's to judge."""
    sql(db, text).expect(65, "ERROR 42601")


@pytest.mark.parametrize("name", ["2_b.sql.gz", "2_b.sql.zst", "2_b.dump", "2_b.tar"])
def test_packed_among_migrations(embark, folder, db, name):
    (folder / "migrations").mkdir()
    (folder / "migrations" / "1_a.sql").write_text("SELECT 1;")
    (folder / "migrations" / name).write_bytes(b"x")
    embark("check", env={"DATABASE_URL": db.url}, config="[migrate]\nsql = migrations\n", cwd=folder).expect(
        78, rf"{name}: a dump, or compressed", "hint: unpack it where the image is built")


def test_packed_migration(embark, folder):
    (folder / "migrations").mkdir()
    (folder / "migrations" / "1_a.sql").write_bytes(gzip.compress(b"SELECT 1;"))
    embark("check", config="[migrate]\nsql = migrations\n", cwd=folder).expect(65, r"1_a\.sql:1:1: this is compressed by gzip")


# --- the caret

BAD = {"plain": "SELECT 1;\n\nSELECT 1 FRM x y;\n", "in a DO block": "DO $$\nBEGIN\n  SELECT 1 FRM x y;\nEND $$;\n",
       "in a function": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS $$\n  SELECT 1\n  FRM x y;\n$$;\n", "executed": "DO $$\nBEGIN\n  EXECUTE 'SELECT 1 FRM x y';\nEND $$;\n"}


def carets(process):
    lines = process.stderr.splitlines()
    found = [i for i, line in enumerate(lines) if line.rstrip().endswith("^")]
    assert len(found) == 1, process.describe()
    above = lines[found[0] - 1]
    assert "LINE" in above and above[lines[found[0]].index("^"):].startswith(("x", "y")), process.describe()
    assert process.stderr.count("42601") == 1


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_caret_is_there_once(sql, embark, folder, db, text):
    carets(sql(db, text).expect(65, "42601"))
    (folder / "migrations").mkdir()
    (folder / "migrations" / "1_a.sql").write_text(text)
    carets(embark("true", env={"DATABASE_URL": db.url}, config="[migrate]\nsql = migrations\n", cwd=folder).expect(65, "42601", timeout=40))
