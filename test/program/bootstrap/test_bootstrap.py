"""First-time set-up: an empty server, half-made ones and complete ones, with a superuser's URL and without."""

import re
import signal
import stat
from urllib.parse import quote

import psycopg2
import pytest
from psycopg2.extensions import encrypt_password

from support import postgres
from support.net import StatementProxy
from support.process import need_root
from support.waiting import eventually

SUPER = "Super-Pw-77"
SECRET = "S3cret'\"$$pw"
CONF = {"log_statement": "all", "log_min_error_statement": "error"}


class Service:
    """A service's login that isn't there yet, on a server whose superuser has a password."""

    def __init__(self, server, name="shop", role="shopper", password=SECRET):
        self.server, self.name, self.role, self.password = server, name, role, password

    def url_as(self, user, password, name=None, query=""):
        return (f"postgresql://{quote(user, safe='')}:{quote(password, safe='')}@{self.server.host}:{self.server.port}/"
                f"{quote(self.name if name is None else name, safe='')}{query}")

    @property
    def url(self):
        return self.url_as(self.role, self.password)

    @property
    def super_url(self):
        return self.url_as("postgres", SUPER, "postgres")

    def connect(self, user=None, password=None):
        connection = psycopg2.connect(host=self.server.host, port=self.server.port, user=user or self.role,
                                      password=password or self.password, dbname=self.name, connect_timeout=10)
        connection.autocommit = True
        return connection

    def run(self, text, user=None, password=None):
        connection = self.connect(user, password)
        try:
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def sql(self, text):
        return self.server.sql(text, database=self.name)

    @staticmethod
    def quoted(name):
        return '"' + name.replace('"', '""') + '"'

    def make_role(self, password=None, attributes="LOGIN"):
        self.server.sql(f"CREATE ROLE {self.quoted(self.role)} {attributes} PASSWORD %s", (password or self.password,))

    def make_database(self, owner=None):
        self.server.sql(f"CREATE DATABASE {self.quoted(self.name)}" + (f" OWNER {self.quoted(owner)}" if owner else ""))

    def clean(self):
        for (name,) in self.server.sql("SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')"):
            self.server.sql(f"DROP DATABASE {self.quoted(name)} WITH (FORCE)")
        for (role,) in self.server.sql("SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%' AND rolname <> 'postgres'"):
            self.server.sql(f"DROP OWNED BY {self.quoted(role)}")
            self.server.sql(f"DROP ROLE {self.quoted(role)}")


def set_superuser(server):
    """A verifier of its own, so that the password stands in no log."""
    connection = server.connect()
    verifier = encrypt_password(SUPER, "postgres", scope=connection, algorithm="scram-sha-256")
    connection.cursor().execute("ALTER ROLE postgres PASSWORD %s", (verifier,))
    connection.close()


@pytest.fixture(scope="module")
def logging_server(cluster):
    server = cluster.server(conf=CONF).start()
    set_superuser(server)
    yield server
    server.destroy()


@pytest.fixture
def service(logging_server, embark):
    service = Service(logging_server)
    embark.secrets += [SECRET, SUPER, quote(SECRET, safe="")]
    start = len(logging_server.log_text())
    service.log = lambda: logging_server.log_text()[start:]
    yield service
    embark.end()
    service.clean()


def serve(embark, service, *, superuser=True, env=None, extra="", **keys):
    """Starts embark with the service's URL and, as a rule, the superuser's."""
    environment = {"DATABASE_URL": service.url, **(env or {})}
    if superuser:
        environment.setdefault("EMBARK_BOOTSTRAP_URL", service.super_url)
    lines = []
    for key, value in keys.items():
        lines += [f"{key} = {one}" for one in (value if isinstance(value, list) else [value])]
    return embark("echo", "served", env=environment, config="[bootstrap]\n" + "\n".join(lines) + "\n" + extra)


def ready(process, timeout=30):
    process.expect(0, "(?m)^embark: ready in ", timeout=timeout)
    assert process.stdout.removeprefix("held\n") == "served\n", process.describe()
    return process


def failed(process, code, *patterns, timeout=30):
    process.expect(code, *patterns, timeout=timeout)
    assert "served" not in process.stdout, process.describe()
    return process


def owner(service):
    return service.server.value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", (service.name,))


def super_logins(service):
    return len(re.findall(r"connection authorized: user=postgres .*application_name=embark", service.log()))


# --- empty, half-made and complete

def empty(service):
    pass


def other_password(service):
    service.make_role("another password")
    service.make_database(service.role)


def test_another_password_is_no_missing_role(service, embark):
    """Nothing is touched: the role may be another service's."""
    other_password(service)
    before = service.server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (service.role,))
    failed(serve(embark, service), 77, r"the role shopper exists already, and has another password than the service's URL",
           r"hint: nothing was changed: .*replace_password = yes")
    assert service.server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = %s", (service.role,)) == before
    assert not marks(service)
    doctor = embark.run("doctor", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url}).expect(77)
    assert re.search(r"superuser +✓ as postgres to the database\s+postgres", doctor.stdout), doctor.stdout
    assert re.search(r"✗ the role shopper exists already", doctor.stdout), doctor.stdout
    process = ready(serve(embark, service, replace_password="yes"))
    assert "replaced the password of the role shopper" in process.stderr
    service.run("SELECT 1")
    assert "replaced" not in ready(serve(embark, service, replace_password="yes")).stderr


