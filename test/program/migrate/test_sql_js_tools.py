"""[migrate] sql beside Prisma itself and Knex itself."""

import re

from support import trees
from support.js_tools import knex, prisma
from support.sql_files import applied, files, second  # noqa: F401


def named_pending(process):
    return re.findall(r"(?m)^  pending (\S+)$", process.expect(0).stdout)


def test_prisma_before_and_after(files, db, second, folder):
    """Prisma, then embark, then Prisma again: the same as by Prisma alone, each file once, and both say the same of what is pending."""
    names = trees.plant(files.path, "prisma", trees.STEPS[:2])
    prisma(folder, db, "deploy")
    names += trees.plant(files.path, "prisma", trees.STEPS[2:4], first=3)
    pending = re.findall(r"(?m)^(\d{14}_\w+)$", prisma(folder, db, "status", check=False).stdout)
    assert [f"{name}/migration.sql" for name in pending] == names[2:] == named_pending(files.command("--dry-run")) == named_pending(files.command("--status"))
    doctor = files.start("doctor")
    doctor.wait(40)
    assert re.search(rf"pending +2 of 4: {names[2]},\s+{names[3]}", doctor.stdout), doctor.describe()
    assert applied(files.serves(keep_tool_table="yes")) == names[2:]
    assert "Database schema is up to date" in prisma(folder, db, "status").stdout
    names += trees.plant(files.path, "prisma", trees.STEPS[4:], first=5)
    prisma(folder, db, "deploy")
    process = files.serves()
    assert applied(process) == [] and files.states() == {name: "applied" for name in names} and "has changed" not in process.stderr
    prisma(folder, second, "deploy")
    assert trees.dump(db) == trees.dump(second)
    rows = "SELECT migration_name, checksum, finished_at IS NULL, rolled_back_at, applied_steps_count FROM _prisma_migrations ORDER BY 1"
    assert db.sql(rows) == second.sql(rows)


def test_prisma_on_what_embark_has_made(files, db, second, folder):
    names = trees.plant(files.path, "prisma")
    assert applied(files.serves(keep_tool_table="yes")) == names
    assert "Database schema is up to date" in prisma(folder, db, "status").stdout
    assert "No pending migrations to apply" in prisma(folder, db, "deploy").stdout
    prisma(folder, second, "deploy")
    assert trees.dump(db) == trees.dump(second)


def test_prisma_has_failed_half_way(files, db, folder):
    names = trees.plant(files.path, "prisma", trees.STEPS[:1])
    names += trees.plant(files.path, "prisma", [("bad", "SELECT nonsense;", "")], first=2)
    assert prisma(folder, db, "deploy", check=False).returncode != 0
    files.fails(80, rf"says that {names[1]} has failed half-way, when Prisma ran it", rf"hint: .*--resolve {names[1]}")
    (files.path / names[1]).write_text("SELECT 1;\n")
    files.command("--resolve", names[1], "--as", "pending").expect(0, "counts as pending now")
    assert applied(files.serves()) == names[1:]


def plain(files, steps, first=1):
    names = []
    for number, (name, sql, _) in enumerate(steps, first):
        names.append(f"{number:03}_{name}.sql")
        files.add(names[-1], ("-- embark: no transaction\n" if "CONCURRENTLY" in sql else "") + sql + "\n")
    return names


def test_sql_that_knex_runs(files, db, second, folder):
    """Knex's migrations are JavaScript, here with knex.raw() of an SQL file each: the files alone are embark's."""
    names = plain(files, trees.STEPS)
    knex(folder, second, "latest")
    assert applied(files.serves()) == names
    assert trees.dump(db) == trees.dump(second, "knex_migrations*")


def test_half_by_knex(files, db, second, folder):
    """Knex's table is of its JavaScript files, and not taken over: --baseline says what is applied."""
    names = plain(files, trees.STEPS[:2])
    knex(folder, db, "latest")
    files.fails(65, 'relation "users" already exists', "hint: .*--baseline FILE")
    files.command("--baseline", names[-1]).expect(0, "2 files count now as applied")
    names += plain(files, trees.STEPS[2:], first=3)
    assert named_pending(files.command("--dry-run")) == names[2:] and applied(files.serves()) == names[2:]
    assert "No Pending Migration files Found" not in knex(folder, second, "status").stdout
    knex(folder, second, "latest")
    assert trees.dump(db, "knex_migrations*") == trees.dump(second, "knex_migrations*")
