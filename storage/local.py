"""PostgreSQL on this machine, for its users alone, running exactly as long as someone uses it.

    with acquire(Path("var/postgres")) as server:
        pool = await asyncpg.create_pool(server.url("dodomu_bot", password, "dodomu"))

Three locks (`flock`) in the folder hold this together; the kernel frees them however a process ends:

- `users.lock`: every user shares it. A watcher waits for it alone and so stops the server when the last
  user has gone, even one that was killed.
- `starting.lock`: held alone by whoever starts or stops the server.
- `alive.lock`: inherited by the server and all its children. While it is held something of them lives;
  once it is free every pid that was written down is stale, whatever process bears that number now.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
import stat
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from storage.programs import (
    OTHERWISE,
    FolderError,
    StartError,
    VersionError,
    answers,
    binaries,
    check_root_may,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

SUPERUSER = "postgres"
PORT = 5432  # never opened: it only names the socket file
SOCKET_FOLDER_MAX = 107 - len(f"/.s.PGSQL.{PORT}")  # bytes; a socket's whole path has 107 on Linux
CRASH_WAIT_S = 5.0  # for the orphans of a killed server to end
ANSWER_WAIT_S = 60.0  # for a server that replays its log, or ends
POLL_S = 0.03

_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "password_encryption": "scram-sha-256",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "dynamic_shared_memory_type": "posix",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "datestyle": "iso, mdy",
    # Terse, so that no value a person gave reaches a log: statements, parameters, DETAIL lines and the
    # messages of failed statements (which quote what they could not read) stay out.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_statement": "none",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_checkpoints": "off",
    # Seven files, one a weekday, each begun anew when its day comes round.
    "logging_collector": "on",
    "log_filename": "%a.log",
    "log_file_mode": "0600",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_truncate_on_rotation": "on",
}
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}

# $1 pg_isready, $2 the socket folder, $3 pg_ctl, $4 the data: stop it only if it is there to be stopped.
_STOP_IF_THERE = f'"$1" -q -p {PORT} -t 3 -h "$2"; test $? -lt 2 && exec "$3" stop -s -m fast -D "$4"'
_ASK = ("-q", "-p", str(PORT), "-t", "3")
_PATIENT = ("-s", "-w", "-t", str(int(ANSWER_WAIT_S)))


def acquire(root: Path, *, durable: bool = True, progress: Callable[[str], None] | None = None) -> Server:
    """Use the server in `root`, making and starting it if need be; blocks for seconds the first time.

    With `durable=False` nothing is synced to disk: for tests. A folder keeps the kind it was made with.
    `progress` gets a line for a person when something slow begins. Raises LocalError.
    """
    folder = _Folder(root.resolve(), binaries(), durable=durable)
    folder.prepare()
    users = _open_lock(folder.root / "users.lock")
    try:
        with folder.starting():
            fcntl.flock(users, fcntl.LOCK_SH)
            folder.ensure_running(progress or _quiet)
            password = folder.secret_path.read_text(encoding="ascii")
    except BaseException:
        os.close(users)
        raise
    return Server(folder, users, password)


class Server:
    """A running server and this process's share in it; `close` (or leaving the `with`) gives that up."""

    def __init__(self, folder: _Folder, users: int, password: str) -> None:
        self._folder = folder
        self._users: int | None = users
        self._password = password

    def __repr__(self) -> str:
        return f"<Server in {self._folder.root}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def url(self, user: str, password: str, database: str) -> str:
        """For asyncpg and SQLAlchemy: `postgresql://user:password@/database?host=<socket folder>`."""
        where = urlencode({"host": str(self._folder.socket_folder), "port": PORT})
        user, password, database = (quote(part, safe="") for part in (user, password, database))
        return f"postgresql://{user}:{password}@/{database}?{where}"

    def superuser_url(self, database: str = "postgres") -> str:
        """As `url`, for the superuser: to migrate and to make roles, never to serve."""
        return self.url(SUPERUSER, self._password, database)

    def stop(self, *, immediate: bool = False) -> None:
        """Stop the server under all its users; `immediate` as after a power cut. For fault tests."""
        with self._folder.starting():
            self._folder.stop("immediate" if immediate else "fast")

    def restart(self, *, immediate: bool = False) -> None:
        """`stop`, then start again; starts it too when it was stopped or has crashed."""
        with self._folder.starting():
            self._folder.stop("immediate" if immediate else "fast")
            self._folder.ensure_running(_quiet)

    def close(self) -> None:
        """Give up this process's share; the last one out stops the server. Again changes nothing."""
        if self._users is None:
            return
        users, self._users = self._users, None
        try:
            with self._folder.starting():
                if _try_alone(users):
                    self._folder.stop("fast")
                else:
                    # Granted at once beside other users; otherwise when the watcher has stopped the server.
                    fcntl.flock(users, fcntl.LOCK_SH)
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)  # also for a forked child that holds a copy
            os.close(users)