def test_a_first_start_is_told_as_one(service, embark):
    env = {"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url}
    doctor = embark.run("doctor", env=env).expect(0)
    assert "first start: the role shopper does not exist yet" in re.sub(r"\s+", " ", doctor.stdout), doctor.stdout
    process = ready(serve(embark, service))
    assert "first start: the role shopper does not exist yet" in process.stderr
    assert "first start: the database shop does not exist yet" in process.stderr
    assert "refuses" not in process.stderr and "28P01" not in process.stderr


def test_doctor_tries_the_superuser(service, embark):
    wrong = service.url_as("postgres", "Wrong-pw-9", "postgres")
    embark.secrets.append("Wrong-pw-9")
    doctor = embark.run("doctor", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": wrong}).expect(77)
    assert re.search(r"superuser +✗ .*refuses the login of\s+postgres", doctor.stdout), doctor.stdout
    complete(service)
    doctor = embark.run("doctor", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": wrong}).expect(0)
    assert re.search(r"superuser +! .*refuses the login of", doctor.stdout), doctor.stdout


def test_refused_with_the_right_password(own_server, embark):
    """It is pg_hba.conf, and no password is to be replaced for it."""
    server = own_server(conf=CONF, hba="local all all trust\nhost all shopper all ident\nhost all all all scram-sha-256\n").start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    complete(service)
    process = serve(embark, service)
    failed(process, 77, r"hint: as the superuser sees it: shopper has the password of the service's URL|pg_hba.conf has no line")
    assert "replaced" not in process.stderr


def no_login(service):
    service.make_role(attributes="NOLOGIN")
    service.make_database(service.role)


def no_database(service):
    service.make_role()


def no_privileges(service):
    """The login works, and that is all: since PostgreSQL 15 only its owner may create in public."""
    service.make_role()
    service.make_database()


def no_role(service):
    service.make_database()


def complete(service):
    service.make_role()
    service.make_database(service.role)


HALF_MADE = [no_login, no_database, no_privileges, no_role]
STATES = [empty, *HALF_MADE, complete]
MIGRATES = "[migrate]\nsql = ${MIGRATIONS}\n"
matrix = pytest.mark.parametrize("state,migration", [(state, "") for state in STATES] + [(state, MIGRATES) for state in (empty, no_privileges, complete)],
                                 ids=lambda value: getattr(value, "__name__", "migrates" if value else "alone"))


@matrix
def test_ten_replicas_at_once(service, embark, folder, state, migration):
    """L29, where the database is missing."""
    state(service)
    held = embark.barrier(10, "echo", "served", config=migration, env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url,
                                                                     "MIGRATIONS": migrations(folder)})
    for process in held.release():
        ready(process, timeout=60)
        assert state is not complete or "bootstrap" not in process.stderr, process.describe()
    service.run("CREATE TABLE mine (n int); CREATE SCHEMA another")
    assert owner(service) == service.role
    made = [p for p in held.processes if "set the login of the role" in p.stderr]
    assert len(made) == (state is not complete), [p.describe() for p in made]
    assert not migration or service.run("SELECT count(*) FROM a") == [(0,)]
    assert not marks(service)
    assert SECRET not in service.log() and SUPER not in service.log()
    assert state is not complete or super_logins(service) == 0


def migrations(folder):
    (folder / "m").mkdir(exist_ok=True)
    (folder / "m" / "1_a.sql").write_text("CREATE TABLE a (n int);\n")
    return str(folder / "m")


def marks(service):
    return service.server.sql("SELECT c FROM pg_db_role_setting, unnest(setconfig) c WHERE c LIKE 'embark%'")


@matrix
def test_without_a_superuser(service, embark, folder, state, migration):
    """One line says what is missing, and its hint who can mend it; or the service serves."""
    state(service)
    held = embark.barrier(10, "echo", "served", config=migration, env={"DATABASE_URL": service.url, "MIGRATIONS": migrations(folder)})
    for process in held.release():
        if state is complete or (state is no_privileges and not migration):
            ready(process, timeout=60)
            continue
        if state is no_privileges:
            failed(process, 77, r"\(42501\)", r"hint: GRANT CREATE ON SCHEMA .*\[bootstrap\] url|with these files it failed", timeout=60)
            continue
        failed(process, 77, r"refuses the login of shopper: .*\(28P01\)|does not exist.*3D000|28000", r"\n  hint: .*\[bootstrap\] url", timeout=60)
        assert len(process.said) == 2, process.describe()


# --- a login that works, and says less than it seems to

def test_privileges_are_mended_before_the_first_migration(service, embark, folder):
    no_privileges(service)
    process = ready(serve(embark, service, extra=f"[migrate]\nsql = {migrations(folder)}\n"))
    assert "shopper logs in, and lacks the privilege CREATE on the schema public" in process.stderr
    before = super_logins(service)
    ready(serve(embark, service, extra=f"[migrate]\nsql = {folder}/m\n"))
    assert super_logins(service) == before


def test_where_a_ledger_is_nothing_is_asked_about_the_set_up(service, embark, folder):
    """The steady state is one query, with a superuser's URL as without."""
    extra = f"[migrate]\nsql = {migrations(folder)}\n"
    ready(serve(embark, service, extra=extra))
    start = len(service.log())
    ready(serve(embark, service, extra=extra))
    assert "embark.bootstrap_" not in service.log()[start:]
    assert len(re.findall(r"(?:statement|execute [^:]*): ", service.log()[start:])) == 1, service.log()[start:]


def test_files_mend_what_a_migration_needs(service, embark, folder):
    """Of SQL files alone nobody knows what they make, but a migration needs a schema to create in."""
    no_privileges(service)
    (folder / "1.sql").write_text("GRANT CREATE ON SCHEMA public TO shopper;\n")
    process = ready(serve(embark, service, sql=f"{folder}/1.sql", extra="[migrate]\ncommand = true\n"))
    assert "ran " in process.stderr and "the ledger can't be kept" not in process.stderr
    ready(serve(embark, service, sql=f"{folder}/1.sql"))


def test_schema_s_usage_is_mended(service, embark):
    service.make_role()
    service.make_database()
    service.sql("CREATE SCHEMA stock; CREATE TABLE stock.items (n int)")
    ready(serve(embark, service, owns="nothing", grants="read on stock"))
    assert service.run("SELECT count(*) FROM stock.items") == [(0,)]
    before = super_logins(service)
    ready(serve(embark, service, owns="nothing", grants="read on stock"))
    assert super_logins(service) == before


def test_second_start_does_nothing(service, embark):
    assert "created the role shopper" in ready(serve(embark, service)).stderr
    before = super_logins(service)
    assert "bootstrap" not in ready(serve(embark, service)).stderr
    assert super_logins(service) == before


def test_always(service, embark):
    """The login works, and the rest is mended all the same."""
    service.make_role()
    service.make_database()
    ready(serve(embark, service, when="always"))
    assert owner(service) == service.role
    service.run("CREATE TABLE mine (n int)")
    ready(serve(embark, service, when="always"))


def test_always_with_ten_replicas(service, embark):
    held = embark.barrier(10, "echo", "served", config="[bootstrap]\nwhen = always\ngrants = read on public\n",
                          env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url})
    for process in held.release():
        ready(process, timeout=60)
    service.run("CREATE TABLE mine (n int)")


def test_two_services_share_a_role(service, embark):
    """Their locks are different ones, and the server doesn't let one ALTER ROLE wait for another."""
    envs = [{"DATABASE_URL": service.url_as(service.role, SECRET, f"shop{i % 4}"), "EMBARK_BOOTSTRAP_URL": service.super_url} for i in range(12)]
    held = [embark.barrier(1, "echo", "served", env=env, config="[bootstrap]\nwhen = always\n") for env in envs]
    for one in held:
        one.release()
    for one in held:
        ready(one.processes[0], timeout=60)


@pytest.mark.parametrize("version", postgres.VERSIONS)
def test_versions(own_server, embark, version):
    server = own_server(version=version, conf=CONF).start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    for process in embark.barrier(3, "echo", "served", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url},
                                  config="[bootstrap]\ngrants = read on public\n").release():
        ready(process)
    service.run("CREATE TABLE mine (n int)")
    assert SECRET not in server.log_text() and SUPER not in server.log_text()


