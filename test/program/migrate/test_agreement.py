"""doctor, migrate --dry-run and the start never disagree: on generated states both are asked first, and then a start is made.

EMBARK_AGREEMENT=500 generates more of them; EMBARK_AGREEMENT_SEED=N others.
"""

import os
import random
import shutil

import pytest

from support import npm
from support.apps import Alembic, App
from support.forecast import Forecast, environment
from support.waiting import eventually

COUNT = int(os.environ.get("EMBARK_AGREEMENT", "36"))
SEED = os.environ.get("EMBARK_AGREEMENT_SEED", "1")


class Dbmate(App):
    """The real one, whose migrations may lie in two folders."""

    files = None

    def __init__(self, folder, embark, db):
        super().__init__(folder, embark, db)
        self.folders = [self.folder / "db" / "migrations", self.folder / "more"]
        for path in self.folders:
            path.mkdir(parents=True)
        (self.folder / "bin").mkdir()
        program = self.folder / "bin" / "dbmate"
        shutil.copy(npm.dbmate_program(), program)
        program.chmod(0o755)
        self.command = f"{program}\n    --no-dump-schema"
        self.count = 0

    def finish(self, chance):
        if chance.random() < 0.5:
            self.command += "\n    -d\n    db/migrations\n    -d\n    more"
        else:
            shutil.rmtree(self.folders[1])
            self.folders = self.folders[:1]
        self.command += "\n    migrate"

    def add(self, name, sql):
        self.count += 1
        (self.folders[self.count % len(self.folders)] / f"{20230000000000 + self.count}_{name}.sql").write_text(
            f"-- migrate:up\n{sql};\n-- migrate:down\n")

    def drop(self, name):
        for path in self.paths(name):
            path.unlink()

    def paths(self, name):
        return [path for folder in self.folders for path in folder.glob(f"*_{name}.sql")]


class Sql(App):
    """[migrate] sql."""

    count = 0

    def finish(self, chance):
        pass

    def add(self, name, sql):
        self.count += 1
        (self.folder / "migrations" / f"{self.count:03}_{name}.sql").write_text(f"{sql};\n")

    def drop(self, name):
        for path in self.paths(name):
            path.unlink()

    def paths(self, name):
        return list((self.folder / "migrations").glob(f"*_{name}.sql"))

    def config(self, extra="", **keys):
        return super().config(extra, **{**keys, "command": None, "files": None, "sql": "migrations"})


class Steps(App):
    """The tests' own tool, whose files are named, or not."""

    def finish(self, chance):
        if chance.random() < 0.4:
            self.files = None

    def paths(self, name):
        return list((self.folder / "migrations").glob(f"{name}.sql"))


class OfAlembic(Alembic):
    def finish(self, chance):
        if chance.random() < 0.5:
            ini = self.folder / "alembic.ini"
            (self.folder / "notes").mkdir()
            (self.folder / "notes" / "__init__.py").write_text("")
            shutil.move(self.folder / "migrations", self.folder / "notes" / "migrations")
            self.versions = self.folder / "notes" / "migrations" / "versions"
            ini.write_text(ini.read_text().replace("%(here)s/migrations", "notes:migrations"))

    def paths(self, name):
        return list(self.versions.glob(f"{name}.py"))


APPS = (Dbmate, Sql, Steps, OfAlembic)


