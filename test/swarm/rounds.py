"""The swarm's rounds: eight replicas, a blow at a random moment, and what must be true in the end."""

import contextlib
import random
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg2

from support import namespaces
from support.process import PID_NAMESPACE, children, end_marked, send

ROUND_LIMIT = 90
MIGRATION = Path(__file__).with_name("migration.py")
KINDS = ("container", "container", "embark", "lock", "lock", "migration", "server", "server stop", "pause", "pause", "pause and lock",
         "pause of all", "pause of all and lock")
STEPS = 3


class Replica:
    """A container: embark is PID 1 of a namespace, or, for those of which embark alone is killed, an ordinary process."""

    def __init__(self, world, db, number, contained, folder, config):
        self.contained = contained
        self.err = folder / f"err.{number}"
        with open(self.err, "wb") as err:
            self.popen = subprocess.Popen(
                [*(PID_NAMESPACE if contained else []), world.binary, "true"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=err, cwd=folder, env=world.environment(DATABASE_URL=db.url, EMBARK_CONFIG=str(config), REPLICA=str(number)))

    def embark(self):
        """Its pid as seen from here; None when there is none."""
        if not self.contained:
            return self.popen.pid if self.popen.poll() is None else None
        with contextlib.suppress(OSError, IndexError, ValueError):
            with open(f"/proc/{self.popen.pid}/task/{self.popen.pid}/children") as f:
                return int(f.read().split()[0])
        return None

    def kill(self):
        pid = self.embark()
        if pid:
            send(pid, signal.SIGKILL)


def prepare(db):
    db.sql("CREATE TABLE runs (id serial PRIMARY KEY, replica text, pid int, began timestamptz DEFAULT clock_timestamp(), beat timestamptz,"
           " ended timestamptz); CREATE TABLE work (step int, run int); CREATE TABLE schema_migrations (version text PRIMARY KEY)")
    for table in ("runs", "work", "schema_migrations"):
        db.sql(f'ALTER TABLE {table} OWNER TO "{db.role}"')
    db.sql("CHECKPOINT")    # the tests' servers may lose what was committed just before they were killed


def one_round(world, server, chance, number):
    """What went wrong, as a list of words."""
    db = server.database()
    prepare(db)
    folder = Path(tempfile.mkdtemp(prefix="r", dir=world.folder))
    (folder / "migrations").mkdir()
    for step in range(STEPS):
        (folder / "migrations" / f"{step}.sql").write_text("-- a step\n")
    config = folder / "embark.ini"
    config.write_text(f"[migrate]\ncommand = /usr/bin/python3\n    {MIGRATION}\n    {STEPS}\nfiles = migrations/*.sql\n"
                      "retry_after = 1s\n[service]\ngrace = 1s\n")
    kind = chance.choice(KINDS)
    replicas = [Replica(world, db, n, kind != "embark", folder, config) for n in range(8)]
    time.sleep(chance.uniform(0.05, 1.3))  # the moment is the test's subject
    struck = strike(kind, server, db, replicas, chance)
    end = time.monotonic() + ROUND_LIMIT
    wrong = []
    for replica in replicas:
        try:
            code = replica.popen.wait(max(0.1, end - time.monotonic()))
        except subprocess.TimeoutExpired:
            wrong.append("a replica hangs")
            replica.kill()
            replica.popen.kill()
            replica.popen.wait()
            continue
        # 1 is unshare's, whose child was killed
        if code not in (0, 69, 80, -9, 137, *((1,) if kind == "container" else ())):
            wrong.append(f"exit code {code}")
    # whatever happened: one more start puts everything right
    last = None
    for attempt in range(4):
        last = Replica(world, db, f"last{attempt}", False, folder, config)
        with contextlib.suppress(subprocess.TimeoutExpired):
            if last.popen.wait(30) == 0:
                break
        last.kill()
        time.sleep(1)  # retry_after
    else:
        wrong.append("not even later starts serve")
    wrong += look(db)
    if wrong:
        print(f"--- round {number} ({kind}: {struck}): {'; '.join(wrong)}")
        for path in sorted(folder.glob("err.*")):
            print(f"  {path.name}: " + "\n    ".join(path.read_text(errors="replace").splitlines()[-12:]))
        for row in db.sql("SELECT id, replica, pid, began, beat, ended FROM runs ORDER BY id"):
            print("  run", *map(str, row))
    end_marked(world.mark)
    db.drop()
    shutil.rmtree(folder, ignore_errors=True)
    return kind, wrong


def pause(db, victim, whole, lost, chance):
    """SIGSTOP for a while; the server may take the lock away meanwhile, and another replica has it then."""
    family = [victim.embark()] if victim.embark() else []
    if whole:
        left = list(family)
        while left:
            more = children(left.pop())
            family += more
            left += more
    for pid in family:
        send(pid, signal.SIGSTOP)
    if lost:
        with contextlib.suppress(psycopg2.Error):
            db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                   " AND application_name LIKE 'embark:migrate%%'")
    time.sleep(chance.uniform(0.2, 4))  # how long is the test's subject
    for pid in reversed(family):
        send(pid, signal.SIGCONT)
    return f"{len(family)} processes"


