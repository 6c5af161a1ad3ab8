"""Waiting for the database: real logins, told apart by what waiting can mend and what it can't."""

import re
import select
import socket

import pytest

from support import net, postgres
from support.waiting import eventually

READY = r"^embark: ready in \d.*: echo served$"
# At once: long before the 60 s for which embark would wait.
AT_ONCE = 10


def serve(embark, url, *, timeout="20s", env=None, config=None, **how):
    env = {"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": timeout, **(env or {})}
    return embark("echo", "served", env=env, config=config, **how)


def served(process, timeout=20):
    process.expect(0, "(?m)" + READY, timeout=timeout)
    assert process.stdout == "served\n"
    return process


def refused(process, *patterns):
    """77: waiting can't mend it."""
    process.expect(77, *patterns, timeout=AT_ONCE)
    assert process.stdout == ""
    return process


def gave_up(process, *patterns, timeout=15):
    """69: not reachable before the deadline."""
    process.expect(69, *patterns, timeout=timeout)
    assert process.stdout == ""
    return process


# --- reachable or not

def test_running_server(any_db, embark):
    """On every version of PostgreSQL."""
    process = served(serve(embark, any_db.url))
    assert len(process.said) == 1, "nothing to say but that it's ready"


def test_server_is_started_later(own_server, embark):
    server = own_server().start()
    db = server.database()
    server.stop()
    process = serve(embark, db.url)
    process.wait_for_line(rf"^embark: wait: 127\.0\.0\.1:{server.port} refuses connections \(\d+\.\d s of 20 s\)")
    server.start()
    served(process)


def turns(server):
    """All turns of the processes of this machine that log in to the server (os/net/turn.h)."""
    sockets = [socket.socket(socket.AF_UNIX) for _ in range(8)]
    for number, taken in enumerate(sockets):
        taken.bind(f"\0embark-turn {number} {server.host}:{server.port}")
        taken.listen()
        taken.settimeout(20)
    return sockets


def test_crowd_takes_turns(own_server, embark):
    """Who comes while all turns are in use waits for one of them, whichever ends first, and logs in when it has it."""
    server = own_server().start()
    db = server.database()
    owners = turns(server)
    process = serve(embark, db.url)
    asked = eventually(lambda: next(iter(select.select(owners, [], [], 0)[0]), None))
    assert process.popen.poll() is None
    assert not server.sql("SELECT FROM pg_stat_activity WHERE application_name LIKE 'embark:%'")
    asked.close()
    served(process)
    for owner in owners:
        owner.close()
    served(serve(embark, db.url))


def test_turns_that_never_end(own_server, embark):
    """A start waits for one for 8 to 16 seconds, and then does without."""
    server = own_server().start()
    db = server.database()
    owners = turns(server)
    process = served(serve(embark, db.url, timeout="60s"), timeout=40)
    assert 5 <= float(re.search(r"ready in (\d+(\.\d+)?) s", process.stderr)[1]) < 30
    for owner in owners:
        owner.close()


def test_deadline_passes(embark, refused_port):
    process = serve(embark, f"postgresql://app:Pw-marker@127.0.0.1:{refused_port}/app", timeout="1s")
    embark.secrets.append("Pw-marker")
    gave_up(process, rf"127\.0\.0\.1:{refused_port} refuses connections", r"1 s", r"\n  hint: ")


def test_state_is_said_once_and_every_five_seconds(embark, refused_port):
    """One line when the state changes, one every 5 s, none else."""
    process = serve(embark, f"postgresql://app@127.0.0.1:{refused_port}/app", timeout="6s")
    gave_up(process)
    lines = [line for line in process.said if "refuses connections (" in line]
    assert len(lines) == 2, process.stderr
    assert re.search(r"\(0\.\d s of 6 s\)", lines[0]) and re.search(r"\(5\.\d s of 6 s\)", lines[1]), lines


def test_timeout_of_zero_is_one_try(db, embark, refused_port):
    gave_up(serve(embark, f"postgresql://app@127.0.0.1:{refused_port}/app", timeout="0s"))
    process = serve(embark, db.url, timeout="0s")
    assert process.wait() in (0, 69), process.describe()


