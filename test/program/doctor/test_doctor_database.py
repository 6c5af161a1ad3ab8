"""embark doctor at the database: addresses, sockets, the login and its TLS.

That it changes nothing is seen from outside.
"""

import datetime
import os
import socket

import pytest
from support.doctor import MIGRATE, PATIENT, Seen, looker
from support.net import Backlog, NameServer
from support.process import need_root
from support.waiting import eventually


@pytest.fixture
def look(embark):
    return looker(embark)


# --- all is well

def test_all_is_well(look, any_db):
    seen = look(any_db.url, MIGRATE + PATIENT).nothing_wrong()
    place = f"{any_db.server.host}:{any_db.server.port}"
    assert seen.one("address", "ok")["text"].startswith(f"{place} accepts connections (")
    assert f"as {any_db.role} to the database {any_db.name} (" in seen.one("login", "ok")["text"]
    assert seen.one("server", "info")["text"].startswith(f"PostgreSQL {any_db.server.version}.")
    assert "none" in seen.one("TLS", "info")["text"]
    seen.one("primary", "ok")
    seen.one("pooler", "ok", "none")
    seen.one("role", "info", "no superuser")
    seen.one("connections", "info", " of 60 in use, 3 reserved")
    seen.one("privileges", "ok", "may create in the schema public")
    seen.one("ledger", "ok", "not there yet, and can be created in public")
    seen.one("lock", "ok", '"embark" is free')
    assert not seen.of("tables") and not seen.of("index") and not seen.of("leftover")


def test_without_migrations_nothing_is_said_of_them(look, db):
    seen = look(db.url, PATIENT).nothing_wrong()
    for key in ("pooler", "privileges", "ledger", "lock", "tables"):
        assert not seen.of(key)


def test_no_database(embark):
    process = embark.run("doctor", "--json")
    assert "neither DATABASE_URL" in Seen(process).rows[0]["text"]


def test_nothing_is_changed(look, own_server, embark):
    """Neither a transaction number is used up nor WAL written: some of a few looks in a row, since the server writes some on its own."""
    server = own_server().start()
    db = server.database()
    embark.secrets.append(db.password)
    db.make_ledger()

    def numbers():
        return server.sql("SELECT pg_current_wal_insert_lsn(), txid_snapshot_xmax(txid_current_snapshot())")[0]

    def same():
        before = numbers()
        look(db.url, MIGRATE + PATIENT)
        return numbers() == before

    look(db.url, MIGRATE + PATIENT)
    server.sql("CHECKPOINT")
    eventually(same, timeout=60)
    assert db.value("SELECT count(*) FROM pg_class WHERE relname LIKE 'embark%'") == 0


# --- addresses and sockets

def test_every_address_is_looked_at(look, own_server, namespace, embark):
    network = namespace()
    server = own_server(namespace=network, listen="127.0.0.2").start()
    db = server.database()
    embark.secrets.append(db.password)
    network.hosts.write_text("127.0.0.1 db\n127.0.0.2 db\n10.1.2.3 db\n")
    seen = look(db.url_as(host="db"), PATIENT, prefix=network.prefix("/tmp"))
    seen.one("address", "warning", f"db: 127.0.0.1:{server.port} refuses connections")
    seen.one("address", "ok", f"db: 127.0.0.2:{server.port} accepts connections")
    assert "networks" in seen.one("address", "warning", f"db: 10.1.2.3:{server.port} is unreachable")["hint"]
    seen.one("login", "ok")


def test_several_hosts(look, db, refused_port):
    url = db.url.replace(f"{db.server.host}:{db.server.port}", f"127.0.0.1:{refused_port},localhost:{db.server.port}")
    seen = look(url, PATIENT)
    seen.one("address", "warning", f"127.0.0.1:{refused_port} refuses connections")
    seen.one("address", "ok", f"localhost: 127.0.0.1:{db.server.port} accepts")
    seen.one("login", "ok")


def test_refused(look, db, refused_port):
    seen = look(db.url_as(port=refused_port), code=69)
    row = seen.one("address", "bad", f"127.0.0.1:{refused_port} refuses connections")
    assert row["code"] == 69 and "this is the container itself" in row["hint"]
    assert not seen.of("login")


def test_no_answer(look):
    backlog = Backlog()
    try:
        seen = look(f"postgresql://app@127.0.0.1:{backlog.port}/db", "[database]\nconnect_timeout = 1s\n", code=69)
    finally:
        backlog.close()
    assert "firewall" in seen.one("address", "bad", f"127.0.0.1:{backlog.port} does not answer within")["hint"]


def test_accepts_and_never_answers(look, listener):
    peer = listener("silent")
    seen = look(f"postgresql://app@127.0.0.1:{peer.port}/db", "[database]\nconnect_timeout = 1s\ntimeout = 90s\n", code=69)
    seen.one("address", "ok")
    assert " 90 s, " in seen.one("login", "bad", "does not answer")["hint"]


