"""The log: EMBARK_LOG, timestamps, whole lines in one write, a child's half line, PostgreSQL's errors, and what others put into it."""

import json
import os
import re
import socket
import struct
import threading

import pytest

from conftest import PYTHON
from support.process import asan, lines_of_json

TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"
PIPE_BUF = 4096


# --- EMBARK_LOG

@pytest.mark.parametrize("words, form, debug", [
    ("debug", "text", True), ("json", "json", False), ("json,debug", "json", True), ("debug json", "json", True),
    (" text , info ", "text", False), ("", "text", False),
])
def test_short_form(embark, words, form, debug):
    config = "[log]\nlevel = info\n[require]\nmodule = python: json\n"
    process = embark.run("true", env={"EMBARK_LOG": words}, config=config).expect(0)
    lines = [line["message"] for line in lines_of_json(process)] if form == "json" else process.said
    assert any("ready in" in line for line in lines)
    assert (len(lines) > 1) == debug, lines


def test_short_form_wins(embark):
    config = "[log]\nformat = json\nlevel = error\ntimestamps = yes\n"
    more = {"EMBARK_LOG_FORMAT": "json", "EMBARK_LOG_LEVEL": "error"}
    for env in ({}, more):
        process = embark.run("true", env={"EMBARK_LOG": "text,info", **env}, config=config).expect(0)
        assert re.fullmatch(rf"{TIME} embark: ready in .*: true\n", process.stderr)
    assert embark.run("true", config=config).expect(0).stderr == ""


@pytest.mark.parametrize("words, said", [
    ("loud", 'there is no word "loud"'), ("debug,text,json", '"json" is a second format'), ("info error", '"error" is a second level'),
    ("DEBUG", 'there is no word "DEBUG"'), ("timestamps=yes", "there is no word"),
])
def test_words_that_mean_nothing(embark, words, said):
    process = embark.run("true", env={"EMBARK_LOG": words}).expect(78)
    assert "$EMBARK_LOG: " in process.stderr and said in process.stderr and "hint" in process.stderr


def test_what_is_said_without_a_configuration(embark):
    """A usage error, and a file that can't be read, are for the same reader."""
    for words, env in ((["--nonsense"], {}), (["true"], {"EMBARK_CONFIG": "/nowhere.ini"})):
        for form in ({"EMBARK_LOG": "json"}, {"EMBARK_LOG_FORMAT": "json"}):
            assert lines_of_json(embark.run(*words, env={**env, **form}))[0]["level"] == "error"


# --- timestamps

def test_timestamps(embark):
    process = embark.run("no-such-program", env={"EMBARK_LOG_TIMESTAMPS": "yes"}).expect(127)
    lines = process.stderr.splitlines()
    assert len(lines) == 2
    assert re.match(rf"{TIME} embark: error: service: no-such-program", lines[0])
    assert re.match(rf"{TIME}   hint: ", lines[1])
    assert lines[0].split()[0] == lines[1].split()[0]


def test_timestamps_are_off_in_text_and_always_there_in_json(embark):
    assert embark.run("true").stderr.startswith("embark: ")
    for env in ({}, {"EMBARK_LOG_TIMESTAMPS": "no"}, {"EMBARK_LOG_TIMESTAMPS": "yes"}):
        line, = lines_of_json(embark.run("true", env={"EMBARK_LOG": "json", **env}))
        assert re.fullmatch(TIME, line["time"]) and list(line)[0] == "time"


# --- severity

def test_a_word_says_how_bad_it_is(embark, folder):
    """Errors and warnings have one, notes have none, and PostgreSQL's messages have their own."""
    (folder / "a.js").write_text("fetch('http://localhost:3000')")
    config = "[require]\nfile = no-such-file\n[bundle]\ndir = .\n"
    said = embark.run("check", config=config).expect(72).stderr
    assert re.search(r"^embark: error: require: file no-such-file: ", said, re.M)
    assert re.search(r"^embark: warning: bundle: localhost:3000 is a port", said, re.M)
    assert re.search(r"^embark: bundle: \d+ files, ", said, re.M)
    assert "\x1b" not in said


