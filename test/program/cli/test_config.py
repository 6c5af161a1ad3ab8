"""Configuration: each mistake is said with its place, all at once, before anything is started, and without passwords."""

import os
import re

import pytest

from support.process import need_root

SECRET = "Zq9-marker"


def refused(embark, *patterns, config=None, env=None, words=("sh", "-c", "echo started"), **how):
    process = embark.run(*words, config=config, env=env, **how).expect(78, *patterns)
    assert "started" not in process.stdout
    return process


@pytest.fixture(autouse=True)
def no_secret_is_shown(embark):
    embark.secrets.append(SECRET)


# --- the file

@pytest.mark.parametrize("config, place, patterns", [
    ("[database]\nurl = postgresql://u@h/d\ntimout = 3s\n", 3, ["timout", "timeout"]),
    ("[databse]\nurl = x\n", 1, ["databse"]),
    ("# a comment\n\n[database]\ntimeout = soon\n", 4, ["soon"]),
    ("[database]\ntimeout = -3s\n", 2, ["timeout"]),
    ("[database]\ntimeout = 5 s\n", 2, ["timeout"]),
    ("[database]\ntimeout = 1s1s\n", 2, ["timeout"]),
    ("[database]\ntimeout = 99999999999999999999d\n", 2, ["timeout"]),
    ("[log]\nformat = xml\n", 2, ["xml", "text"]),
    ("[log]\nlevel = loud\n", 2, ["loud"]),
    ("timeout = 3s\n", 1, []),
    ("[database\ntimeout = 3s\n", 1, []),
    ("[database]\nnonsense\n", 2, ["="]),
    ("[database]\n= value\n", 2, []),
    ("[migrate]\ncommand = sh -c 'echo\n", 2, ["quote"]),
    ("[database]\nurl = ${NOT_SET_ANYWHERE}\n", 2, ["NOT_SET_ANYWHERE"]),
    ("[database]\nurl = ${NOT_CLOSED\n", 2, []),
    ("[database]\nurl = ${file:/nowhere/at/all}\n", 2, ["/nowhere/at/all", "No such file"]),
    ("[database]\nurl = ${file:/etc}\n", 2, ["/etc", "directory"]),
    ("[service]\ncommand = echo\n[service]\ncommand = false\n", 4, []),
    ("[database]\n" + "x" * 60 + " = 1\n", 2, []),
    ("[" + "s" * 60 + "]\n", 1, ["s" * 40]),
    ("[database" + "x" * 60 + "]\n", 1, []),
    ("[" + "database".ljust(49) + "x]\n", 1, []),
    ("[wait]\ntcp = nonsense\n", 2, ["HOST:PORT|port"]),
    ("[wait]\ntcp = host:99999\n", 2, ["99999|port"]),
    ("[wait]\nhttp = ftp://x/\n", 2, ["http"]),
    ("[require]\nmodule = cobol: x\n", 2, ["cobol"]),
    ("[require]\nmodule = nonsense\n", 2, []),
])
def test_mistake_has_its_place(embark, config, place, patterns):
    refused(embark, rf"embark1\.ini:{place}\b", *patterns, config=config)


def test_all_mistakes_are_listed_at_once(embark):
    config = "[database]\ntimeout = soon\nfoo = 1\n[nonsense]\na = b\n[log]\nformat = xml\n[require]\nfile = ${NOWHERE_SET}\n"
    process = refused(embark, config=config, env={"EMBARK_MIGRATE_LOCK_TIMEOUT": "never-ever"})
    for place in (2, 3, 4, 7, 9):
        assert re.search(rf"embark1\.ini:{place}\b", process.stderr), (place, process.stderr)
    assert "EMBARK_MIGRATE_LOCK_TIMEOUT" in process.stderr


def test_nothing_is_started_with_a_wrong_configuration(embark, folder, db):
    config = f"[database]\nurl = {db.url}\n[migrate]\ncommand = touch {folder}/migrated\n[log]\nformat = xml\n"
    refused(embark, config=config)
    assert not (folder / "migrated").exists()
    assert db.backends("%") == []


