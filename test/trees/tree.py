"""One tree: its files, the starts that apply them, the blows, and what must be true after each."""

import contextlib
import signal
import subprocess
import time
import uuid

import psycopg2

from support import namespaces, trees
from support.process import MARK, PATH, PID_NAMESPACE, end_marked, send

# Whose files run without a transaction only if they hold one statement that can't run in one.
SINGLE = ("golang-migrate", "flyway", "prisma")
BLOWS = ["embark", "embark", "container", "container", "terminate", "terminate", "term", "backend", "server", "server kill"]
CODES = (0, 65, 69, 75, 80, 143, -9, 137, -15)
# What files call: a note of their own, something that takes its time, and what fails until a flag is there.
BASE = """
CREATE TABLE done (file text, part text);
CREATE TABLE flags (file text);
CREATE TABLE slow (n int);
INSERT INTO slow VALUES (1), (2), (3);
CREATE FUNCTION note(file text, part text) RETURNS void LANGUAGE sql AS $$INSERT INTO public.done VALUES ($1, $2)$$;
CREATE FUNCTION late(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$BEGIN PERFORM pg_catalog.pg_sleep(0.05); RETURN n; END$$;
CREATE FUNCTION need(file text) RETURNS void LANGUAGE plpgsql AS $$BEGIN
  IF NOT EXISTS (SELECT FROM public.flags f WHERE f.file = $1) THEN RAISE EXCEPTION 'not yet: %', $1; END IF;
END$$;
"""


class Wrong(Exception):
    """A tree that isn't as it must be."""


class File:
    def __init__(self, chance, form, number):
        self.step = f"step{number}"
        self.alone = chance.random() < 0.3
        self.single = self.alone and form in SINGLE
        self.fails = chance.random() < 0.12 and not self.single
        self.record = None  # its name in embark's table
        self.sql = self.write(chance, form)
        self.back = f"DROP TABLE IF EXISTS {self.step} CASCADE;\nDELETE FROM done;"

    def write(self, chance, form):
        step, pause = self.step, f"SELECT pg_sleep({chance.uniform(0.01, 0.15):.3f});"
        index = f"CREATE INDEX CONCURRENTLY {step}_i ON slow (late(n));"
        if self.single:
            return index
        lines = [f"SELECT note('{step}', 'begin');"]
        if self.alone:
            lines += [index] if chance.random() < 0.7 else [pause, f"DROP INDEX CONCURRENTLY IF EXISTS {step}_no;"]
        else:
            lines += [f"CREATE TABLE {step} (n int, t text DEFAULT 'a; b');", f"INSERT INTO {step} SELECT generate_series(1, 50);"]
        if chance.random() < 0.4:
            lines.append(f"CREATE OR REPLACE FUNCTION f_{step}() RETURNS int LANGUAGE plpgsql AS $$\nBEGIN\n    PERFORM 1; -- x; y\n    RETURN 2;\nEND;\n$$;")
        if form == "embark" and not self.alone:
            lines.append(chance.choice([f"COPY {step} FROM stdin;\n1\tx;y\n2\t\\N\n\\.", f"SELECT 'ALTER TABLE {step} ADD b int' \\gexec",
                                        f"\\set name {step}\nINSERT INTO :name VALUES (3) \\; SELECT 4;"]))
        lines += [pause, *([f"SELECT need('{step}');"] if self.fails else []), f"SELECT note('{step}', 'end');"]
        return "\n".join(lines)


def own(number, name, sql, back, alone):
    return {f"{number:03}_{name}.sql": ("-- embark: no transaction\n" if alone else "") + sql + "\n"}