@pytest.mark.parametrize("env, coloured", [({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": ""}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False),
                                           ({"TERM": "dumb"}, False), ({}, False)])
def test_the_word_is_coloured_at_a_terminal(embark, env, coloured):
    ours, theirs = os.openpty()
    process = embark("check", config="[require]\nfile = no-such-file\n", env=env, stderr=theirs)
    os.close(theirs)
    assert process.wait() == 72
    said = b""
    try:
        while chunk := os.read(ours, 65536):
            said += chunk
    except OSError:
        pass    # the end of a terminal's other side
    os.close(ours)
    word = b"\x1b[31merror:\x1b[0m" if coloured else b"error:"
    assert b"embark: " + word + b" require: file no-such-file" in said, said


def test_what_others_write_gives_no_colour(embark):
    """The escape is embark's own: a name with one is still shown as text."""
    assert "\x1b" not in embark.run("\x1b[31mred", env={"TERM": "xterm"}).expect(127).stderr


# --- one writer

def writes(embark, trace, *words, **how):
    """What embark itself wrote to stderr, by the descriptor that it opens for it, one element for each write(2). The leak checker can't trace what is
    traced already."""
    how["env"] = {**how.get("env", {}), **({"ASAN_OPTIONS": "detect_leaks=0"} if asan() else {})}
    embark.run(argv=["strace", "-f", "-qq", "-s", "200000", "-e", "trace=write,open,openat", "-e", "signal=none", "-o", str(trace), embark.binary,
                     *words], **how)
    text = trace.read_text()
    second = re.search(r'"/proc/self/fd/2", .*\) += (\d+)$', text, re.M)[1]
    found = re.findall(rf'write\({second}, "((?:[^"\\]|\\.)*)", \d+\) += (\d+)$', text, re.M)
    return [text.replace('\\"', '"').replace("\\n", "\n") for text, _ in found]


@pytest.mark.parametrize("form", ["text", "json"])
def test_one_write_a_line(embark, folder, form):
    """A message and its hint are one write, too."""
    config = "[require]\nfile = /nowhere\ndir = /nowhere\ncommand = no-such\n"
    said = writes(embark, folder / "trace", "true", config=config, env={"EMBARK_LOG": form})
    assert len(said) == 3
    for line in said:
        assert line.endswith("\n") and (form == "text" or line.count("\n") == 1)
    if form == "text":
        assert all(re.fullmatch(r"embark: .*\n(  hint: .*\n)?", line) for line in said)


def test_one_write_for_a_line_longer_than_pipe_buf(embark, folder):
    name = "n" * 9000
    said = writes(embark, folder / "trace", name)
    assert [line for line in said if name in line] and all(line.endswith("\n") for line in said)


def test_a_full_pipe_gets_long_lines_in_parts_and_nothing_hangs(embark):
    """With less room than a line takes, the reader gets all of it; without a reader, embark goes on."""
    read, write = os.pipe()
    room = PIPE_BUF
    filler = 65536 - 2 * room
    os.write(write, b"." * filler)
    process = embark("n" * 20000, stderr=write)
    os.close(write)
    got = b""
    while chunk := os.read(read, 65536):
        got += chunk
    os.close(read)
    assert process.wait() == 127
    lines = got[filler:].decode().splitlines()
    assert "n" * 20000 in lines[0] and len(lines) <= 2
    read, write = os.pipe()
    os.write(write, b"." * (65536 - room))
    assert embark("n" * 20000, stderr=write).wait() == 127
    os.close(read)
    os.close(write)


def test_long_lines_of_many_do_not_mix(embark):
    """Through one pipe, as replicas in a pod or a Procfile have it."""
    read, write = os.pipe()
    names = [letter * 6000 for letter in "abcdefgh"]
    processes = [embark(name, stderr=write) for name in names]
    os.close(write)
    got = b""
    while chunk := os.read(read, 65536):
        got += chunk
    os.close(read)
    assert [process.wait() for process in processes] == [127] * len(names)
    lines = got.decode().splitlines()
    for name in names:
        assert any(line.startswith("embark: ") and name in line for line in lines)
    for line in lines:
        assert re.match(r"embark: error: service: (\w)\1{5999}|  hint: ", line), line[:100]


# --- a child's half line

def half(embark, db, output, **how):
    config = f"[migrate]\ncommand = sh -c 'printf \"{output}\"'\n"
    return embark.run("sh", "-c", "echo served >&2", env={"DATABASE_URL": db.url, **how.pop("env", {})}, config=config, **how).expect(0)


HALVES = ["half a line", "one\\ntwo and a half", "whole\\n", "", "\\n"]


@pytest.mark.parametrize("output", HALVES)
def test_next_line_starts_on_a_new_one(embark, db, output):
    lines = half(embark, db, output).stderr.splitlines()
    for word in (word for word in output.split("\\n") if word):
        assert word in lines
    ready, = [line for line in lines if "ready in" in line]
    assert ready.startswith("embark: ready in ")
    # no empty line that the migration has not written
    assert lines.count("") == (output == "\\n")


# --- a child's lines as objects

def objects(process):
    """The migration's, of a log in JSON, by stream; all else but the service's line are objects, too."""
    lines = [json.loads(line) for line in process.stderr.splitlines() if line != "served"]
    found = [line for line in lines if "line" in line]
    for line in found:
        assert list(line)[:5] == "time level step stream line".split() and "message" not in line
        assert re.fullmatch(TIME, line["time"]) and line["level"] == "info" and line["step"] == "migrate"
    return {name: [line["line"] for line in found if line["stream"] == name] for name in ("stdout", "stderr")}, found


@pytest.mark.parametrize("output", HALVES)
@pytest.mark.parametrize("words", ["json", "json,error"])
def test_a_migrations_lines_are_objects(embark, db, output, words):
    """At any level, as in text."""
    process = half(embark, db, output, env={"EMBARK_LOG": words})
    streams, found = objects(process)
    assert streams == {"stdout": output.replace("\\n", "\n").splitlines(), "stderr": []}
    assert not any("partial" in line for line in found) and "\nserved\n" in "\n" + process.stderr


def migrate(embark, db, program, code=0):
    """`program`: Python, to which w(stream, bytes) writes."""
    (embark.folder / "m.py").write_text(f"import os, sys\nw = os.write\n{program}\n")
    config = f"[migrate]\ncommand = {PYTHON} {embark.folder}/m.py\n"
    return embark.run("true", env={"DATABASE_URL": db.url, "EMBARK_LOG": "json"}, config=config).expect(code)


def test_both_streams_have_their_names(embark, db):
    streams, _ = objects(migrate(embark, db, r"w(1, b'to out\n'); w(2, b'to err\n'); w(1, b'half '); w(2, b'other\n'); w(1, b'whole\n')"))
    assert streams == {"stdout": ["to out", "half whole"], "stderr": ["to err", "other"]}


@pytest.mark.parametrize("wrote, shown", [
    (r'"quoted" \ back', r'"quoted" \ back'), ("a\tb", "a\tb"), ("cr\r\n", "cr"), ("h\u00e4\u20ac\U0001f600", "h\u00e4\u20ac\U0001f600"),
    (b"\xff\xc3(", r"\xff\xc3("), (b"cut \xe2\x82", r"cut \xe2\x82"), (b"nul\0nul", r"nul\x00nul"), ("\x1b[2Jx\x1b[31mred", r"\x1b[2Jx\x1b[31mred"),
    ("\u202e", r"\xe2\x80\xae"), ('{"level":"error"}', '{"level":"error"}'), ('x"}\n{"level":"error"}', 'x"}\n{"level":"error"}'),
])
def test_any_bytes_make_an_object(embark, db, wrote, shown):
    data = wrote if isinstance(wrote, bytes) else wrote.encode()
    process = migrate(embark, db, f"w(2, {data!r})")
    assert objects(process)[0] == {"stdout": [], "stderr": shown.split("\n")}
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", process.err.raw)


def test_a_long_line_is_cut_between_characters(embark, db):
    """8 KiB or so an object; all but a line's last one are marked."""
    streams, found = objects(migrate(embark, db, "w(1, ('a' + '\u20ac' * 20000 + '\\nend\\n').encode())"))
    assert "".join(streams["stdout"][:-1]) == "a" + "\u20ac" * 20000 and streams["stdout"][-1] == "end"
    assert len(found) > 3 and [line.get("partial", False) for line in found] == [True] * (len(found) - 2) + [False] * 2
    assert all(len(line["line"].encode()) <= 3 * 8192 for line in found)


def test_secrets_are_taken_out_of_objects(embark, db):
    """Also out of one that lies across two writes, or where a long line is cut."""
    half = len(db.password) // 2
    program = (f"p = {db.password!r}.encode(); w(1, b'the password is ' + p + b'\\n'); w(2, b'x' * 8188 + p[:{half}])\n"
               f"w(2, p[{half}:] + b' end\\n'); w(1, b'postgres://a:Other-0815@h/d\\n')")
    embark.secrets.extend([db.password, "Other-0815"])
    streams, _ = objects(migrate(embark, db, program))
    assert streams["stdout"] == ["the password is ****", "postgres://a:****@h/d"]
    assert "".join(streams["stderr"]) == "x" * 8188 + "**** end"


def test_a_failing_migrations_objects(embark, db):
    process = migrate(embark, db, r"w(1, b'begin\n'); w(2, b'ValueError: no such column\n'); sys.exit(3)", code=80)
    streams, _ = objects(process)
    assert streams == {"stdout": ["begin"], "stderr": ["ValueError: no such column"]}
    error, = [line for line in lines_of_json(process) if line["level"] == "error"]
    assert error["message"].endswith("m.py exited with status 3: ValueError: no such column") and error["code"] == 80


def test_embarks_own_migrations_stay_objects_of_the_log(embark, db):
    """What they say is not wrapped a second time; a query's rows are lines."""
    (embark.folder / "sql").mkdir()
    (embark.folder / "sql" / "001_a.sql").write_text("CREATE TABLE a (i int);\n\\echo hello\nSELECT 'row' AS name;\n")
    process = embark.run("true", env={"DATABASE_URL": db.url, "EMBARK_LOG": "json"}, config=f"[migrate]\nsql = {embark.folder}/sql\n").expect(0)
    lines = lines_of_json(process)
    assert not any('"level"' in line.get("line", "") for line in lines)
    assert any("001_a.sql" in line.get("message", "") for line in lines)


def test_the_service_starts_on_a_new_line_too(embark, db):
    """Where embark itself has nothing to say."""
    process = half(embark, db, "half a line", env={"EMBARK_LOG": "error"})
    assert process.stderr == "half a line\nserved\n"


def test_a_line_that_waits_for_its_end_is_not_torn_without_need(embark, db, folder):
    """A progress dot is passed on after a while; what embark says meanwhile stands on a line of its own."""
    config = f"[migrate]\ncommand = sh -c 'printf dots...; until [ -e {folder}/go ]; do sleep 0.02; done; echo done'\n"
    process = embark("true", env={"DATABASE_URL": db.url}, config=config)
    process.wait_for_line("^dots...$")
    process.wait_for_line("^embark: migrate: runs for ", timeout=20)
    (folder / "go").touch()
    process.expect(0)
    assert "\ndone\n" in process.stderr


# --- PostgreSQL's errors

class FakeServer:
    """Answers every login with an ErrorResponse of these fields."""

    def __init__(self, **fields):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        body = b"".join(key.encode() + value + b"\0" for key, value in fields.items()) + b"\0"
        self.answer = b"E" + struct.pack(">I", len(body) + 4) + body
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            try:
                peer.settimeout(5)
                peer.recv(4096)
                peer.sendall(self.answer)
                peer.shutdown(socket.SHUT_WR)
                peer.recv(4096)
            except OSError:
                pass
            peer.close()

    @property
    def url(self):
        return f"postgresql://app:pw@127.0.0.1:{self.port}/app?sslmode=disable"

    def close(self):
        self.socket.close()


HOSTILE = b"a\x1b[2J\x07b\nembark: ready in 1 ms\r\xff\xc3(\xe2\x80\xae"
FATAL = {"S": b"FATAL", "V": b"FATAL", "F": b"auth.c", "L": b"1", "R": b"f"}


@pytest.fixture
def fake():
    servers = []

    def make(**fields):
        servers.append(FakeServer(**{**FATAL, **fields}))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.mark.parametrize("state, code", [("28P01", 77), ("3D000", 77), ("42501", 77), ("57P03", 69)])
def test_login_has_all_of_the_message(embark, fake, state, code):
    server = fake(C=state.encode(), M=b"the message", D=b"the detail", H=b"the hint of the server")
    process = embark.run("true", env={"DATABASE_URL": server.url, "EMBARK_DATABASE_TIMEOUT": "200ms"}).expect(code)
    for part in (state, "the message", "the detail", "the hint of the server"):
        assert part in process.stderr, process.describe()


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("state, code", [("28P01", 77), ("3D000", 77), ("57P03", 69)])
def test_messages_of_a_hostile_server(embark, fake, state, code, form):
    server = fake(C=state.encode(), M=b"M" + HOSTILE, D=b"D" + HOSTILE, H=b"H" + HOSTILE)
    process = embark.run("true", env={"DATABASE_URL": server.url, "EMBARK_DATABASE_TIMEOUT": "200ms", "EMBARK_LOG": form}).expect(code)
    harmless(process, form)
    assert "\\x1b[2J" in process.stderr.replace("\\\\", "\\") and "\\xff" in process.stderr.replace("\\\\", "\\")


def harmless(process, form):
    """Nothing that isn't printable, and no line that the other side made up."""
    raw = process.err.raw
    raw.decode()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw) and "\u202e" not in process.stderr
    for line in process.stderr.splitlines():
        if form == "json":
            json.loads(line)
        else:
            assert line.startswith(("embark: ", "  hint: ")) and not line.startswith("embark: ready"), line


def test_statements_have_all_of_the_message(embark, db):
    """What embark runs itself: here a file of [migrate] sql, and embark sql."""
    statement = ("DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'P0ABC', MESSAGE = 'the message', DETAIL = 'the detail', "
                 "HINT = 'the hint'; END $$;\n")
    (embark.folder / "migrations").mkdir()
    (embark.folder / "migrations" / "001_bad.sql").write_text(statement)
    env = {"DATABASE_URL": db.url}
    for process in (embark.run("true", env=env, config=f"[migrate]\nsql = {embark.folder}/migrations\n"),
                    embark.run("sql", embark.folder / "migrations" / "001_bad.sql", env=env)):
        assert process.popen.returncode in (65, 80)
        for part in ("P0ABC", "the message", "the detail", "hint: the hint"):
            assert part in process.stderr, process.describe()


def test_embarks_own_queries_have_all_of_the_message(embark, db):
    """The ledger's table, which an event trigger forbids."""
    db.sql("CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION USING ERRCODE = 'P0ABC', "
           "MESSAGE = 'the message', DETAIL = 'the detail', HINT = 'the hint'; END $$; "
           "CREATE EVENT TRIGGER forbid ON ddl_command_start EXECUTE FUNCTION forbid()")
    process = embark.run("true", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n").expect(77)
    for part in ("P0ABC", "the message", "the detail", "the hint"):
        assert part in process.stderr, process.describe()


# --- names of files, and other text that isn't embark's

@pytest.mark.parametrize("form", ["text", "json"])
def test_names_of_files(embark, form):
    """Files of an image, as found beside one that is missing, in messages and in what embark check --json prints."""
    evil = os.fsencode(embark.folder) + b"/app"
    os.mkdir(evil)
    with open(evil + b"/public\x1b[31m\nembark: ready in 1 ms\xff", "w"):
        pass
    config = f"[require]\ndir = {embark.folder}/app/public\n"
    process = embark.run("check", "--json", config=config, env={"EMBARK_LOG": form}).expect(72)
    harmless(process, form)
    document = json.loads(process.stdout)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", process.stdout.replace("\n", "")) and document["code"] == 72


@pytest.mark.parametrize("form", ["text", "json"])
def test_names_of_sql_files_and_commands(embark, db, form):
    name = b"001_x\x1b]0;title\x07\nembark: ready in 1 ms\xff.sql"
    folder = os.fsencode(embark.folder) + b"/sql"
    os.mkdir(folder)
    with open(folder + b"/" + name, "w") as file:
        file.write("SELECT nothing;\n")
    env = {"DATABASE_URL": db.url, "EMBARK_LOG": form}
    harmless(embark(argv=[embark.binary, "sql", folder + b"/" + name], env=env).expect(65), form)
    process = embark.run("true", env=env, config=f"[migrate]\nsql = {embark.folder}/sql\n")
    assert process.popen.returncode != 0
    harmless(process, form)
    harmless(embark(argv=[embark.binary, "--", b"no-such" + HOSTILE], env=env).expect(127), form)


def test_a_child_speaks_for_itself(embark, db):
    """What a migration prints is passed on as it is, colours and all."""
    config = "[migrate]\ncommand = printf '\\033[32mok\\033[0m\\n'\n"
    process = embark.run("true", env={"DATABASE_URL": db.url}, config=config).expect(0)
    assert b"\x1b[32mok\x1b[0m\n" in process.err.raw
