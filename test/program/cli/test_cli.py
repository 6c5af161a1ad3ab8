"""Commands and words: what is embark's, what is the service's."""

import re

import pytest

from conftest import TOP


def keys_of_the_header():
    """(section, key) of every line of the table of keys."""
    text = (TOP / "include/embark/core/config/keys.h").read_text()
    table = text[text.index("#define EM_KEYS(X)"):]
    return re.findall(r"^\s+X\((\w+), (\w+),", table, re.M)


# --- the service's words stay as they are (P16)

@pytest.mark.parametrize("words, out", [
    (["printf", "%s|", "--version", "-x", "--", "--config=/nowhere", "check"], "--version|-x|--|--config=/nowhere|check|"),
    (["--", "printf", "%s|", "a", "--help"], "a|--help|"),
    (["run", "printf", "%s|", "--json", "-v"], "--json|-v|"),
    (["run", "--", "printf", "%s|", "run", "--"], "run|--|"),
    (["printf", "%s|", "", " ", "a b", "'", '"', "$HOME", "*"], "| |a b|'|\"|$HOME|*|"),
])
def test_words_of_the_service_are_not_eaten_or_permuted(embark, words, out):
    """P16"""
    assert embark.run(*words).expect(0).stdout == out


def test_sh_c_is_a_service_like_any_other(embark):
    """P16: its exit code is the program's own."""
    process = embark.run("sh", "-c", "exit 7").expect(7)
    assert "embark: ready in" in process.stderr


def test_two_double_dashes_name_a_program_called_double_dash(embark):
    """P16: only the first one is embark's."""
    embark.run("--", "--", "true").expect(127, r'"?--"?.*not found')


@pytest.mark.parametrize("words", [["--", "check"], ["run", "check"], ["run", "--", "check"], ["--", "help"], ["--", "run"]])
def test_double_dash_runs_a_program_with_a_subcommands_name(embark, folder, words):
    for name in ("check", "help", "run"):
        (folder / name).write_text("#!/bin/sh\necho program $0 \"$@\"\n")
        (folder / name).chmod(0o755)
    process = embark.run(*words, "one", env={"PATH": f"{folder}:/usr/bin:/bin"}).expect(0)
    assert process.stdout == f"program {folder / words[-1]} one\n"


def test_a_path_that_ends_in_a_subcommands_name_is_a_program(embark, folder):
    (folder / "migrate").write_text("#!/bin/sh\necho program\n")
    (folder / "migrate").chmod(0o755)
    assert embark.run("./migrate").expect(0).stdout == "program\n"


def test_an_unknown_word_is_the_services_command(embark):
    embark.run("chekc").expect(127, r"chekc")


def test_double_dash_alone_takes_the_command_of_the_configuration(embark):
    config = "[service]\ncommand = printf 'from %s' config\n"
    assert embark.run("run", config=config).expect(0).stdout == "from config"
    assert embark.run(config=config).expect(0).stdout == "from config"
    assert embark.run("run", "--", config=config).expect(0).stdout == "from config"


def test_the_command_line_wins_over_the_configurations_command(embark):
    assert embark.run("echo", "mine", config="[service]\ncommand = echo theirs\n").expect(0).stdout == "mine\n"


# --- a bare shell is somebody debugging

@pytest.mark.parametrize("words", [["sh"], ["sh", "-i"], ["sh", "-l"], ["bash"], ["bash", "-l"], ["dash"], ["/bin/sh"]])
def test_bare_shell_is_executed_at_once(embark, refused_port, words):
    process = embark.run(*words, stdin=b"echo in the shell; exit 3\n",
                         env={"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{refused_port}/d"})
    process.expect(3, r"^embark: .*(skipped|without)")
    assert "in the shell" in process.stdout
    assert len(process.said) == 1, process.stderr


@pytest.mark.parametrize("words", [["sh", "-c", "exit 3"], ["sh", "./script"], ["bash", "-lc", "exit 3"]])
def test_shell_with_a_script_waits_like_any_service(embark, refused_port, folder, words):
    (folder / "script").write_text("exit 3\n")
    embark.run(*words, env={"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{refused_port}/d",
                            "EMBARK_DATABASE_TIMEOUT": "200ms"}).expect(69)


# --- EMBARK_SKIP

@pytest.mark.parametrize("skip", ["wait", "all", "wait,check", "check, wait", "bootstrap,wait,migrate"])
def test_skip_leaves_the_wait_out(embark, refused_port, skip):
    env = {"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{refused_port}/d", "EMBARK_SKIP": skip}
    assert embark.run("echo", "served", env=env).expect(0).stdout == "served\n"


@pytest.mark.parametrize("skip, code", [("check", 0), ("all", 0), ("migrate", 72), ("", 72)])
def test_skip_leaves_the_requirements_out(embark, skip, code):
    embark.run("true", env={"EMBARK_SKIP": skip}, config="[require]\nfile = /nowhere/at/all\n").expect(code)


