"""A folder of [migrate] sql, and starts with it. A test file gets the fixtures by importing them."""

import re

import pytest


class Files:
    """A folder of migrations, and starts with it."""

    def __init__(self, folder, embark, db):
        self.path = folder / "migrations"
        self.path.mkdir()
        self.folder, self.embark, self.db = folder, embark, db

    def add(self, name, text):
        (self.path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return self

    def drop(self, *names):
        for name in names:
            (self.path / name).unlink()
        return self

    def config(self, sql="migrations", extra="", **keys):
        return f"[migrate]\nsql = {sql}\n" + "".join(f"{k} = {v}\n" for k, v in {"retry_after": "0s", **keys}.items()) + extra

    def start(self, *words, env=None, url=None, **keys):
        return self.embark(*(words or ("echo", "served")), env={"DATABASE_URL": url or self.db.url, **(env or {})}, config=self.config(**keys),
                           cwd=self.folder)

    def serves(self, **how):
        process = self.start(**how)
        process.expect(0, "(?m)^embark: ready in ", timeout=40)
        assert process.stdout == "served\n", process.describe()
        return process

    def fails(self, code, *patterns, **how):
        process = self.start(**how)
        process.expect(code, *patterns, timeout=40)
        assert "served" not in process.stdout, process.describe()
        return process

    def command(self, *words, **how):
        process = self.start("migrate", *words, **how)
        process.wait(40)
        return process

    def states(self, table="embark_ledger_files", scope="embark"):
        return dict(self.db.sql(f"SELECT name, state FROM {table} WHERE scope = %s", (scope,)))

    def has(self, table):
        return self.db.value("SELECT to_regclass(%s) IS NOT NULL", (table,))


def applied(process):
    return re.findall(r"applied (\S+) in ", process.stderr)


@pytest.fixture
def files(folder, embark, db):
    return Files(folder, embark, db)


@pytest.fixture
def second(db):
    other = db.server.database()
    yield other
    other.drop()