def test_unknown_name(look, namespace):
    network = namespace()
    name_server = NameServer(network.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    try:
        seen = look("postgresql://app@nosuchhost/db", code=69, prefix=network.prefix("/tmp"))
    finally:
        name_server.close()
    row = seen.one("address", "bad", "nosuchhost is unknown (DNS:")
    assert "spelled right" in row["hint"] and "nsswitch" not in row["hint"]
    seen.one("name server", "info", "127.0.0.1 says of nosuchhost: no such name")


def test_dead_name_server(look, namespace):
    network = namespace()
    name_server = NameServer(network.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)), dead=True)
    try:
        seen = look("postgresql://app@db/db", "[database]\nconnect_timeout = 1s\n", code=69, prefix=network.prefix("/tmp"))
    finally:
        name_server.close()
    assert "is DNS reachable" in seen.one("address", "bad", "db can't be looked up")["hint"]
    seen.one("name server", "info", "127.0.0.1 says of db: no answer")


def test_name_servers_of_a_search_list(look, namespace):
    network = namespace()
    first = NameServer(network.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    first.names["db.b.test"] = "127.0.0.9"
    network.resolv.write_text("nameserver 127.0.0.2\nnameserver 127.0.0.1\nsearch a.test b.test\n")
    (network.hosts.parent / "nsswitch.conf").write_text("hosts: files mdns4_minimal [NOTFOUND=return] dns\n")
    try:
        seen = look("postgresql://app@other/db", "[database]\nconnect_timeout = 1s\n", code=69, prefix=network.prefix("/tmp"))
    finally:
        first.close()
    assert "mdns4_minimal" in seen.one("address", "bad", "other is unknown")["hint"]
    rows = [row["text"] for row in seen.of("name server")]
    assert rows == ["127.0.0.2 says of other.a.test: nobody listens there, other.b.test: nobody listens there, other: nobody listens there",
                    "127.0.0.1 says of other.a.test: no such name, other.b.test: no such name, other: no such name"]


def test_socket(look, db):
    seen = look(db.socket_url, MIGRATE + PATIENT).nothing_wrong()
    seen.one("socket", "ok", f"{db.server.socket_folder}/.s.PGSQL.{db.server.port} accepts connections")
    seen.one("TLS", "info", "a unix socket needs none")


def test_missing_sockets(look, db, folder):
    def bad(text, **where):
        query = "&".join(f"{k}={v}" for k, v in where.items())
        return look(f"postgresql://app@/db?{query}", code=69).one("socket", "bad", text)["hint"]

    assert "does not exist in this container" in bad("/nowhere/.s.PGSQL.5432 does not exist", host="/nowhere")
    assert "holds no server's socket" in bad("does not exist", host=folder)
    assert f"holds .s.PGSQL.{db.server.port}: is the port right?" in bad("does not exist", host=db.server.socket_folder, port=1)


def test_no_host_at_all(look):
    if os.path.exists("/var/run/postgresql/.s.PGSQL.1"):
        pytest.fail("a server of this machine is in the way")
    hint = look("postgresql://app@/db?port=1", code=69).one("socket", "bad", "/var/run/postgresql/.s.PGSQL.1 does not exist")["hint"]
    assert "names no host" in hint


def test_stale_socket(look, folder):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(folder / ".s.PGSQL.5432"))
    seen = look(f"postgresql://app@/db?host={folder}", code=69)
    assert "left by a server that ended" in seen.one("socket", "bad", "nobody listens")["hint"]


def test_socket_without_permission(look, folder):
    need_root("becoming another user")
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(folder / ".s.PGSQL.5432"))
        s.listen(1)
        (folder / ".s.PGSQL.5432").chmod(0o700)
        seen = look(f"postgresql://app@/db?host={folder}", code=69, user="nobody")
    assert "unix_socket_permissions" in seen.one("socket", "bad", "may not be connected to by uid 65534")["hint"]


# --- the login

def start_of(embark, url, config=""):
    """What a start says of the same."""
    process = embark.run("wait", env={"DATABASE_URL": url}, config=config + "[database]\ntimeout = 10s\n")
    return process.popen.returncode, process.stderr


def test_refused_logins_are_said_as_a_start_says_them(look, embark, db):
    for url, state in ((db.url_as(password="wrong-password"), "28P01"), (db.url_as(user="nobody-here"), "28P01"),
                       (db.url_as(name="missing"), "3D000")):
        embark.secrets.append("wrong-password")
        row = look(url, PATIENT, code=77).one("login", "bad", f"({state})")
        code, said = start_of(embark, url)
        assert code == row["code"] == 77
        assert row["text"] in said and row["hint"] in said


def test_what_a_bootstrap_makes_is_no_failure(look, db):
    config = PATIENT + "[bootstrap]\nurl = ${SUPER}\n"
    env = {"SUPER": f"postgresql://postgres@/postgres?host={db.server.socket_folder}&port={db.server.port}"}
    row = look(db.url_as(user="later", name="later"), config, env=env).one("login", "info", "first start: the role later does not exist yet")
    assert "[bootstrap] url" in row["hint"]


