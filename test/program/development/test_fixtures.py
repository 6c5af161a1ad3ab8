"""The helpers themselves: servers of every version, standby, PgBouncer, TLS, namespaces, misbehaving peers."""

import os
import signal
import socket
import subprocess

import psycopg2
import pytest

from conftest import PYTHON
from support import net, process
from support.waiting import eventually


def test_every_version_of_postgres_accepts_logins_by_scram(any_db, versioned_server):
    with psycopg2.connect(any_db.url) as connection:
        connection.cursor().execute("CREATE TABLE public.t (n int)")
    assert str(versioned_server.value("SHOW server_version")).split(".")[0] == versioned_server.version
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(any_db.url_as(password="wrong"))


def test_own_server_stops_and_starts(own_server):
    server = own_server().start()
    pid = server.popen.pid
    server.restart("immediate")
    assert server.popen.pid != pid and server.value("SELECT 1") == 1
    server.stop("kill")
    with pytest.raises(psycopg2.OperationalError):
        server.connect()


def test_standby_follows_its_primary(pair):
    primary, standby = pair
    assert standby.value("SELECT pg_is_in_recovery()") and not primary.value("SELECT pg_is_in_recovery()")


@pytest.mark.parametrize("mode", ["transaction", "session", "statement"])
def test_pgbouncer_pools(db, bouncer, mode):
    pool = bouncer(db, mode)
    connection = psycopg2.connect(pool.url)
    connection.autocommit = True
    connection.cursor().execute("SELECT 1")
    connection.close()


def test_tls_servers_show_their_certificates(tls_server, certificates, embark):
    for kind, fits in (("good", True), ("wrong_host", False), ("expired", False)):
        server = tls_server(kind)
        db = server.database()
        url = db.url_as(host="localhost", query=f"sslmode=verify-full&sslrootcert={certificates.ca}")
        if fits:
            psycopg2.connect(url).close()
        else:
            with pytest.raises(psycopg2.OperationalError, match="certificate"):
                psycopg2.connect(url)
        with pytest.raises(psycopg2.OperationalError):
            psycopg2.connect(db.url_as(query="sslmode=disable"))
        db.drop()


def test_network_namespace_has_names_of_its_own(namespace, folder):
    inside = namespace()
    dns = net.NameServer(inside.socket(socket.SOCK_DGRAM, ("127.0.0.1", 53)))
    dns.names["db.test"] = "127.0.0.9"
    done = subprocess.run([*inside.prefix(folder), PYTHON, "-c", "import socket; print(socket.gethostbyname('db.test'))"],
                          capture_output=True, text=True)
    assert done.stdout == "127.0.0.9\n", done
    dns.close()


def test_cable_between_namespaces_can_lose_everything(namespace):
    a, b = namespace(), namespace()
    here, there = a.join(b, 1)
    listener = net.Listener(sock=b.socket(socket.SOCK_STREAM, (there, 7000)))
    talk = [PYTHON, "-c", f"import socket; socket.create_connection(('{there}', 7000), 2)"]
    assert subprocess.run([*a.prefix("/"), *talk]).returncode == 0
    b.black_hole(here)
    done = subprocess.run([*a.prefix("/"), *talk], capture_output=True, text=True)
    assert "timed out" in done.stderr
    listener.close()


def test_full_backlog_neither_accepts_nor_refuses():
    full = net.Backlog()
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", full.port), 0.5)
    full.close()


def test_migration_records_itself(db, embark, migration):
    db.make_ledger()
    done = embark.program("sh", "-c", migration("apply:one", "fail:3").replace("\n", " "), env={"DATABASE_URL": db.url})
    done.expect(3)
    assert db.value("SELECT count(*) FROM runs WHERE ended IS NOT NULL") == 1
    assert db.value("SELECT name FROM applied") == "one"


def test_what_a_test_leaves_is_ended(embark):
    child = embark.program("sh", "-c", "setsid sleep 1000 & sleep 1000 & echo $!; wait")
    child.wait_for_line(r"\d+", stream=child.out)
    assert eventually(lambda: len(process.marked(embark.mark)) == 3)
    embark.end()
    assert process.marked(embark.mark) == []


def test_pid_1(embark):
    one = embark(pid1=True, argv=["sh", "-c", "echo $$; sleep 1000; true"])
    one.wait_for_line("^1$", stream=one.out)
    assert process.comm(one.pid) == "sh"
    os.kill(one.pid, signal.SIGKILL)
    one.wait()