@dataclass(frozen=True)
class _Folder:
    """One data folder and the programs that serve it. What changes anything needs `starting()` held."""

    root: Path
    binaries: Path
    durable: bool

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def secret_path(self) -> Path:
        return self.root / "superuser.secret"

    @property
    def socket_folder(self) -> Path:
        """In the root if its path is short and plain enough, else a temporary folder named by a hash."""
        inside = self.root / "socket"
        name = os.fsencode(inside)
        if len(name) <= SOCKET_FOLDER_MAX and not set(name) & set(b",\"'\\\n"):
            return inside
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()
        return Path(tempfile.gettempdir()) / f"dodomu-{digest[:16]}"

    def prepare(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        _must_be_ours(self.root)
        self.root.chmod(0o700)

    @contextlib.contextmanager
    def starting(self) -> Iterator[None]:
        lock = _open_lock(self.root / "starting.lock")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def ensure_running(self, progress: Callable[[str], None]) -> None:
        if self.data.exists():
            self._check_data()
        begun = time.monotonic()
        while (answer := self._answer()) != "ready":
            if answer == "silent" and (alive := self._nobody_alive()) is not None:
                try:
                    self._start(alive, progress)
                finally:
                    os.close(alive)  # the server has its own copy: closing, unlike LOCK_UN, leaves it locked
                return
            if time.monotonic() - begun > (CRASH_WAIT_S if answer == "silent" else ANSWER_WAIT_S):
                raise StartError(
                    f"Something still holds the database in {self.root} and does not answer. If other "
                    "processes use it, give them the same temporary folder (TMPDIR); otherwise end what is "
                    f"left of it. {OTHERWISE}"
                )
            time.sleep(POLL_S)

    def stop(self, mode: Literal["fast", "immediate"]) -> None:
        begun = time.monotonic()
        while (alive := self._nobody_alive()) is None:
            # Only a server that answers is the one whose pid is written down; orphans end by themselves.
            if self._answer() != "silent":
                with contextlib.suppress(StartError):  # it may have ended meanwhile
                    run(self.binaries / "pg_ctl", "stop", *_PATIENT, "-m", mode, "-D", self.data)
            if time.monotonic() - begun > ANSWER_WAIT_S:
                raise StartError(f"The database in {self.root} did not stop within {ANSWER_WAIT_S:.0f} s.")
            time.sleep(POLL_S)
        os.close(alive)

    def _start(self, alive: int, progress: Callable[[str], None]) -> None:
        check_root_may(self.binaries / "postgres", self.root)
        if not self.data.exists():
            progress("Making the database; this takes a few seconds, the first time only.")
            self._make()
        self._make_socket_folder()
        # Nothing is alive, so these speak of processes that have ended; PostgreSQL would believe their pids.
        for stale in (self.data / "postmaster.pid", *self.socket_folder.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        self._write_settings()
        (self.root / "start.log").unlink(missing_ok=True)
        self._watch()
        try:
            log = ("-l", self.root / "start.log")  # until the server opens its own
            run(self.binaries / "pg_ctl", "start", *_PATIENT, "-D", self.data, *log, inherits=(alive,))
        except StartError as error:
            raise StartError("\n".join([str(error), *self._last_words()])) from None

    def _last_words(self) -> list[str]:
        """The last lines of what the server wrote before and after it opened its own log."""
        logs = [self.root / "start.log"]
        logs += sorted((self.root / "log").glob("*.log"), key=lambda log: log.stat().st_mtime)[-1:]
        texts = [log.read_text(encoding="utf-8", errors="replace") for log in logs if log.exists()]
        return [line for text in texts for line in text.splitlines()[-3:]]

    def _make(self) -> None:
        making = self.root / "data.new"  # renamed when complete: a half-made one is never taken for data
        if making.exists():
            shutil.rmtree(making)
        self.secret_path.unlink(missing_ok=True)
        with open(self.secret_path, "x", encoding="ascii", opener=_private) as file:
            file.write(secrets.token_urlsafe(32))
            file.flush()
            os.fsync(file.fileno())
        run(
            self.binaries / "initdb", "-D", making, f"--username={SUPERUSER}", f"--pwfile={self.secret_path}",
            "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C",
            # PostgreSQL's own collation: no operating system upgrade can change the order of an index.
            "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            *([] if self.durable else ["--no-sync"]),
        )  # fmt: skip
        (self.root / "durability").write_text(self._kind, encoding="ascii")
        making.rename(self.data)
        _sync_folder(self.root)

    @property
    def _kind(self) -> str:
        return "durable" if self.durable else "not durable"

    def _check_data(self) -> None:
        data = (self.data / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = run(self.binaries / "postgres", "--version").split()[-1].split(".")[0]
        if data != ours:
            raise VersionError(
                f"The database in {self.root} was made by PostgreSQL {data}; this is PostgreSQL {ours}. Dump "
                "it with the release that made it and restore it into a new folder, or set "
                "DODOMU_DATABASE_URL."
            )
        kind = (self.root / "durability").read_text(encoding="ascii")
        if kind != self._kind:
            raise FolderError(
                f"The database in {self.root} was made {kind}; it cannot be used as {self._kind}."
            )
        if not self.secret_path.exists():
            raise FolderError(
                f"{self.secret_path} is missing: restore it from a backup, the data are of no use without."
            )

    def _make_socket_folder(self) -> None:
        if len(os.fsencode(self.socket_folder)) > SOCKET_FOLDER_MAX:
            raise FolderError(
                f"{self.socket_folder} is too long a path for a socket: set TMPDIR to a short one."
            )
        with contextlib.suppress(FileExistsError):
            self.socket_folder.mkdir(mode=0o700)
        _must_be_ours(self.socket_folder)
        if stat.S_IMODE(self.socket_folder.lstat().st_mode) & 0o077:
            raise FolderError(f"Others may enter {self.socket_folder}: remove it and start again.")

    def _write_settings(self) -> None:
        settings = _SETTINGS | ({} if self.durable else _NOT_DURABLE)
        settings["unix_socket_directories"] = str(self.socket_folder)
        settings["log_directory"] = str(self.root / "log")
        lines = ["# Written anew at every start."]
        lines += [f"{name} = {_quoted(value)}" for name, value in settings.items()]
        (self.data / "postgresql.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    def _watch(self) -> None:
        """Leave a process that waits until no user is left, then stops the server if it still runs."""
        programs = (self.binaries / "pg_isready", self.socket_folder, self.binaries / "pg_ctl", self.data)
        programs = (self.binaries / "pg_isready", self.socket_folder, self.binaries / "pg_ctl", self.data)
        waiting = ("setsid", "--fork", "flock", "--exclusive", self.root / "users.lock")
        run(*waiting, "sh", "-c", _STOP_IF_THERE, "sh", *programs, daemon=True)

    def _answer(self) -> Literal["ready", "busy", "silent"]:
        """What the server says at its socket; busy: it replays its log, or is ending."""
        code = answers(self.binaries / "pg_isready", *_ASK, "-h", self.socket_folder)
        return "ready" if code == 0 else "busy" if code == 1 else "silent"

    def _nobody_alive(self) -> int | None:
        """A descriptor that holds `alive.lock` for a server to inherit, or None if something of one lives."""
        alive = _open_lock(self.root / "alive.lock")
        if _try_alone(alive):
            return alive
        os.close(alive)
        return None


def _open_lock(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_alone(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _must_be_ours(folder: Path) -> None:
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise FolderError(
            f"{folder} must be a folder that belongs to the user who runs this (uid {os.geteuid()})."
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _quoted(value: str) -> str:
    """As postgresql.conf reads it: quotes doubled, backslashes too."""
    doubled = value.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"


def _quiet(line: str) -> None:
    """Say nothing."""
