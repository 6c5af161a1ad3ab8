"""A service's role owns its database, and means harm: it becomes no superuser through embark, and nothing that it has made is run in a session
of embark's."""

import psycopg2
import pytest

from support import hostile
from support.apps import ledger
from test_bootstrap import SECRET, SUPER, Service, owner, ready, set_superuser

# A server takes -- for the end of its options, and embark leaves options alone that end so: its sessions start with nothing of their own, as
# behind a pooler that refuses options.
UNPINNED = "?options=--"


@pytest.fixture(scope="module")
def hostile_server(cluster):
    server = cluster.server(conf={"log_min_error_statement": "error"}).start()
    set_superuser(server)
    yield server
    server.destroy()


@pytest.fixture
def service(hostile_server, embark):
    service = Service(hostile_server)
    service.make_role()
    service.make_database(service.role)
    embark.secrets += [SECRET, SUPER]
    start = len(hostile_server.log_text())
    service.log = lambda: hostile_server.log_text()[start:]
    yield service
    embark.end()
    service.clean()


def plant(service):
    connection = service.connect()
    hostile.plant(connection, service.name, service.role)
    connection.close()


def is_superuser(service):
    return service.server.value("SELECT rolsuper FROM pg_roles WHERE rolname = %s", (service.role,))


def unharmed(service):
    assert not is_superuser(service)
    assert not hostile.seen(service.log()), "\n".join(hostile.seen(service.log()))


def start(embark, service, *words, pinned=True, extra="", bootstrap="", cwd=None):
    query = "" if pinned else UNPINNED
    url = service.url_as(service.role, service.password, query=query)
    return embark(*(words or ("echo", "served")), env={"DATABASE_URL": url}, cwd=cwd,
                  config=f"[bootstrap]\nurl = {service.super_url}{query}\n{bootstrap}\n{extra}")


def test_the_doubles_work(service):
    """Where it may, the trap makes its owner a superuser."""
    plant(service)
    connection = psycopg2.connect(host=service.server.host, port=service.server.port, user="postgres", password=SUPER, dbname=service.name,
                                  application_name="embark:test")
    connection.cursor().execute("SELECT current_database()")
    connection.commit()
    connection.close()
    assert is_superuser(service) and hostile.seen(service.log())


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
@pytest.mark.parametrize("keys", ["", "owns = schema\n", "owns = nothing\ngrants = read on public\ngrants = write on evil\n"], ids=["database", "schema", "grants"])
def test_bootstrap_runs_nothing_of_the_owners(service, embark, keys, pinned):
    plant(service)
    ready(start(embark, service, pinned=pinned, bootstrap=f"when = always\n{keys}"))
    unharmed(service)


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
def test_no_command_runs_anything_of_the_owners(service, embark, folder, pinned):
    """The migrations' own statements would: these have none that could."""
    (folder / "migrations").mkdir()
    (folder / "migrations" / "1_a.sql").write_text("CREATE TABLE public.a ();\n")
    extra = "[database]\ntimeout = 10s\n[migrate]\nsql = migrations\nledger = public.embark_ledger\n[health]\ndatabase = yes\n"
    plant(service)
    how = {"pinned": pinned, "extra": extra, "bootstrap": "when = always\n", "cwd": folder}
    start(embark, service, "doctor", **how).wait(60)
    ready(start(embark, service, **how))
    ready(start(embark, service, **how))
    (folder / "migrations" / "2_b.sql").write_text("CREATE TABLE public.b ();\n")
    for words in (["migrate", "--dry-run"], ["migrate", "--status"], ["wait"], ["health"], ["doctor"], ["migrate"]):
        start(embark, service, *words, **how).wait(60)
    unharmed(service)
    assert service.sql("SELECT pg_catalog.to_regclass('public.b') IS NOT NULL") == [(True,)]


# --- settings