def test_port_that_accepts_and_never_speaks(embark, listener):
    """L31: connect_timeout holds, and it is tried again."""
    silent = listener("silent")
    process = serve(embark, f"postgresql://app@127.0.0.1:{silent.port}/app", timeout="2s",
                    env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "300ms"})
    gave_up(process, rf"127\.0\.0\.1:{silent.port} (does not|doesn't) answer")
    assert silent.accepted >= 3


def test_port_that_never_speaks_and_no_other_timeout_than_the_whole(embark, listener):
    """L31: the deadline cuts a try short."""
    silent = listener("silent")
    process = serve(embark, f"postgresql://app@127.0.0.1:{silent.port}/app", timeout="1s",
                    env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "100s"})
    gave_up(process)


def test_connect_timeout_of_the_url_does_not_outlast_the_deadline(embark, listener):
    silent = listener("silent")
    gave_up(serve(embark, f"postgresql://app@127.0.0.1:{silent.port}/app?connect_timeout=100", timeout="1s"))


def test_full_backlog(embark):
    """L31: not even a SYN is answered."""
    full = net.Backlog()
    process = serve(embark, f"postgresql://app@127.0.0.1:{full.port}/app", timeout="1s",
                    env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "200ms"})
    gave_up(process, str(full.port))
    full.close()


@pytest.mark.parametrize("behaviour", ["close", "reset"])
def test_port_that_hangs_up_is_tried_again(embark, listener, behaviour):
    """A proxy without a backend."""
    peer = listener(behaviour)
    gave_up(serve(embark, f"postgresql://app@127.0.0.1:{peer.port}/app", timeout="500ms"), str(peer.port))
    assert peer.accepted >= 3


@pytest.mark.parametrize("bytes_", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n", b"\0" * 64, b"E\xff\xff\xff\xff", b"R\0\0\0\x04",
                                    b"E\0\0\0\x20SFATAL\0C28P01\0Mx\0\0" + b"\x1b[31m" * 4, b"N" * 2000],
                         ids=["http", "ssh", "zeros", "huge", "short", "error", "n"])
@pytest.mark.parametrize("sslmode", ["disable", "prefer"])
def test_something_else_than_postgres_answers(embark, listener, bytes_, sslmode):
    peer = listener(bytes_)
    process = serve(embark, f"postgresql://app:Pw-marker@127.0.0.1:{peer.port}/app?sslmode={sslmode}", timeout="400ms")
    embark.secrets.append("Pw-marker")
    assert process.wait(AT_ONCE) in (69, 77), process.describe()
    assert process.stdout == "" and str(peer.port) in process.stderr
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", process.err.raw), process.err.raw


def test_addresses_are_resolved_again_for_every_try(embark, namespace, own_server):
    """L30: the name appears later, first with a wrong address."""
    inside = namespace()
    server = own_server(namespace=inside, listen="127.0.0.1").start()
    db = server.database()
    process = serve(embark, db.url_as(host="db.test"), prefix=inside.prefix(embark.folder))
    process.wait_for_line(r"^embark: wait: .*db\.test")
    inside.hosts.write_text("127.0.0.1 localhost\n127.0.0.3 db.test\n")
    process.wait_for_line(r"^embark: wait: db\.test:\d+ refuses connections")
    inside.hosts.write_text("127.0.0.1 localhost\n127.0.0.1 db.test\n")
    served(process)


def test_name_server_answers_later(embark, namespace, own_server):
    """L30: NXDOMAIN at first, as Docker's name server says it until the container is there."""
    inside = namespace()
    names = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    server = own_server(namespace=inside).start()
    db = server.database()
    process = serve(embark, db.url_as(host="db.test"), prefix=inside.prefix(embark.folder))
    process.wait_for_line(r"^embark: wait: .*db\.test")
    eventually(lambda: len(names.asked) > 8, what="asked again")
    names.names["db.test"] = "127.0.0.1"
    served(process)
    names.close()


def test_dead_name_server_does_not_hold_up_the_deadline(embark, namespace):
    """L41: libpq would resolve synchronously."""
    inside = namespace()
    names = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)), dead=True)
    process = serve(embark, "postgresql://app@db.test/app", timeout="1s", prefix=inside.prefix(embark.folder))
    gave_up(process, r"db\.test")
    names.close()