def test_what_a_bootstrap_left_undone(look, db):
    """A login that works, to a database whose schema the role may not create in; the ledger says that a start doesn't look any more."""
    config = PATIENT + "[bootstrap]\nurl = ${SUPER}\n" + MIGRATE
    env = {"SUPER": f"postgresql://postgres@/postgres?host={db.server.socket_folder}&port={db.server.port}"}
    look(db.url, config, env=env).nothing_wrong()
    db.sql("ALTER SCHEMA public OWNER TO postgres")
    db.sql("REVOKE CREATE ON SCHEMA public FROM public")
    for more in ("", f"[database]\ndirect_url = {db.socket_url}\n"):
        row = look(db.url, config + more, env=env).one("set-up", "warning", f"{db.role} logs in, and lacks the privilege CREATE")
        assert "a start mends it" in row["hint"]
    assert not look(db.url, config + "[bootstrap]\nwhen = always\n", env=env).of("set-up")
    db.sql("CREATE TABLE embark_ledger (x int)")
    assert not look(db.url, config, env=env).of("set-up")


def test_connect_privilege(look, db):
    db.server.sql(f'REVOKE CONNECT ON DATABASE "{db.name}" FROM public')
    db.server.sql(f'ALTER DATABASE "{db.name}" OWNER TO postgres')
    look(db.url, PATIENT, code=77).one("login", "bad", "42501")


def test_a_question_that_fails_is_a_line(look, db):
    db.sql("REVOKE EXECUTE ON FUNCTION pg_catalog.pg_stat_get_activity(integer) FROM public")
    seen = look(db.url, MIGRATE + PATIENT)
    seen.one("role", "warning", "can't be looked at: ")
    seen.one("privileges", "ok")


def test_a_question_that_blocks_is_a_line(look, db):
    """The others are asked all the same."""
    holder = db.connect()
    holder.autocommit = False
    holder.cursor().execute("LOCK TABLE pg_catalog.pg_depend IN ACCESS EXCLUSIVE MODE")
    seen = look(db.url, MIGRATE)
    holder.close()
    seen.one("tables", "warning", "can't be looked at: ")
    seen.one("lock", "ok")


# --- TLS

def tls_url(database, certificates, mode, host="localhost", ca=None):
    """One address, as many machines have ::1 for localhost as well."""
    return database.url_as(host=host, query=f"hostaddr=127.0.0.1&sslmode={mode}&sslrootcert={ca or certificates.ca}")


def test_certificate(look, tls_server, certificates, embark):
    db = tls_server("good").database()
    embark.secrets.append(db.password)
    seen = look(tls_url(db, certificates, "verify-full"), PATIENT).nothing_wrong()
    assert "TLSv1." in seen.one("TLS", "info", "the certificate is verified (sslmode=verify-full)")["text"]
    assert seen.one("certificate", "info")["text"] == (
        "for localhost (localhost, 127.0.0.1), issued by embark test authority, valid from 2020-01-01 to 2049-12-31")
    look(tls_url(db, certificates, "verify-ca"), PATIENT).one("TLS", "info", "its name isn't compared")
    look(db.url, PATIENT).one("TLS", "info", "not verified (sslmode=prefer)")
    db.drop()


def test_dates_of_a_certificate(look, tls_server, certificates, embark):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=5, hours=12)
    certificates.soon = certificates.authority.issue("soon", "DNS:localhost", end=end.strftime("%Y%m%d%H%M%SZ"))
    certificates.later = certificates.authority.issue("later", "DNS:localhost", start="20480101000000Z")
    for kind, text in (("soon", "it expires in 5 days"), ("expired", "it has expired"), ("later", "it is not valid yet")):
        db = tls_server(kind).database()
        embark.secrets.append(db.password)
        look(db.url, PATIENT).one("certificate", "warning", text)
        db.drop()


@pytest.mark.parametrize("kind, mode, ca, why, hint", [
    ("wrong_host", "verify-full", "ca", "it is not for the host localhost", "subjectAltName"),
    ("expired", "verify-full", "ca", "it has expired", "renew"),
    ("good", "verify-ca", "other_ca", "issued by embark test authority", "sslrootcert"),
])
def test_refused_certificate(look, tls_server, certificates, embark, kind, mode, ca, why, hint):
    """It is shown though the login failed by it, and the password goes to nobody."""
    db = tls_server(kind).database()
    embark.secrets.append(db.password)
    seen = look(tls_url(db, certificates, mode, ca=getattr(certificates, ca)), PATIENT, code=77)
    assert hint in seen.one("login", "bad", "certificate")["hint"]
    seen.one("certificate", "info", why)
    db.drop()


def test_no_tls_at_the_server(look, embark, db):
    url = db.url_as(query="sslmode=require")
    row = look(url, PATIENT, code=77).one("login", "bad", "does not support SSL")
    assert "ssl = on" in row["hint"]
    code, said = start_of(embark, url)
    assert code == 77 and row["hint"] in said