def test_md5_server(own_server, embark):
    server = own_server(conf={**CONF, "password_encryption": "md5"}, hba=postgres.HBA.replace("127.0.0.1/32 scram-sha-256", "127.0.0.1/32 md5")).start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    ready(serve(embark, service))
    assert server.value("SELECT rolpassword FROM pg_authid WHERE rolname = 'shopper'").startswith("md5")
    assert SECRET not in server.log_text()


# --- names

@pytest.mark.parametrize("name", ['it"s', "with space", "käse", "o'brien", "Ünï \"codé\" 'x'", "UPPER"])
def test_odd_names(service, embark, name):
    service.name, service.role = name, f"role of {name}"
    ready(serve(embark, service, grants=["read on public"]))
    service.run("CREATE TABLE mine (n int)")
    assert owner(service) == service.role


@pytest.mark.parametrize("password", ["'; DROP ROLE postgres; --", "päss wörd", "%s%n${X}", "a" * 200, "\\\\\\", "md5" + "0" * 32])
def test_odd_passwords(service, embark, password):
    embark.secrets.append(password)
    service.password = password
    ready(serve(embark, service))
    service.run("SELECT 1")
    assert password not in service.log()


# --- the keys

def test_role_password_and_database_of_their_own(service, embark):
    """The service's URL is another role's: a reader beside the owner that embark makes."""
    process = failed(serve(embark, service, role="other", password="Other-pw-1", database="elsewhere"), 77, r"does not exist; nothing makes it")
    assert "Other-pw-1" not in process.stderr
    assert service.server.value("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'other'")
    assert service.server.value("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'elsewhere'") == "other"