def test_name_that_does_not_exist_is_waited_for(embark, namespace):
    inside = namespace()
    names = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    process = serve(embark, "postgresql://app@nosuchhost.test/app", timeout="1s", prefix=inside.prefix(embark.folder))
    gave_up(process, r"nosuchhost\.test")
    names.close()


# --- logins

def test_wrong_password(db, embark):
    """L28: at once."""
    embark.secrets.append("Wrong-one")
    process = serve(embark, db.url_as(password="Wrong-one"))
    refused(process, "28P01", f'"{db.role}"', r"\n  hint: ")


def test_unknown_role(db, embark):
    """L28: the server gives the same answer as for a wrong password."""
    refused(serve(embark, db.url_as(user="nobody_of_that_name")), "28P01", "nobody_of_that_name")


def test_grace_until_the_role_appears(server, embark):
    """L28"""
    db = postgres.Database(server, "late_database", "late_role", "Pw-late-marker")
    embark.secrets.append(db.password)
    process = serve(embark, db.url, env={"EMBARK_DATABASE_AUTH_GRACE": "15s"})
    process.wait_for_line("28P01")
    server.sql("CREATE DATABASE late_database")
    db.create_role()
    served(process)
    db.drop()


def test_grace_until_the_password_is_set(db, embark):
    """L28"""
    embark.secrets.append("Pw-new-marker")
    process = serve(embark, db.url_as(password="Pw-new-marker"), env={"EMBARK_DATABASE_AUTH_GRACE": "15s"})
    process.wait_for_line("28P01")
    db.server.sql(f"ALTER ROLE {db.role} PASSWORD 'Pw-new-marker'")
    served(process)


def test_grace_ends(db, embark):
    """L28: refused, not unreachable."""
    process = serve(embark, db.url_as(password="Wrong-one"), env={"EMBARK_DATABASE_AUTH_GRACE": "1s"})
    refused(process, "28P01")
    assert process.stderr.count("28P01") >= 2, "said while waiting, and at the end"


def test_grace_longer_than_the_timeout(db, embark):
    process = serve(embark, db.url_as(password="Wrong-one"), timeout="1s", env={"EMBARK_DATABASE_AUTH_GRACE": "60s"})
    assert process.wait(AT_ONCE) in (69, 77), process.describe()
    assert "28P01" in process.stderr


def test_database_that_does_not_exist(db, embark):
    """3D000: at once."""
    refused(serve(embark, db.url_as(name="no_such_database")), "3D000", "no_such_database")


def test_role_that_may_not_log_in(db, embark):
    """28000: at once."""
    db.server.sql(f"ALTER ROLE {db.role} NOLOGIN")
    refused(serve(embark, db.url), "28000|not permitted to log in")


def test_role_without_connect_privilege(db, embark):
    """42501: at once."""
    db.server.sql(f"REVOKE CONNECT ON DATABASE {db.name} FROM public; ALTER DATABASE {db.name} OWNER TO postgres;"
                  f" REVOKE ALL ON DATABASE {db.name} FROM {db.role}")
    refused(serve(embark, db.url), "42501", "CONNECT|permission denied")


def test_database_that_does_not_accept_connections(db, embark):
    """55000: at once."""
    db.server.sql(f"ALTER DATABASE {db.name} ALLOW_CONNECTIONS false")
    refused(serve(embark, db.url), "55000|not currently accepting")


def test_no_entry_in_pg_hba(own_server, embark):
    """28000, though the server and role are fine."""
    server = own_server(hba="local all all trust\n").start()
    db = server.database()
    refused(serve(embark, db.url), "28000", "pg_hba")


def test_missing_password(db, embark):
    refused(serve(embark, f"postgresql://{db.role}@127.0.0.1:{db.server.port}/{db.name}"), "(?i)password")


def test_expired_password(db, embark):
    """28P01 like a wrong one: the server tells nobody but its log."""
    db.server.sql(f"ALTER ROLE {db.role} VALID UNTIL '2001-01-01'")
    refused(serve(embark, db.url), "28P01")


