"""An image with nothing in it but embark (FROM scratch): no shell, no C library, no /proc, /tmp or /etc, any uid, no capabilities, little memory (P25).

/dev has what every container gets. The service is embark itself (`embark version`), since there is no other program.
"""

import os
import re
import shutil
import stat

import pytest

from support.process import asan, need_root

pytestmark = pytest.mark.skipif(asan(), reason="the sanitizer build needs shared libraries and /proc")
SERVED = re.compile(r"^embark \d")


@pytest.fixture
def root(folder, binary):
    need_root("chroot")
    path = folder / "root"
    path.mkdir()
    shutil.copy(binary, path / "embark")
    (path / "dev").mkdir()
    for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
        os.mknod(path / "dev" / name, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        (path / "dev" / name).chmod(0o666)
    return path


def into(root, user=54321):
    """As a user that no /etc/passwd knows; the change of user takes the capabilities away."""
    return ["chroot", f"--userspec={user}:{user}", "--groups=", str(root)]


def start(embark, root, *words, env=None, **how):
    process = embark(argv=[*into(root), "/embark", *words], env=env, cwd="/", **how)
    process.wait()
    return process


def test_start(embark, root, db):
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": db.url}).expect(0, "ready in")
    assert SERVED.match(process.stdout)


def test_migration(embark, root, db):
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "/embark version"})
    process.expect(0, r"\nembark \d", "ready in")
    assert SERVED.match(process.stdout) and db.locks() == []


def test_failed_migration(embark, root, db):
    start(embark, root, "/embark", "version", env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "/embark --nonsense"}).expect(80, "64")


def test_without_dev(embark, root, db):
    """A chroot without even that: random numbers for SCRAM come from the kernel."""
    shutil.rmtree(root / "dev")
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "/embark version"})
    process.expect(0)


def test_as_pid_1_without_proc(embark, root, db):
    prefix = ["unshare", "--pid", "--fork", "--kill-child", *into(root)]
    process = embark(argv=[*prefix, "/embark", "/embark", "version"], env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "/embark version"}, cwd="/")
    process.expect(0)
    assert SERVED.match(process.stdout)


def test_read_only_root(embark, root, db):
    prefix = ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"', "sh", str(root),
              *into(root)]
    process = embark(argv=[*prefix, "/embark", "/embark", "version"], env={"DATABASE_URL": db.url, "EMBARK_MIGRATE_COMMAND": "/embark version"}, cwd="/")
    process.expect(0)
    assert SERVED.match(process.stdout)


def test_configuration_file_in_it(embark, root, db):
    (root / "embark.ini").write_text("[service]\ncommand = /embark version\n[require]\nfile = /embark\ndir = /\ncommand = /embark\n")
    start(embark, root, "run", env={"DATABASE_URL": db.url}).expect(0)
    (root / "embark.ini").write_text("[require]\nfile = /nowhere\ncommand = sh\n")
    start(embark, root, "/embark", "version", env={"DATABASE_URL": db.url}).expect(72, "/nowhere", r"\bsh\b")


def test_shell_that_is_not_there(embark, root):
    """Somebody debugging a scratch image: `docker run -it IMAGE sh`."""
    start(embark, root, "sh").expect(127, "sh")


def test_unknown_host_without_resolver_configuration(embark, root):
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": "postgresql://a@db.invalid/a", "EMBARK_DATABASE_TIMEOUT": "500ms"})
    process.expect(69, "db.invalid")


def test_url_without_a_user(embark, root, server):
    """libpq asks /etc/passwd for a default."""
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": f"postgresql://127.0.0.1:{server.port}/postgres"})
    assert process.popen.returncode in (77, 78), process.describe()
    assert re.search("(?i)user", process.stderr)


def test_tls(embark, root, tls_server, certificates):
    shutil.copy(certificates.ca, root / "ca.crt")
    server = tls_server("good")
    db = server.database()
    embark.secrets.append(db.password)
    url = db.url_as(host="127.0.0.1", query="sslmode=verify-full&sslrootcert=/ca.crt")
    process = start(embark, root, "/embark", "version", env={"DATABASE_URL": url})
    db.drop()
    process.expect(0)


@pytest.mark.parametrize("limit", ["--as=8388608", "--data=2097152", "--nofile=12", "--nproc=3", "--stack=131072", "--core=0", "--fsize=0"])
def test_limits(embark, root, db, limit):
    """P25: 8 MiB of memory and the like."""
    prefix = ["chroot", "--userspec=54321:54321", "--groups=", str(root)]
    process = embark(argv=["prlimit", limit, *prefix, "/embark", "/embark", "version"], env={"DATABASE_URL": db.url,
                     "EMBARK_MIGRATE_COMMAND": "/embark version"}, cwd="/")
    process.expect(0)


def test_no_process_can_be_had(embark, root, db):
    """P25: fork is refused: said as what it is, and nothing hangs. The wait needs none."""
    prefix = into(root, 54322)
    process = embark(argv=["prlimit", "--nproc=0", *prefix, "/embark", "/embark", "version"], env={"DATABASE_URL": db.url}, cwd="/")
    process.expect(0)
    process = embark(argv=["prlimit", "--nproc=0", *prefix, "/embark", "/embark", "version"], env={"DATABASE_URL": db.url,
                     "EMBARK_MIGRATE_COMMAND": "/embark version"}, cwd="/")
    process.expect(71, "(?i)process|fork|resource")


def test_all_capabilities_dropped(embark, db):
    """P25: in a usual image, as a user without any."""
    process = embark("sh", "-c", "grep CapEff /proc/self/status", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n",
                     prefix=["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"])
    process.expect(0)
    assert process.stdout == "CapEff:\t0000000000000000\n"