class Scenario:
    def __init__(self, folder, embark, db, server, number):
        self.chance = random.Random(f"{SEED} {number}")
        self.embark, self.db, self.server = embark, db, server
        self.said = []
        self.app = self.pick(APPS)(folder, embark, db)
        self.app.finish(self.chance)
        self.keys = {"retry_after": self.pick(("10m", "1ms")), "on_newer_database": self.pick(("fail", "fail", "continue")),
                     "lock_timeout": "1s"}
        if self.chance.random() < 0.15:
            self.keys["ledger"] = "off"
        self.query = "sslmode=disable" if isinstance(self.app, Dbmate) else ""     # which lib/pq wants
        self.extra, self.env, self.url = "[database]\nconnect_timeout = 20s\ntimeout = 30s\n", {}, db.url_as(query=self.query)
        self.tables = 0

    def pick(self, from_):
        one = self.chance.choice(from_)
        self.said.append(getattr(one, "__name__", str(one)))
        return one

    def add(self, sql=None):
        self.tables += 1
        name = f"m{self.tables}"
        self.app.add(name, sql or f"CREATE TABLE {name} (n int)")
        return name

    def start(self):
        config = self.app.config(self.extra, **self.keys)
        return self.embark.run("run", "--", "true", cwd=self.app.folder, config=config, env={"DATABASE_URL": self.url, **self.env}, timeout=60)

    # --- what has been before

    def past(self):
        for name in self.chance.sample(PAST, self.chance.randrange(0, 4)):
            self.said.append(name.__name__)
            name(self)

    def started(self):
        self.start()

    def migrated(self):
        self.add()
        self.start()

    def has_failed(self):
        self.add("SELECT 1/0")
        self.start()

    def newer_was_here(self):
        name = self.add()
        self.start()
        self.app.drop(name)

    def has_another_branch(self):
        self.newer_was_here()
        if isinstance(self.app, Alembic):
            self.app.last = f"m{self.tables - 1}"
        self.add()

    def lost_its_ledger(self):
        self.start()
        self.db.sql("DROP TABLE IF EXISTS embark_ledger")

    def was_taken_on_by_others(self):
        """The tool's table stands at what no file here has."""
        self.start()
        if isinstance(self.app, Alembic):
            self.db.sql("UPDATE alembic_version SET version_num = 'unknown'")

    def was_edited(self):
        self.start()
        for path in self.app.paths("m1"):
            path.write_text(path.read_text() + ("\n# edited\n" if path.suffix == ".py" else "\n-- edited\n"))

    def was_renamed(self):
        self.start()
        for path in self.app.paths("m1"):
            path.rename(path.with_name(path.name.replace("m1", "other")))

    def was_killed(self):
        self.add("SELECT pg_sleep(20)")
        config = self.app.config(self.extra, **self.keys)
        process = self.embark("run", "--", "true", cwd=self.app.folder, config=config, env={"DATABASE_URL": self.url, **self.env})
        eventually(lambda: not process.running or self.db.sql(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%pg_sleep(20)%%' AND pid <> pg_backend_pid()"),
            timeout=30, what="the migration")
        process.kill()
        self.db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
        eventually(lambda: not self.db.backends(), what="the end of the killed run's backends")
        for path in self.app.paths(f"m{self.tables}"):
            path.write_text(path.read_text().replace("pg_sleep(20)", "1"))

    # --- how it is now

    def present(self):
        for name in self.chance.sample(PRESENT, self.chance.choice((0, 1, 1, 2))):
            self.said.append(name.__name__)
            name(self)

    def has_new_files(self):
        self.add()

    def gets_another_command(self):
        if not isinstance(self.app, Sql):
            self.app.command = f"/usr/bin/env\n    {self.app.command}"

    def gets_a_wrong_password(self):
        self.url = self.db.url_as(password="wrong", query=self.query)

    def names_a_missing_database(self):
        self.url = self.db.url_as(name="nowhere", query=self.query)

    def has_a_good_bootstrap(self):
        self.extra += f"[bootstrap]\nurl = {self.superuser()}\nwhen = {self.pick(('missing', 'always'))}\n"

    def has_a_bad_bootstrap(self):
        self.extra += f"[bootstrap]\nurl = {self.superuser(password='wrong')}\nwhen = {self.pick(('missing', 'always'))}\n"

    def may_create_nothing(self):
        self.db.sql(f'ALTER DATABASE "{self.db.name}" OWNER TO postgres; REVOKE CREATE ON SCHEMA public FROM PUBLIC;'
                    " ALTER SCHEMA public OWNER TO postgres")

    def lacks_a_file(self):
        self.extra += "[require]\nfile = missing.txt\n"

    def has_a_stale_image(self):
        self.extra += "[image]\nbuild = a\nexpect = b\n"

    def is_mistaken(self):
        self.extra += "[health]\ntimeout = soon\n"

    def leaves_migrations_out(self):
        self.env["EMBARK_SKIP"] = "migrate"

    def has_no_files(self):
        for number in range(1, self.tables + 1):
            for path in self.app.paths(f"m{number}"):
                path.unlink()

    def acts_in_another_schema(self):
        self.db.sql(f'CREATE SCHEMA IF NOT EXISTS t1 AUTHORIZATION "{self.db.role}"; ALTER ROLE "{self.db.role}" SET search_path = t1')

    def superuser(self, password=None):
        role = f"boss_{self.db.role}"
        if not self.server.sql("SELECT FROM pg_roles WHERE rolname = %s", (role,)):
            self.server.sql(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 'Boss-1'")
        return self.db.url_as(user=role, password=password or "Boss-1")

    def compare(self):
        config = self.embark.write_config(self.app.config(self.extra, **self.keys))
        env = environment(self.embark.environment(self.env), self.url, config)
        forecast = Forecast(self.embark.binary, self.app.folder, env)
        process = self.start()
        odd = forecast.differs(process.popen.returncode, process.stderr)
        assert not odd, "\n".join([odd, " ".join(self.said), config.read_text(), *forecast.report(), process.describe()])


PAST = [Scenario.started, Scenario.migrated, Scenario.has_failed, Scenario.newer_was_here, Scenario.has_another_branch,
        Scenario.lost_its_ledger, Scenario.was_taken_on_by_others, Scenario.was_edited, Scenario.was_renamed, Scenario.was_killed]
PRESENT = [Scenario.has_new_files, Scenario.gets_another_command, Scenario.gets_a_wrong_password, Scenario.names_a_missing_database,
           Scenario.has_a_good_bootstrap, Scenario.has_a_bad_bootstrap, Scenario.may_create_nothing, Scenario.lacks_a_file,
           Scenario.has_a_stale_image, Scenario.is_mistaken, Scenario.leaves_migrations_out, Scenario.has_no_files,
           Scenario.acts_in_another_schema]


@pytest.mark.parametrize("number", range(COUNT))
def test_agreement(number, folder, embark, db, server):
    scenario = Scenario(folder, embark, db, server, number)
    scenario.add()
    scenario.past()
    scenario.present()
    try:
        scenario.compare()
    finally:
        server.sql(f"DROP ROLE IF EXISTS boss_{db.role}")