@pytest.mark.parametrize("method", ["scram-sha-256", "md5", "password", "trust"])
@pytest.mark.parametrize("stored", ["scram-sha-256", "md5"])
def test_login_methods(own_server, embark, method, stored):
    """Every way in which pg_hba.conf may ask for the password, with it stored in both forms."""
    if (method, stored) == ("scram-sha-256", "md5"):
        right, wrong = 77, 77  # the server refuses it as a wrong password
    else:
        right, wrong = 0, 0 if method == "trust" else 77
    server = own_server(hba=f"local all all trust\nhost all all 127.0.0.1/32 {method}\n").start()
    db = server.database(encryption=stored)
    embark.secrets.append(db.password)
    serve(embark, db.url).expect(right)
    serve(embark, db.url_as(password="Wrong-one")).expect(wrong)


@pytest.mark.parametrize("rounds", [1, 2, 50000])
def test_scram_rounds(cluster, embark, rounds):
    """PostgreSQL 16 lets a role's verifier have another number of rounds than 4096. Both logins: that of the wait and the ledger's."""
    server = cluster.server("16").start()
    db = postgres.Database(server, "rounds", "rounds", "Pw-of-many-rounds")
    with server.connect() as connection:
        connection.cursor().execute(f"SET scram_iterations = {rounds}")
        connection.cursor().execute("CREATE ROLE rounds LOGIN PASSWORD 'Pw-of-many-rounds'")
    server.sql("CREATE DATABASE rounds OWNER rounds")
    embark("--", "true", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n").expect(0)
    serve(embark, db.url_as(password="Pw-of-many-round")).expect(77)
    embark.end()
    server.destroy()


def test_passwords_that_need_encoding(server, embark):
    for number, password in enumerate(["p@ss", "p/ss", "p:ss", "p%ss", "p%20s", "p s", "p#s?", "pä€😀", "\\'\"`$(x)", "a&b=c+d", "💧" * 50]):
        db = postgres.Database(server, f"encoded{number}", f"encoded role {number}", password)
        db.create()
        served(serve(embark, db.url))
        served(serve(embark, db.socket_url))
        quoted = password.replace("\\", "\\\\").replace("'", "\\'")
        served(serve(embark, f"host=127.0.0.1 port={server.port} user='{db.role}' dbname={db.name} password='{quoted}'"))
        db.drop()


def test_password_of_a_passfile(db, embark, folder):
    path = folder / "pgpass"
    path.write_text(f"127.0.0.1:*:*:{db.role}:{db.password}\n")
    path.chmod(0o600)
    url = f"postgresql://{db.role}@127.0.0.1:{db.server.port}/{db.name}"
    served(serve(embark, url, env={"PGPASSFILE": str(path)}))
    (folder / ".pgpass").write_text(path.read_text())
    (folder / ".pgpass").chmod(0o600)
    served(serve(embark, url))


def test_pg_variables_instead_of_a_url(db, embark):
    process = embark("echo", "served", env={**db.pg_environment, "EMBARK_DATABASE_TIMEOUT": "5s"})
    served(process)


def test_pg_variables_fill_what_the_url_leaves_open(db, embark):
    served(serve(embark, f"postgresql://127.0.0.1:{db.server.port}", env={
        "PGUSER": db.role, "PGPASSWORD": db.password, "PGDATABASE": db.name}))


def test_pg_variables_are_waited_for(own_server, embark):
    server = own_server().start()
    db = server.database()
    server.stop()
    process = embark("echo", "served", env=db.pg_environment)
    process.wait_for_line("refuses connections")
    server.start()
    served(process)


# --- servers that are not ready yet

def test_role_connection_limit_is_waited_for(db, embark):
    """L26: 53300 of the role."""
    db.server.sql(f"ALTER ROLE {db.role} CONNECTION LIMIT 1")
    taken = db.connect_as_role()
    process = serve(embark, db.url)
    process.wait_for_line(r"^embark: wait: .*53300")
    taken.close()
    served(process)


def test_full_server_is_waited_for(own_server, embark):
    """L26: 53300 of the server."""
    server = own_server(conf={"max_connections": "6", "superuser_reserved_connections": "3"}).start()
    db = server.database()
    taken = [db.connect_as_role() for _ in range(3)]
    process = serve(embark, db.url)
    process.wait_for_line(r"^embark: wait: .*53300")
    for connection in taken:
        connection.close()
    served(process)


def test_server_in_shutdown(own_server, embark):
    """57P03 while it shuts down, refused while it is away, ready when it is back."""
    server = own_server().start()
    db = server.database()
    held = db.connect()
    server.popen.send_signal(15)  # smart: waits for its clients
    process = serve(embark, db.url)
    process.wait_for_line(r"^embark: wait: .*57P03")
    held.close()
    server.popen.wait(20)
    server.popen = None
    process.wait_for_line("refuses connections")
    server.start()
    served(process)


def test_server_that_is_starting_up(own_server, embark):
    """57P03: a server that recovers and doesn't let anybody in yet."""
    primary = own_server().start()
    db = primary.database()
    standby = postgres.standby_of(primary)
    standby.launch(hot_standby="off")
    process = serve(embark, db.url_as(port=standby.port))
    process.wait_for_line(r"^embark: wait: .*57P03")
    standby.stop()
    standby.start(hot_standby="on")
    process.wait_for_line(r"standby|recovery")
    postgres.promote(standby)
    served(process)
    standby.destroy()


def test_first_start_of_the_official_image(own_server, embark):
    """L32: a temporary server on the socket only, stopped again before the real one starts. Over TCP it is never seen."""
    server = own_server()
    server.start(listen_addresses="''")
    db = server.database()
    process = serve(embark, db.url)
    process.wait_for_line("refuses connections")
    server.stop("fast")
    assert process.running
    server.start(listen_addresses="'127.0.0.1'")
    served(process)


def test_temporary_server_on_a_shared_socket(own_server, embark, folder):
    """L32: a client on the socket that tries while the temporary server shuts down waits for the real one."""
    server = own_server().start(listen_addresses="''")
    db = server.database()
    held = db.connect()
    server.popen.send_signal(15)
    process = serve(embark, db.socket_url)
    process.wait_for_line("57P03")
    held.close()
    server.popen.wait(20)
    server.popen = None
    process.wait_for_line(r"No such file|refuses|socket")
    server.start()
    served(process)


def test_server_that_is_killed_and_comes_back(own_server, embark):
    server = own_server().start()
    db = server.database()
    server.stop("kill")
    process = serve(embark, db.url)
    process.wait_for_line("refuses connections")
    server.start()
    served(process)


def test_stopped_server_is_waited_for(own_server, embark):
    """A host that hangs: the kernel still accepts for it."""
    server = own_server().start()
    db = server.database()
    server.popen.send_signal(19)
    process = serve(embark, db.url, env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "300ms"})
    process.wait_for_line("answer")
    server.popen.send_signal(18)
    served(process)


