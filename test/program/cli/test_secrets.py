"""Secrets at every place where one can be: none is shown, whatever happens."""

import pytest

PIECES = "import sys, time\nfor piece in {pieces!r}:\n    sys.stdout.write(piece); sys.stdout.flush(); time.sleep({pause})\n"


def writer(folder, pieces, pause=0.0, code=0):
    path = folder / "writer.py"
    path.write_text(PIECES.format(pieces=pieces, pause=pause) + f"sys.exit({code})\n")
    return f"/usr/bin/python3 {path}"


@pytest.mark.parametrize("code", [0, 1])
@pytest.mark.parametrize("how", ["pause", "long", "bytes", "line"])
def test_a_secret_in_pieces(embark, db, folder, how, code):
    """Neither the log nor the ledger's table, nor the start after it, has a half of it."""
    secret = "Tr0ub4dor\nAndMore" if how == "line" else "Tr0ub4dorAndMore"
    path = folder / "secret"
    path.write_text(secret)
    path.chmod(0o600)
    pieces, pause = {"pause": (["with Tr0ub", "4dorAndMore\n"], 0.6), "long": (["x" * 16379 + secret + "y" * 3000 + "\n"], 0),
                     "bytes": (list(f"with {secret}, and\n"), 0.02), "line": (["with Tr0ub4dor\n", "AndMore, and\n"], 0.4)}[how]
    for first in (True, False):
        process = embark.run("migrate", env={"DATABASE_URL": db.url, "SECRET_OF_MINE": secret, "PYTHONUNBUFFERED": "1"},
                             config=f"[migrate]\ncommand = {writer(folder, pieces, pause, code)}\n[image]\nbuild = 1\n")
        process.expect(80 if code else 0)
        text = process.stderr + str(db.sql("SELECT * FROM embark_ledger"))
        for part in ("Tr0ub", "4dor", "AndMore"):
            assert part not in text, text[-2000:]
        assert "****" in process.stderr or not first


def test_the_end_may_be_a_part(embark, db, folder):
    process = embark.run("migrate", env={"DATABASE_URL": db.url, "SOME_TOKEN": "Tr0ub4dorAndMore"},
                         config=f"[migrate]\ncommand = {writer(folder, ['begins with Tr0ub4'])}\n").expect(0)
    assert "begins with ****" in process.stderr and "Tr0" not in process.stderr


def secrets():
    return [f"Zq{n:02d}-s3cReT-{n * 7919 % 10007:05d}x" for n in range(30)]


