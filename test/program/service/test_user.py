"""[service] user: all of a start, from the configuration on, and the service run as another user."""

import os
import pwd

import pytest

from support.process import need_root
from test_health import ALONE


@pytest.fixture(autouse=True)
def root():
    need_root("becoming another user")


SHOW = "id -u; id -g; id -G; echo $HOME; grep -c 'Cap[PE].*:.0*$' /proc/self/status; ls /proc/self/fd | wc -l"


def as_user(embark, who, *words, **how):
    return embark.run(*words, env={"EMBARK_SERVICE_USER": who, "HOME": "/root", **how.pop("env", {})}, **how)


@pytest.mark.parametrize("user,uid,gid,home", [
    ("daemon", 1, 1, "/usr/sbin"), ("daemon:adm", 1, 4, "/usr/sbin"), ("1", 1, 1, "/usr/sbin"), ("1:4", 1, 4, "/usr/sbin"),
    ("12345", 12345, 0, "/"), ("12345:54321", 12345, 54321, "/"), ("12345:adm", 12345, 4, "/"),
    ("daemon:", 1, 1, "/usr/sbin"), ("12345:", 12345, 0, "/"),
])
def test_ids(embark, user, uid, gid, home):
    """P26. No capability is left, and no descriptor of embark's."""
    plain = embark.run("sh", "-c", SHOW).expect(0).stdout.splitlines()
    process = as_user(embark, user, "sh", "-c", SHOW).expect(0)
    assert process.stdout.splitlines() == [str(uid), str(gid), str(gid), home, "2", plain[-1]], process.describe()
    assert as_user(embark, user, "cat", "/proc/self/status").stdout.count(f"Uid:\t{uid}\t{uid}\t{uid}\t{uid}\n") == 1


@pytest.mark.parametrize("user,gid", [(":0", 0), (":4", 4), (":adm", 4), ("0:", 0), ("root:", 0)])
def test_halves_as_gosu_takes_them(embark, user, gid):
    assert as_user(embark, user, "sh", "-c", "id -u; id -g").expect(0).stdout.split() == ["0", str(gid)]


def test_neither_half(embark):
    as_user(embark, ":", "true").expect(78, "there is no user")


def with_files(embark, folder, user, *words, passwd=None, group=None):
    """In a mount namespace with other user and group files."""
    script = ""
    for name, text in (("passwd", passwd), ("group", group)):
        if text is not None:
            (folder / name).write_text(text)
            script += f"mount --bind {folder}/{name} /etc/{name} && "
    return embark(argv=["unshare", "--mount", "sh", "-c", script + 'exec "$@"', "sh", embark.binary, *words], env={"EMBARK_SERVICE_USER": user})


PASSWD = "root:x:0:0::/root:/bin/sh\napp:x:1234:1235::/srv/app:/bin/sh\n77:x:78:79::/odd:/bin/sh\n"
GROUP = "root:x:0:\napp:x:1235:\nmedia:x:2001:other,app\nvideo:x:2002:app\nnobody:x:2003:other\n"


@pytest.mark.parametrize("user,lines", [("app", ["1234", "1235", "1235 2001 2002"]), ("1234", ["1234", "1235", "1235 2001 2002"]),
                                        ("app:media", ["1234", "2001", "2001"]), ("77", ["78", "79", "79"])])
def test_supplementary_groups(embark, folder, user, lines):
    """The user's own, unless a group is named; a name comes before a number."""
    process = with_files(embark, folder, user, "sh", "-c", "id -u; id -g; id -G", passwd=PASSWD, group=GROUP)
    assert process.expect(0).stdout.splitlines() == lines


def test_no_user_files(embark, folder):
    with_files(embark, folder, "1234:1235", "sh", "-c", "test $(id -u) = 1234", passwd="", group="").expect(0)
    with_files(embark, folder, "app", "true", passwd="", group=GROUP).expect(78, "there is no user app")


@pytest.mark.parametrize("user,pattern", [("nosuch", "there is no user nosuch"), ("daemon:nosuch", "there is no group nosuch"), ("4294967295", "there is no user"),
                                          ("-1", "there is no user"), ("99999999999", "there is no user")])
def test_unknown(embark, user, pattern):
    process = as_user(embark, user, "echo", "served").expect(78, rf"\$EMBARK_SERVICE_USER: \[service\] user = {user}: {pattern}", "hint: ")
    assert process.stdout == ""


def test_unknown_user_beside_other_mistakes(embark):
    embark.run("true", config="[service]\nuser = nosuch\n[wait]\ntcp = nonsense\n").expect(78, r"embark\d\.ini:2: \[service\] user", r"embark\d\.ini:4")


def test_not_root(embark):
    process = as_user(embark, "daemon", "echo", "served", user="nobody").expect(78, r"65534:65534 can't become 1:1", "hint: only root may")
    assert process.stdout == ""
    assert as_user(embark, "nobody", "sh", "-c", "id -u", user="nobody").expect(0).stdout == "65534\n"


def test_root_without_the_capabilities(embark):
    process = embark(argv=["setpriv", "--bounding-set", "-setuid,-setgid", embark.binary, "echo", "served"], env={"EMBARK_SERVICE_USER": "daemon"})
    process.expect(78, r"0:0 can't become 1:1", "hint: it needs the capabilities SETUID and SETGID")
    assert process.stdout == ""