# --- standbys, several hosts

def role_on(pair, embark):
    primary, standby = pair
    db = primary.database()
    embark.secrets.append(db.password)
    primary.sql("SELECT pg_switch_wal()")
    eventually(lambda: standby.sql("SELECT 1 FROM pg_database WHERE datname = %s", (db.name,)), what="replication")
    return db


def test_standby_is_not_ready(pair, embark):
    """L27: unless the URL says that it will do."""
    db = role_on(pair, embark)
    process = serve(embark, db.url_as(port=pair[1].port), timeout="1s")
    gave_up(process, "standby|recovery", r"target_session_attrs")


@pytest.mark.parametrize("attrs, standby, primary", [
    ("any", True, True), ("read-only", True, False), ("standby", True, False), ("prefer-standby", True, True),
    ("read-write", False, True), ("primary", False, True),
])
def test_target_session_attrs(pair, embark, attrs, standby, primary):
    db = role_on(pair, embark)
    on_primary = serve(embark, db.url_as(query=f"target_session_attrs={attrs}"), timeout="1s" if not primary else "20s")
    on_standby = serve(embark, db.url_as(port=pair[1].port, query=f"target_session_attrs={attrs}"),
                       timeout="1s" if not standby else "20s")
    on_primary.expect(0 if primary else 69)
    on_standby.expect(0 if standby else 69)


