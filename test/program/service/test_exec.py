"""The exec of the service, and what is said when it can't be had."""

import os
import re
import struct

import pytest

from support.process import need_root

EM_X86_64, EM_AARCH64, EM_386 = 62, 183, 3


def executable(path, data, mode=0o755):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    path.chmod(mode)
    return path


def elf(machine=EM_X86_64, interpreter=None, bits=64, kind=3):
    """The head of an ELF executable that asks for `interpreter`."""
    name = interpreter.encode() + b"\0" if interpreter else b""
    ident = b"\x7fELF" + bytes([2 if bits == 64 else 1, 1, 1, 0]) + bytes(8)
    head = struct.pack("<HHIQQQIHHHHHH", kind, machine, 1, 0x1000, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 3, 4, 64 + 56, 0, 0, len(name), len(name), 1)
    return ident + head + segment + name + bytes(4096)


def refused(embark, code, command, *patterns, **how):
    """The code, and a message that names the command; a hint, too."""
    process = embark.run(*([command] if isinstance(command, str) else command), **how).expect(code, *patterns)
    assert process.stdout == ""
    assert re.search(r"(?m)^embark: ", process.stderr)
    return process


# --- why it can't be executed (P15)

def test_command_that_is_not_in_path(embark):
    """P15"""
    refused(embark, 127, "no-such-program", "no-such-program", "not found", "PATH")


def test_path_that_does_not_exist(embark):
    """P15"""
    refused(embark, 127, "/nowhere/program", "/nowhere")
    refused(embark, 127, "./program", r"\./program")


def test_misplaced_program_is_not_looked_for_elsewhere(embark, folder):
    """The working directory isn't in PATH."""
    executable(folder / "my-service", "#!/bin/sh\necho served\n")
    refused(embark, 127, "my-service", "my-service")


def test_directory(embark, folder):
    """P15"""
    (folder / "app").mkdir()
    refused(embark, 126, "./app", "directory")
    refused(embark, 126, "/", "directory")


def test_directory_in_path_is_passed_over(embark, folder):
    (folder / "a").mkdir()
    (folder / "a" / "service").mkdir()
    (folder / "b").mkdir()
    executable(folder / "b" / "service", "#!/bin/sh\necho b\n")
    process = embark.run("service", env={"PATH": f"{folder}/a:{folder}/b"}).expect(0)
    assert process.stdout == "b\n"


def test_no_x_bit(embark, folder):
    """P15"""
    executable(folder / "service.sh", "#!/bin/sh\necho served\n", 0o644)
    refused(embark, 126, "./service.sh", r"service\.sh", r"(?i)execut|permission|x bit", r"chmod")


def test_no_x_bit_in_path(embark, folder):
    """P15: found there, but not executable."""
    executable(folder / "service", "#!/bin/sh\necho served\n", 0o644)
    refused(embark, 126, "service", str(folder), env={"PATH": f"{folder}:/usr/bin:/bin"})


def test_no_x_bit_earlier_in_path_than_a_good_one(embark, folder):
    (folder / "a").mkdir()
    (folder / "b").mkdir()
    executable(folder / "a" / "service", "#!/bin/sh\necho a\n", 0o644)
    executable(folder / "b" / "service", "#!/bin/sh\necho b\n")
    assert embark.run("service", env={"PATH": f"{folder}/a:{folder}/b"}).expect(0).stdout == "b\n"


def test_folder_that_may_not_be_entered(embark, folder):
    need_root("being another user")
    (folder / "private").mkdir(mode=0o700)
    executable(folder / "private" / "service", "#!/bin/sh\necho served\n")
    refused(embark, 126, "./private/service", "(?i)permission", user="nobody")


def test_missing_interpreter(embark, folder):
    """P15: ENOENT, though the file is there."""
    executable(folder / "service", "#!/opt/venv/bin/python\nprint()\n")
    refused(embark, 127, "./service", "/opt/venv/bin/python", r"service")


def test_missing_interpreter_behind_env(embark, folder):
    """`#!/usr/bin/env python9`: env's own message would come after "ready"."""
    executable(folder / "service", "#!/usr/bin/env python9.9\n")
    process = embark.run("./service")
    assert process.popen.returncode == 127 and "python9.9" in process.stderr, process.describe()


def test_interpreter_with_a_carriage_return(embark, folder):
    """P15: a script edited on Windows."""
    executable(folder / "service", "#!/bin/sh\r\necho served\r\n")
    refused(embark, 127, "./service", r"(?i)CR|carriage|\\r|windows", r"\n  hint: ")


def test_interpreter_that_is_not_executable(embark, folder):
    executable(folder / "interpreter", "x", 0o644)
    executable(folder / "service", f"#!{folder}/interpreter\n")
    refused(embark, 126, "./service", "interpreter")


