"""Secrets in embark's memory: those that it works with, and no copies of them in what it has freed."""

import re

import pytest

from support.process import asan
from support.waiting import eventually

PASSWORD = "Zq9-Memory-Pw-7"
pytestmark = pytest.mark.skipif(asan(), reason="the sanitizers' allocator has rules of its own")

# The URL as it was given, for the migration's environment, and the URL taken apart; of the list of what must not be shown, which stays to the
# end, the file's contents and the password.
EMBARKS = 4
# The lock's connection: its password, and that of its exchange of SCRAM messages.
LIBPQS = 2


def copies(pid, secret=PASSWORD):
    """Where the secret stands in the memory of a process, with what surrounds it."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            first, last = (int(word, 16) for word in line.split()[0].split("-"))
            if line.split()[1][0] != "r" or "[v" in line:
                continue
            memory.seek(first)
            for match in re.finditer(re.escape(secret).encode(), data := memory.read(last - first)):
                found.append((line.split()[-1], data[max(0, match.start() - 40):match.end() + 20]))
    return found


@pytest.fixture
def url_file(folder):
    path = folder / "url"

    def write(url):
        path.write_text(url + "\n")
        path.chmod(0o600)
        return str(path)

    return write


def test_while_waiting(embark, url_file):
    """Each try takes the password to libpq, and none leaves it there."""
    embark.secrets.append(PASSWORD)
    process = embark("true", env={"DATABASE_URL_FILE": url_file(f"postgresql://app:{PASSWORD}@127.0.0.1:1/app"), "EMBARK_LOG": "debug"})
    for _ in range(2):
        lines = process.stderr.count("\n")
        process.wait_for_line("refuses connections")
        eventually(lambda: process.stderr.count("\n") > lines, what="it goes on", timeout=30)
        found = copies(process.pid)
        assert 1 <= len(found) <= EMBARKS, found


@pytest.mark.parametrize("how", ["given", "sql"])
def test_while_migrating(embark, own_server, folder, url_file, how):
    """After several logins, those of the wait, the lock and the ledger; one of them is still open. A child has its own."""
    server = own_server(hba="local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n").start()
    embark.secrets.append(PASSWORD)
    db = server.database(password=PASSWORD)
    (folder / "m").mkdir()
    (folder / "m" / "1_a.sql").write_text("SELECT pg_sleep(60);\n")
    migration = f"sql = {folder}/m" if how == "sql" else f"command = sh -c 'echo > {folder}/began; exec sleep 60'"
    process = embark("migrate", env={"DATABASE_URL_FILE": url_file(db.url)}, config=f"[migrate]\n{migration}\n")
    if how == "sql":
        eventually(lambda: server.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'"), what="the file is run")
    else:
        process.wait_for_file(folder / "began")
    found = copies(process.pid)
    assert 1 <= len(found) <= EMBARKS + LIBPQS, found


def test_nothing_of_it_reaches_the_service(embark, db, folder, url_file):
    """Neither its memory nor its environment, when the secret came from a file."""
    embark.secrets.append(db.password)
    process = embark("sh", "-c", f"echo > {folder}/began; sleep 60; :", env={"DATABASE_URL_FILE": url_file(db.url)},
                     config="[migrate]\ncommand = true\n")
    process.wait_for_file(folder / "began")
    assert copies(process.pid, db.password) == []


def test_a_migration_s_environment_is_its_own(embark, db, folder, url_file):
    """[migrate] env gives the URL to the command, and only to it."""
    embark.secrets.append(db.password)
    process = embark("sh", "-c", "tr '\\0' '\\n' </proc/self/environ", env={"DATABASE_URL_FILE": url_file(db.url)},
                     config=f"[migrate]\ncommand = sh -c 'env > {folder}/env'\nenv = MIGRATION_URL\n")
    assert db.password not in process.expect(0).stdout
    assert f"MIGRATION_URL={db.url}" in (folder / "env").read_text().splitlines()