def test_password_that_is_not_the_url_s(service, embark):
    failed(serve(embark, service, password="Other-pw-1"), 77, r"\(28P01\)", r"hint: .*\[bootstrap\] password the one of the service's URL")


def test_owns_schema(service, embark):
    ready(serve(embark, service, owns="schema", env={"DATABASE_URL": service.url_as(service.role, SECRET, query="?schema=app")}))
    service.run("CREATE TABLE app.mine (n int)")
    assert owner(service) == "postgres"
    with pytest.raises(psycopg2.Error):
        service.run("CREATE TABLE public.mine (n int)")


def test_owns_nothing_and_may_read(service, embark):
    service.make_database()
    service.sql("CREATE TABLE old (n int); INSERT INTO old VALUES (1)")
    ready(serve(embark, service, owns="nothing", grants="read on public"))
    service.sql("CREATE TABLE later (n int); INSERT INTO later VALUES (2)")
    assert service.run("SELECT n FROM old UNION ALL SELECT n FROM later") == [(1,), (2,)]
    for forbidden in ("INSERT INTO old VALUES (3)", "INSERT INTO later VALUES (3)", "CREATE TABLE mine (n int)"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            service.run(forbidden)


def test_may_write_what_another_role_makes_later(service, embark):
    """The migrations' role owns the database, the service's role works in it."""
    service.server.sql("CREATE ROLE migrator LOGIN PASSWORD 'migrator-pw'")
    service.make_database("migrator")
    service.run("CREATE TABLE old (id serial PRIMARY KEY, n int)", "migrator", "migrator-pw")
    ready(serve(embark, service, owns="nothing", grants="write on public"))
    service.run("CREATE TABLE later (id serial PRIMARY KEY, n int)", "migrator", "migrator-pw")
    for table in ("old", "later"):
        service.run(f"INSERT INTO {table} (n) VALUES (1); UPDATE {table} SET n = 2; DELETE FROM {table} WHERE n = 3")


def test_grants_on_what_the_files_make(service, embark, folder):
    (folder / "setup.sql").write_text("CREATE SCHEMA IF NOT EXISTS stock;\nCREATE TABLE IF NOT EXISTS stock.items (n int);\nSET ROLE pg_monitor;\n")
    ready(serve(embark, service, role="shopper", sql=f"{folder}/setup.sql", grants="write on stock"))
    service.run("INSERT INTO stock.items VALUES (1)")


@pytest.mark.parametrize("keys,pattern", [
    ({"grants": "all on public"}, r'embark\d\.ini:2: \[bootstrap\] grants = all on public: expected "read on SCHEMA"'),
    ({"grants": ["read on public", "write on"]}, r"embark\d\.ini:3: .*write on"),
    ({"sql": "x.sql", "grants": "read on public"}, r"grants needs role beside sql"),
    ({"owns": "everything"}, r"owns"), ({"when": "never"}, r"when"),
])
def test_nonsense(service, embark, keys, pattern):
    failed(serve(embark, service, **keys), 78, pattern)
    assert "embark" not in service.log(), "nothing was to be sent"


def test_grant_on_a_schema_that_there_is_not(service, embark):
    failed(serve(embark, service, grants="read on nowhere"), 65, r'schema "nowhere" does not exist')
    ready(serve(embark, service))


def test_no_service_database(service, embark):
    process = embark("echo", "served", env={"EMBARK_BOOTSTRAP_URL": service.super_url})
    failed(process, 78, r"\[bootstrap\] url is set, and the service's database is not")


def test_schema_public_was_dropped(service, embark):
    service.make_database()
    service.sql("DROP SCHEMA public")
    ready(serve(embark, service))


# --- SQL files

ROLE_FILE = """
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'shopper') THEN
        EXECUTE format('CREATE ROLE shopper LOGIN PASSWORD %L', current_setting('embark.app_password'));
    END IF;
END $$;
ALTER ROLE shopper LOGIN PASSWORD :'app_password';
CREATE TABLE IF NOT EXISTS :"table_name" (n int);
GRANT ALL ON :"table_name" TO shopper;
INSERT INTO :"table_name" VALUES (:number);
"""


def test_files_with_variables(service, embark, folder):
    """A secret variable is in nothing that embark says, and not in the log of a server that logs every statement."""
    (folder / "1.sql").write_text(ROLE_FILE)
    (folder / "2.sql").write_text("SELECT current_setting('embark.app_password');\nINSERT INTO stock VALUES (8);\n")
    process = ready(serve(embark, service, sql=[f"{folder}/1.sql", f"{folder}/2.sql"], env={"APP_PASSWORD": SECRET},
                          var=["app_password=${APP_PASSWORD}", "table_name=stock", "number=7"]))
    assert "embark: bootstrap: | ****\n" in process.stderr, "the row of 2.sql"
    assert service.run("SELECT n FROM stock ORDER BY n") == [(7,), (8,)]
    assert SECRET not in service.log() and SECRET.replace("'", "''") not in service.log()


def test_secret_of_a_statement_that_fails(service, embark, folder):
    (folder / "1.sql").write_text("CREATE ROLE shopper LOGIN PASSWORD :'app_password' NONSENSE;\n")
    embark.secrets.append(SECRET.replace("'", "''"))
    failed(serve(embark, service, sql=f"{folder}/1.sql", var=f"app_password={SECRET}"), 65, r"1\.sql:1:\d+: ERROR 42601")
    assert SECRET not in service.log() and SECRET.replace("'", "''") not in service.log()


def test_file_that_is_not_idempotent(service, embark, folder):
    """On a half-made database it fails; the statement is named."""
    service.make_role("another password")
    service.make_database()
    (folder / "1.sql").write_text("SELECT 1;\nCREATE TABLE a (n int);\n")
    service.sql("CREATE TABLE a (n int)")
    failed(serve(embark, service, role="shopper", replace_password="yes", sql=f"{folder}/1.sql"), 65, r'1\.sql:2(:\d+)?: ERROR 42P07.*relation "a" already exists',
                     r"hint: .*repeatable")


@pytest.mark.parametrize("text,pattern", [("DO $$ BEGIN PERFORM :'x'; END $$;", r"1\.sql:1:\d+: "), ("SELECT :unset;", r"1\.sql:1:8: .*unset is not set"),
                                          ("SELECT 'open", r"1\.sql:1:8: ")])
def test_files_are_looked_at_before_anything_is_sent(service, embark, folder, text, pattern):
    (folder / "1.sql").write_text(text + "\n")
    for env in ({}, {"EMBARK_SKIP": "check"}):
        failed(serve(embark, service, sql=f"{folder}/1.sql", var="x=1", env=env), 65, pattern)
    assert super_logins(service) == 0


def test_file_is_missing(service, embark, folder):
    failed(serve(embark, service, sql=f"{folder}/none.sql"), 65, r"none\.sql: .*No such file")
    embark.run("check", config=f"[bootstrap]\nsql = {folder}/none.sql\n").expect(65, r"none\.sql")


def test_malformed_variable(service, embark, folder):
    (folder / "1.sql").write_text("SELECT 1;\n")
    failed(serve(embark, service, sql=f"{folder}/1.sql", var="no-equals"), 78, r"embark\d\.ini:3: \[bootstrap\] var")


def test_file_that_begins_and_does_not_end(service, embark, folder):
    (folder / "1.sql").write_text("BEGIN;\nCREATE TABLE a (n int);\n")
    failed(serve(embark, service, role="shopper", sql=f"{folder}/1.sql"), 65, "begun and not ended")


# --- the superuser's URL

def test_superuser_is_refused(service, embark):
    embark.secrets.append("Wrong-Super-Pw")
    failed(serve(embark, service, env={"EMBARK_BOOTSTRAP_URL": service.url_as("postgres", "Wrong-Super-Pw", "postgres")}), 77,
           r"refuses the login of postgres: .*28P01.*EMBARK_BOOTSTRAP_URL|refuses the login of postgres: .*28P01.*\[bootstrap\] url", r"hint: .*\[bootstrap\] url must be")


def test_superuser_that_is_none(service, embark):
    service.server.sql("CREATE ROLE plain LOGIN PASSWORD 'plain-pw-1'")
    failed(serve(embark, service, env={"EMBARK_BOOTSTRAP_URL": service.url_as("plain", "plain-pw-1", "postgres")}), 65, r"permission denied to create role",
           r"hint: \[bootstrap\] url must be a role that may create roles and databases")


@pytest.fixture(params=postgres.VERSIONS)
def admin(request, own_server, embark):
    """A server whose [bootstrap] url is a role that may make roles and databases, and is no superuser."""
    server = own_server(version=request.param, conf=CONF).start()
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    server.sql("CREATE ROLE admin LOGIN CREATEROLE CREATEDB PASSWORD 'admin-pw-1'")
    service.env = {"EMBARK_BOOTSTRAP_URL": service.url_as("admin", "admin-pw-1", "postgres")}
    return service


@pytest.mark.parametrize("owns", ["database", "schema", "nothing"])
def test_a_role_that_may_make_roles_and_databases_does(admin, embark, folder, owns):
    (folder / "setup.sql").write_text("CREATE SCHEMA IF NOT EXISTS stock;\nCREATE TABLE IF NOT EXISTS stock.items (n int);\n")
    keys = {"owns": owns, "role": "shopper", "sql": f"{folder}/setup.sql", "grants": "read on stock",
            "env": {**admin.env, "DATABASE_URL": admin.url_as(admin.role, SECRET, query="?schema=app")}}
    for when in ("missing", "always"):
        ready(serve(embark, admin, when=when, **keys))
        assert owner(admin) == ("shopper" if owns == "database" else "admin")
        assert admin.run("SELECT count(*) FROM stock.items") == [(0,)]
    if owns != "nothing":
        admin.run("CREATE TABLE app.mine (n int)")


def test_a_role_that_another_has_made(admin, embark):
    """From PostgreSQL 16 on only who made it, or was told so, may give it to somebody."""
    admin.make_role("another password")
    failed(serve(embark, admin, env=admin.env), 77, "the role shopper exists already")
    process = serve(embark, admin, env=admin.env, replace_password="yes")
    if int(admin.server.version) < 16:
        ready(process)
        return
    failed(process, 65, r"bootstrap: the role of \[bootstrap\] url is no superuser, and can't make itself a member of shopper: .*\(42501\)",
           r"hint: as a superuser: GRANT shopper TO admin WITH ADMIN OPTION")
    assert len([line for line in process.said if "is no superuser" in line]) == 1
    admin.server.sql("GRANT shopper TO admin WITH ADMIN OPTION")
    ready(serve(embark, admin, env=admin.env, replace_password="yes"))
    assert owner(admin) == "shopper"


def test_superuser_of_a_missing_database(service, embark):
    ready(serve(embark, service, env={"EMBARK_BOOTSTRAP_URL": service.url_as("postgres", SUPER, "no_such_database")}))


def test_nonsense_url(service, embark):
    failed(serve(embark, service, env={"EMBARK_BOOTSTRAP_URL": "mysql://root@db/x"}), 78)


def test_superuser_is_the_service_itself(service, embark):
    """Its database is made; its password is never changed, even where the service's URL has another one."""
    ready(serve(embark, service, env={"DATABASE_URL": service.url_as("postgres", SUPER)}))
    assert owner(service) == "postgres"
    failed(serve(embark, service, env={"DATABASE_URL": service.url_as("postgres", "Wrong-Pw-1", "shop2")}), 77, "its password is never changed")
    service.run("SELECT 1", "postgres", SUPER)


@pytest.fixture
def no_postgres(own_server, embark):
    server = own_server(conf=CONF).start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    yield Service(server)


@pytest.mark.parametrize("how", ["dropped", "closed"])
def test_no_database_postgres(no_postgres, embark, how):
    """template1 is the next, and no database can be copied from one that is in use."""
    service = no_postgres
    text = "DROP DATABASE postgres" if how == "dropped" else "ALTER DATABASE postgres ALLOW_CONNECTIONS false"
    service.server.sql(text, database="template1")
    held = embark.barrier(5, "echo", "served", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url})
    for process in held.release():
        ready(process, timeout=60)
    service.run("CREATE TABLE mine (n int)")


