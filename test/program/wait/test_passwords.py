"""Passwords as people have them: any bytes, from files and variables, beside a URL or in it."""

import re
from urllib.parse import quote

import pytest

PASSWORDS = ["pl-41n-Pw", "a%41b", "p@ss/w:rd?#[x]", " blank \tin ", "quote'\"\\$HOME${X}", "l\u00f6w\u00e9-\u65e5", "new\nline", "%", "&=+;,", "-p"]


@pytest.fixture(params=PASSWORDS, ids=range(len(PASSWORDS)))
def own(request, db, embark):
    with db.server.connect() as connection:
        connection.cursor().execute(f'ALTER ROLE "{db.role}" PASSWORD %s', (request.param,))
    db.password = request.param
    embark.secrets.append(request.param)
    return db


@pytest.fixture
def file(own, folder):
    path = folder / "password"
    path.write_bytes(own.password.encode() + b"\n")
    path.chmod(0o600)
    return str(path)


def bare(db, user=True):
    return f"postgresql://{quote(db.role, safe='') + '@' if user else ''}{db.server.host}:{db.server.port}/{db.name}"


WAYS = {
    "url": lambda db, file: ({"PW": db.password}, f"[database]\nurl = postgresql://{db.role}:${{PW:url}}@{db.server.host}:{db.server.port}/{db.name}\n"),
    "file": lambda db, file: ({}, f"[database]\nurl = postgresql://{db.role}:${{file:{file}:url}}@{db.server.host}:{db.server.port}/{db.name}\n"),
    "key": lambda db, file: ({"DATABASE_URL": bare(db)}, f"[database]\npassword = ${{file:{file}}}\n"),
    "keys": lambda db, file: ({"DATABASE_URL": bare(db, False), "EMBARK_DATABASE_PASSWORD_FILE": file, "EMBARK_DATABASE_USER": db.role}, ""),
    "variables": lambda db, file: ({"PGHOST": db.server.host, "PGPORT": str(db.server.port), "PGUSER": db.role, "PGDATABASE": db.name, "PGPASSWORD_FILE": file}, ""),
    "beside": lambda db, file: ({"DATABASE_URL": bare(db), "PGPASSWORD_FILE": file}, ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_it_works_for_the_migration_too(embark, own, file, folder, way):
    """psql takes the URL that [migrate] env gives it, and, where embark alone knows the password, PGPASSWORD."""
    env, config = WAYS[way](own, file)
    (folder / "m.sh").write_text(f"set -e\npsql -XAtqc 'SELECT current_user' \"$MIGRATION_URL\" > {folder}/answer\n"
                                 + ("psql -XAtqc 'SELECT current_user' >> %s/answer\n" % folder if way == "variables" else
                                    "psql -XAtqc 'SELECT current_user' \"$DATABASE_URL\" >> %s/answer\n" % folder if way == "beside" else ""))
    config += f"[migrate]\ncommand = sh {folder}/m.sh\nenv = MIGRATION_URL\n"
    process = embark.run("migrate", env=env, config=config).expect(0)
    answers = (folder / "answer").read_text().split()
    assert set(answers) == {own.role} and len(answers) == (2 if way in ("variables", "beside") else 1)
    assert own.password not in process.stderr or len(own.password) < 3
    embark.run("wait", env=env, config=config).expect(0)


def test_two_passwords_are_a_mistake(embark, db):
    embark.secrets.append("Other-pw-4")
    process = embark.run("wait", env={"DATABASE_URL": db.url, "EMBARK_DATABASE_PASSWORD": "Other-pw-4"})
    process.expect(78, r"\$DATABASE_URL: names a password, and \[database\] password \(\$EMBARK_DATABASE_PASSWORD\) another one", "hint: leave one")


def test_direct_url_of_another_user_gets_no_password(embark, db, folder):
    """It is for its own user."""
    other = f"postgresql://other_{db.role}@{db.server.host}:{db.server.port}/{db.name}"
    process = embark.run("migrate", env={"DATABASE_URL": bare(db), "EMBARK_DATABASE_PASSWORD": db.password, "EMBARK_DATABASE_DIRECT_URL": other,
                                         "EMBARK_MIGRATE_LOCK_TIMEOUT": "3s"}, config="[migrate]\ncommand = true\n")
    process.expect(77, "no password supplied")


def test_a_percent_in_a_url(embark, db):
    """It was decoded: the hint says that it may have been meant as it stands."""
    db.server.sql(f"ALTER ROLE \"{db.role}\" PASSWORD 'a%41b'")
    embark.secrets.append("a%41b")
    url = f"postgresql://{db.role}:a%41b@{db.server.host}:{db.server.port}/{db.name}"
    embark.run("wait", env={"DATABASE_URL": url}).expect(77, "28P01", r"hint: is the password percent-encoded\?.*%25")
    process = embark.run("wait", env={"DATABASE_URL": url.replace("a%41b", "wrong-pw")}).expect(77, "28P01")
    assert "percent" not in process.stderr


@pytest.mark.parametrize("content, what", [(b"pw-1 \n", "ends in a blank"), (b"pw-1\n\n", "ends in more than one newline"),
                                           (b"\xef\xbb\xbfpw-1\n", "begins with a byte order mark"), (b"pw-1\n", None)])
def test_what_is_not_seen_in_a_file(embark, db, folder, content, what):
    path = folder / "pw"
    path.write_bytes(content)
    path.chmod(0o600)
    process = embark.run("wait", env={"DATABASE_URL": bare(db), "PGPASSWORD_FILE": str(path)}).expect(77)
    if what:
        assert re.search(rf"\$PGPASSWORD_FILE \({path}\) {what}", process.stderr), process.stderr
    else:
        assert "part of the value" not in process.stderr
    assert "pw-1" not in process.stderr