@pytest.mark.parametrize("words", [("check",), ("wait",), ("migrate",), ("run", "true")])
def test_every_command_refuses_it(embark, words):
    refused(embark, "embark1.ini:1", config="[nonsense]\n", words=words)


def test_unused_keys_are_checked_as_well(embark):
    refused(embark, "lock_timeout", config="[migrate]\nlock_timeout = x\n", words=("wait",))


@pytest.mark.parametrize("length", [180, 198, 199, 200, 201, 255, 256, 1000, 4095, 4096, 4097, 100_000])
def test_long_line_is_taken_whole(embark, length):
    """inih's buffer starts with 200 bytes; nothing may be cut."""
    prefix = "command = echo "
    value = "".join(chr(97 + i % 26) for i in range(length - len(prefix)))
    process = embark.run("run", config=f"[service]\n{prefix}{value}\n").expect(0)
    assert process.stdout == value + "\n"


def test_url_with_a_token_is_longer_than_a_line_used_to_be(embark):
    token = "t" * 1500
    process = embark.run("wait", config=f"[database]\nurl = postgresql://u:{token}@127.0.0.1:1/d\ntimeout = 1s\n").expect(69)
    assert "127.0.0.1:1" in process.stderr and token not in process.stderr


def test_gigantic_line_is_refused(embark):
    refused(embark, r"embark1\.ini: is larger than 1 MiB", config="[service]\ncommand = echo " + "x" * 1_300_000 + "\n", words=("run",))


@pytest.mark.parametrize("how", ["option", "variable"])
def test_dev_null_is_no_configuration(embark, folder, how):
    (folder / "embark.ini").write_text("nonsense\n")
    words, env = (["--config", "/dev/null"], {}) if how == "option" else ([], {"EMBARK_CONFIG": "/dev/null"})
    assert embark.run(*words, "echo", "fine", env=env, cwd=folder).expect(0).stdout == "fine\n"


def test_mistake_after_a_long_line_has_its_right_place(embark):
    refused(embark, r"embark1\.ini:4\b", config="[service]\n# " + "x" * 700 + "\n; " + "y" * 9000 + "\nnokey = 1\n")


@pytest.mark.parametrize("config, place", [
    (b"[database]\nurl = postgresql://u:Zq9-marker@h/d\0tail\n", 2), (b"\0", 1), (b"[log]\n# \0\nlevel = info\n", 2),
])
def test_nul_bytes_are_refused(embark, config, place):
    refused(embark, rf"embark1\.ini:{place}\b", "NUL", config=config)


def test_windows_line_ends_and_a_byte_order_mark_are_taken(embark):
    process = embark.run("run", config=b"\xef\xbb\xbf[service]\r\ncommand = printf %s, a b\r\n").expect(0)
    assert process.stdout == "a,b,"


def test_no_newline_at_the_end(embark):
    assert embark.run("run", config="[service]\ncommand = echo whole").expect(0).stdout == "whole\n"


def test_empty_file_is_a_configuration(embark):
    embark.run("true", config="").expect(0)


def test_binary_file_is_refused_and_its_bytes_are_escaped(embark, binary):
    process = embark.run("true", env={"EMBARK_CONFIG": str(binary)}).expect(78)
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", process.err.raw)


def test_control_characters_of_the_file_do_not_reach_the_terminal(embark):
    process = refused(embark, config=b"[\x1b[31mred]\nk\x1b]0;title\x07 = \x9b31m\n")
    assert b"\x1b" not in process.err.raw and b"\x07" not in process.err.raw and b"\x9b" not in process.err.raw


def test_directory_as_the_file(embark, folder):
    refused(embark, re.escape(str(folder)), "directory", env={"EMBARK_CONFIG": str(folder)})