def test_skip_leaves_the_migration_out(embark, db):
    config = "[migrate]\ncommand = sh -c 'echo migrated >&2'\n"
    process = embark.run("echo", "served", env={"DATABASE_URL": db.url, "EMBARK_SKIP": "migrate"}, config=config)
    process.expect(0)
    assert "migrated\n" not in process.stderr.splitlines(keepends=True)


def test_skip_does_not_take_an_unknown_word(embark):
    embark.run("true", env={"EMBARK_SKIP": "wait,everything"}).expect(78, r"everything")


# --- usage

@pytest.mark.parametrize("words", [
    ["--no-such-option", "true"], ["--config"], ["-Z", "true"], [], ["--"], ["run"], ["wait", "extra"], ["migrate", "extra"],
    ["help", "no-such-topic"], ["version", "extra"],
])
def test_usage_errors(embark, words):
    process = embark.run(*words).expect(64, r"^embark: ")
    assert process.stdout == ""


def test_usage_error_names_the_word(embark):
    embark.run("--no-such-option", "true").expect(64, r"--no-such-option")
    embark.run("wait", "extraneous").expect(64, r"extraneous")
    embark.run("help", "nosuchtopic").expect(64, r"nosuchtopic")


@pytest.mark.parametrize("words", [["help"], ["--help"], ["-h"]])
def test_help_lists_the_commands(embark, words):
    out = embark.run(*words).expect(0).stdout
    for command in ("run", "check", "wait", "migrate", "help", "version"):
        assert re.search(rf"^\s*embark {command}\b", out, re.M), out


def test_help_config_lists_every_key_with_its_default(embark):
    out = embark.run("help", "config").expect(0).stdout
    for section, key in keys_of_the_header():
        assert f"[{section}]" in out, section
        assert re.search(rf"^\s*{key}\b", out, re.M), (section, key)
    assert "60s" in out and "10m" in out


def test_help_tells_the_exit_codes_somewhere(embark):
    out = "".join(embark.run("help", *topic).stdout for topic in ([], ["codes"], ["exit"], ["exit-codes"]))
    for code in (64, 69, 72, 75, 77, 78, 80, 126, 127):
        assert re.search(rf"\b{code}\b", out), code


@pytest.mark.parametrize("words", [["version"], ["--version"]])
def test_version(embark, words):
    process = embark.run(*words).expect(0)
    assert re.search(r"^embark \d+\.\d+", process.stdout)
    assert process.stderr == ""


def test_config_option_in_both_spellings(embark):
    path = str(embark.write_config("[service]\ncommand = echo it\n"))
    for words in (["--config", path], [f"--config={path}"], ["--config", path, "run"]):
        assert embark.run(*words).expect(0).stdout == "it\n"


def test_config_option_wins_over_the_variable(embark):
    path = str(embark.write_config("[service]\ncommand = echo option\n"))
    assert embark.run("--config", path, config="[service]\ncommand = echo variable\n").expect(0).stdout == "option\n"


def test_help_and_version_work_with_a_broken_configuration(embark):
    for word in ("help", "version"):
        embark.run(word, config="nonsense").expect(0)


# --- the subcommands stop before the service

def test_wait_only_waits(embark, db):
    config = "[migrate]\ncommand = false\n[service]\ncommand = echo served\n"
    assert embark.run("wait", env={"DATABASE_URL": db.url}, config=config).expect(0).stdout == ""


def test_migrate_stops_after_the_migration(embark, db, migration):
    db.make_ledger()
    config = f"[migrate]\ncommand = {migration('apply:one')}\n[service]\ncommand = echo served\n"
    assert embark.run("migrate", env={"DATABASE_URL": db.url}, config=config).expect(0).stdout == ""
    assert db.value("SELECT count(*) FROM applied") == 1


def test_migrate_without_a_command_says_so(embark, db):
    embark.run("migrate", env={"DATABASE_URL": db.url}, config="[log]\nlevel = info\n").expect(78, r"\[migrate\]")


def test_wait_without_anything_to_wait_for_says_so(embark):
    embark.run("wait").expect(78, r"DATABASE_URL")


def test_check_needs_no_database(embark, refused_port):
    env = {"DATABASE_URL": f"postgresql://u:p@127.0.0.1:{refused_port}/d"}
    embark.run("check", env=env, config="[require]\nfile = /etc/passwd\n[migrate]\ncommand = false\n").expect(0)
    embark.run("check", env=env, config="[require]\nfile = /nowhere\n").expect(72, "/nowhere")


def test_check_of_a_command(embark):
    """`RUN ["/embark", "check", "uvicorn", …]`: it is looked at, and not run."""
    process = embark.run("check", "echo", "served").expect(0)
    assert process.stdout == ""
    embark.run("check", "--", "no-such-service").expect(127, "no-such-service")


def test_check_says_what_the_services_exec_would_say(embark):
    embark.run("check", config="[service]\ncommand = no-such-service\n").expect(127, "no-such-service")