def test_skip(service, embark):
    failed(serve(embark, service, env={"EMBARK_SKIP": "bootstrap"}), 77, "28P01")
    failed(serve(embark, service, env={"EMBARK_SKIP": "bootstrap"}, when="always"), 77, "28P01")
    assert super_logins(service) == 0


@pytest.mark.parametrize("words, code, logins", [(["wait"], 77, False), (["migrate", "--dry-run"], 0, True), (["migrate", "--status"], 77, False)])
def test_what_only_looks_makes_nothing(service, embark, words, code, logins):
    """Only --dry-run tries the superuser's login, as it says what a start would do."""
    embark.run(*words, env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url}, config="[migrate]\ncommand = true\n").expect(code)
    assert bool(super_logins(service)) == logins
    assert service.server.value("SELECT count(*) FROM pg_roles WHERE rolname = %s", (service.role,)) == 0


def test_migrations_follow(service, embark, folder):
    (folder / "m").mkdir()
    (folder / "m" / "1_a.sql").write_text("CREATE TABLE a (n int);\n")
    process = ready(serve(embark, service, extra=f"[migrate]\nsql = {folder}/m\n"))
    assert re.search(r"ready in .*\(bootstrap .*, wait .*, migrate ", process.stderr), process.describe()
    assert service.run("SELECT count(*) FROM a") == [(0,)]


