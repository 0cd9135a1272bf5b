"""Every C2SP vector ends as it says, however its bytes arrive."""

import hashlib
import io
from collections.abc import AsyncIterator

import pytest

import seal
from seal import SealError
from tests.seal.vectors import NAMES, Vector, class_of, load

vectors = pytest.mark.parametrize("name", NAMES)
# One byte less and more than what the format counts in, and sizes that never line up with it.
steps = pytest.mark.parametrize("step", [7, 63, 4097, 65535, 65552, 65553, 1 << 20])


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_no_vector_is_missing() -> None:
    assert len(NAMES) == 143


@vectors
def test_whole(name: str) -> None:
    vector = load(name)
    if vector.expect == "success":
        assert sha256(seal.open_bytes(vector.file, vector.identities)) == vector.payload
    else:
        with pytest.raises(SealError) as caught:
            seal.open_bytes(vector.file, vector.identities)
        assert class_of(caught.value) == vector.expect


@steps
@vectors
def test_pushed_in_pieces(name: str, step: int) -> None:
    vector = load(name)
    opener = seal.Opener(vector.identities)
    opened = bytearray()
    fault = None
    try:
        for start in range(0, len(vector.file), step):
            opened += opener.update(vector.file[start : start + step])
        opened += opener.finish()
    except SealError as raised:
        fault = raised
        with pytest.raises(type(raised)):  # and it stays so
            opener.update(b"more")
    assert class_of(fault) == vector.expect
    assert_right_output(vector, bytes(opened))


@vectors
def test_from_stream_to_stream(name: str) -> None:
    vector = load(name)
    dst = io.BytesIO()
    fault = None
    try:
        seal.open_stream(io.BytesIO(vector.file), dst, vector.identities)
    except SealError as raised:
        fault = raised
    assert class_of(fault) == vector.expect
    assert_right_output(vector, dst.getvalue())


@vectors
async def test_async(name: str) -> None:
    vector = load(name)
    opened = bytearray()
    fault = None
    try:
        async for piece in seal.open_chunks(arriving(vector.file, 1009), vector.identities):
            assert piece
            opened += piece
    except SealError as raised:
        fault = raised
    assert class_of(fault) == vector.expect
    assert_right_output(vector, bytes(opened))


@pytest.mark.parametrize("name", [name for name in NAMES if load(name).armored])
def test_armor_alone(name: str) -> None:
    vector = load(name)
    if vector.expect == "armor failure":
        with pytest.raises(seal.MalformedError) as caught:
            seal.dearmor(vector.file)
        assert caught.value.part is seal.Part.ARMOR
    else:
        # Canonical but for line ends and white space around it: armored again, it is the same.
        canonical = vector.file.replace(b"\r\n", b"\n").strip() + b"\n"
        assert seal.armor(seal.dearmor(vector.file)) == canonical


def assert_right_output(vector: Vector, opened: bytes) -> None:
    if vector.payload is not None:
        assert sha256(opened) == vector.payload
    elif vector.expect != "armor failure":  # which may come after authentic plaintext
        assert opened == b""


async def arriving(data: bytes, step: int) -> AsyncIterator[bytes]:
    for start in range(0, len(data), step):
        yield data[start : start + step]
