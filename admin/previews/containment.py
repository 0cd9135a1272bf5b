"""Once `contain` has returned, this process can compute, use what is already open, and end: nothing else.

It keeps true, in this order: nobody's rights (root is given up), no way back to any (`no_new_privs`), no
other process may look inside (non-dumpable), it dies with its maker, every resource is limited, and a seccomp
filter allows a short list of system calls and answers EPERM to all others: no socket, no file opened, no
program started, no process made, no memory made executable. The filter is then tried, not believed.

Sources: prctl(2), setrlimit(2), seccomp(2), libseccomp's seccomp_rule_add(3).
"""

import ctypes
import errno
import os
import resource
import signal

import pyseccomp

from admin.previews.wire import PreviewRefused, Refusal

_NOBODY = 65534  # the kernel's overflow uid and gid: owns nothing anywhere

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38

_PROT_EXEC = 4
_PROT = 2  # index of the argument in mmap(2) and mprotect(2)
_CLONE_THREAD = 0x10000
_CLONE_FLAGS = 0  # index in clone(2); on a machine with another order the trial below fails

# What the interpreter and the decoders need between here and the end of the process. Reading and writing
# reach only what is open: the two pipes to the maker, and /dev/null.
_ALLOWED = (
    "read", "write", "close",
    "brk", "munmap", "mremap", "madvise",
    "futex", "sched_yield", "clock_gettime", "getrandom",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn",
    "getpid", "gettid",
    "set_robust_list", "rseq", "sched_getaffinity",  # a thread's beginning
    "exit", "exit_group",
)  # fmt: skip


def contain(*, memory_bytes: int, cpu_s: int) -> None:
    """Give everything up, for good. Raise `PreviewRefused` (`no_limits`, `no_filter`) if that fails."""
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        _give_up_root()
        # After the user changed, for that resets both of the last two (prctl(2)).
        _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
        _prctl(libc, _PR_SET_DUMPABLE, 0)
        _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
        _limit(memory_bytes=memory_bytes, cpu_s=cpu_s)
    except (OSError, ValueError) as error:
        raise PreviewRefused(Refusal.NO_LIMITS) from error
    try:
        _load_filter()
    except OSError as error:
        raise PreviewRefused(Refusal.NO_FILTER) from error
    if not _filter_holds(libc):
        raise PreviewRefused(Refusal.NO_FILTER)


def _give_up_root() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    if libc.prctl(option, *(ctypes.c_ulong(number) for number in (value, 0, 0, 0))) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _limit(*, memory_bytes: int, cpu_s: int) -> None:
    # At the soft limit of CPU time SIGXCPU ends the process: its maker can tell that from a crash.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    # Not RLIMIT_NPROC: it counts threads too, and all of the user's; HEIC is decoded in threads. The filter
    # tells a thread from a process.
    for nothing in (
        resource.RLIMIT_CORE,
        resource.RLIMIT_FSIZE,  # pipes are no files: the answer still goes out
        resource.RLIMIT_NOFILE,  # what is open stays open
        resource.RLIMIT_MEMLOCK,
        resource.RLIMIT_MSGQUEUE,
    ):
        resource.setrlimit(nothing, (0, 0))


def _load_filter() -> None:
    allowed = pyseccomp.SyscallFilter(defaction=pyseccomp.ERRNO(errno.EPERM))
    # Every thread, should a library have started one on being imported.
    allowed.set_attr(pyseccomp.Attr.CTL_TSYNC, 1)
    for name in _ALLOWED:
        allowed.add_rule(pyseccomp.ALLOW, name)
    not_executable = pyseccomp.Arg(_PROT, pyseccomp.MASKED_EQ, _PROT_EXEC, 0)
    for name in ("mmap", "mprotect"):
        allowed.add_rule(pyseccomp.ALLOW, name, not_executable)
    # A thread has no more than we have. clone3 keeps its flags in memory, out of a filter's sight: as if the
    # kernel were older than it, and libc falls back to clone.
    only_a_thread = pyseccomp.Arg(_CLONE_FLAGS, pyseccomp.MASKED_EQ, _CLONE_THREAD, _CLONE_THREAD)
    allowed.add_rule(pyseccomp.ALLOW, "clone", only_a_thread)
    allowed.add_rule(pyseccomp.ERRNO(errno.ENOSYS), "clone3")
    allowed.load()


def _filter_holds(libc: ctypes.CDLL) -> bool:
    """Try what must be refused. Without a filter no call here would give EPERM."""
    attempts = (
        lambda: libc.socket(2, 1, 0),  # AF_INET, SOCK_STREAM; else: a descriptor, or EMFILE
        lambda: libc.connect(-1, None, 0),  # else EBADF
        lambda: libc.execve(None, None, None),  # else EFAULT
        lambda: libc.open(b"/dev/null", os.O_RDONLY),  # else: a descriptor, or EMFILE
        lambda: _forked(libc),  # else the id of a child
    )
    for attempt in attempts:
        ctypes.set_errno(0)
        if attempt() != -1 or ctypes.get_errno() != errno.EPERM:
            return False
    return True


def _forked(libc: ctypes.CDLL) -> int:
    result: int = libc.fork()
    if result == 0:
        os._exit(0)  # we are what should not exist
    return result