def test_thirty_at_all_places(embark, db, folder, server):
    """Each at a place of its own; every command, every way to fail, and every place where embark writes is looked at."""
    s = secrets()
    state = folder / "state"
    state.mkdir()
    files = {}
    for n in (1, 2):
        files[n] = folder / f"file{n}"
        files[n].write_text(s[n] + "\n")
        files[n].chmod(0o600)
    script = folder / "migrate.sh"
    script.write_text(f"#!/bin/sh\necho tool connects with {s[3]}; printf 'pass '; printf {s[4][:9]}; sleep 0.4; echo {s[4][9:]}\n"
                      f"echo '{{\"token\": \"{s[5]}\"}}' >&2; exit ${{FAILS:-0}}\n")
    (folder / "setup.sql").write_text(f"SELECT '{s[6]}'::int;\n")
    (folder / "bundle").mkdir()
    (folder / "bundle" / "a.js").write_text("var a = process.env.NEXT_PUBLIC_API_KEY || 'none'")
    config = "\n".join([
        "[require]", "env = APP_SECRET, NOT_SET_TOKEN", "[bundle]", f"dir = {folder}/bundle", "inlined = NEXT_PUBLIC_API_KEY",
        "[bootstrap]", "url = ${SUPER}", f"sql = {folder}/setup.sql", f"var = api_token={s[7]}", f"var = other_password={s[8]}",
        "[migrate]", f"command = sh {script}", f"    --password {s[9]}", f"    --api-key={s[10]}", f"    -p {s[11]}", f"    -p{s[12]}", f"    -W{s[13]}",
        f"    PGPASSWORD={s[14]}", f"    -Ddb.password={s[15]}", f"    postgres://u:{s[16]}@h/d", f"    'host=h password={s[17]} user=u'",
        "[service]", "command = sh -c", f"    'PGPASSWORD={s[18]} true --token {s[19]}'", f"    -u me:{s[20]}", "[wait]", f"http = http://127.0.0.1:1/?token={s[22]}",
        "timeout = 100ms", ""])
    env = {"DATABASE_URL_FILE": str(files[1]), "SUPER": f"postgresql://postgres:{s[23]}@{server.host}:{server.port}/postgres?sslpassword={s[24]}",
           "APP_SECRET": s[25], "CONNECT_KEY": s[3], "PASSWORD_SALT": s[4], "SQL_CREDENTIAL": s[6], "NEXT_PUBLIC_API_KEY": s[26], "apiToken": s[27], "SENTRY_DSN": f"https://{s[28]}@sentry.example/1",
           "CACHE_URL": f"redis://:{s[29]}@cache/0", "EMBARK_STATE": str(state), "EMBARK_LOG": "debug"}
    files[1].write_text(f"{db.url_as(password=s[0])}\n")
    seen = []

    def look(*words, **extra):
        process = embark.run(*words, env={**env, **extra}, config=extra.pop("config", config))
        process.wait(60)
        seen.append((words, extra, process.stdout + process.stderr))

    good = {"DATABASE_URL_FILE": "", "DATABASE_URL": db.url}
    for skip in ("", "check", "check,wait", "bootstrap,check,wait", "check,wait,migrate", "bootstrap,check,migrate"):
        for more in ({}, good, {**good, "FAILS": "1"}):
            look("run", EMBARK_SKIP=skip, **more)
            look("migrate", EMBARK_SKIP=skip, **more)
    for more in ({}, good):
        for words in (["doctor"], ["doctor", "--all"], ["doctor", "--json"], ["check"], ["check", "--json"], ["migrate", "--status"],
                      ["migrate", "--dry-run"], ["wait"], ["health"], ["sql", "--print-bootstrap"], ["sql", str(folder / "setup.sql")],
                      ["doctor", "--", "tool", "--password", s[2], "-p", s[2]], ["--", "no-such-tool", f"--secret={s[2]}", f"TOKEN={s[2]}"]):
            look(*words, **more)
    look("run", EMBARK_WAIT_HTTP=f"http://u:{s[21]}@h/", **good)
    look("run", EMBARK_DATABASE_TIMEOUT=s[25], **good)
    look("run", EMBARK_LOG_FORMAT="json", EMBARK_SKIP="check,wait", **good)
    texts = seen + [(["state"], str(path), path.read_text(errors="replace")) for path in state.rglob("*") if path.is_file()]
    if db.sql("SELECT to_regclass('embark_ledger')")[0][0]:
        texts.append((["ledger"], "", str(db.sql("SELECT * FROM embark_ledger"))))
    assert any(words == ["ledger"] for words, _, _ in texts) and any(words == ["state"] for words, _, _ in texts)
    for words, how, text in texts:
        for n, secret in enumerate(s):
            for form in (secret, secret[:9], secret[-9:]):
                assert form not in text, f"{n}: {words} {how}: {text[max(0, text.index(form) - 300):][:500]}"


def test_titles_of_a_start(embark, db, folder):
    """embark's own process, while a command with secrets runs: its name, its words and its environment are the user's own."""
    secret = "Zq-s3cReT-77"
    process = embark("migrate", env={"DATABASE_URL": db.url}, config=f"[migrate]\ncommand = sh -c 'touch {folder}/began; sleep 60'\n    --password {secret}\n")
    process.wait_for_file(folder / "began")
    for name in ("comm", "cmdline", "environ"):
        with open(f"/proc/{process.pid}/{name}", "rb") as file:
            assert secret.encode() not in file.read()
    assert secret not in str(db.sql("SELECT query, application_name FROM pg_stat_activity"))


def test_another_key_is_another_run(embark, db, folder):
    """It is hidden, and it may say what is migrated: a start with another one doesn't skip."""
    (folder / "1.sql").write_text("")
    config = f"[migrate]\ncommand = sh -c 'echo >> {folder}/runs' tool --tenant-key ${{TENANT_KEY}}\nfiles = {folder}/*.sql\n"
    for tenant, runs in (("tenant-01", 1), ("tenant-01", 1), ("tenant-02", 2)):
        process = embark.run("migrate", env={"DATABASE_URL": db.url, "TENANT_KEY": tenant}, config=config).expect(0)
        assert tenant not in process.stderr
        assert len((folder / "runs").read_text().splitlines()) == runs, process.stderr
