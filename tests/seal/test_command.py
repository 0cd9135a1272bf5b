"""`python -m seal` as a person uses it: a file, a key, a terminal."""

import os
import pty
import select
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import seal
from seal import HybridIdentity, ScryptRecipient
from seal.payload import CHUNK

ROOT = Path(__file__).parents[2]
PHOTO = os.urandom(3 * CHUNK + 17)
PATIENCE_S = 60


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """One command without a terminal."""
    command = [sys.executable, "-m", "seal", *map(str, arguments)]
    return subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        cwd=ROOT,
        timeout=PATIENCE_S,
        check=False,
        start_new_session=True,
    )


def run_at_terminal(*arguments: str | Path, answers: Sequence[tuple[str, str]]) -> tuple[int, str]:
    """One command at a terminal of its own: each question awaited, its answer typed; what was shown."""
    screen, terminal = pty.openpty()
    # The shell leads a new session, so the first terminal that it opens becomes the one that controls it.
    command = ["sh", "-c", 'exec "$0" -m seal "$@" <"$TERMINAL"', sys.executable, *map(str, arguments)]
    process = subprocess.Popen(
        command,
        stdout=terminal,
        stderr=terminal,
        cwd=ROOT,
        env={**os.environ, "TERMINAL": os.ttyname(terminal)},
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    for question, answer in answers:
        before = len(shown)
        while question.encode() not in shown[before:]:
            shown += _shown(screen) or pytest.fail(f"{question!r} was not asked, but: {shown!r}")
        os.write(screen, answer.encode() + b"\n")
    while more := _shown(screen):
        shown += more
    os.close(screen)
    return process.wait(PATIENCE_S), shown.decode()


def _shown(screen: int) -> bytes:
    if not select.select([screen], [], [], PATIENCE_S)[0]:
        pytest.fail("the terminal stayed silent")
    try:
        return os.read(screen, 65536)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "olha.key"
    assert run("keygen", "-o", path).returncode == 0
    return path


@pytest.fixture(scope="module")
def recipient(key: Path) -> str:
    (identity,) = seal.parse_identities(key.read_text())
    assert isinstance(identity, HybridIdentity)
    return str(identity.recipient)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(PHOTO)
    return path


def assert_refused(done: subprocess.CompletedProcess[bytes], says: str) -> None:
    assert done.returncode == 1
    assert says in done.stderr.decode()
    assert done.stderr.decode().startswith("seal: ")
    assert done.stderr.count(b"\n") == 1  # one sentence, no traceback


def test_keygen_into_a_file(tmp_path: Path) -> None:
    path = tmp_path / "new.key"
    done = run("keygen", "-o", path)
    assert (done.returncode, done.stdout) == (0, b"")
    assert path.stat().st_mode & 0o777 == 0o600
    created, public, secret = path.read_text().splitlines()
    identity = seal.parse_identity(secret)
    assert isinstance(identity, HybridIdentity)
    assert created.startswith("# created: 20")
    assert public.removeprefix("# public key: ") == done.stderr.decode().removeprefix("Public key: ").strip()
    assert public.endswith(str(identity.recipient))
    assert secret not in done.stderr.decode()


def test_keygen_overwrites_nothing(key: Path) -> None:
    before = key.read_bytes()
    assert_refused(run("keygen", "-o", key), "never overwritten")
    assert key.read_bytes() == before


def test_keygen_into_a_pipe() -> None:
    done = run("keygen")
    (identity,) = seal.parse_identities(done.stdout.decode())
    assert isinstance(identity, HybridIdentity)
    assert done.stderr.decode() == f"Public key: {identity.recipient}\n"


@pytest.mark.parametrize("armor", [[], ["-a"]])
def test_sealed_and_opened_by_file(
    armor: list[str], key: Path, recipient: str, photo: Path, tmp_path: Path
) -> None:
    sealed, opened = tmp_path / "photo.age", tmp_path / "opened.jpg"
    assert run("seal", "-r", recipient, *armor, "-o", sealed, photo).returncode == 0
    assert sealed.read_bytes().startswith(b"-----BEGIN AGE" if armor else b"age-encryption.org/v1\n")
    assert run("open", "-i", key, "-o", opened, sealed).returncode == 0
    assert opened.read_bytes() == PHOTO
    assert opened.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opened.jpg", "photo.age", "photo.jpg"]


def test_sealed_and_opened_through_pipes(key: Path, recipient: str, tmp_path: Path) -> None:
    team = tmp_path / "team.txt"
    team.write_text(f"# the team\n{HybridIdentity.generate().recipient}\n{recipient}\n")
    sealed = run("seal", "-R", team, "-", stdin=PHOTO)
    assert (sealed.returncode, sealed.stderr) == (0, b"")
    opened = run("open", "-i", key, "-o", "-", stdin=sealed.stdout)
    assert (opened.returncode, opened.stdout) == (0, PHOTO)


def test_nothing_is_padded(recipient: str) -> None:
    lengths = [len(run("seal", "-r", recipient, stdin=bytes(length)).stdout) for length in (0, 1, 5000)]
    assert [length - lengths[0] for length in lengths] == [0, 1, 5000]


def test_a_wrong_key(recipient: str, photo: Path, tmp_path: Path) -> None:
    stranger = tmp_path / "stranger.key"
    stranger.write_text(HybridIdentity.generate().reveal())
    sealed = run("seal", "-r", recipient, photo).stdout
    assert_refused(run("open", "-i", stranger, stdin=sealed), "None of the given keys")


@pytest.mark.parametrize("kept", [0, 10, 1500, -1, -CHUNK])
def test_a_torn_file_leaves_nothing_under_its_name(
    kept: int, key: Path, recipient: str, photo: Path, tmp_path: Path
) -> None:
    sealed = run("seal", "-r", recipient, photo).stdout
    out = tmp_path / "opened.jpg"
    assert_refused(run("open", "-i", key, "-o", out, stdin=sealed[:kept]), "")
    assert [path.name for path in tmp_path.iterdir()] == ["photo.jpg"]
    out.write_bytes(b"what was there before")
    assert_refused(run("open", "-i", key, "-o", out, stdin=sealed[:kept]), "")
    assert out.read_bytes() == b"what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["opened.jpg", "photo.jpg"]


def test_ctrl_c_leaves_nothing_under_its_name(recipient: str, tmp_path: Path) -> None:
    # Whoever runs the tests in the background has them ignore the signal; the command must not inherit that.
    command = ["env", "--default-signal=INT", sys.executable, "-m", "seal"]
    command += ["seal", "-r", recipient, "-o", str(tmp_path / "out.age"), "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(
            bytes(1 << 20)
        )  # more than a pipe holds: when it is taken, the command is at work
        process.stdin.flush()
        process.send_signal(signal.SIGINT)
        process.stdin.close()
        assert b"Traceback" not in process.stderr.read()
    assert process.returncode == 130
    assert list(tmp_path.iterdir()) == []


def test_what_is_not_a_file_is_written_to_as_it_is(recipient: str, photo: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.age"
    link.symlink_to(tmp_path / "real.age")
    assert run("seal", "-r", recipient, "-o", link, photo).returncode == 0
    assert link.is_symlink()
    assert (tmp_path / "real.age").is_file()
    assert run("seal", "-r", recipient, "-o", os.devnull, photo).returncode == 0
    assert Path(os.devnull).is_char_device()


def test_input_and_output_are_two_files(key: Path, recipient: str, photo: Path) -> None:
    assert_refused(run("seal", "-r", recipient, "-o", photo, photo), "same file")
    assert photo.read_bytes() == PHOTO


def test_a_closed_pipe(recipient: str, photo: Path, tmp_path: Path) -> None:
    script = f'"{sys.executable}" -m seal seal -r {recipient} "{photo}" 2>"{tmp_path}/said" | head -c 5'
    done = subprocess.run(["sh", "-c", script], capture_output=True, cwd=ROOT, timeout=PATIENCE_S, check=True)
    assert done.stdout == b"age-e"
    assert (tmp_path / "said").read_text() == "seal: The output was closed before everything was written.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["open", "-i", "no-such.key"], "no-such.key: No such file"),
        (["open", "-i", "pyproject.toml"], "pyproject.toml: Line 1: This is not a key"),
        (["open", "-i", "tests/seal/testkit/hybrid"], "Line 1"),
        (["seal", "-r", "age1oops"], "This is not a key"),
        (["seal", "-R", "no-such.txt"], "no-such.txt: No such file"),
        (["seal", "-R", os.devnull], "There is no public key"),
        (["seal", "-p"], "typed at a terminal"),
        (["open", "-p"], "typed at a terminal"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(arguments: list[str], says: str) -> None:
    assert_refused(run(*arguments), says)


def test_an_unreadable_output(recipient: str, photo: Path, tmp_path: Path) -> None:
    assert_refused(run("seal", "-r", recipient, "-o", tmp_path / "no" / "out.age", photo), "No such file")
    assert_refused(run("seal", "-r", recipient, "-o", tmp_path, photo), "Is a directory")


@pytest.mark.parametrize(
    "arguments", [[], ["seal"], ["open"], ["seal", "-p", "-r", "age1pq1"], ["open", "-p", "-i", "some.key"]]
)
def test_a_choice_that_is_not_one_shows_the_usage(arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(b"usage: ")


def test_a_passphrase_at_the_terminal(photo: Path, tmp_path: Path) -> None:
    sealed, opened = tmp_path / "photo.age", tmp_path / "opened.jpg"
    secret = "anvil-brook-candle"
    code, shown = run_at_terminal(
        "seal", "-p", "-o", sealed, photo, answers=[("Passphrase: ", secret), ("The same again: ", secret)]
    )
    assert (code, secret in shown) == (0, False)
    assert b"-> scrypt " in sealed.read_bytes()[:40]
    assert b" 18\n" in sealed.read_bytes()[:80]
    code, shown = run_at_terminal("open", "-p", "-o", opened, sealed, answers=[("Passphrase: ", secret)])
    assert (code, secret in shown) == (0, False)
    assert opened.read_bytes() == PHOTO


def test_two_passphrases_that_differ(photo: Path, tmp_path: Path) -> None:
    code, shown = run_at_terminal(
        "seal",
        "-p",
        "-o",
        tmp_path / "x",
        photo,
        answers=[("Passphrase: ", "one"), ("The same again: ", "other")],
    )
    assert (code, "The two passphrases differ." in shown) == (1, True)
    code, shown = run_at_terminal("seal", "-p", "-o", tmp_path / "x", photo, answers=[("Passphrase: ", "")])
    assert (code, "protects nothing" in shown) == (1, True)


@pytest.mark.parametrize("armored", [False, True])
def test_a_key_file_under_a_passphrase(
    armored: bool,  # noqa: FBT001 - pytest names it
    key: Path,
    recipient: str,
    photo: Path,
    tmp_path: Path,
) -> None:
    locked, sealed, opened = tmp_path / "olha.key.age", tmp_path / "photo.age", tmp_path / "opened.jpg"
    file = seal.seal_bytes(key.read_bytes(), [ScryptRecipient("anvil-brook-candle", work_factor=4)])
    locked.write_bytes(seal.armor(file) if armored else file)
    sealed.write_bytes(run("seal", "-r", recipient, photo).stdout)
    question = f"Passphrase of {locked}: "
    code, shown = run_at_terminal("open", "-i", locked, "-o", opened, sealed, answers=[(question, "wrong")])
    assert (code, "This passphrase does not open it." in shown, opened.exists()) == (1, True, False)
    code, shown = run_at_terminal(
        "open", "-i", locked, "-o", opened, sealed, answers=[(question, "anvil-brook-candle")]
    )
    assert (code, "candle" in shown, opened.read_bytes()) == (0, False, PHOTO)


def test_a_sealed_file_does_not_garble_the_terminal(recipient: str, photo: Path) -> None:
    code, shown = run_at_terminal("seal", "-r", recipient, photo, answers=[])
    assert (code, "garble" in shown) == (1, True)
    code, shown = run_at_terminal("seal", "-a", "-r", recipient, photo, answers=[])
    assert (code, "-----END AGE ENCRYPTED FILE-----" in shown) == (0, True)
