"""What embark says: stderr only, whole lines, hints on lines of their own, JSON on demand."""

import json
import re

import pytest

from support.process import lines_of_json

LINE = re.compile(r"embark: (?:[a-z]+: )?\S.*")


def failures(db, port, folder):
    """(code, words, environment, configuration) of every kind of failure."""
    refused = f"postgresql://app:pw@127.0.0.1:{port}/app"
    short = {"EMBARK_DATABASE_TIMEOUT": "200ms"}
    return {
        "usage": (64, ["--nonsense"], {}, None),
        "unreachable": (69, ["true"], {"DATABASE_URL": refused, **short}, None),
        "requirement": (72, ["true"], {}, "[require]\nfile = /nowhere\ndir = /nowhere\nenv = NOT_SET\ncommand = no-such-tool\n"),
        "refused": (77, ["true"], {"DATABASE_URL": db.url_as(password="wrong")}, None),
        "configuration": (78, ["true"], {}, "[nonsense]\n[log]\nlevel = loud\n"),
        "url": (78, ["true"], {"DATABASE_URL": "postgresql://a:b@c@d/e"}, None),
        "migration": (80, ["true"], {"DATABASE_URL": db.url}, "[migrate]\ncommand = false\n"),
        "not executable": (126, ["/etc/passwd"], {}, None),
        "not found": (127, ["no-such-program"], {}, None),
    }


KINDS = ["usage", "unreachable", "requirement", "refused", "configuration", "url", "migration", "not executable", "not found"]


@pytest.mark.parametrize("kind", KINDS)
def test_failure_in_text(db, embark, refused_port, folder, kind):
    """Every line is embark's or a hint, each failure has a line of its own and a hint what to do next; stdout stays empty."""
    code, words, env, config = failures(db, refused_port, folder)[kind]
    process = embark.run(*words, env=env, config=config).expect(code)
    assert process.stdout == ""
    for line in process.stderr.splitlines():
        assert LINE.fullmatch(line) or line.startswith("  hint: "), line
        assert not line.endswith("."), f"no full stop: {line}"
    assert process.stderr.endswith("\n")
    assert "  hint: " in process.stderr, process.stderr


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("usage",)])
def test_failure_in_json(db, embark, refused_port, folder, kind):
    code, words, env, config = failures(db, refused_port, folder)[kind]
    if kind == "configuration":
        config = "[nonsense]\n"
    process = embark.run(*words, env={"EMBARK_LOG_FORMAT": "json", **env}, config=config).expect(code)
    lines = lines_of_json(process)
    errors = [line for line in lines if line["level"] == "error"]
    assert errors, lines
    for line in lines:
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$", line["time"]), line
        assert line["level"] in ("debug", "info", "warn", "error") and isinstance(line["message"], str) and line["message"]
    assert any(line.get("hint") for line in errors), errors
    assert any(line.get("code") == code for line in errors), errors


def test_json_of_a_good_start(db, embark):
    process = embark.run("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_LOG_FORMAT": "json"}, config="[migrate]\ncommand = true\n").expect(0)
    lines = lines_of_json(process)
    assert lines[-1]["message"].startswith("ready in ") and lines[-1]["level"] == "info"
    assert any(line.get("step") == "migrate" for line in lines)
    assert process.stdout == "served\n"


def test_json_with_hostile_bytes(embark, folder):
    """Quotes, backslashes, control characters, bytes that aren't UTF-8."""
    for name in (b'a"b\\c', b"tab\there", b"\x01\x1f\x7f", b"\xff\xfe", "ünï😀".encode(), b"\xc2\x85\xe2\x80\xa8"):
        process = embark(argv=[embark.binary, "--", b"no-such-" + name], env={"EMBARK_LOG_FORMAT": "json"})
        process.expect(127)
        lines_of_json(process)


def test_format_of_the_file_counts_for_its_own_errors_or_text_is_used(embark):
    """Either way every line is whole."""
    process = embark.run("true", config="[log]\nformat = json\n[nonsense]\n").expect(78)
    for line in process.stderr.splitlines():
        assert line.startswith(("embark: ", "  hint: ")) or json.loads(line)


