"""embark sql beside psql: the same statements reach the server, by the server's own log.

With PostgreSQL's own SQL files, which the build has brought along, and with files that a generator makes.
"""

import os
import random
import re
import subprocess
import threading

import pytest

from conftest import TOP
from support.psql import Client

# Each of these takes as long as many others.
SLOW = {"join_hash.sql", "btree_index.sql", "stats.sql", "infinite_recurse.sql", "contrib-basic_archive-sql-basic_archive.sql",
        "contrib-amcheck-sql-check_btree.sql", "box.sql",
        # Newer than the server: one keeps it busy for ever, one brings it down.
        "contrib-pg_surgery-sql-heap_surgery.sql", "contrib-xml2-sql-xml2.sql"}
# \gset'd object and transaction ids differ from server to server.
NUMBERS = re.compile(r"\b(\d\d:\d\d:\d\d(?:\.\d+)?|\d{3,}|[0-9A-F]+/[0-9A-F]+)\b")
WITH_NUMBERS = {"txid.sql", "xid.sql", "reloptions.sql", "contrib-pg_visibility-sql-pg_visibility.sql",
                "contrib-pg_walinspect-sql-pg_walinspect.sql", "contrib-pg_stat_statements-sql-entry_timestamp.sql"}


@pytest.fixture(scope="module")
def clients(cluster):
    """Two servers that were the same: roles and databases that one client makes aren't there for the other."""
    both = Client(cluster), Client(cluster)
    yield both
    for client in both:
        client.server.destroy()


def regress_folder():
    done = subprocess.run([TOP / ".ci" / "deps"], capture_output=True, text=True, check=True)
    return done.stdout.strip() + "/share/regress"


def sql_files():
    """(server's, extensions' install scripts, extensions' tests)"""
    folder = regress_folder()
    names = sorted(name for name in os.listdir(folder) if name.endswith(".sql") and name not in SLOW)
    ours = [f"{folder}/{name}" for name in names if not name.startswith("contrib-")]
    install = [f"{folder}/{name}" for name in names if name.startswith("contrib-") and "-sql-" not in name]
    tests = [f"{folder}/{name}" for name in names if name.startswith("contrib-") and "-sql-" in name]
    return ours, install, tests


# What the server's tests take from the environment.
ENVIRONMENT = {"PG_ABS_SRCDIR": "/nowhere", "PG_ABS_BUILDDIR": "/nowhere", "PG_LIBDIR": "/nowhere", "PG_DLSUFFIX": ".so"}


