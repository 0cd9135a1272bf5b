"""Sealed values open where they were written and nowhere else; a destroyed day's secret opens nothing, ever."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.errors import LapsedError, SettingError, SwappedRowError
from storage.secrets import SECRET_SIZE, DaySealed, DaySecrets, ProcessSecret, Row

PROJECT = Path(__file__).parents[2]
TODAY = date(2031, 5, 6)
ROW = Row("drafts", b"id", 3)

# Waits at a gate with others, then makes or reads the day's secret and prints what it seals with it.
MAKER = """
import sys
from datetime import date
from pathlib import Path
from storage.secrets import DaySecrets, Row
days = DaySecrets(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
value = days.seal(date(2031, 5, 6), Row("drafts", b"id", 3), b"from " + sys.argv[2].encode())
print(value.salt.hex(), value.sealed.hex(), flush=True)
"""


@pytest.fixture
def days(tmp_path: Path) -> DaySecrets:
    return DaySecrets(tmp_path / "days")


@pytest.mark.parametrize(
    "elsewhere",
    [
        Row("outgoing", b"id", 3),
        Row("drafts", b"another", 3),
        Row("drafts", b"id", 2),
        Row("drafts", b"id", 4),
        Row("drafts", b"", 3),
        Row("drafts\0003\0id", b"", 3),
    ],
)
def test_a_value_opens_only_where_it_stands(elsewhere: Row, days: DaySecrets) -> None:
    value, secret = days.seal(TODAY, ROW, b"words"), ProcessSecret(os.urandom(SECRET_SIZE))
    kept = secret.seal(ROW, b"words")
    assert days.open(ROW, value) == secret.open(ROW, kept) == b"words"
    with pytest.raises(SwappedRowError):
        days.open(elsewhere, value)
    with pytest.raises(SwappedRowError):
        secret.open(elsewhere, kept)


@given(
    one=st.builds(Row, st.text("abc\0", max_size=4), st.binary(max_size=4), st.integers(0, 3)),
    other=st.builds(Row, st.text("abc\0", max_size=4), st.binary(max_size=4), st.integers(0, 3)),
)
def test_no_two_tables_of_ours_share_associated_data(one: Row, other: Row) -> None:
    """Names of tables hold no NUL: then what stands before the first one is the table, and so on."""
    if "\0" not in one.table + other.table:
        assert (one.associated_data() == other.associated_data()) == (one == other)


@pytest.mark.parametrize("position", [0, 12, -1])
def test_a_changed_byte_is_noticed(position: int, days: DaySecrets) -> None:
    value, secret = days.seal(TODAY, ROW, b"words" * 4), ProcessSecret(os.urandom(SECRET_SIZE))
    with pytest.raises(SwappedRowError):
        days.open(ROW, DaySealed(value.day, value.salt, _flipped(value.sealed, position)))
    with pytest.raises(SwappedRowError):
        days.open(ROW, DaySealed(value.day, _flipped(value.salt, position), value.sealed))
    with pytest.raises(SwappedRowError):
        secret.open(ROW, _flipped(secret.seal(ROW, b"words" * 4), position))
    for torn in (b"", b"short", value.sealed[:-1]):
        with pytest.raises(SwappedRowError):
            days.open(ROW, DaySealed(value.day, value.salt, torn))
        with pytest.raises(SwappedRowError):
            secret.open(ROW, torn)


def _flipped(data: bytes, position: int) -> bytes:
    changed = bytearray(data)
    changed[position] ^= 1
    return bytes(changed)


def test_a_value_of_another_day_does_not_open(days: DaySecrets) -> None:
    value = days.seal(TODAY, ROW, b"words")
    days.seal(TODAY - timedelta(days=1), ROW, b"words")  # that day has a secret too
    with pytest.raises(SwappedRowError):
        days.open(ROW, DaySealed(TODAY - timedelta(days=1), value.salt, value.sealed))


def test_every_write_has_a_fresh_salt_and_tells_nothing(days: DaySecrets) -> None:
    values = [days.seal(TODAY, ROW, b"the very same words") for _ in range(200)]
    assert len({value.salt for value in values}) == len({value.sealed for value in values}) == len(values)


def test_a_mac_is_one_for_each_context_and_secret() -> None:
    one, other = ProcessSecret(os.urandom(SECRET_SIZE)), ProcessSecret(os.urandom(SECRET_SIZE))
    assert one.mac("chat", b"12") == one.mac("chat", b"12")
    assert len({one.mac("chat", b"12"), one.mac("update", b"12"), other.mac("chat", b"12")}) == 3


def test_a_destroyed_secret_never_opens_again(tmp_path: Path) -> None:
    days, beside = DaySecrets(tmp_path / "days"), DaySecrets(tmp_path / "days")
    old, kept = days.seal(TODAY, ROW, b"words"), days.seal(TODAY + timedelta(days=1), ROW, b"later")
    assert beside.open(ROW, old) == b"words"  # another process holds it in memory by now
    secret = (tmp_path / "days" / TODAY.isoformat()).read_bytes()

    assert days.destroy_before(TODAY + timedelta(days=1)) == [TODAY]
    assert beside.destroy_before(TODAY + timedelta(days=1)) == []
    for reader in (days, beside, DaySecrets(tmp_path / "days")):
        with pytest.raises(LapsedError):
            reader.open(ROW, old)
        assert reader.open(ROW, kept) == b"later"
    left = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert secret not in left
    assert not (tmp_path / "days" / TODAY.isoformat()).exists()  # and asking has not made another


def test_the_bytes_of_a_destroyed_secret_are_overwritten(tmp_path: Path) -> None:
    days = DaySecrets(tmp_path / "days")
    days.seal(TODAY, ROW, b"words")
    path = tmp_path / "days" / TODAY.isoformat()
    before = path.read_bytes()
    os.link(path, tmp_path / "what the disk still holds")
    days.destroy_before(TODAY + timedelta(days=1))
    assert (tmp_path / "what the disk still holds").read_bytes() != before


def test_another_process_may_destroy_at_the_same_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bots share the folder; the one that comes second finds nothing and goes on."""
    days = DaySecrets(tmp_path / "days")
    days.seal(TODAY, ROW, b"words")
    days.seal(TODAY + timedelta(days=1), ROW, b"words")
    real: Callable[[Path], None] = Path.unlink

    def first_somebody_else(path: Path) -> None:
        real(path)
        real(path)  # as if the other had been faster

    monkeypatch.setattr(Path, "unlink", first_somebody_else)
    assert days.destroy_before(TODAY + timedelta(days=9)) == []
    assert list((tmp_path / "days").iterdir()) == []


def test_files_are_for_their_user_alone(tmp_path: Path) -> None:
    DaySecrets(tmp_path / "bot" / "days").seal(TODAY, ROW, b"words")
    ProcessSecret.at(tmp_path / "bot" / "secret")
    secrets = [tmp_path / "bot" / "secret", tmp_path / "bot" / "days" / TODAY.isoformat()]
    assert [path.stat().st_mode & 0o777 for path in secrets] == [0o600, 0o600]
    assert [path.stat().st_size for path in secrets] == [SECRET_SIZE, SECRET_SIZE]
    assert (tmp_path / "bot" / "days").stat().st_mode & 0o777 == 0o700
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path not in secrets] == []