def strike(kind, server, db, replicas, chance):
    """One blow, at the replica that migrates where that can be told."""
    if kind.startswith("server"):
        server.restart("fast" if kind == "server stop" else "immediate")
        return "restarted"
    with contextlib.suppress(psycopg2.Error):
        holders = db.sql("SELECT a.pid FROM pg_stat_activity a JOIN pg_locks l USING (pid) WHERE l.locktype = 'advisory' AND a.datname ="
                         " current_database()")
        running = db.sql("SELECT replica FROM runs WHERE ended IS NULL ORDER BY id DESC LIMIT 1")
        if kind == "lock":
            for pid, in holders:
                db.sql("SELECT pg_terminate_backend(%s)", (pid,))
            return f"{len(holders)} holders terminated"
        if kind == "migration":
            done = db.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'embark:run%%' AND datname ="
                          " current_database()")
            return f"{len(done)} backends terminated"
        victim = replicas[int(running[0][0])] if running and running[0][0].isdigit() else replicas[0]
        if kind.startswith("pause"):
            what = pause(db, victim, "all" in kind, "lock" in kind, chance)
            return f"replica {replicas.index(victim)} stopped, {what}" + ("" if running else ", which did not migrate")
        victim.kill()
        return f"replica {replicas.index(victim)} killed" + ("" if running else ", which did not migrate")
    return "too early"


def look(db):
    """Overlaps, and whether all is there exactly once. A run that was killed lasted until its last sign of life."""
    wrong = []
    overlaps = db.sql(
        "WITH r AS (SELECT id, replica, began, coalesce(ended, beat, began) AS last FROM runs)"
        " SELECT a.id, b.id FROM r a JOIN r b ON a.id < b.id AND a.began < b.last AND b.began < a.last")
    if overlaps:
        wrong.append(f"migrations at the same time: {overlaps}")
    applied = db.sql("SELECT version FROM schema_migrations ORDER BY 1")
    if applied != [(str(step),) for step in range(STEPS)]:
        wrong.append(f"applied in the end: {applied}")
    twice = db.sql("SELECT step, count(*) FROM work GROUP BY step HAVING count(*) <> 1")
    if twice:
        wrong.append(f"done more than once: {twice}")
    if db.value("SELECT outcome FROM embark_ledger ORDER BY id DESC LIMIT 1") != "done":
        wrong.append("the ledger's last run isn't done")
    if db.locks():
        wrong.append(f"locks are left: {db.locks()}")
    return wrong


def rounds(world, check):
    if namespaces.refusal():
        check(False, f"the rounds need namespaces, for the containers that they kill: {namespaces.refusal()}")
        return
    seed = world.options.seed if world.options.seed is not None else random.SystemRandom().randrange(1 << 32)
    chance = random.Random(seed)
    server = world.server(max_connections="60")
    print(f"     seed {seed}")
    bad, kinds = 0, {}
    started = time.monotonic()
    for number in range(world.options.rounds):
        kind, wrong = one_round(world, server, chance, number)
        kinds[kind] = kinds.get(kind, 0) + 1
        bad += bool(wrong)
    counted = ", ".join(f"{n} × {kind}" for kind, n in sorted(kinds.items()))
    check(not bad, f"rounds: {bad} of {world.options.rounds} went wrong ({counted}; {time.monotonic() - started:.0f} s; seed {seed})")
    server.destroy()