class Comparison:
    def __init__(self, binary, clients, folder):
        self.binary, self.clients, self.folder = binary, clients, folder
        self.number = 0
        self.refused = []

    def is_refused(self, path, words):
        """By what can be known without a server: nobody listens on port 1."""
        environment = {**ENVIRONMENT, "DATABASE_URL": "postgresql://x@127.0.0.1:1/x", "EMBARK_DATABASE_TIMEOUT": "0s"}
        done = subprocess.run([self.binary, "sql", *words, path], env=environment, stdin=subprocess.DEVNULL, capture_output=True, cwd="/")
        if b"nothing was sent" in done.stderr:
            self.refused.append((path, done.stderr.decode(errors="replace")))
            return True
        assert done.returncode == 69, done.stderr
        return False

    def run(self, path, words=()):
        """(psql's statements, embark's, psql's output, embark's), or None when embark refuses something in the file."""
        if self.is_refused(path, words):
            return None
        self.number += 1
        database = f"compared{self.number}_{random.randrange(1 << 30)}"
        results = [None, None, None, None]

        def one(which):
            client = self.clients[which]
            client.server.sql(f"CREATE DATABASE {database} TEMPLATE template0")
            if which == 0:
                results[2] = client.psql(database, path, *words, env=ENVIRONMENT)
            else:
                environment = {**ENVIRONMENT, "DATABASE_URL": client.url(database), "PATH": os.environ["PATH"], "EMBARK_LOG_LEVEL": "error"}
                results[3] = subprocess.run([self.binary, "sql", "--on-error", "continue", *words, path], env=environment,
                                            stdin=subprocess.DEVNULL, capture_output=True, cwd="/")
            results[which] = client.statements(database)
            client.server.sql(f"DROP DATABASE {database} WITH (FORCE)")

        threads = [threading.Thread(target=one, args=(which,)) for which in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert None not in results, f"a client failed on {path}"
        assert b"Sanitizer" not in results[3].stderr and results[3].returncode in (0, 65), results[3].stderr.decode(errors="replace")[-2000:]
        # Behind a COPY that fails and has no data, what is refused shows only when it is come to.
        if b"meta-command is refused" in results[3].stderr:
            self.refused.append((path, results[3].stderr.decode(errors="replace")))
            return None
        return results

    def same(self, path, words=(), numbers=False, output=False):
        results = self.run(path, words)
        if results is None:
            return 0
        wanted, got = without_rows(without_unset(results[0], results[3].stderr), text_of(path)), results[1]
        if numbers:
            wanted, got = ([NUMBERS.sub("#", text) for text in side] for side in (wanted, got))
        assert_same(path, wanted, got, results[3].stderr)
        if output:
            assert results[2].stdout == results[3].stdout, path
        return len(wanted)


def without_unset(statements, errors):
    """psql sends a variable that isn't set as it stands, and embark nothing: as where a query of a newer version's tests, which an
    older server refuses, was to set it."""
    unset = {name.decode() for name in re.findall(rb"the variable (\w+) is not set", errors)}
    return [text for text in statements if not any(re.search(rf":['\"]?{name}\b", text) for name in unset)]


def without_rows(statements, text):
    """The rows of a COPY that an older server refuses, as it lacks an option: psql sends them as SQL, in front of the next statement, and embark
    passes them over."""
    blocks = [block.decode(errors="replace") for block in re.findall(rb"(?im)^copy [^;]* from stdin[^;]*;\n((?:.*\n)*?)\\\.$", text)]
    for block in blocks:
        statements = [text[len(block):].lstrip() if block and text.startswith(block) else text for text in statements]
    return statements


def assert_same(path, wanted, got, errors):
    for number, (a, b) in enumerate(zip(wanted, got)):
        assert a == b, f"{path}: statement {number + 1} of {len(wanted)}"
    assert len(wanted) == len(got), f"{path}: {(wanted + got)[min(len(wanted), len(got))]!r}\n{errors[-2000:].decode(errors='replace')}"


@pytest.fixture
def comparison(binary, clients, folder):
    return Comparison(binary, clients, folder)


def text_of(path):
    with open(path, "rb") as f:
        return f.read()


def test_regression_files(comparison):
    """What embark refuses beforehand (\\d, \\c, \\copy…) is left out; nothing without a backslash is."""
    ours, _, tests = sql_files()
    compared, statements = 0, 0
    for path in ours + tests:
        before = len(comparison.refused)
        statements += comparison.same(path, numbers=os.path.basename(path) in WITH_NUMBERS)
        compared += len(comparison.refused) == before
        if len(comparison.refused) > before:
            assert b"\\" in text_of(path), comparison.refused[-1]
    assert compared >= 200 and statements > 20000, (compared, statements)


def test_install_scripts(comparison, folder):
    """Each starts with \\echo … \\quit, which guards against just this: psql reading it."""
    compared = 0
    for path in sql_files()[1]:
        text = text_of(path)
        guard = re.compile(rb"^\\echo .*\\quit$", re.M)
        copy = folder / os.path.basename(path)
        # CREATE EXTENSION puts another extension's schema there; to psql it is a variable that isn't set.
        copy.write_bytes(re.sub(rb"@extschema:\w+@", b"public", guard.sub(b"", text)))
        compared += comparison.same(copy) > 0
        assert not comparison.refused
    assert compared >= 120


# --- what a generator makes

WORDS = ["select", "a", "b1", "x$y$z", "create", "or", "replace", "function", "procedure", "begin", "atomic", "case", "when", "end", "from", "ä",
         "n", "e", "U", "1", "2.5", "1e+", "1.e5x", "3..4", "$1", "$2a$b$", "=", "+-", "<->", "::", ":=", " */ ", "-", "/", "[1:2]", ",", ".", "?", "!", "@", "|"]
# The values are whole: what opens a quote closes it.
VARIABLES = {"v": "va lue", "n": "42", "q": "it's", "semi": "x; y", "nest": ":v :'q'", "str": "'a;b'", "paren": "(:n)", "dash": "-- c", "empty": "",
             "back": "a\\b", "deep": ":nest;:semi"}


class Generator:
    """Files of pieces that psql and embark must split alike.

    Left out is where they differ on purpose: variables that aren't set, a second part of an E'' string with a backslash, what embark refuses
    beforehand. No table, function or file that a piece names exists, so that nothing of it does anything."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.depth = 0

    def one_of(self, *choices):
        return self.random.choice(choices)

    def filling(self, alphabet, most=8):
        return "".join(self.random.choice(alphabet) for _ in range(self.random.randrange(most)))

    def string(self):
        inside = self.filling([";", "a", "''", "\"", "\n", "\n\n", "--", "/*", "*/", "$$", "$x$", ":v", ": v", "(", "ä", "\\", ";\n", " "])
        # A backslash before the closing quote would be one quote less to a server with other settings, not to psql.
        return self.one_of("", "B", "x", "U&", "N", "n") + f"'{inside}'"

    def escape_string(self):
        inside = self.filling([";", "a", "''", "\\'", "\\\\", "\\\n", "\\101", "\\x41", "\n", "--", "\"", "$$"])
        return f" E'{inside}' || " # a letter before it makes it an identifier and another string

    def identifier(self):
        inside = self.filling([";", "a", '""', "'", "\n", "--", "/*", "$$", ":v", "(", "\\"])
        return self.one_of("", "U&") + f'"{inside}"'

    def dollar(self):
        tag = self.one_of("", "x", "tag", "_1", "ä")
        inside = self.filling([";", "a", "'", '"', "\n", "$", "$y$", "$xx$", "--", "/*", ": v", "(", "\\", "$1 ", ";\n"], 10)
        while f"${tag}$" in inside + "$" or (inside + f"${tag}$").index(f"${tag}$") < len(inside):
            inside = inside[:-1]
        return f"${tag}${inside}${tag}$"

    def comment(self):
        if self.random.random() < 0.5:
            return "--" + self.filling([";", "a", "'", "\"", "$$", "/*", "(", ":v", "\\", "ä", "\t"]) + "\n"
        inside = self.filling([";", "a", "'", "\"", "$$", "--", "(", ":v", "\n", "\\", "*", "/ "], 6)
        if self.random.random() < 0.3:
            inside += "/* ;" + self.filling(["a", "'", "\n"]) + "*/"
        return "/* " + inside.replace("*/ ", "") + " */" if "*/" not in inside or "/*" in inside else "/* */"

    def variable(self):
        name = self.random.choice(list(VARIABLES))
        # A backslash in a value that is taken as it is starts a meta-command, which embark refuses.
        plain = name if name != "back" else "v"
        return self.one_of(f":{plain} ", f":'{name}'", f':"{name}"', f":{{?{name}}}", ":{?nope}", f"\\:{name}", f"::{name}", f"x:{plain}\n", ":9 ")

    def parentheses(self):
        self.depth += 1
        inside = self.pieces(self.random.randrange(4)) if self.depth < 4 else "a"
        self.depth -= 1
        return f"({inside})"

    def routine(self):
        return (f"create {self.one_of('', 'or replace ')}{self.one_of('function', 'procedure')} f() begin atomic "
                + f"select {self.one_of('1', 'case when a then b end', 'case case a when 1 then 2 end when 3 then 4 end')}; "
                + self.one_of("", "select 2;\n", "-- end\n", "'end'; ") + "end")

    def branch(self):
        return (f"\n\\if {self.one_of('true', 'false', ':{?v}', ':{?nope}', '0')}\n {self.pieces(2)}\n"
                + self.one_of("", f"\\elif {self.one_of('on', 'off')}\n {self.pieces(1)}\n") + self.one_of("", f"\\else\n {self.pieces(2)}\n") + "\\endif\n")

    def meta(self):
        return self.one_of("\\g\n", "\\r\n", "\\p\n", f"\\echo :v 'a;' \"b c\" \\\\ {self.pieces(1)}\n", "\\set made 'x' :v\n", "\\gset\n", "\\gexec\n", "\\;", "\\; ",
                           "\\g \\\\ ", "\\pset null x\n", "\\set v 'va lue'\n")

    def piece(self):
        kind = self.random.random()
        if kind < 0.32:
            return self.random.choice(WORDS)
        if kind < 0.44:
            return self.string()
        makers = [self.escape_string, self.identifier, self.dollar, self.comment, self.comment, self.variable, self.variable, self.parentheses]
        if self.depth == 0:
            makers += [self.routine, self.meta, self.meta]
        if self.depth < 2:
            makers += [self.branch]
        return self.random.choice(makers)()

    def pieces(self, count):
        return "".join(self.piece() + self.one_of("", " ", " ", " ", "\n", "\n\n", "\t", " \n") for _ in range(count))

    def case(self):
        return self.pieces(1 + self.random.randrange(6)) + self.one_of(";", ";", ";\n", ";\n", " ;\n", ";;", ";\n\n", "; \r\n", "; -- end\n")


CASES, CASES_IN_A_FILE, SEED = 10000, 50, 20230817
# Before the first statement \\g has nothing to send again, and psql sends an empty one.
START = "\\set ON_ERROR_STOP off\nselect;\n"
# What is still open: it is no difference that embark says so beforehand.
END = "\n\\r\n"


def test_generated_files(comparison, folder):
    """10,000 statements or so; the seed and the case stand in the message of a difference."""
    words = [word for name, value in VARIABLES.items() for word in ("-v", f"{name}={value}")]
    number, statements = 0, 0
    while statements < CASES:
        number += 1
        generator = Generator(f"{SEED} {number}")
        path = folder / f"generated {number}.sql"
        path.write_text(START + "".join(generator.case() for _ in range(CASES_IN_A_FILE)) + END, newline="")
        statements += comparison.same(path, words)
    # Pieces that touch can come to a quote or a branch that isn't closed, and that is said beforehand; no other reason is left.
    reasons = ("not closed at the file's end", "has no", "there is no", "there was", "stands behind", "is no variable here")
    assert all(any(reason in text for reason in reasons) for _, text in comparison.refused), comparison.refused
    assert len(comparison.refused) < number / 4


def test_output_of_meta_commands(comparison, folder):
    """Also what is printed is the same, but for what psql -At says of its own accord."""
    path = folder / "meta.sql"
    path.write_text(r"""\set list a ' b ' 7
\echo :list -n x
\echo -n 'no newline; ' "quoted" :'list'
\echo
SELECT 1 AS one, NULL AS none, 'sp ace' AS text \gset got_
\echo :got_one :{?got_none} :'got_text' it''s 'it''s' \\ \echo 'tab\tbell\x41\101' :"list"
SELECT 'SELECT ' || g, NULL, 'SELECT ''x'' || ' || g FROM generate_series(1, 2) g \gexec
\if :{?nope}
  \echo never \\ SELECT 1;
  \foo
\elif off
  \echo never
\else
  SELECT 'else'
\endif
  , \if true \\ 'a' \else \\ 'b' \endif
  || 'c';
\if true
  \if false
    SELECT 'no'; \elif true \\ SELECT 'inner'; \else \\ SELECT 'no';
  \endif
\endif
SELECT 5 \g
\g
SELECT 6 \; SELECT 7; SELECT 8 \r
SELECT (1 \r SELECT 2;
\getenv home PG_LIBDIR
\getenv home NOT_SET
\echo :home;
\unset home
\echo :{?home} \\ SELECT 'behind';
SELECT 1 AS a UNION SELECT 2 ORDER BY 1;
\echo :ROW_COUNT :ERROR :SQLSTATE
SELECT nope;
\echo :ROW_COUNT :ERROR :SQLSTATE :LAST_ERROR_MESSAGE
SELECT NULL \p \\ ;
\copy
COPY (VALUES (1, 'a'), (2, NULL)) TO STDOUT;
CREATE TEMP TABLE t (a int, b text);
COPY t FROM stdin; SELECT count(*) FROM t;
1	x
2	\N
\.
SELECT * FROM t;
SELECT 1; \q
SELECT 'never';
""".replace("\\copy\n", "").replace("  \\foo\n", ""))
    assert comparison.same(path, output=True) > 20