@pytest.mark.parametrize("wrong", [b"", b"short", bytes(33)])
def test_a_torn_secret_file_is_refused_by_name(wrong: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(mode=0o600)
    path.write_bytes(wrong)
    with pytest.raises(SettingError, match="secret: a secret file holds 32 bytes"):
        ProcessSecret.at(path)


def test_a_secret_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    ProcessSecret.at(tmp_path / "secret")
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(SettingError, match="by its user alone"):
        ProcessSecret.at(tmp_path / "secret")


def test_a_secret_does_not_show_itself(tmp_path: Path) -> None:
    secret = ProcessSecret.at(tmp_path / "secret")
    assert repr(secret) == str(secret) == "ProcessSecret(hidden)"


def test_processes_that_make_a_days_secret_at_once_agree(tmp_path: Path) -> None:
    folder = tmp_path / "days"
    makers = [
        subprocess.Popen(
            [sys.executable, "-c", MAKER, str(folder), str(number)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    sealed = []
    for maker in makers:
        assert maker.stdout is not None
        assert maker.stdout.readline() == "ready\n"
    for maker in makers:  # all wait at the gate: now
        assert maker.stdin is not None
        maker.stdin.write("go\n")
        maker.stdin.flush()
    for maker in makers:
        out, _ = maker.communicate(timeout=30)
        salt, value = map(bytes.fromhex, out.split())
        sealed.append(DaySealed(TODAY, salt, value))
    days = DaySecrets(folder)
    assert [days.open(ROW, value) for value in sealed] == [b"from %d" % number for number in range(4)]
    assert [path.name for path in folder.iterdir()] == [TODAY.isoformat()]
