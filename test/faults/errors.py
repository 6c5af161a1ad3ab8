"""Which errors a system call may end with, by section 2 of the Linux manual. Those that tell of a program's own mistake (EFAULT, a bad descriptor) are
left out, unless a filter or an old kernel makes them of something else."""

FILE = "EACCES ENOENT ENOMEM ELOOP EIO ENOTDIR"
NONE_LEFT = "EMFILE ENFILE ENOMEM"
SOCKET = "ENOBUFS ENOMEM ENOTCONN EINVAL"

ERRORS = {
    "open": f"{FILE} EMFILE ENFILE EINTR EPERM", "openat": f"{FILE} EMFILE ENFILE EINTR EPERM",
    "stat": FILE, "lstat": FILE, "fstat": "ENOMEM EIO", "newfstatat": FILE, "statx": FILE,
    "access": f"{FILE} EROFS", "faccessat": f"{FILE} EROFS", "faccessat2": f"{FILE} EROFS ENOSYS EPERM",
    "readlink": FILE, "readlinkat": FILE, "getcwd": "ENOENT ENOMEM EACCES", "statfs": f"{FILE} ENOSYS", "fstatfs": "EIO ENOSYS",
    "getdents": "ENOENT EIO", "getdents64": "ENOENT EIO", "lseek": "ESPIPE EINVAL",
    "mkdir": "EACCES EEXIST EROFS ENOSPC", "mkdirat": "EACCES EEXIST EROFS ENOSPC", "rename": "EACCES EROFS ENOSPC", "renameat": "EACCES EROFS ENOSPC",
    "renameat2": "EACCES EROFS ENOSPC", "unlink": "EACCES EROFS", "unlinkat": "EACCES EROFS", "fchmod": "EPERM EROFS",
    "fchown": "EPERM EROFS", "ftruncate": "EIO EINVAL", "flock": "EINTR ENOLCK EWOULDBLOCK", "fsync": "EIO ENOSPC", "chdir": FILE, "umask": "",
    "read": "EINTR EAGAIN EIO EISDIR", "pread64": "EINTR EIO EISDIR", "readv": "EINTR EAGAIN EIO",
    "write": "EINTR EAGAIN EIO ENOSPC EPIPE", "writev": "EINTR EAGAIN EIO ENOSPC EPIPE", "pwrite64": "EIO ENOSPC",
    "sendto": "EINTR EAGAIN ECONNRESET EPIPE ENOBUFS ENOMEM", "sendmsg": "EINTR EAGAIN ECONNRESET EPIPE ENOBUFS ENOMEM",
    "recvfrom": "EINTR EAGAIN ECONNRESET ECONNREFUSED ETIMEDOUT ENOMEM", "recvmsg": "EINTR EAGAIN ECONNRESET ECONNREFUSED ETIMEDOUT ENOMEM",
    "close": "EINTR EIO", "dup": NONE_LEFT, "dup2": "EMFILE EINTR EBUSY", "dup3": "EMFILE EINTR EBUSY", "pipe2": NONE_LEFT, "fcntl": "EINVAL EACCES EBADF",
    "ioctl": "ENOTTY EINVAL EIO", "socket": f"{NONE_LEFT} EACCES EAFNOSUPPORT ENOBUFS EPROTONOSUPPORT", "bind": "EACCES EADDRINUSE",
    "connect": "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL EAGAIN EINTR EACCES EPERM ENOENT", "getsockopt": SOCKET, "setsockopt": f"{SOCKET} ENOPROTOOPT",
    "getsockname": SOCKET, "getpeername": SOCKET, "shutdown": "ENOTCONN", "listen": "EADDRINUSE", "accept": "EAGAIN EMFILE EINTR", "accept4": "EAGAIN EMFILE EINTR",
    "poll": "EINTR ENOMEM EINVAL", "ppoll": "EINTR ENOMEM EINVAL", "select": "EINTR ENOMEM", "pselect6": "EINTR ENOMEM",
    "signalfd4": f"{NONE_LEFT} ENODEV ENOSYS", "rt_sigprocmask": "EINVAL EPERM", "rt_sigaction": "EINVAL EPERM", "rt_sigpending": "EINVAL",
    "kill": "EPERM ESRCH", "tgkill": "EPERM ESRCH", "tkill": "EPERM ESRCH",
    "fork": "EAGAIN ENOMEM ENOSYS", "vfork": "EAGAIN ENOMEM", "clone": "EAGAIN ENOMEM EPERM", "clone3": "EAGAIN ENOMEM ENOSYS",
    "execve": "EACCES ENOENT ENOEXEC ENOMEM E2BIG EIO ETXTBSY EMFILE EPERM", "wait4": "ECHILD EINTR EINVAL", "waitid": "ECHILD EINTR EINVAL",
    "mmap": "ENOMEM EPERM", "munmap": "ENOMEM EINVAL", "mprotect": "ENOMEM EACCES", "madvise": "ENOMEM EINVAL EAGAIN", "brk": "ENOMEM", "mremap": "ENOMEM",
    "mincore": "ENOMEM EAGAIN", "prctl": "EINVAL EPERM", "setpgid": "EPERM ESRCH EACCES", "getpgid": "ESRCH EPERM", "setsid": "EPERM",
    "setuid": "EPERM EAGAIN", "setgid": "EPERM", "setgroups": "EPERM ENOMEM", "setresuid": "EPERM EAGAIN", "setresgid": "EPERM", "getgroups": "EINVAL",
    "getrlimit": "EPERM", "prlimit64": "EPERM", "setrlimit": "EPERM", "getrusage": "EINVAL", "uname": "EPERM", "sysinfo": "EPERM", "sched_getaffinity": "EPERM EINVAL",
    "getrandom": "EAGAIN EINTR ENOSYS", "clock_gettime": "EINVAL", "nanosleep": "EINTR", "clock_nanosleep": "EINTR", "close_range": "ENOSYS EPERM",
    "setitimer": "EINVAL", "tcsetpgrp": "ENOTTY",
}
# They can't fail, say nothing that could be wrong, or are over when they return.
CANNOT = set("getpid getppid getuid geteuid getgid getegid gettid getpgrp exit exit_group rt_sigreturn set_tid_address restart_syscall"
             " umask set_robust_list rseq".split())
# Before a program has its thread pointer there is nobody who could say anything: musl ends by a trap.
BEFORE_ANY_CODE = {"arch_prctl"}
# The system has none left of something: it is neither the image's nor the configuration's fault.
SYSTEM = set(f"{NONE_LEFT} ENOBUFS".split())


def of(name):
    """None: a system call that this table doesn't know."""
    if name in CANNOT or name in BEFORE_ANY_CODE:
        return []
    return ERRORS[name].split() if name in ERRORS else None
