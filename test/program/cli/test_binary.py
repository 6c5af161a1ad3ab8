"""The binary itself: static, small, frugal, and on a clock of its own."""

import os
import re
import subprocess

import pytest

from conftest import TOP
from support.postgres import cache_folder
from support.process import asan
from support.tracing import Clock
from test_migrate import config, foreign_lock

MEGABYTE = 1_000_000
no_asan = pytest.mark.skipif(asan(), reason="the sanitizer build is neither static nor small")


@pytest.fixture(scope="session")
def tls(binary):
    """Whether this is the build with TLS: it is said by `embark version`."""
    out = subprocess.run([binary, "version"], capture_output=True, text=True).stdout
    return "openssl" in out.lower()


def readelf(*words):
    return subprocess.run(["readelf", "--wide", *map(str, words)], capture_output=True, text=True, check=True).stdout


@no_asan
def test_static(binary):
    """No loader, no shared library."""
    assert "INTERP" not in readelf("--program-headers", binary)
    assert "NEEDED" not in readelf("--dynamic", binary)
    assert re.search(r"static", subprocess.run(["file", "-L", binary], capture_output=True, text=True).stdout)


@no_asan
def test_hardened(binary):
    """No executable stack, no segment that is both written and executed, read-only relocations, position-independent."""
    headers = readelf("--program-headers", binary)
    stack = re.search(r"GNU_STACK.*", headers)[0]
    assert "RWE" not in headers and " E " not in stack, headers
    assert "GNU_RELRO" in headers
    assert re.search(r"Type:\s+DYN", readelf("--file-header", binary))


def relro(pid):
    """What may be done, as in rwxp, with the pages of a running embark that are read-only after its relocation."""
    start, size = (int(re.search(r"GNU_RELRO +0x\w+ 0x(\w+) 0x\w+ 0x\w+ 0x(\w+)", readelf("--program-headers", f"/proc/{pid}/exe"))[n], 16)
                   for n in (1, 2))
    found, base = set(), None
    for line in open(f"/proc/{pid}/maps").read().splitlines():
        low, high, may, offset = re.match(r"(\w+)-(\w+) (\S+) (\w+)", line).groups()
        if base is None and line.endswith("/embark"):
            base = int(low, 16) - int(offset, 16)
        if base is not None and int(low, 16) < base + start + size and int(high, 16) > base + start:
            found.add(may)
    assert found
    return found


@no_asan
def test_relocated_pages_are_read_only(embark, refused_port):
    process = embark("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"})
    process.wait_for_line("refuses")
    assert relro(process.pid) == {"r--p"}


@no_asan
def test_page_faults(binary):
    """Of a short run: what is not needed, as OpenSSL's tables, is neither read nor relocated."""
    null = [(os.POSIX_SPAWN_OPEN, fd, "/dev/null", os.O_RDWR, 0) for fd in (1, 2)]
    pid = os.posix_spawn(binary, [str(binary), "version"], {"PATH": "/usr/bin:/bin"}, file_actions=null)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0
    assert usage.ru_minflt <= 70, usage


@no_asan
def test_stripped_and_small(binary, tls):
    assert ".symtab" not in readelf("--sections", binary)
    assert binary.stat().st_size <= (3.3 if tls else 1.15) * MEGABYTE


@no_asan
def test_holds_nothing_of_the_machine_it_was_built_on(binary):
    data = binary.read_bytes()
    for word in (TOP, cache_folder(), "/tmp/"):
        assert str(word).encode() not in data, word


@pytest.fixture(scope="session")
def peak(session_folder):
    """test/bench/peak.c: the kernel's own count (ru_maxrss) is off by up to a quarter for a process as small as this."""
    path = session_folder / "peak"
    subprocess.run(["cc", "-O2", "-o", path, TOP / "test/bench/peak.c"], check=True)
    return path


@no_asan
@pytest.mark.parametrize("how", ["alone", "wait", "migrate"])
def test_peak_memory_of_a_start(db, embark, peak, how):
    """Until the service's exec."""
    config = {"migrate": "[migrate]\ncommand = true\n"}.get(how)
    env = {} if how == "alone" else {"DATABASE_URL": db.url}
    process = embark(argv=[peak, embark.binary, "true"], env=env, config=config)
    process.expect(0)
    code, kib = map(int, process.stdout.split())
    assert code == 0
    assert 300 < kib <= 1400, f"{kib} KiB"


def test_memory_does_not_grow_while_waiting(embark, refused_port):
    """Some hundred tries: what a try takes is given back."""
    process = embark("true", env={"DATABASE_URL": f"postgresql://app:pw@localhost:{refused_port}/app", "EMBARK_DATABASE_TIMEOUT": "20s"})
    process.wait_for_line(r"\(0\.\d s of 20 s\)")

    def resident():
        with open(f"/proc/{process.pid}/statm") as f:
            return int(f.read().split()[1])

    before = resident()
    process.wait_for_line(r"\(5\.\d s of 20 s\)")
    assert resident() - before < 100, "pages"


# --- the clock

@pytest.mark.parametrize("hours", [-1, 1])
def test_wall_clock_is_set_while_waiting(embark, refused_port, hours):
    """L40: the deadline neither moves away nor comes at once. The clock is moved for embark alone (support/tracing.py)."""
    env = embark.environment({"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a", "EMBARK_DATABASE_TIMEOUT": "6s",
                              "EMBARK_LOG_FORMAT": "json"})
    env.pop("ASAN_OPTIONS", None)  # the leak checker can't trace a process that is traced already
    clock = Clock([embark.binary, "true"], {**env, "ASAN_OPTIONS": "detect_leaks=0"} if asan() else env, str(embark.folder))
    clock.wait_for_text(b"refuses", 10)
    clock.offset = hours * 3600
    # said after 5 s in any case, so that the clock is known to have been read after it was moved
    clock.wait_for_text(b"(5.", 12)
    assert clock.wait(15) == 69
    assert b"gave up after 6 s" in clock.output
    assert clock.asked > 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_wall_clock_is_set_while_the_lock_is_waited_for(db, embark, hours):
    """L40"""
    foreign = foreign_lock(db)
    path = embark.write_config(config("true", lock_timeout="2s"))
    env = embark.environment({"DATABASE_URL": db.url, "EMBARK_CONFIG": str(path)})
    if asan():
        env["ASAN_OPTIONS"] = "detect_leaks=0"
    clock = Clock([embark.binary, "true"], env, str(embark.folder))
    clock.wait_for_text(b"held by", 10)
    clock.offset = hours * 3600
    assert clock.wait(15) == 75
    foreign.close()


def test_the_clock_of_these_tests_moves(embark):
    """The instrument itself: date(1) tells another hour."""
    told = []
    for offset in (0, -3600):
        clock = Clock(["/bin/date", "+%s"], embark.environment(), str(embark.folder), offset)
        assert clock.wait(10) == 0 and clock.asked > 0
        told.append(int(clock.output))
    assert -3600 <= told[1] - told[0] <= -3590
