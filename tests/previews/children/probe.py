"""Contains itself as the real child does, then tries what it should no longer be able to do, and reports."""

import ctypes
import json
import mmap
import os
import resource
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from admin.previews.containment import contain
from admin.previews.wire import Request


def main() -> None:
    before = {
        "environment": _lines("/proc/self/environ"),
        "folder": str(Path.cwd()),
        "leads_its_session": os.getsid(0) == os.getpid(),
        "descriptors": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir()),
        "modules": sorted(sys.modules),
    }
    status, limits = (os.open(f"/proc/self/{name}", os.O_RDONLY) for name in ("status", "limits"))
    one_end, other_end = socket.socketpair()
    request = Request.read(sys.stdin.buffer)
    maker = os.getppid()
    contain(memory_bytes=request.memory_bytes, cpu_s=request.cpu_s)
    libc = ctypes.CDLL(None, use_errno=True)
    attempts: dict[str, Callable[[], object]] = {
        "socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
        "unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
        "connect": lambda: one_end.connect("/nothing"),
        "send": lambda: one_end.send(b"x"),
        "receive": lambda: other_end.recv(1),
        "listen": one_end.listen,
        "exec": lambda: os.execv("/bin/true", ["true"]),
        "run": lambda: subprocess.run(["/bin/true"], check=False),
        "fork": os.fork,
        "open to write": lambda: os.open("/tmp/left-behind", os.O_WRONLY | os.O_CREAT),
        "open to read": lambda: os.open("/etc/passwd", os.O_RDONLY),
        "list": lambda: list(Path("/").iterdir()),
        "remove": Path("/tmp/left-behind").unlink,
        "signal the maker": lambda: os.kill(maker, 0),
        "signal a thread of the maker": lambda: _called(libc.tgkill, maker, maker, 0),
        "ptrace": lambda: _called(libc.ptrace, 16, maker, 0, 0),  # PTRACE_ATTACH
        "read the maker": lambda: _called(libc.process_vm_readv, maker, 0, 0, 0, 0, 0),
        "root again": lambda: os.setuid(0),
        "more memory": lambda: _called(libc.setrlimit, resource.RLIMIT_AS, 0),
        "namespace": lambda: _called(libc.unshare, 0x10000000),  # CLONE_NEWUSER
        "machine code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
        "a descriptor": lambda: os.dup(0),
        "allocate": lambda: bytearray(request.memory_bytes),
    }
    found = {name: _result_of(attempt) for name, attempt in attempts.items()}
    thread = threading.Thread(
        target=lambda: found.update({"socket in a thread": _result_of(attempts["socket"])})
    )
    thread.start()
    thread.join()
    said = {
        "before": before,
        "attempts": found,
        "kernel": dict(line.split(":\t", 1) for line in os.read(status, 65536).decode().splitlines()),
        "limits": os.read(limits, 65536).decode(),
    }
    os.write(1, json.dumps(said).encode())
    os._exit(0)


def _lines(path: str) -> list[str]:
    return [entry for entry in Path(path).read_text().split("\0") if entry]


def _called(function: Callable[..., int], *arguments: int) -> None:
    if function(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "refused")


def _result_of(attempt: Callable[[], object]) -> str:
    try:
        attempt()
    except MemoryError:
        return "no memory"
    except OSError as error:
        return "refused" if error.errno == 1 else f"errno {error.errno}"
    return "done"