def test_several_hosts(pair, embark, refused_port):
    primary, standby = pair
    db = role_on(pair, embark)
    login = f"{db.role}:{db.password}"
    for hosts, query in [
        (f"127.0.0.1:{refused_port},127.0.0.1:{primary.port}", ""),
        (f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}", "?target_session_attrs=primary"),
        (f"127.0.0.1:{standby.port},127.0.0.1:{primary.port}", ""),
        (f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}", "?target_session_attrs=standby"),
        (f"127.0.0.1:{refused_port},127.0.0.1:{standby.port}", "?target_session_attrs=prefer-standby"),
    ]:
        served(serve(embark, f"postgresql://{login}@{hosts}/{db.name}{query}", timeout="5s"))


def test_several_hosts_that_are_all_away(embark, refused_port):
    other = postgres.free_port()
    process = serve(embark, f"postgresql://app@127.0.0.1:{refused_port},127.0.0.1:{other}/app", timeout="500ms")
    gave_up(process, "refuses connections")


def test_black_hole_before_a_good_host_does_not_use_up_the_time(db, embark):
    full = net.Backlog()
    served(serve(embark, f"postgresql://{db.role}:{db.password}@127.0.0.1:{full.port},127.0.0.1:{db.server.port}/{db.name}",
                 env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "1s"}))
    full.close()


def test_localhost_with_both_families(db, embark):
    """::1 is tried and refused, 127.0.0.1 is served."""
    served(serve(embark, db.url_as(host="localhost"), timeout="5s"))


def test_ipv6(own_server, embark):
    server = own_server(listen="::1", host="[::1]").start()
    db = server.database()
    served(serve(embark, db.url))
    server.stop()
    gave_up(serve(embark, db.url, timeout="300ms"), rf"\[::1\]:{server.port} refuses connections")


# --- unix sockets

def test_unix_socket(db, embark):
    s = db.server
    folder = str(s.socket_folder)
    encoded = folder.replace("/", "%2F")
    login = f"{db.role}:{db.password}"
    for url in (db.socket_url, f"postgresql://{login}@{encoded}:{s.port}/{db.name}",
                f"host={folder} port={s.port} user={db.role} password={db.password} dbname={db.name}"):
        served(serve(embark, url))


def test_unix_socket_that_is_not_there_yet(own_server, embark):
    server = own_server().start()
    db = server.database()
    server.stop()
    process = serve(embark, db.socket_url)
    process.wait_for_line(re.escape(str(server.socket_folder)))
    server.start()
    served(process)


def test_unix_socket_whose_path_is_too_long(embark):
    process = serve(embark, f"postgresql://app@/app?host=/{'x' * 120}", timeout="2s")
    process.wait(AT_ONCE)
    assert process.popen.returncode in (69, 77, 78) and process.stdout == "", process.describe()
    assert "long" in process.stderr


# --- TLS

def tls_url(db, certificates, mode, *, ca=None, host="localhost", more=""):
    root = f"&sslrootcert={ca}" if ca else ""
    return db.url_as(host=host, query=f"sslmode={mode}{root}{more}")


@pytest.fixture
def tls_db(tls_server, embark):
    made = []

    def make(kind):
        db = tls_server(kind).database()
        embark.secrets.append(db.password)
        made.append(db)
        return db

    yield make
    embark.end()
    for db in made:
        db.drop()


@pytest.mark.parametrize("kind, mode, ca, code", [
    ("good", "require", None, 0), ("good", "prefer", None, 0), ("good", "verify-ca", "ca", 0), ("good", "verify-full", "ca", 0),
    ("good", "require", "ca", 0), ("good", "require", "other_ca", 77), ("good", "verify-ca", "other_ca", 77),
    ("good", "verify-full", "other_ca", 77), ("good", "verify-full", None, 77), ("good", "verify-ca", None, 77),
    ("good", "disable", None, 77), ("wrong_host", "verify-full", "ca", 77), ("wrong_host", "verify-ca", "ca", 0),
    ("wrong_host", "require", None, 0), ("expired", "verify-full", "ca", 77), ("expired", "verify-ca", "ca", 77),
    ("expired", "require", None, 0), ("good", "verify-full", "/nowhere/ca.crt", 77),
])
def test_tls(tls_db, certificates, embark, kind, mode, ca, code):
    """L36: a certificate that doesn't fit fails at once."""
    db = tls_db(kind)
    root = getattr(certificates, ca, ca) if ca else None
    process = serve(embark, tls_url(db, certificates, mode, ca=root))
    if code == 0:
        served(process)
    else:
        refused(process, "(?i)certificate|SSL|TLS|pg_hba|encryption")