def test_fifo_as_the_file_does_not_hang(embark, folder):
    os.mkfifo(folder / "fifo")
    refused(embark, "fifo", env={"EMBARK_CONFIG": str(folder / "fifo")})


def test_endless_device_as_the_file(embark):
    refused(embark, "/dev/zero", env={"EMBARK_CONFIG": "/dev/zero"})


def test_huge_file(embark, folder):
    (folder / "huge.ini").write_bytes(b"# comment\n" * 500_000)
    refused(embark, "huge.ini", env={"EMBARK_CONFIG": str(folder / "huge.ini")})


def test_named_file_that_does_not_exist(embark):
    refused(embark, "/nowhere/embark.ini", "No such file", env={"EMBARK_CONFIG": "/nowhere/embark.ini"})
    refused(embark, "/nowhere/embark.ini", "No such file", words=("--config=/nowhere/embark.ini", "true"))


def test_unreadable_file(embark, folder):
    need_root("being another user")
    path = embark.write_config("[log]\nlevel = info\n")
    path.chmod(0)
    refused(embark, re.escape(str(path)), "Permission denied", env={"EMBARK_CONFIG": str(path)}, user="nobody")


def test_unreadable_file_in_the_working_directory_is_not_passed_over(embark, folder):
    need_root("being another user")
    (folder / "embark.ini").write_text("[log]\nlevel = info\n")
    (folder / "embark.ini").chmod(0)
    refused(embark, r"embark\.ini", "Permission denied", user="nobody")


def test_file_in_the_working_directory_is_found(embark, folder):
    (folder / "embark.ini").write_text("[service]\ncommand = echo found\n")
    assert embark.run("run").expect(0).stdout == "found\n"


def test_variable_wins_over_the_working_directory(embark, folder):
    (folder / "embark.ini").write_text("[service]\ncommand = echo wrong\n")
    assert embark.run("run", config="[service]\ncommand = echo right\n").expect(0).stdout == "right\n"


# --- from outside

def test_environment_wins_over_the_file(embark):
    process = embark.run("run", config="[service]\ncommand = echo file\n", env={"EMBARK_SERVICE_COMMAND": "echo environment"})
    assert process.expect(0).stdout == "environment\n"


def test_bad_value_of_the_environment_names_the_variable(embark):
    refused(embark, "EMBARK_DATABASE_TIMEOUT", "soon", env={"EMBARK_DATABASE_TIMEOUT": "soon"})


def test_environment_replaces_a_repeatable_keys_values(embark):
    config = "[require]\nfile = /nowhere/one\n"
    embark.run("true", config=config, env={"EMBARK_REQUIRE_FILE": "/etc/passwd\n/etc/group"}).expect(0)
    process = embark.run("true", config=config, env={"EMBARK_REQUIRE_FILE": "/nowhere/two\n/nowhere/three"}).expect(72)
    assert "/nowhere/two" in process.stderr and "/nowhere/three" in process.stderr and "/nowhere/one" not in process.stderr


def test_misspelt_variable_is_a_warning_with_the_right_name(embark):
    process = embark.run("true", env={"EMBARK_DATABASE_TIMOUT": "3s"}).expect(0)
    assert "EMBARK_DATABASE_TIMOUT" in process.stderr and "EMBARK_DATABASE_TIMEOUT" in process.stderr


def test_variables_that_kubernetes_sets_do_no_harm(embark):
    embark.run("true", env={"EMBARK_SERVICE_HOST": "10.0.0.1", "EMBARK_PORT": "tcp://10.0.0.1:80", "EMBARK_SERVICE_PORT": "80",
                            "EMBARK_PORT_80_TCP_ADDR": "10.0.0.1"}).expect(0)


# --- expansion

