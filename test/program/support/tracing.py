"""Runs a program with a wall clock that the test sets: by ptrace(2), since nothing can be preloaded into a static binary.

The C library reads the clocks through the vDSO, without a system call. This takes the vDSO away from the program (its address in the auxiliary vector is
overwritten before the first instruction), so that clock_gettime(2) is a system call again, and adds `offset` seconds to what it and its relatives answer for
CLOCK_REALTIME. The monotonic clock stays as it is. For x86_64.
"""

import ctypes
import os
import platform
import signal
import struct
import threading
import time

PTRACE_TRACEME, PTRACE_PEEKDATA, PTRACE_POKEDATA, PTRACE_GETREGS, PTRACE_SYSCALL = 0, 2, 5, 12, 24
PTRACE_SETOPTIONS, PTRACE_O_TRACESYSGOOD, PTRACE_O_EXITKILL = 0x4200, 1, 0x100000
AT_IGNORE, AT_SYSINFO_EHDR = 1, 33
SYS_GETTIMEOFDAY, SYS_TIME, SYS_CLOCK_GETTIME = 96, 201, 228
CLOCK_REALTIME, CLOCK_REALTIME_COARSE = 0, 5
REGISTERS = 27  # struct user_regs_struct
R10, RAX, RDX, RSI, RDI, ORIG_RAX, RSP = 7, 10, 12, 13, 14, 15, 19

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(request, pid, address=0, data=0):
    ctypes.set_errno(0)
    result = libc.ptrace(request, pid, address, data)
    if result == -1 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), f"ptrace {request}: {os.strerror(ctypes.get_errno())}")
    return result & 0xFFFFFFFFFFFFFFFF


class Clock:
    """Runs a program in a thread that traces it. Set `offset` (seconds) at any moment; wait() gives the exit code; `output` is what came so far."""

    def __init__(self, argv, env, cwd, offset=0):
        if platform.machine() != "x86_64":
            raise AssertionError("the clock can only be moved on x86_64")
        self.offset = offset
        self.asked = 0          # how often the wall clock was read
        self.code = None
        self.error = None
        self.output = b""
        self._argv, self._env, self._cwd = argv, env, cwd
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait(10)

    def wait(self, timeout):
        self._thread.join(timeout)
        if self._thread.is_alive():
            os.kill(self.pid, signal.SIGKILL)
            self._thread.join(5)
            raise AssertionError(f"still running after {timeout} s\n{self.output.decode()}")
        if self.error:
            raise self.error
        return self.code

    def _run(self):
        try:
            self._trace()
        except BaseException as error:  # shown by wait()
            self.error = error
        finally:
            self._started.set()

    def _trace(self):
        read_end, write_end = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                os.dup2(write_end, 1)
                os.dup2(write_end, 2)
                os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
                os.chdir(self._cwd)
                libc.ptrace(PTRACE_TRACEME, 0, None, None)
                os.execve(self._argv[0], self._argv, self._env)
            finally:
                os._exit(99)
        os.close(write_end)
        reader = threading.Thread(target=self._read, args=(read_end,), daemon=True)
        reader.start()
        os.waitpid(self.pid, 0)  # stopped by its exec
        ptrace(PTRACE_SETOPTIONS, self.pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)
        self._hide_vdso()
        self._started.set()
        entering, deliver = True, 0
        while True:
            ptrace(PTRACE_SYSCALL, self.pid, 0, deliver)
            _, status = os.waitpid(self.pid, 0)
            deliver = 0
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                self.code = os.waitstatus_to_exitcode(status)
                reader.join(5)
                return
            number = os.WSTOPSIG(status)
            if number == signal.SIGTRAP | 0x80:
                if not entering:
                    self._leave_call()
                entering = not entering
            elif number != signal.SIGTRAP:
                deliver = number

    def _read(self, fd):
        while chunk := os.read(fd, 65536):
            self.output += chunk
        os.close(fd)

    def _registers(self):
        registers = (ctypes.c_ulonglong * REGISTERS)()
        ptrace(PTRACE_GETREGS, self.pid, 0, ctypes.addressof(registers))
        return registers

    def _hide_vdso(self):
        at = self._registers()[RSP]
        at += 8 * (1 + ptrace(PTRACE_PEEKDATA, self.pid, at) + 1)  # argc, argv, NULL
        while ptrace(PTRACE_PEEKDATA, self.pid, at):                # environ
            at += 8
        at += 8
        while kind := ptrace(PTRACE_PEEKDATA, self.pid, at):
            if kind == AT_SYSINFO_EHDR:
                ptrace(PTRACE_POKEDATA, self.pid, at, AT_IGNORE)
                ptrace(PTRACE_POKEDATA, self.pid, at + 8, 0)
            at += 16

    def _leave_call(self):
        registers = self._registers()
        call = registers[ORIG_RAX]
        if call == SYS_CLOCK_GETTIME and registers[RDI] in (CLOCK_REALTIME, CLOCK_REALTIME_COARSE):
            self._move(registers[RSI])
        elif call == SYS_GETTIMEOFDAY and registers[RDI]:
            self._move(registers[RDI])
        elif call == SYS_TIME:
            raise AssertionError("time(2) isn't handled")

    def _move(self, address):
        self.asked += 1
        seconds = struct.unpack("q", struct.pack("Q", ptrace(PTRACE_PEEKDATA, self.pid, address)))[0] + int(self.offset)
        ptrace(PTRACE_POKEDATA, self.pid, address, seconds)

    def wait_for_text(self, text, timeout):
        end = time.monotonic() + timeout
        while text not in self.output:
            if time.monotonic() > end or not self._thread.is_alive():
                raise AssertionError(f"no {text!r}: {self.error or self.output.decode()}")
            time.sleep(0.01)