def test_tls_with_the_address_instead_of_the_name(tls_db, certificates, embark):
    """The certificate has IP:127.0.0.1 beside its name."""
    served(serve(embark, tls_url(tls_db("good"), certificates, "verify-full", ca=certificates.ca, host="127.0.0.1")))


def test_wrong_host_name_is_named(tls_db, certificates, embark):
    """L36"""
    process = serve(embark, tls_url(tls_db("wrong_host"), certificates, "verify-full", ca=certificates.ca))
    refused(process, "db.example.org", "localhost")


def test_server_without_tls(db, embark):
    refused(serve(embark, db.url_as(query="sslmode=require")), "(?i)SSL|TLS")
    served(serve(embark, db.url_as(query="sslmode=prefer")))


def test_ssl_true_means_require(db, embark):
    """L34"""
    refused(serve(embark, db.url_as(query="ssl=true")), "(?i)SSL|TLS")


def test_login_over_tls_with_channel_binding(tls_db, certificates, embark):
    db = tls_db("good")
    served(serve(embark, tls_url(db, certificates, "require", more="&channel_binding=require")))


def test_channel_binding_without_tls(db, embark):
    refused(serve(embark, db.url_as(query="channel_binding=require&sslmode=disable")), "(?i)channel")


@pytest.mark.parametrize("behaviour", ["silent", "close"])
def test_peer_that_stops_in_the_middle_of_the_tls_handshake(embark, listener, behaviour):
    peer = listener(b"S" if behaviour == "close" else "silent")
    process = serve(embark, f"postgresql://app@127.0.0.1:{peer.port}/app?sslmode=require", timeout="1s",
                    env={"EMBARK_DATABASE_CONNECT_TIMEOUT": "300ms"})
    process.wait(AT_ONCE)
    assert process.popen.returncode in (69, 77), process.describe()


# --- what the server says

def test_messages_in_another_language(own_server, embark):
    """SQLSTATEs are found whatever lc_messages makes of FATAL."""
    server = own_server().start()
    db = server.database()
    refused(serve(embark, db.url_as(password="Wrong-one"), env={"LC_ALL": "de_DE.UTF-8", "LANGUAGE": "de"}), "28P01")


def test_hostile_names_do_not_break_the_lines(server, embark):
    """A role's and a database's name may hold anything: one line stays one line, and no control character reaches a terminal."""
    process = serve(embark, f"postgresql://a%0Aembark%3A%20ready%1B%5B2J:x@127.0.0.1:{server.port}/d%0A%07b")
    process.wait(AT_ONCE)
    assert process.popen.returncode in (77, 78), process.describe()
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", process.err.raw)
    assert not re.search(r"(?m)^embark: ready", process.stderr)


# --- no trace

def test_connection_is_closed_before_the_service_runs(db, embark):
    """L23"""
    process = embark("sh", "-c", "echo served; sleep 1000", env={"DATABASE_URL": db.url})
    process.wait_for_line("served", stream=process.out)
    eventually(lambda: db.backends("embark%") == [], timeout=5, what="embark's connection is gone")


def test_many_replicas_at_once(db, embark):
    held = embark.barrier(20, "echo", "served", env={"DATABASE_URL": db.url})
    for process in held.release():
        process.expect(0)


def test_steps_in_their_order(db, embark, refused_port):
    """Requirements come before the wait: a broken image fails at once."""
    env = {"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"}
    process = embark("true", env=env, config="[require]\nfile = /nowhere\n").expect(72, timeout=AT_ONCE)
    assert "wait" not in process.stderr
    embark("no-such-program", env=env).expect(127, timeout=AT_ONCE)


def test_the_time_is_told(own_server, embark):
    server = own_server().start()
    db = server.database()
    server.stop()
    process = serve(embark, db.url)
    process.wait_for_line("refuses")
    server.start()
    served(process)
    assert re.search(r"ready in [\d.]+ m?s \(wait [\d.]+ m?s\): echo served", process.stderr), process.stderr