def test_expansion(embark, folder):
    (folder / "secret").write_text("from the file\n")
    config = ("[service]\ncommand = printf '%s|' ${SET} ${UNSET:-a default} ${EMPTY:-instead} ${file:" + str(folder / "secret")
              + "} $${SET} $HOME \"a ${SET} b\" 'a ${SET} b'\n")
    process = embark.run("run", config=config, env={"SET": "with blank 'and quote", "EMPTY": ""}).expect(0)
    assert process.stdout.split("|")[:4] == ["with blank 'and quote", "a default", "instead", "from the file"]
    assert process.stdout.split("|")[4:6] == ["${SET}", "$HOME"]
    assert process.stdout.split("|")[6:8] == ["a with blank 'and quote b", "a ${SET} b"]


def test_expansion_is_not_recursive(embark):
    process = embark.run("run", config="[service]\ncommand = echo ${A}\n", env={"A": "${B}", "B": "wrong"}).expect(0)
    assert process.stdout == "${B}\n"


def test_comments_and_blank_lines(embark):
    config = "; one\n# two\n\n   \n[service]\n# three\ncommand = echo it\n"
    assert embark.run("run", config=config).expect(0).stdout == "it\n"


def test_hash_inside_a_value_stays(embark):
    """A password may hold # and ;. Only " ;" starts a comment; where that breaks a word, it is said."""
    process = embark.run("run", config="[service]\ncommand = echo a#b # e;f ; a comment\n").expect(0)
    assert process.stdout == "a#b # e;f\n"
    refused(embark, r"embark2\.ini:2\b", ";", config="[service]\ncommand = echo 'c ; d'\n")


def test_empty_value_is_as_if_it_were_not_there(embark, db):
    embark.run("true", env={"EMBARK_DATABASE_URL": "", "EMBARK_DATABASE_TIMEOUT": "", "DATABASE_URL": db.url},
               config="[database]\nauth_grace =\n").expect(0)


def test_continued_values(embark):
    config = "[service]\ncommand = printf '%s|'\n    one\n    two\n[require]\nfile = /etc/passwd\n    /etc/group\n"
    assert embark.run("run", config=config).expect(0).stdout == "one|two|"


# --- no configuration, no URL

def test_without_configuration_and_url_nothing_is_waited_for(embark):
    process = embark.run("echo", "served").expect(0, "embark: ready in")
    assert process.stdout == "served\n"


def test_migration_without_a_url_is_refused(embark, folder):
    refused(embark, "DATABASE_URL", config=f"[migrate]\ncommand = touch {folder}/migrated\n")
    assert not (folder / "migrated").exists()


@pytest.mark.parametrize("value", ["", " ", "\n"])
def test_empty_url_is_said(embark, value):
    """A compose file's ${DB_URL} that nobody set."""
    process = embark.run("true", env={"DATABASE_URL": value})
    assert process.popen.returncode in (0, 78), process.describe()
    assert "DATABASE_URL" in process.stderr, process.describe()


# --- URLs

@pytest.mark.parametrize("url, says", [
    (f"postgresql://app:{SECRET}@more@db/app", "%40"),
    (f"postgresql://app:a/{SECRET}@db/app", "%2F"),
    (f"postgresql://app:a:{SECRET}/x@db:5432/app", "%"),
    (f"postgresql://app:{SECRET}%zz@db/app", "%"),
    (f"postgresql://app:{SECRET}100%@db/app", "%25"),
    (f"postgresql://app:{SECRET}@db:port/app", "port"),
    (f"postgresql://app:{SECRET}@db:99999/app", "port|99999"),
    (f"mysql://app:{SECRET}@db/app", "mysql"),
    (f"app:{SECRET}@db/app", ""),
    (f"host=db password='{SECRET}", ""),
    (f"host=db password={SECRET} nonsense", ""),
    (f"postgresql:/app:{SECRET}@db/app", ""),
    (f'"postgresql://app:{SECRET}@db/app"', ""),
    (f"DATABASE_URL=postgresql://app:{SECRET}@db/app", ""),
    (f"postgresql://app:{SECRET}@[::1/app", ""),
])
@pytest.mark.parametrize("how", ["environment", "file"])
def test_bad_url_is_said_without_its_password(embark, url, says, how):
    """L34: an unencoded @ in the password first of all."""
    if how == "environment":
        process = embark.run("true", env={"DATABASE_URL": url, "EMBARK_DATABASE_TIMEOUT": "1s"}).expect(78, r"DATABASE_URL", says)
    else:
        process = embark.run("true", config=f"[database]\ntimeout = 1s\nurl = {url}\n").expect(78, r"embark1\.ini:3", says)
    assert "marker" not in process.stderr
    assert "more" not in process.stderr.replace("  hint:", ""), "part of a password"