def test_interpreter_that_is_a_directory(embark, folder):
    executable(folder / "service", "#!/usr/bin\n")
    refused(embark, 126, "./service", "/usr/bin")


def test_script_without_an_interpreter_line(embark, folder):
    """P15: ENOEXEC has a defined code. execvp of a shell would run it; exec of a container's runtime doesn't."""
    executable(folder / "service", "echo served\n")
    refused(embark, 126, "./service", "#!")


def test_empty_file(embark, folder):
    """P15"""
    executable(folder / "service", "")
    refused(embark, 126, "./service", "empty")


def test_binary_junk(embark, folder):
    executable(folder / "service", bytes(range(256)) * 4)
    process = refused(embark, 126, "./service")
    assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", process.err.raw)


@pytest.mark.parametrize("loader", ["/lib/ld-musl-none.so.1", "/lib64/ld-linux-none.so.2"])
def test_missing_loader(embark, folder, loader):
    """P15: a musl binary on a glibc image, or the reverse."""
    executable(folder / "service", elf(interpreter=loader))
    refused(embark, 127, "./service", re.escape(loader))


def test_binary_of_the_other_c_library_gets_its_own_sentence(embark, folder):
    executable(folder / "service", elf(interpreter="/lib/ld-musl-x86_64.so.1" if not os.path.exists("/lib/ld-musl-x86_64.so.1")
                                       else "/lib64/ld-linux-x86-64.so.9"))
    refused(embark, 127, "./service", "(?i)musl|glibc|alpine")


@pytest.mark.parametrize("machine, name", [(EM_AARCH64, "aarch64|arm64|ARM"), (8, "(?i)mips")])
def test_binary_for_another_machine(embark, folder, machine, name):
    """P15"""
    executable(folder / "service", elf(machine=machine))
    refused(embark, 126, "./service", name)


def test_truncated_binary(embark, folder):
    for size in (4, 16, 20, 63, 64, 100):
        executable(folder / "service", elf(interpreter="/lib64/ld-linux-x86-64.so.2")[:size])
        process = embark.run("./service")
        assert process.popen.returncode in (126, 127), (size, process.describe())


def test_mount_without_exec(embark, folder):
    """P15: a volume mounted noexec."""
    need_root("a mount")
    (folder / "mounted").mkdir()
    script = f"mount -t tmpfs -o noexec none {folder}/mounted && cp /bin/true {folder}/mounted/service && exec \"$@\""
    refused(embark, 126, "./mounted/service", "noexec", prefix=["unshare", "--mount", "sh", "-c", script, "sh"])


def test_symbolic_link_loop(embark, folder):
    (folder / "service").symlink_to("service")
    process = embark.run("./service")
    assert process.popen.returncode in (126, 127) and "service" in process.stderr, process.describe()


def test_dangling_symbolic_link(embark, folder):
    """A wrongly copied image: the link is there, its target isn't."""
    (folder / "service").symlink_to("/opt/app/bin/service")
    refused(embark, 127, "./service", "service")


def test_name_with_odd_characters(embark):
    process = refused(embark, 127, ["--", "no\nsuch\x1b[31m"], r"no\\nsuch")
    assert b"\x1b" not in process.err.raw


