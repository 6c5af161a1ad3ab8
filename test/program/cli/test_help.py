"""embark help: every command, section, key, exit code, SQLSTATE and well-known failure can be looked up, without a configuration."""

import re

import pytest

from conftest import TOP
from test_docs import codes, commands, keys_of_the_table, page_of


def help_on(embark, *topic):
    process = embark.run("help", *topic).expect(0)
    assert process.stderr == "" and process.stdout.endswith("\n")
    return process.stdout


def test_every_command(embark):
    for name in commands(embark):
        assert re.match(rf"embark {name}\b", help_on(embark, name))


def test_help_as_a_commands_option(embark):
    """Alone only: `embark sql -h HOST FILE` is what psql takes, and no success."""
    for name in commands(embark):
        for option in ("--help", "-h"):
            process = embark.run(name, option, config="nonsense").expect(0)
            assert (process.stdout, process.stderr) == (help_on(embark, name), "")
        embark.run(name, "-h", "db", "--").expect(1 if name == "health" else 64)
    assert embark.run("printf", "%s", "--help").expect(0).stdout == "--help"
    embark.run("--", "check", "--help").expect(127)


def test_no_line_ends_in_a_blank(embark):
    for topic in ([], ["config"], ["exit-codes"], ["failures"], *([name] for name in commands(embark))):
        assert not re.search(r"[ \t]$", help_on(embark, *topic), re.M), topic


def test_every_step_that_can_be_skipped_is_told(embark):
    steps = re.search(r"EMBARK_SKIP=([a-z,]+)", help_on(embark))[1]
    assert set(steps.split(",")) == {"check", "wait", "bootstrap", "migrate"}
    embark.run("true", env={"EMBARK_SKIP": steps}).expect(0)


def test_the_options_are_those_that_the_manual_lists(embark):
    """For every command that has options of its own."""
    for name in ("check", "migrate", "sql", "health", "doctor"):
        manual = page_of(name)
        options = re.findall(r"^  (-[-\w]+)", help_on(embark, name), re.M)
        assert options
        for option in options:
            assert re.search(rf"^\.(It|Op|Cm {name}) .*Fl {re.escape(option[1:])}\b", manual, re.M), option


def test_every_section_and_key(embark):
    for section, key in keys_of_the_table():
        assert f"\n  {key} " in "\n" + help_on(embark, section)
        for topic in (f"{section}.{key}", f"EMBARK_{section}_{key}".upper()):
            assert help_on(embark, topic).startswith(f"[{section}] {key}\n")
    timeouts = [section for section, key in keys_of_the_table() if key == "timeout"]
    assert re.findall(r"^\[(\w+)\] timeout$", help_on(embark, "timeout"), re.M) == timeouts


SYNTAX = {"TIME": "value: a time: 500ms, 30s, ", "BOOL": "value: yes or no", "CHOICE": "one of: ", "WORDS": "value: words, split as a shell does it",
          "LIST": "value: one a line; may be repeated", "NAMES": "value: names, separated by commas or blanks", "TEXT": "value: a text",
          "SECRET": "value: a text"}


def test_every_keys_syntax(embark):
    table = keys_of_the_table()
    assert {kind for kind, _ in table.values()} == set(SYNTAX)
    for (section, key), (kind, default) in table.items():
        lines = help_on(embark, f"{section}.{key}").splitlines()
        assert [line for line in lines if line.startswith(f"  {SYNTAX[kind]}")], (section, key)
        if kind == "CHOICE":
            assert f"  one of: {default}" in lines


@pytest.mark.parametrize("line, code", [("[database]\ntimeout = 1m30s", 0), ("[database]\ntimeout = none", 0), ("[database]\ntimeout = soon", 78),
                                        ("[service]\ninit = yes", 0), ("[service]\ninit = often", 78), ("[require]\ncommand = sh, ls env", 0),
                                        ("[service]\ncommand = sh -c 'exit 0 | true'", 0)])
def test_values_of_the_syntax_are_taken(embark, line, code):
    embark.run("check", config=line + "\n").expect(code)