@pytest.mark.parametrize("query, name", [("sslmode=require?x", "sslmode"), ("sslmode=sometimes", "sslmode"),
                                         ("target_session_attrs=primary-ish", "target_session_attrs"),
                                         ("channel_binding=maybe", "channel_binding")])
def test_bad_parameter_is_said_at_once(embark, query, name):
    """Also while the host is away, so that a slip isn't hidden behind a minute's wait."""
    process = embark.run("true", env={"DATABASE_URL": f"postgresql://app:{SECRET}@nowhere.invalid/app?{query}",
                                      "EMBARK_DATABASE_TIMEOUT": "3s"})
    assert process.popen.returncode in (77, 78), process.describe()
    assert name in process.stderr


def test_bad_direct_url(embark):
    refused(embark, r"embark1\.ini:3\b", "%40",
            config=f"[database]\nurl = postgresql://u:p@h/d\ndirect_url = postgresql://u:{SECRET}@x@h/d\n[migrate]\ncommand = true\n")


# --- NAME_FILE (L35)

def test_url_of_a_file_with_a_newline(embark, db, folder):
    """L35"""
    (folder / "url").write_text(db.url + "\n")
    assert embark.run("echo", "served", env={"DATABASE_URL_FILE": str(folder / "url")}).expect(0).stdout == "served\n"


def test_password_of_a_file(embark, db, folder):
    """L35: as Docker's secrets give it, for a URL of the configuration's."""
    (folder / "password").write_text(db.password + "\n")
    s = db.server
    for text in ("${DB_PASSWORD}", "${file:" + str(folder / "password") + "}"):
        config = f"[database]\nurl = host={s.host} port={s.port} user={db.role} dbname={db.name} password={text}\n"
        embark.run("true", config=config, env={"DB_PASSWORD_FILE": str(folder / "password")}).expect(0)


def test_only_one_newline_is_dropped(embark, folder):
    (folder / "value").write_text("word\n\n")
    process = embark.run("run", config="[service]\ncommand = printf %s ${WORD}\n", env={"WORD_FILE": str(folder / "value")})
    assert process.expect(0).stdout == "word\n"


def test_missing_file_is_named(embark):
    """L35"""
    refused(embark, "DATABASE_URL_FILE", "/run/secrets/nowhere", "No such file", env={"DATABASE_URL_FILE": "/run/secrets/nowhere"})


def test_unreadable_file_is_named(embark, folder):
    """L35"""
    need_root("being another user")
    (folder / "url").write_text(f"postgresql://u:{SECRET}@h/d")
    (folder / "url").chmod(0)
    refused(embark, "DATABASE_URL_FILE", "Permission denied", env={"DATABASE_URL_FILE": str(folder / "url")}, user="nobody")


def test_variable_and_its_file_is_an_error(embark, db, folder):
    """L35"""
    (folder / "url").write_text(db.url)
    refused(embark, "DATABASE_URL", "DATABASE_URL_FILE", "both", env={"DATABASE_URL": db.url, "DATABASE_URL_FILE": str(folder / "url")})


def test_file_for_an_embark_variable(embark, db, folder):
    (folder / "url").write_text(db.url)
    embark.run("true", env={"EMBARK_DATABASE_URL_FILE": str(folder / "url")}).expect(0)