# --- secrets in files

@pytest.fixture
def secret_file(folder):
    path = folder / "password"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


def test_password_from_a_file(service, embark, secret_file):
    process = ready(serve(embark, service, password=f"${{file:{secret_file}}}"))
    assert "may read this secret" not in process.stderr


def test_password_from_a_variable_s_file(service, embark, secret_file):
    ready(serve(embark, service, env={"EMBARK_BOOTSTRAP_PASSWORD_FILE": str(secret_file)}))


def test_everybody_may_read_the_secret(service, embark, secret_file):
    secret_file.chmod(0o644)
    process = ready(serve(embark, service, password=f"${{file:{secret_file}}}"))
    warning = rf"embark\d\.ini:2: \${{file:{secret_file}}}: everybody may read this secret, since the file has mode 0644\n  hint: chmod o-r "
    assert len(re.findall(warning, process.stderr)) == 1, process.describe()
    process = ready(serve(embark, service, env={"EMBARK_BOOTSTRAP_PASSWORD_FILE": str(secret_file)}))
    assert process.stderr.count("everybody may read this secret") == 1, process.describe()


@pytest.mark.parametrize("name", ["DATABASE_URL_FILE", "PGPASSWORD_FILE", "SHOP_PW_FILE", "EMBARK_DATABASE_URL_FILE", "EMBARK_BOOTSTRAP_URL_FILE"])
def test_everybody_may_read_what_a_variable_names(service, embark, folder, name):
    """Whichever way a secret's file is named, and once, though several URLs may take the same password."""
    service.make_role()
    service.make_database(service.role)
    value = {"PGPASSWORD_FILE": SECRET, "SHOP_PW_FILE": SECRET, "EMBARK_BOOTSTRAP_URL_FILE": service.super_url}.get(name, service.url)
    path = folder / "secret"
    path.write_text(value + "\n")
    plain = f"postgresql://{service.role}@{service.server.host}:{service.server.port}/{service.name}"
    config = ""
    env = {name: str(path)}
    if name == "PGPASSWORD_FILE":
        env.update(DATABASE_URL=plain, EMBARK_DATABASE_DIRECT_URL=plain)
    elif name == "SHOP_PW_FILE":
        env.update(DATABASE_URL=service.url, EMBARK_BOOTSTRAP_URL=service.super_url)
        config = "[bootstrap]\npassword = ${SHOP_PW}\n"
    elif name == "EMBARK_BOOTSTRAP_URL_FILE":
        env.update(DATABASE_URL=service.url)
    for mode in (0o644, 0o640):
        path.chmod(mode)
        process = ready(embark("echo", "served", env=env, config=config))
        warning = rf"\${name} \({path}\): everybody may read this secret, since the file has mode 0644\n  hint: chmod o-r "
        assert len(re.findall(warning, process.stderr)) == (mode == 0o644), process.describe()
        assert process.stderr.count("may read this secret") == (mode == 0o644), process.describe()