# --- who sees and does what

def test_owner_and_mode_are_judged_as_the_user_sees_them(embark, folder):
    private = folder / "private"
    private.mkdir(mode=0o700)
    (private / "inside").write_text("x")
    (folder / "key").write_text("x")
    (folder / "key").chmod(0o600)
    (folder / "data").mkdir(mode=0o755)
    (folder / "tool").write_text("#!/bin/sh\n")
    (folder / "tool").chmod(0o700)
    (folder / "ours").mkdir(mode=0o700)
    os.chown(folder / "ours", 1, 1)
    config = (f"[require]\ndir = {private}\nfile = {private}/inside\n  {folder}/key\nwritable = {folder}/data\n  {folder}/ours\n"
              f"command = {folder}/tool\n[service]\nuser = daemon\n")
    for words in (["check"], ["true"]):
        process = embark.run(*words, config=config).expect(72, rf"dir {private}: can't be entered: Permission denied: it belongs to 0:0 with mode 0700, and we are 1:1",
                                                           rf"file {private}/inside: ", rf"file {folder}/key: can't be read",
                                                           rf"writable {folder}/data: can't be written", rf"command .*{folder}/tool")
        assert "ours" not in process.stderr
    embark.run("check", config=config.replace("user = daemon", "user = root")).expect(0)


def test_service_that_the_user_may_not_execute(embark, folder):
    (folder / "service").write_text("#!/bin/sh\necho served\n")
    (folder / "service").chmod(0o700)
    as_user(embark, "daemon", f"{folder}/service").expect(126, "is not executable for us: it belongs to 0:0 with mode 0700, and we are 1:1")
    as_user(embark, "root", f"{folder}/service").expect(0)


def test_secrets_are_read_before(embark, db, folder):
    """Root's own files: the URL's, and the configuration."""
    (folder / "url").write_text(db.url)
    (folder / "url").chmod(0o600)
    config = embark.write_config("[service]\nuser = daemon\n")
    config.chmod(0o600)
    process = embark.run("sh", "-c", f"id -u; cat {folder}/url", env={"DATABASE_URL_FILE": str(folder / "url"), "EMBARK_CONFIG": str(config)})
    process.expect(1, "Permission denied")
    assert process.stdout == "1\n"


def test_role_that_nothing_names(embark, own_server, folder):
    """libpq takes the name of who runs it, and that is the service's user, not root."""
    server = own_server(hba="local all postgres trust\nlocal all all peer\n").start()
    server.sql("CREATE ROLE daemon LOGIN")
    server.sql("CREATE DATABASE app OWNER daemon")
    env = {"PGHOST": str(server.socket_folder), "PGPORT": str(server.port), "PGDATABASE": "app"}
    config = "[service]\nuser = {}\n[migrate]\ncommand = true\n"
    process = embark.run("sh", "-c", "echo ${PGUSER-unset}", config=config.format("daemon"), env=env).expect(0)
    assert process.stdout == "unset\n"
    assert server.value("SELECT tableowner FROM pg_tables WHERE tablename = 'embark_ledger'", database="app") == "daemon"
    embark.run("true", config=config.format("daemon"), env={**env, "PGUSER": "postgres"}).expect(0)
    embark.run("true", config=config.format("12345"), env=env).expect(78, "names no user, and this uid has no name")


def test_role_of_the_healthcheck(embark, db):
    """The service's, too."""
    env = {**db.pg_environment, "EMBARK_SERVICE_USER": "daemon"}
    del env["PGUSER"]
    embark.run("health", config="[health]\ndatabase = yes\n", env=env, prefix=ALONE).expect(1, "refuses the login of daemon|\"daemon\"")


def test_migration_runs_as_the_user(embark, db, folder):
    (folder / "out").mkdir()
    os.chown(folder / "out", 1, 1)
    process = embark.run("sh", "-c", "id -u", env={"DATABASE_URL": db.url, "OUT": str(folder / "out" / "ids")},
                         config="[service]\nuser = daemon:adm\n[migrate]\ncommand = sh -c 'id -u > $OUT; id -G >> $OUT'\n")
    assert process.expect(0).stdout == "1\n"
    assert (folder / "out" / "ids").read_text() == "1\n4\n"
    assert (folder / "out" / "ids").stat().st_uid == 1


def test_interpreter_is_asked_as_the_user(embark, folder):
    """A module that only root may read is missing for the service."""
    package = folder / "only_for_root"
    package.mkdir(mode=0o700)
    (package / "__init__.py").write_text("")
    config = "[require]\nmodule = python: only_for_root\n[service]\nuser = {}\n"
    env = {"PYTHONPATH": str(folder)}
    embark.run("check", config=config.format("root"), env=env).expect(0)
    embark.run("check", config=config.format("daemon"), env=env).expect(72, "only_for_root")


def test_a_bare_shell_stays_as_it_is(embark):
    process = embark("sh", env={"EMBARK_SERVICE_USER": "daemon"}, stdin=-1)
    process.popen.stdin.write(b"id -u\n")
    process.popen.stdin.close()
    assert process.expect(0).stdout == "0\n"


def test_home_of_the_machine_s_users(embark):
    entry = pwd.getpwnam("nobody")
    assert as_user(embark, "nobody", "sh", "-c", "echo $HOME").expect(0).stdout == entry.pw_dir + "\n"