@pytest.mark.parametrize("level, ready", [("debug", True), ("info", True), ("warn", False), ("error", False)])
def test_level(db, embark, level, ready):
    process = embark.run("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_LOG_LEVEL": level}).expect(0)
    assert ("ready in" in process.stderr) == ready
    if not ready:
        assert process.stderr == ""


@pytest.mark.parametrize("level", ["warn", "error"])
def test_errors_are_said_at_every_level(embark, level):
    embark.run("no-such-program", env={"EMBARK_LOG_LEVEL": level}).expect(127, "no-such-program", r"\n  hint: ")


def test_all_requirements_are_listed(embark):
    config = ("[require]\nfile = /nowhere/file\ndir = /nowhere/dir\nwritable = /nowhere/writable\nenv = NOT_SET_A, NOT_SET_B\n"
              "command = no-such-tool\n")
    process = embark.run("true", config=config).expect(72)
    for what in ("/nowhere/file", "/nowhere/dir", "/nowhere/writable", "NOT_SET_A", "NOT_SET_B", "no-such-tool"):
        assert what in process.stderr, what


def test_lines_are_written_whole(db, embark):
    """Twenty replicas on one stderr, as a log driver sees them: no line is broken by another's."""
    path = embark.folder / "log"
    with open(path, "wb", buffering=0) as log:
        processes = [embark("true", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n", stderr=log) for _ in range(12)]
        for process in processes:
            assert process.wait(30) == 0
    for line in path.read_text().splitlines():
        assert LINE.fullmatch(line) or line.startswith("  hint: "), line


def test_sizes_and_times_are_for_people(embark, refused_port):
    process = embark.run("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a", "EMBARK_DATABASE_TIMEOUT": "1500ms"})
    process.expect(69, r"\(0\.\d s of 1\.50 s\)", r"1\.50 s")


def test_nothing_is_said_twice(embark):
    """An error is one line, not one for each layer that it passes."""
    process = embark.run("no-such-program").expect(127)
    assert len([line for line in process.said if line.startswith("embark: ")]) == 1, process.stderr


def test_a_locale_changes_nothing(embark, refused_port):
    url = f"postgresql://a@127.0.0.1:{refused_port}/a"
    for language in ("de_DE.UTF-8", "xx", ""):
        embark.run("true", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "100ms", "LC_ALL": language, "LANGUAGE": language}).expect(
            69, r"refuses connections \(0\.\d s of 100 ms\)")


def test_no_time_zone_file_is_needed(embark):
    embark.run("true", env={"TZ": "Nowhere/Nothing", "EMBARK_LOG_FORMAT": "json"}).expect(0)


@pytest.mark.parametrize("words", [["migrate", "--status"], ["migrate", "--dry-run"], ["doctor"], ["doctor", "--json"], ["echo"]])
def test_what_others_wrote_is_escaped(db, embark, folder, words):
    """Rows of the ledger, names of files, what a migration has said: no escape sequence, no line of their own, nothing that reorders text."""
    hostile = "\x1b[31mred\x1b]0;title\x07\nembark: ready\r\u202egnp\u0085"
    (folder / "m").mkdir()
    (folder / "m" / f"1_{hostile.replace('/', '')}.sql").write_text("")
    config = f"[migrate]\ncommand = sh -c 'printf \"$HOSTILE\"; exit 1'\nfiles = {folder}/m/*\nretry_after = 1h\n"
    env = {"DATABASE_URL": db.url, "HOSTILE": hostile}
    embark.run("migrate", env=env, config=config).expect(80)
    db.sql("UPDATE embark_ledger SET host = %s, build = %s, error = %s, output = %s", (hostile,) * 4)
    process = embark.run(*words, env=env, config=config)
    process.wait(30)
    said = process.stdout + process.stderr
    for what in ("\x1b", "\x07", "\r", "\u202e", "\u0085"):
        assert what not in said, repr(said)
    assert not any(line.startswith("embark: ready") for line in said.splitlines()), said
    if words == ["migrate", "--status"]:
        assert said.count("\\x1b[31mred") == 3 and len(said.splitlines()) == 1, said