def test_build_file_is_no_secret(service, embark, secret_file):
    (secret_file.parent / "build").write_text("abc\n")
    process = ready(serve(embark, service, extra=f"[image]\nbuild = ${{file:{secret_file.parent}/build}}\n"))
    assert "everybody" not in process.stderr


def test_docker_secrets_are_read_only_for_all(service, embark, secret_file):
    """Docker makes them 0444 below /run/secrets."""
    need_root("a mount namespace")
    secret_file.chmod(stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH)
    script = f"mount -t tmpfs tmpfs /run && mkdir /run/secrets && cp -p {secret_file} /run/secrets/password && exec \"$@\""
    config = embark.write_config("[bootstrap]\npassword = ${file:/run/secrets/password}\n")
    process = embark(argv=["unshare", "--mount", "sh", "-c", script, "sh", embark.binary, "echo", "served"],
                     env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": service.super_url, "EMBARK_CONFIG": str(config)})
    assert "everybody" not in ready(process).stderr


# --- interruptions

def slow_file(folder, seconds=100):
    path = folder / "slow.sql"
    path.write_text(f"SELECT pg_sleep({seconds});\n")
    return path


def sleeping(service):
    return service.server.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")


def test_sigterm_in_the_middle(service, embark, folder):
    """It ends at once, the backend too, and what was begun is taken up by the next start."""
    process = serve(embark, service, role="shopper", sql=str(slow_file(folder)))
    eventually(lambda: sleeping(service), what="the file is run")
    process.signal(signal.SIGTERM)
    failed(process, 143, timeout=5)
    eventually(lambda: not sleeping(service), what="the backend is gone")
    slow_file(folder, 0)
    ready(serve(embark, service, role="shopper", sql=f"{folder}/slow.sql", env={}))


def test_killed_in_the_middle_is_taken_up_again(service, embark, folder):
    """Until all is done the role may not log in: a replica that starts now doesn't serve, and the next start goes on."""
    (folder / "slow.sql").write_text("SELECT pg_sleep(100);\nCREATE TABLE after_that (n int);\n")
    process = serve(embark, service, role="shopper", sql=f"{folder}/slow.sql")
    eventually(lambda: sleeping(service), what="the file is run")
    with pytest.raises(psycopg2.OperationalError):
        service.connect()
    process.kill()
    eventually(lambda: not sleeping(service), what="the backend is gone")
    (folder / "slow.sql").write_text("CREATE TABLE after_that (n int);\n")
    ready(serve(embark, service, role="shopper", sql=f"{folder}/slow.sql", grants="read on public"))
    assert service.run("SELECT count(*) FROM after_that") == [(0,)]


def test_lock_is_held_by_another_bootstrap(service, embark, folder):
    first = serve(embark, service, role="shopper", sql=str(slow_file(folder)))
    eventually(lambda: sleeping(service), what="the file is run")
    second = serve(embark, service, role="shopper", sql=f"{folder}/slow.sql")
    second.wait_for_line(r"bootstrap: .*\"bootstrap of shop\".*held by")
    third = serve(embark, service, role="shopper", sql=f"{folder}/slow.sql", extra="[migrate]\nlock_timeout = 2s\n")
    failed(third, 75, "bootstrap of shop")
    second.signal(signal.SIGINT)
    failed(second, 130, timeout=5)
    service.server.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'")
    failed(first, 69, r"slow\.sql|57P01|terminating connection")


def test_server_stops_in_the_middle(own_server, embark, folder):
    server = own_server(conf=CONF).start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    process = serve(embark, service, role="shopper", sql=str(slow_file(folder)))
    eventually(lambda: sleeping(service), what="the file is run")
    server.stop("immediate")
    failed(process, 69, "bootstrap")
    server.start()
    slow_file(folder, 0)
    ready(serve(embark, service, role="shopper", sql=f"{folder}/slow.sql"))


def test_server_appears_later(own_server, embark):
    server = own_server(conf=CONF).start()
    set_superuser(server)
    embark.secrets += [SECRET, SUPER]
    service = Service(server)
    server.stop()
    for when in ("missing", "always"):
        process = serve(embark, service, when=when)
        process.wait_for_line("refuses connections")
        server.start()
        ready(process)
        service.clean()
        server.stop()


@pytest.mark.parametrize("state", [empty, no_database, no_role, no_privileges], ids=lambda state: state.__name__)
def test_killed_before_any_statement(service, embark, folder, state):
    """Killed at each place of the set-up in turn: the next start ends it. With no_database the login works as soon as the database is
    there, long before the set-up's end."""
    path = folder / "setup.sql"
    path.write_text("CREATE TABLE IF NOT EXISTS stock (n int);\nINSERT INTO stock SELECT 1 WHERE NOT EXISTS (SELECT FROM stock);\n")
    keys = {"role": "shopper", "sql": str(path), "grants": "read on public", "owns": "database"}
    at, n = 0, 1
    while at < n:
        at += 1
        service.clean()
        state(service)
        victims = []

        def on_statement(_text):
            if len(proxy.statements) == at:
                victims[0].kill()
            return len(proxy.statements) >= at

        proxy = StatementProxy(service.server, on_statement)
        url = service.super_url.replace(f":{service.server.port}/", f":{proxy.port}/")
        lines = "".join(f"{key} = {value}\n" for key, value in keys.items())
        held = embark.barrier(1, "echo", "served", env={"DATABASE_URL": service.url, "EMBARK_BOOTSTRAP_URL": url},
                              config=f"[bootstrap]\n{lines}")
        victims += held.processes
        held.release()[0].wait()
        proxy.close()
        n = max(n, len(proxy.statements) + 1)
        if len(proxy.statements) < at:
            ready(held.processes[0])
            break
        ready(serve(embark, service, **keys))
        assert owner(service) == service.role, f"killed before statement {at}: {proxy.statements[-1]}"
        assert service.run("SELECT n FROM stock") == [(1,)]
        assert not marks(service)
        ready(serve(embark, service, superuser=False))
    assert at > 20, proxy.statements


def test_lock_is_lost(service, embark, folder):
    """It is noticed while a statement runs; the next holder ends what the first has left."""
    keys = {"role": "shopper", "sql": str(slow_file(folder))}
    first = serve(embark, service, **keys)
    eventually(lambda: sleeping(service), what="the file is run")
    second = serve(embark, service, **keys, extra="[service]\ngrace = 100ms\n")
    second.wait_for_line(r"\"bootstrap of shop\" is held by")
    slow_file(folder, 0)
    first.signal(signal.SIGSTOP)
    service.server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    second.wait_for_line(r"an earlier run was killed, but its backend .*pg_sleep|its idle backend")
    ready(second)
    assert not sleeping(service)
    first.signal(signal.SIGCONT)
    failed(first, 69, r'the lock "bootstrap of shop" was lost while the set-up ran', r"hint: the set-up was stopped")


def test_lock_is_lost_and_noticed_at_once(service, embark, folder):
    process = serve(embark, service, role="shopper", sql=str(slow_file(folder)))
    eventually(lambda: sleeping(service), what="the file is run")
    service.server.sql("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    failed(process, 69, r'the lock "bootstrap of shop" was lost while the set-up ran: .*57P01', timeout=5)


# --- what it would send

def test_print(service, embark, secret_file):
    config = f"[bootstrap]\npassword = ${{file:{secret_file}}}\nrole = shop \"x\"\ngrants = write on public\n"
    process = embark.run("sql", "--print-bootstrap", env={"DATABASE_URL": service.url}, config=config).expect(0)
    assert 'CREATE ROLE "shop ""x""";' in process.stdout
    assert 'ALTER ROLE "shop ""x""" LOGIN PASSWORD \'****\';' in process.stdout
    assert 'CREATE DATABASE "shop" OWNER "shop ""x""";' in process.stdout
    assert "ALTER DEFAULT PRIVILEGES" in process.stdout
    embark.run("sql", "--print-bootstrap", "x.sql", env={"DATABASE_URL": service.url}).expect(64)
    embark.run("sql", "--print-bootstrap").expect(78)
    assert "shop" not in service.log()


def test_print_runs_as_it_is(service, embark):
    process = embark.run("sql", "--print-bootstrap", env={"DATABASE_URL": service.url}, config="[bootstrap]\ngrants = write on public\n").expect(0)
    outside, _, inside = process.stdout.partition("-- in the database")
    for line in outside.splitlines():
        service.server.sql(line)
    service.sql(inside.partition("\n")[2])
