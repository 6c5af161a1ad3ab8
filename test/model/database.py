"""One server for all histories, and a history's databases: made from templates, copied, compared."""

import time

import psycopg2

HBA = "local all all trust\nhost all all 127.0.0.1/32 trust\n"
CONF = {"max_connections": "200", "log_connections": "off", "log_min_messages": "fatal", "max_locks_per_transaction": "128"}

# What the migrations of a model call. They note themselves in a table, which a restored dump takes back with all else.
#
#   begin   nobody else migrates this schema: a second one is counted in a sequence, as that survives a rollback
#   done    the migration is applied: once more if it is applied twice
#   undo    it was taken back
#   need    fails as long as a flag of that name is missing, or, for a name that begins with !, present
#   seed    what a migration command does after its migrations: a row for each table that has none
BASE = """
CREATE SCHEMA test;
CREATE SEQUENCE test.overlaps;
CREATE TABLE test.log (id serial PRIMARY KEY, uid text, place text, began timestamptz, ended timestamptz);
CREATE TABLE test.begun (pid int PRIMARY KEY, at timestamptz);
CREATE TABLE test.flags (name text PRIMARY KEY);
CREATE FUNCTION test.begin() RETURNS void LANGUAGE plpgsql AS $$BEGIN
  IF NOT pg_try_advisory_lock(hashtext('model ' || current_schema())) THEN PERFORM nextval('test.overlaps'); END IF;
END$$;
CREATE FUNCTION test.done(name text) RETURNS void LANGUAGE sql AS
  $$INSERT INTO test.log (uid, place, began, ended) VALUES (name, current_schema(), now(), clock_timestamp())$$;
CREATE FUNCTION test.undo(name text) RETURNS void LANGUAGE sql AS
  $$DELETE FROM test.log WHERE uid = name AND place = current_schema()$$;
CREATE FUNCTION test.need(flag text) RETURNS void LANGUAGE plpgsql AS $$BEGIN
  IF flag LIKE '!%' = EXISTS (SELECT FROM test.flags WHERE name = ltrim(flag, '!')) THEN
    RAISE EXCEPTION 'not yet: %', flag; END IF;
END$$;
CREATE FUNCTION test.seed() RETURNS void LANGUAGE plpgsql AS $$
DECLARE name text; empty bool; seeded bool := false;
BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE 't\\_%' ORDER BY 1 LOOP
    EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I)', name) INTO empty;
    IF empty THEN EXECUTE format('INSERT INTO %I VALUES (1)', name); seeded := true; END IF;
  END LOOP;
  IF seeded THEN PERFORM test.need('!noseed'); PERFORM pg_sleep(0.2); END IF;
END$$;
GRANT ALL ON SCHEMA test TO public;
GRANT ALL ON ALL TABLES IN SCHEMA test TO public;
GRANT ALL ON ALL SEQUENCES IN SCHEMA test TO public;
"""

TABLES = """
SELECT format('SELECT %L, count(*)::text || md5(coalesce(string_agg(t::text, E''\\n'' ORDER BY t::text), '''')) FROM %s t',
              c.oid::regclass, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE relkind IN ('r', 'p', 'm') AND nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relname NOT LIKE 'embark%'
"""
SHAPE = """
SELECT c.oid::regclass::text, relkind::text || ' ' || coalesce(string_agg(concat_ws(' ', attname, atttypid::regtype, attnotnull,
       (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)), ', ' ORDER BY attnum), '') ||
       coalesce((SELECT string_agg(pg_get_constraintdef(k.oid), ', ' ORDER BY conname) FROM pg_constraint k WHERE conrelid = c.oid), '')
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
  LEFT JOIN pg_attribute ON attrelid = c.oid AND attnum > 0 AND NOT attisdropped
 WHERE nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND relname NOT LIKE 'embark%' GROUP BY c.oid, relkind
"""


class World:
    """The server, and the template of all histories' databases."""

    def __init__(self, cluster):
        self.server = cluster.server(conf=CONF, hba=HBA).start()
        self.server.sql("CREATE DATABASE base TEMPLATE template0")
        self.server.sql(BASE, database="base")


class Database:
    """A history's database and role. Superuser's connection, as it may look at all; closed whenever it is copied."""

    def __init__(self, server, name):
        self.server, self.name, self.role = server, name, f"r_{name}"
        self.copies = 0
        self.connection = None
        self.admin = server.connect()
        self.run(f"CREATE ROLE {self.role} LOGIN")
        self.run(f"CREATE DATABASE {name} OWNER {self.role} TEMPLATE base")
        self.sql(f"CREATE SCHEMA t1 AUTHORIZATION {self.role}; CREATE SCHEMA t2 AUTHORIZATION {self.role}")

    def run(self, text):
        with self.admin.cursor() as cursor:
            cursor.execute(text)

    def sql(self, text, values=None):
        for again in (True, False):
            if self.connection is None:
                self.connection = self.server.connect(self.name)
            try:
                with self.connection.cursor() as cursor:
                    cursor.execute(text, values)
                    return cursor.fetchall() if cursor.description else None
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                self.connection = None
                if not again:
                    raise
        return None

    def value(self, text, values=None):
        return self.sql(text, values)[0][0]

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def copy(self, source, target, force=False):
        """CREATE DATABASE … TEMPLATE, once those who are just leaving have left."""
        self.close()
        end = time.monotonic() + 10
        while True:
            try:
                return self.run(f"CREATE DATABASE {target} OWNER {self.role} TEMPLATE {source}")
            except psycopg2.errors.ObjectInUse:
                if time.monotonic() > end:
                    raise
                if force:
                    self.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{source}'")
            time.sleep(0.01)

    def drop(self, name):
        self.close()
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def snapshot(self):
        self.copies += 1
        name = f"{self.name}_{self.copies}"
        self.copy(self.name, name)
        return name

    def restore(self, name):
        self.drop(self.name)
        self.copy(name, self.name)

    def end(self):
        for number in range(self.copies, 0, -1):
            self.drop(f"{self.name}_{number}")
        self.drop(self.name)
        self.run(f"DROP ROLE {self.role}")
        self.admin.close()

    # --- looks

    def contents(self):
        """All tables but embark's: their columns, and a digest of their rows."""
        tables = [row[0] for row in self.sql(TABLES)]
        found = dict(self.sql(" UNION ALL ".join(tables)))
        found.update({f"columns of {row[0]}": row[1] for row in self.sql(SHAPE)})
        return found

    def applied(self, place):
        """The migrations noted for that schema, in their order."""
        return [row[0] for row in self.sql("SELECT uid FROM test.log WHERE place = %s ORDER BY id", (place,))]

    def overlapped(self):
        return self.value("SELECT is_called FROM test.overlaps")

    def migrating(self):
        """Whether a statement of a migration runs just now."""
        return bool(self.sql("SELECT FROM pg_stat_activity WHERE datname = %s AND query LIKE '%%test.%%' AND state <> 'idle'"
                             " AND pid <> pg_backend_pid()", (self.name,)))