class Tree:
    def __init__(self, server, binary, folder, chance, form):
        self.server, self.binary, self.folder, self.chance, self.form = server, binary, folder, chance, form
        self.mark = f"tree{uuid.uuid4().hex}"
        self.lines, self.counts, self.starts = [], {}, 0
        self.db = server.database()
        self.db.sql(BASE)
        for table in ("done", "flags", "slow"):
            self.db.sql(f'ALTER TABLE {table} OWNER TO "{self.db.role}"')
        self.files = [File(chance, form, number) for number in range(1, chance.randint(5, 9) + 1)]
        self.before = 0  # how many the tool has applied
        self.keep = form != "embark" and chance.random() < 0.4
        self.told = self.keep or chance.random() < 0.5
        self.plant()

    def say(self, text):
        self.lines.append(text)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1

    # --- the files

    def plant(self):
        path = self.folder / "migrations"
        render = own if self.form == "embark" else trees.RENDER[self.form]
        for number, file in enumerate(self.files, 1):
            files = render(number, file.step, file.sql, file.back, file.alone)
            for name, text in files.items():
                (path / name).parent.mkdir(parents=True, exist_ok=True)
                (path / name).write_text(text)
            file.record = next(iter(files))
        if self.form == "prisma":
            (path / "migration_lock.toml").write_text('provider = "postgresql"\n')
        if self.form == "atlas":
            trees.hash_atlas(path)
        config = "[migrate]\nsql = migrations\nretry_after = 0s\n[service]\ngrace = 1s\n[migrate]\n"
        config += f"format = {self.form}\n" if self.told else ""
        (self.folder / "embark.ini").write_text(config + ("keep_tool_table = yes\n" if self.keep else ""))
        self.say(f"{self.form}, {len(self.files)} files{', told' if self.told else ''}{', the table kept up' if self.keep else ''}: "
                 + ", ".join(file.record + (" (alone)" if file.alone else "") + (" (fails first)" if file.fails else "") for file in self.files))

    def by_tool(self):
        """The first files, as their tool would have left them."""
        if self.form == "embark" or self.chance.random() < 0.5:
            return
        self.before = self.chance.randint(1, len(self.files) - 2)
        connection = self.db.connect_as_role()
        for file in self.files[:self.before]:
            connection.cursor().execute(f"INSERT INTO flags VALUES ('{file.step}')")
            for statement in [file.sql] if "$$" in file.sql and not file.alone else split(file.sql):
                connection.cursor().execute(statement)
        connection.close()
        trees.steps_in(self.db, self.form, [file.record for file in self.files[:self.before]], self.folder / "migrations")
        self.say(f"the tool has applied {self.before}")

    # --- starts

    def launch(self, *words, contained=False):
        self.starts += 1
        with open(self.folder / f"start{self.starts}.err", "wb") as err:
            return subprocess.Popen([*(PID_NAMESPACE if contained else []), self.binary, *(words or ("true",))], stdin=subprocess.DEVNULL,
                                    stdout=subprocess.DEVNULL, stderr=err, cwd=self.folder,
                                    env={"PATH": PATH, "HOME": str(self.folder), MARK: self.mark, "DATABASE_URL": self.db.url})

    def wait(self, process):
        try:
            code = process.wait(90)
        except subprocess.TimeoutExpired:
            raise Wrong(f"start {self.starts} hangs") from None
        if code not in CODES and code != 1:
            raise Wrong(f"start {self.starts} ended with {code}")
        return code

    def errors(self):
        return (self.folder / f"start{self.starts}.err").read_text(errors="replace")

    def last_words(self):
        return [f"--- start {n}\n" + "\n".join((self.folder / f"start{n}.err").read_text(errors="replace").splitlines()[-15:])
                for n in range(max(1, self.starts - 2), self.starts + 1)]

    # --- blows

    def backends(self):
        with contextlib.suppress(psycopg2.Error):
            return self.db.backends("embark:%")
        return []

    def wait_for_work(self, process):
        """Until a session of the migration is there; now and then not even that."""
        if self.chance.random() < 0.15:
            time.sleep(self.chance.uniform(0, 0.3))  # the moment is the test's subject
            return
        end = time.monotonic() + 20
        while process.poll() is None and time.monotonic() < end and not self.db.backends("embark:run%"):
            time.sleep(0.01)
        time.sleep(self.chance.uniform(0, 0.1 + 0.09 * len(self.files)))  # likewise

    def strike(self, kind, process):
        if kind == "term":
            send(process.pid, signal.SIGTERM)
        elif kind in ("embark", "container"):
            send(process.pid, signal.SIGKILL)  # a container's unshare takes its namespace along
        elif kind == "server":
            self.server.restart("immediate")
        elif kind == "server kill":
            self.server.stop("kill")
            self.start_server()
        else:
            backends = self.backends()
            if not backends:
                return "nobody is there"
            pid = self.chance.choice(backends)
            if kind == "backend":
                send(pid, signal.SIGKILL)
                self.server_again()
            else:
                with contextlib.suppress(psycopg2.Error):
                    self.db.sql("SELECT pg_terminate_backend(%s)", (pid,))
        return kind

    def start_server(self):
        """A backend that was born as the server was killed has its memory for a moment longer."""
        end = time.monotonic() + 60
        while True:
            try:
                self.server.start()
                return
            except AssertionError:
                self.server.popen = None
                if time.monotonic() > end:
                    raise
            time.sleep(0.1)

    def server_again(self):
        """After a backend was killed the server takes all others along, and recovers."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(psycopg2.Error):
                self.db.value("SELECT 1")
                if not self.db.value("SELECT pg_is_in_recovery()"):
                    return
            time.sleep(0.02)
        raise Wrong("the server doesn't recover")

    def blow(self):
        kind = self.chance.choice(BLOWS)
        contained = kind == "container"
        if contained and namespaces.refusal():
            kind, contained = "embark", False
        process = self.launch(contained=contained)
        self.wait_for_work(process)
        ended = process.poll() is not None
        what = "it had ended" if ended else self.strike(kind, process)
        code = self.wait(process)
        self.server_again()
        self.count("too late" if ended else what)
        self.say(f"start {self.starts}: {what}, exit code {code}; {self.tell()}")
        self.look()
        return code

    # --- what must be true

    def ask(self):
        """One look: notes, records, indexes that are valid or not."""
        connection = self.db.connect()
        connection.set_session(isolation_level="REPEATABLE READ", autocommit=False)
        try:
            cursor = connection.cursor()
            cursor.execute("SELECT file, part, count(*) FROM done GROUP BY 1, 2")
            notes = {(file, part): count for file, part, count in cursor.fetchall()}
            cursor.execute("SELECT to_regclass('embark_ledger_files')")
            records = {}
            if cursor.fetchone()[0]:
                cursor.execute("SELECT name, state FROM embark_ledger_files")
                records = dict(cursor.fetchall())
            cursor.execute("SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid WHERE relname LIKE 'step%'")
            return notes, records, dict(cursor.fetchall())
        finally:
            connection.close()

    def tell(self):
        notes, records, indexes = self.ask()
        return ", ".join(f"{file.step} {notes.get((file.step, 'begin'), 0)}{notes.get((file.step, 'end'), 0)}"
                         f"{indexes.get(file.step + '_i', '')} {records.get(file.record, '-')}" for file in self.files)

    def is_whole(self, file, notes, indexes):
        """True, False, or None: neither as a whole nor not at all."""
        index = indexes.get(f"{file.step}_i")
        if file.single:
            return None if index is False else bool(index)
        begin, end = notes.get((file.step, "begin"), 0), notes.get((file.step, "end"), 0)
        if begin > 1 or end > 1:
            raise Wrong(f"{file.record} was applied {max(begin, end)} times")
        if begin == end == 0 and index is None:
            return False
        return True if begin == end == 1 and index is not False else None

    def look(self):
        notes, records, indexes = self.ask()
        for number, file in enumerate(self.files):
            whole, record = self.is_whole(file, notes, indexes), records.get(file.record)
            if not file.alone and record not in (None, "applied"):
                raise Wrong(f"{file.record} is recorded as {record}, and is run in a transaction")
            if record == "applied" and not whole:
                raise Wrong(f"{file.record} is recorded as applied, and isn't there as a whole")
            if record is None and whole is not False and number >= self.before:
                raise Wrong(f"{file.record} is there{'' if whole else ' in part'}, and there is no record of it")

    # --- by hand

    def settle(self):
        """What a person does who is told that a file was interrupted, or fails."""
        _, records, _ = self.ask()
        for file in self.files:
            if records.get(file.record) in ("running", "failed"):
                self.mend(file)
        for file in self.files:
            if file.fails:
                self.db.sql(f"INSERT INTO flags VALUES ('{file.step}')")
                file.fails = False

    def mend(self, file):
        finish = self.chance.random() < 0.5
        self.db.sql(f"DROP INDEX IF EXISTS {file.step}_i")
        self.db.sql(f"DELETE FROM done WHERE file = '{file.step}'")
        if finish:
            if "CONCURRENTLY" in file.sql and "_i ON" in file.sql:
                self.db.sql(f"CREATE INDEX {file.step}_i ON slow (late(n))")
            if not file.single:
                self.db.sql(f"SELECT note('{file.step}', 'begin'), note('{file.step}', 'end')")
        words = ["migrate", "--resolve", file.record, *([] if finish else ["--as", "pending"])]
        end = time.monotonic() + 60
        while (code := self.wait(self.launch(*words))) in (75, 80) and time.monotonic() < end:
            time.sleep(0.2)  # a killed start's lock is still there
        self.say(f"start {self.starts}: {' '.join(words)}: {code}")
        self.count("resolved")
        if code != 0:
            raise Wrong(f"--resolve ended with {code}")

    # --- all of it

    def live(self):
        self.by_tool()
        for _ in range(self.chance.randint(1, 3)):
            if self.blow() == 65:
                self.settle()
                self.look()
        for _ in range(8):
            code = self.wait(self.launch())
            self.say(f"start {self.starts}: exit code {code}; {self.tell()}")
            self.look()
            if code == 0:
                break
            if code == 65 and not self.half_way() and "not yet:" not in self.errors():
                raise Wrong("a start fails, and says no reason that is known")
            self.settle()
        else:
            raise Wrong("not even later starts serve")
        self.look_at_the_end()

    def half_way(self):
        said = self.errors()
        return "half-way" in said and "--resolve" in said

    def look_at_the_end(self):
        notes, records, indexes = self.ask()
        for file in self.files:
            if records.get(file.record) != "applied" or not self.is_whole(file, notes, indexes):
                raise Wrong(f"in the end {file.record} is {records.get(file.record)}")
        if self.db.value("SELECT outcome FROM embark_ledger ORDER BY id DESC LIMIT 1") != "done":
            raise Wrong("the ledger's last run isn't done")
        if self.keep:
            table = ("atlas_schema_revisions." if self.form == "atlas" else "") + trees.TABLES[self.form]
            count, wanted = self.db.value(f"SELECT count(*) FROM {table}"), {"golang-migrate": 1, "goose": len(self.files) + 1}.get(self.form, len(self.files))
            if count != wanted:
                raise Wrong(f"{table} has {count} rows, not {wanted}")
        if self.wait(self.launch()) != 0 or "everything is applied" not in self.errors():
            raise Wrong("the start after that isn't quiet")

    def end(self):
        end_marked(self.mark)
        with contextlib.suppress(Exception):
            self.server_again()
            self.db.drop()


def split(sql):
    """Statements of a file that runs without a transaction, which psycopg2 is to send one by one."""
    parts, text = [], ""
    for line in sql.splitlines():
        text += line + "\n"
        if line.endswith(";") and text.count("$$") % 2 == 0:
            parts.append(text)
            text = ""
    return parts + ([text] if text.strip() else [])
