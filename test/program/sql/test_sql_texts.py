"""Every statement that embark sends, as a server logs it: all names stand with their schema, and there is no secret in it."""

from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path

import pytest

from test_bootstrap import SECRET, SUPER, Service, ready, set_superuser

TOP = Path(__file__).resolve().parents[3]
BUILD = "build-7f3a"


def tool(name):
    """A script of .ci, as a module."""
    loader = SourceFileLoader(name, str(TOP / ".ci" / name))
    module = module_from_spec(spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def checker():
    return tool("sql")


def test_the_checker_knows_good_from_bad(checker):
    assert not checker.self_test()


def test_every_text_in_the_sources(checker):
    texts = list(checker.sql_texts(TOP))
    assert len(texts) > 50
    wrong = [(str(path), line, found) for path, line, sql in texts if not checker.is_allowed(path, sql) for found in checker.check(sql)]
    assert not wrong


@pytest.fixture(scope="module")
def logging_server(cluster):
    server = cluster.server(conf={"log_statement": "all", "log_min_error_statement": "error", "log_parameter_max_length_on_error": "-1"}).start()
    set_superuser(server)
    yield server
    server.destroy()


def run_all(embark, service, folder):
    """Whatever embark asks a server, in some order that brings it about."""
    (folder / "migrations").mkdir()
    (folder / "bin").mkdir()
    (folder / "set-up.sql").write_text("CREATE TABLE IF NOT EXISTS theirs_s (n int);\n")
    (folder / "migrations" / "1_a.sql").write_text("CREATE TABLE theirs_a (n int);\n\\set c ROLLBACK\nSAVEPOINT theirs; :c TO theirs;\n")
    (folder / "bin" / "alembic").write_text("#!/bin/sh\nexit 0\n")
    (folder / "bin" / "alembic").chmod(0o755)
    bootstrap = f"[bootstrap]\nurl = {service.super_url}\nwhen = always\nrole = {service.role}\nsql = {folder}/set-up.sql\nvar = token=theirs\ngrants = read on public\n"
    both = f"{bootstrap}[database]\ntimeout = 20s\n[health]\ndatabase = yes\n[image]\nbuild = {BUILD}\n"
    own = f"{both}[migrate]\nsql = migrations\nretry_after = 0s\n"
    tool = f"{both}[migrate]\ncommand = alembic upgrade head\nlock = tool\nretry_after = 0s\n"

    def start(config, *words):
        return embark(*words, env={"DATABASE_URL": service.url, "PATH": f"{folder}/bin:/usr/bin:/bin"}, config=config, cwd=folder)

    ready(start(own, "echo", "served"))
    (folder / "migrations" / "2_b.sql").write_text("-- embark: no transaction\nCREATE TABLE theirs_b (n int);\nSELECT 1/0 AS theirs;\n")
    start(own, "echo", "served").expect(65, "half-way", timeout=60)
    start(own, "migrate", "--resolve", "2_b.sql").expect(0, timeout=60)
    service.sql("CREATE TABLE alembic_version (version_num varchar(32)); INSERT INTO alembic_version VALUES ('abc');"
                f' ALTER TABLE alembic_version OWNER TO "{service.role}"')
    for config in (own, tool):
        for words in (["doctor"], ["migrate", "--dry-run"], ["echo", "served"], ["echo", "served"], ["migrate", "--status"], ["wait"], ["health"], ["doctor", "--json"]):
            start(config, *words).wait(60)
    service.server.sql(f"ALTER ROLE {service.role} PASSWORD 'another'")
    start(own, "echo", "served").wait(60)
    service.server.sql(f"ALTER ROLE {service.role} NOLOGIN")
    start(own.replace("when = always", "when = missing").replace(f"role = {service.role}\n", "").replace("grants = read on public\n", ""), "echo", "served").wait(60)


def test_what_a_server_logs(logging_server, embark, folder, checker):
    service = Service(logging_server, name="texts", role="texter")
    embark.secrets += [SECRET, SUPER]
    before = len(logging_server.log_text())
    run_all(embark, service, folder)
    log = logging_server.log_text()[before:]
    sent = set(tool("statements").statements(log))
    applications = {application.split()[0] for application, _ in sent}
    assert len(sent) > 40 and len(applications) >= 5, applications
    wrong = [(application, sql, found) for application, sql in sorted(sent) if "theirs" not in sql for found in checker.check(sql)]
    assert not wrong, "\n".join(f"{application}: {sql}\n    {found}" for application, sql, found in wrong)
    for secret in (SECRET, SECRET.replace("'", "''"), SUPER, "SCRAM-SHA-256$"):
        assert secret not in log, [line for line in log.splitlines() if secret in line]