# What an owner may set, and a start has to live with.
SETTINGS = {
    "role": "owner_of_all", "default_transaction_read_only": "on", "statement_timeout": "1", "lock_timeout": "1", "idle_in_transaction_session_timeout": "1",
    "client_encoding": "SJIS", "standard_conforming_strings": "off", "row_security": "off", "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on", "datestyle": "German, DMY", "intervalstyle": "sql_standard", "timezone": "Asia/Tokyo", "bytea_output": "escape",
    "quote_all_identifiers": "on", "array_nulls": "off", "xmlbinary": "hex", "search_path": "", "client_min_messages": "debug5", "backslash_quote": "off",
    "transform_null_equals": "on", "constraint_exclusion": "on", "exit_on_error": "on", "check_function_bodies": "off", "password_encryption": "md5",
    "lc_monetary": "C", "extra_float_digits": "-15", "default_table_access_method": "heap", "plan_cache_mode": "force_generic_plan", "escape_string_warning": "on",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_setting_of_the_database(service, embark, folder, name):
    """Role and database are mended with the superuser's login, the migrations applied once, whatever the sessions start with."""
    service.server.sql("DROP ROLE IF EXISTS owner_of_all")
    service.server.sql("CREATE ROLE owner_of_all")
    service.server.sql(f"GRANT owner_of_all TO {service.role}")
    service.sql("GRANT CREATE ON SCHEMA public TO owner_of_all")
    service.run(f"ALTER DATABASE {service.name} SET {name} = '{SETTINGS[name]}'")
    (folder / "migrations").mkdir()
    # Nothing but what would go wrong with psql as well.
    extra = "" if name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "exit_on_error") else (
        "[migrate]\nsql = migrations\nledger = public.embark_ledger\n")
    (folder / "migrations" / "1_a.sql").write_text("CREATE TABLE public.a (n int);\n")
    how = {"bootstrap": "when = always\nowns = schema\ngrants = read on public\n", "extra": extra, "cwd": folder}
    ready(start(embark, service, **how))
    ready(start(embark, service, **how))
    start(embark, service, "doctor", **how).expect(0, timeout=60)
    unharmed(service)
    assert owner(service) == service.role
    if extra:
        assert service.sql("SELECT count(*) FROM public.a") == [(0,)]
        assert len(ledger(service, table="public.embark_ledger")) == 1


@pytest.mark.parametrize("statement", [
    "ALTER DATABASE {d} SET session_preload_libraries = 'evil'", "ALTER DATABASE {d} SET log_statement = 'all'",
    "ALTER DATABASE {d} SET log_min_duration_statement = 0", "ALTER DATABASE {d} SET log_min_error_statement = 'info'",
    "ALTER DATABASE {d} SET session_replication_role = 'replica'", "ALTER DATABASE {d} SET dynamic_library_path = '/tmp'",
    "CREATE EVENT TRIGGER evil ON ddl_command_start EXECUTE FUNCTION evil.f()", "CREATE CAST (name AS text) WITH INOUT AS IMPLICIT",
    "CREATE OPERATOR CLASS evil.c DEFAULT FOR TYPE int4 USING btree AS OPERATOR 1 <", "ALTER ROLE postgres SET search_path = evil",
])
def test_what_an_owner_may_not(service, statement):
    """The server refuses it, so nothing of embark's has to stand against it."""
    service.run("CREATE SCHEMA evil; CREATE FUNCTION evil.f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'")
    with pytest.raises(psycopg2.Error) as refused:
        service.run(statement.format(d=service.name))
    assert refused.value.pgcode == "42501", refused.value


# --- the users' own files

def test_files_run_on_the_path_that_psql_has(service, embark, folder):
    """[bootstrap] sql and embark sql: a table is made where the path leads."""
    service.run(f"CREATE SCHEMA first; ALTER DATABASE {service.name} SET search_path = first, public")
    for name in ("set-up", "by-hand"):
        (folder / f"{name}.sql").write_text(f'CREATE TABLE "{name}" ();\n')
    ready(start(embark, service, bootstrap=f"when = always\nsql = {folder}/set-up.sql\n"))
    start(embark, service, "sql", str(folder / "by-hand.sql")).expect(0)
    assert service.sql("SELECT schemaname, tablename FROM pg_tables WHERE tablename IN ('set-up', 'by-hand') ORDER BY 2") == [("first", "by-hand"), ("first", "set-up")]


def test_options_of_the_url_stay(service, embark, folder):
    """Those of the users' files, and of embark's sessions what it doesn't set itself."""
    (folder / "show.sql").write_text("SHOW search_path; SHOW work_mem;\n")
    url = service.url_as(service.role, SECRET, query="?options=-c%20search_path%3Dfirst%20-c%20work_mem%3D3MB")
    process = embark("sql", folder / "show.sql", env={"DATABASE_URL": url})
    process.expect(0)
    assert process.stdout == "first\n3MB\n"
