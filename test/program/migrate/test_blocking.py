"""What embark check says of statements in [migrate] sql that keep a service waiting, in each format; a start says nothing."""

import re

import pytest

from conftest import TOP
from support import trees
from support.sql_files import files  # noqa: F401

STEPS = [
    ("users", "CREATE TABLE users (id integer);\nALTER TABLE users ADD PRIMARY KEY (id);", "CLUSTER orders;\nDROP TABLE users;"),
    ("orders", "ALTER TABLE users ADD age integer CHECK (age > 0);\n\nALTER TABLE orders\n  ADD CHECK (total > 0);", "VACUUM FULL orders;"),
    ("accepted", "-- embark: ok a dozen rows\nCLUSTER orders;", "CLUSTER orders;"),
]
PAGE = TOP / "doc/migrations-that-block.md"


def warned(process):
    return re.findall(r"warning: migrate: migrations/(\S+?): (.*)\n", process.stderr)


@pytest.mark.parametrize("form", trees.FORMATS)
def test_each_format(files, form):
    """Only the part that goes up, with its place in the file; and only in check."""
    names = trees.plant(files.path, form, STEPS)
    line = (files.path / names[1]).read_text().split("\n").index("  ADD CHECK (total > 0);") + 1
    process = files.start("check").expect(0)
    assert warned(process) == [(f"{names[1]}:{line}:3", "orders: ADD CHECK reads the whole table; nobody can read or write the table meanwhile (ACCESS EXCLUSIVE)")]
    files.db.sql(f"CREATE TABLE orders (total integer, id integer PRIMARY KEY); CLUSTER orders USING orders_pkey; ALTER TABLE orders OWNER TO {files.db.role}")
    assert "meanwhile" not in files.serves().stderr


def test_includes_and_json(files):
    (files.path / "parts").mkdir()
    (files.path / "parts/index.txt").write_text("\nCREATE INDEX ON orders (id);\n")
    files.add("1_a.sql", "\\ir parts/index.txt\n")
    assert [place for place, _ in warned(files.start("check").expect(0))] == ["parts/index.txt:2:1"]
    assert "CREATE INDEX CONCURRENTLY, alone in a file" in files.start("check", "--json").expect(0).stdout


def test_what_runs_without_a_transaction(files):
    files.add("1_a.sql", "-- embark: no transaction\nCREATE INDEX CONCURRENTLY i ON orders (id);\n"
                         "ALTER TABLE orders ADD CONSTRAINT c CHECK (id > 0) NOT VALID;\nALTER TABLE orders VALIDATE CONSTRAINT c;\n")
    assert warned(files.start("check").expect(0)) == []


# What each row of the page's table begins with.
ROWS = {
    "ADD COLUMN … DEFAULT random()": "ALTER TABLE orders ADD COLUMN c float DEFAULT random()",
    "ADD COLUMN … DEFAULT function()": "ALTER TABLE orders ADD COLUMN c text DEFAULT code()",
    "ADD COLUMN … serial": "ALTER TABLE orders ADD COLUMN c serial",
    "ADD COLUMN … GENERATED … STORED": "ALTER TABLE orders ADD COLUMN c int GENERATED ALWAYS AS (1) STORED",
    "ALTER COLUMN … TYPE": "ALTER TABLE orders ALTER COLUMN c TYPE bigint",
    "SET NOT NULL": "ALTER TABLE orders ALTER COLUMN c SET NOT NULL",
    "ADD FOREIGN KEY": "ALTER TABLE orders ADD FOREIGN KEY (c) REFERENCES other",
    "ADD CHECK": "ALTER TABLE orders ADD CHECK (c > 0)",
    "VALIDATE CONSTRAINT": "ALTER TABLE orders ADD CONSTRAINT x CHECK (c > 0) NOT VALID, VALIDATE CONSTRAINT x",
    "ADD PRIMARY KEY": "ALTER TABLE orders ADD PRIMARY KEY (c)",
    "ADD EXCLUDE": "ALTER TABLE orders ADD EXCLUDE USING gist (c WITH &&)",
    "SET LOGGED": "ALTER TABLE orders SET LOGGED",
    "SET TABLESPACE": "ALTER TABLE orders SET TABLESPACE fast",
    "CREATE INDEX": "CREATE INDEX ON orders (c)",
    "REINDEX": "REINDEX TABLE orders",
    "CLUSTER": "CLUSTER orders",
    "VACUUM FULL": "VACUUM FULL orders",
    "REFRESH MATERIALIZED VIEW": "REFRESH MATERIALIZED VIEW orders",
}


def test_the_page_is_true(files):
    """Each statement that has a row is warned of, and the page's example is what is said."""
    page = PAGE.read_text()
    example = re.search(r"^    (embark: warning: .*)\n    (  hint: .*)$", page, re.M)
    files.add("7_code.sql", "ALTER TABLE orders ADD code text DEFAULT random();")
    process = files.start("check").expect(0)
    assert f"{example[1]}\n{example[2]}\n" in process.stderr, process.stderr
    assert re.findall(r"^\| `([^`]*)`", page, re.M) == list(ROWS)
    files.add("7_code.sql", "-- embark: no transaction\n" + "".join(sql + ";\n" for sql in ROWS.values()))
    assert [int(place.split(":")[1]) for place, _ in warned(files.start("check").expect(0))] == list(range(2, len(ROWS) + 2))