def test_it_is_known_before_the_database_is_waited_for(embark, refused_port):
    """Nobody has to wait for a database to hear it."""
    process = refused(embark, 127, "no-such-program", "not found", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a"})
    assert "refuses" not in process.stderr


def test_service_that_the_migration_makes(embark, db, folder):
    """A command that does not exist at the start but does after the migration (a build step): the check comes first, and can be skipped."""
    config = f"[migrate]\ncommand = sh -c 'printf \"#!/bin/sh\\necho served\\n\" >{folder}/made; chmod 755 {folder}/made'\n"
    embark.run("./made", env={"DATABASE_URL": db.url}, config=config).expect(127)
    process = embark.run("./made", env={"DATABASE_URL": db.url, "EMBARK_SKIP": "check"}, config=config).expect(0)
    assert process.stdout == "served\n"


def test_service_that_vanishes_during_the_start(embark, db, folder):
    """exec itself fails: the same words, after the migration."""
    executable(folder / "service", "#!/bin/sh\necho served\n")
    refused(embark, 127, "./service", "service", env={"DATABASE_URL": db.url}, config=f"[migrate]\ncommand = rm {folder}/service\n")


# --- the service is embark's process

@pytest.mark.parametrize("pid1", [False, True], ids=["child", "pid1"])
def test_same_process(embark, db, pid1):
    process = embark("sh", "-c", "echo $$ $PPID", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n", pid1=pid1)
    process.expect(0)
    pid, parent = map(int, process.stdout.split())
    assert pid == (1 if pid1 else process.pid)
    assert parent == (0 if pid1 else os.getpid())


def test_title_is_the_services(embark, db):
    """exec sets it anew."""
    process = embark.run("cat", "/proc/self/comm", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n").expect(0)
    assert process.stdout == "cat\n"


def test_service_is_no_subreaper(embark, db):
    """What embark needed for the migration isn't left on: a service's orphans go to PID 1 as without embark."""
    # the first process stays until the orphan has closed its end of the pipe
    script = ("import os, sys, time\n"
              "end_of_orphan, kept = os.pipe()\n"
              "if os.fork() == 0:\n"
              "    if os.fork() == 0:\n"
              "        parent = os.getppid()\n"
              "        end = time.monotonic() + 5\n"
              "        while os.getppid() == parent and time.monotonic() < end: time.sleep(0.01)\n"
              "        print('same' if os.getppid() == int(sys.argv[1]) else 'other', flush=True)\n"
              "    os._exit(0)\n"
              "os.wait()\n"
              "os.close(kept)\n"
              "os.read(end_of_orphan, 1)\n")
    path = embark.folder / "orphan.py"
    path.write_text(script)
    process = embark("sh", "-c", f"exec /usr/bin/python3 {path} $$", env={"DATABASE_URL": db.url}, config="[migrate]\ncommand = true\n")
    assert process.wait_for_line("same|other", stream=process.out)[0] == "other"
    process.expect(0)


def test_no_child_of_embarks_is_left_for_the_service(embark, db, namespace):
    """Not even a zombie."""
    process = embark("sh", "-c", "cat /proc/$$/task/$$/children; echo served", env={"DATABASE_URL": db.url_as(host="localhost")},
                     config="[migrate]\ncommand = true\n[require]\nmodule = python: json\n")
    process.expect(0)
    # cat itself is the only child
    assert re.fullmatch(r"(\d+ )?served\n", process.stdout), process.stdout


def test_no_alarm_or_timer_is_left(embark, db):
    process = embark.run("cat", "/proc/self/timers", env={"DATABASE_URL": db.url}).expect(0)
    assert process.stdout == ""


def test_environment_is_untouched(embark, db):
    """Also after a migration with variables of its own."""
    mine = {"DATABASE_URL": db.url, "PGAPPNAME": "mine", "LC_ALL": "C", "EMBARK_LOG_LEVEL": "info", "PWD": "/wrong", "_": "x"}
    process = embark.run("env", "-0", env=mine, config="[migrate]\ncommand = true\nenv = DATABASE_URL, OTHER\n").expect(0)
    embark.secrets.clear()  # it was the service that showed it
    got = process.out.raw.rstrip(b"\0").decode().split("\0")
    assert got == [f"{k}={v}" for k, v in embark.environment({**mine, "EMBARK_CONFIG": str(embark.folder / "embark1.ini")}).items()]


def test_first_word_of_the_service_is_as_given(embark, folder):
    """argv[0] isn't replaced by the path that was found."""
    executable(folder / "show", "#!/bin/sh\ntr '\\0' ' ' </proc/$$/cmdline\n")
    process = embark.run("cat", "/proc/self/cmdline").expect(0)
    assert process.out.raw == b"cat\0/proc/self/cmdline\0"


def test_exit_codes_pass_through(embark):
    """P1: embark is gone by then."""
    for code in (0, 1, 2, 64, 69, 77, 126, 127, 128, 143, 255):
        assert embark.run("sh", "-c", f"exit {code}").popen.returncode == code


def test_service_killed_by_a_signal(embark):
    """P2"""
    assert embark.run("sh", "-c", "kill -KILL $$").popen.returncode == -9


# --- the last line

def test_last_line_sums_up(embark, db):
    process = embark.run("echo", "a b", "c'd", env={"DATABASE_URL": db.url},
                         config="[migrate]\ncommand = true\n[require]\nfile = /etc/passwd\n").expect(0)
    line = process.said[-1]
    assert re.fullmatch(r"embark: ready in [\d.]+ m?s \(check [\d.]+ m?s, wait [\d.]+ m?s, migrate [\d.]+ m?s\): echo .*", line), line


def test_last_line_without_steps(embark):
    assert re.fullmatch(r"embark: ready in [\d.]+ m?s: true", embark.run("true").expect(0).said[-1])


def test_no_ready_line_when_it_failed(embark, refused_port):
    process = embark.run("true", env={"DATABASE_URL": f"postgresql://a@127.0.0.1:{refused_port}/a", "EMBARK_DATABASE_TIMEOUT": "100ms"}).expect(69)
    assert "ready" not in process.stderr