def test_a_command_and_a_section_of_one_name(embark):
    out = help_on(embark, "migrate")
    assert out.startswith("embark migrate [--dry-run") and "\n[migrate]  the migrations\n" in out


def test_every_exit_code(embark):
    for code, text in codes(help_on(embark, "exit-codes")).items():
        out = help_on(embark, str(code))
        assert out.startswith(f"exit code {code}: {text}\n  ")


@pytest.mark.parametrize("state, words", [("28P01", "wrong password"), ("57P03", "tried again"), ("3D000", "CREATE DATABASE"), ("99999", "Appendix A")])
def test_sqlstates(embark, state, words):
    assert words in help_on(embark, state)


def test_what_an_error_says_can_be_looked_up(embark, db):
    """From the message and the exit code of a failed start to the advice."""
    process = embark.run("true", env={"DATABASE_URL": db.url_as(name="nowhere")}).expect(77)
    state = re.search(r"\(([0-9A-Z]{5})\)", process.stderr)[1]
    assert "the database does not exist" in help_on(embark, state) and "SQLSTATE" in help_on(embark, "77")


@pytest.mark.parametrize("command", ["check", "migrate", "sql", "health", "doctor"])
def test_a_commands_options_stand_in_all_three_places(embark, command):
    """Its line of usage, what is said of each below that, and the manual's synopsis."""
    def options(text):
        return set(re.findall(r"(?<![\w-])--?[a-z1][a-z-]*", text))

    usage, *rest = help_on(embark, command).split("\n\n")[0].splitlines()
    assert options(usage) == options("\n".join(rest)) and usage in help_on(embark)
    synopsis = page_of(command).split(".Sh SYNOPSIS")[1].split(".Sh DESCRIPTION")[0]
    macros = re.sub(r"\bFl ", "-", re.sub(r"\| -(?=\w)", "| Fl -", synopsis.replace(".Op Fl -config Ar file", "").replace("Fl -\n", "")))
    assert options(macros) == options(usage)


def test_failures(embark):
    names = re.findall(r"^([a-z-]+) {2,}\S", help_on(embark, "failures"), re.M)
    assert {"hidden-module", "missing-directory", "sql-variable", "missing-role", "older-image", "stale-image", "inlined-value"} <= set(names)
    for name in names:
        out = help_on(embark, name)
        assert out.startswith(f"{name}: ") and all(len(line) <= 78 for line in out.splitlines()[1:])
        # keys that it names are keys
        for section, key in re.findall(r"\[(\w+)\] (\w+)", " ".join(out.split())):
            assert (section, key) in keys_of_the_table(), (name, section, key)


def test_keys_that_advice_names_are_keys():
    text = (TOP / "src/core/help/explain.c").read_text()
    text = re.sub(r'"\s*\n\s*"', "", text)
    found = re.findall(r"\[(database|wait|require|bootstrap|image|bundle|migrate|service|health|log)\] (\w+)", text)
    assert len(found) > 10
    for section, key in found:
        assert (section, key) in keys_of_the_table() or (section, key) == ("migrate", "sql"), (section, key)


def test_a_slip(embark):
    embark.run("help", "tiemout").expect(64, "did you mean timeout")
    embark.run("help", "stale-imag").expect(64, "did you mean stale-image")
    process = embark.run("help", "1\x1b[2J").expect(64)
    assert "\x1b" not in process.stderr


def test_one_topic_at_a_time(embark):
    embark.run("help", "77", "28P01").expect(64, 'no further words, and there is "28P01"')
    assert embark.run("sql", "--help").expect(0).stdout == embark.run("help", "sql").expect(0).stdout


@pytest.mark.parametrize("topic", ["256", "-1", "28p01", "", "[wait]", "x" * 5000])
def test_no_such_topic(embark, topic):
    process = embark.run("help", topic).expect(64, "no help on")
    assert process.stdout == ""


def test_a_closed_stdout(embark):
    process = embark(argv=["sh", "-c", f"{embark.binary} help 77 >/dev/full"]).expect(71)
    assert process.stdout == ""
