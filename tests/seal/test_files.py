"""What is sealed opens again, in any pieces; what was changed in any bit does not."""

import io
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import seal
from seal import (
    HybridIdentity,
    MalformedError,
    Part,
    ScryptIdentity,
    ScryptRecipient,
    SealError,
    TamperedError,
    WrongKeyError,
)
from seal.header import HEADER_LIMIT
from seal.payload import CHUNK, SEALED_CHUNK, TAG
from seal.streams import Machine

OLHA = HybridIdentity.generate()
PETRO = HybridIdentity.generate()
LETTER = b"The bus left Oleshky at six. Forty children, two teachers."
SEALED_LETTER = seal.seal_bytes(LETTER, [OLHA.recipient])

# Around the places where a chunk ends, and anywhere.
lengths = st.one_of(
    st.integers(0, 300),
    st.sampled_from([edge + by for edge in (CHUNK, 2 * CHUNK, 4 * CHUNK) for by in (-1, 0, 1)]),
    st.integers(0, 5 * CHUNK),
)
cuts = st.integers(1, 3 * CHUNK)


def plaintext_of(length: int) -> bytes:
    return bytes(range(251)) * (length // 251) + bytes(length % 251)


def sealed_length(length: int) -> int:
    return length + TAG * max(1, -(-length // CHUNK))


def pushed(machine: Machine, data: bytes, step: int) -> bytes:
    pieces = [machine.update(data[start : start + step]) for start in range(0, len(data), step)]
    return b"".join([*pieces, machine.finish()])


@given(lengths)
@settings(max_examples=60, deadline=None)
def test_what_is_sealed_opens(length: int) -> None:
    plaintext = plaintext_of(length)
    sealed = seal.seal_bytes(plaintext, [OLHA.recipient])
    assert seal.open_bytes(sealed, [OLHA]) == plaintext
    assert len(sealed) - sealed_length(length) == len(SEALED_LETTER) - sealed_length(len(LETTER))


@given(length=lengths, sealed_in=cuts, opened_in=cuts, armored=st.booleans())
@settings(max_examples=60, deadline=None)
def test_cuts_change_nothing(*, length: int, sealed_in: int, opened_in: int, armored: bool) -> None:
    plaintext = plaintext_of(length)
    sealed = pushed(seal.Sealer([OLHA.recipient]), plaintext, sealed_in)
    if armored:
        assert pushed(seal.Armorer(), sealed, sealed_in) == seal.armor(sealed)
        sealed = seal.armor(sealed)
        assert pushed(seal.Dearmorer(), sealed, opened_in) == seal.dearmor(sealed)
    assert pushed(seal.Opener([OLHA]), sealed, opened_in) == plaintext


@given(lengths)
@settings(max_examples=30, deadline=None)
def test_streams(length: int) -> None:
    plaintext = plaintext_of(length)
    sealed, opened = io.BytesIO(), io.BytesIO()
    seal.seal_stream(io.BytesIO(plaintext), sealed, [OLHA.recipient])
    seal.open_stream(io.BytesIO(sealed.getvalue()), opened, [OLHA])
    assert opened.getvalue() == plaintext


@pytest.mark.parametrize("length", [0, 1, CHUNK, CHUNK + 1, 5 * CHUNK - 1])
async def test_async(length: int) -> None:
    async def bits(data: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(data), 40_000):
            yield data[start : start + 40_000]

    plaintext = plaintext_of(length)
    sealed = b"".join([piece async for piece in seal.seal_chunks(bits(plaintext), [OLHA.recipient])])
    assert b"".join([piece async for piece in seal.open_chunks(bits(sealed), [OLHA])]) == plaintext


@given(st.integers(0, len(SEALED_LETTER) * 8 - 1))
@settings(max_examples=300, deadline=None)
def test_no_bit_can_be_flipped(bit: int) -> None:
    changed = bytearray(SEALED_LETTER)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        seal.open_bytes(changed, [OLHA])


@given(st.integers(0, len(seal.armor(SEALED_LETTER)) * 8 - 9))
@settings(max_examples=200, deadline=None)
def test_no_bit_of_the_armor_can_be_flipped(
    bit: int,
) -> None:  # but for the last line feed, which may be another space
    changed = bytearray(seal.armor(SEALED_LETTER))
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(SealError):
        seal.open_bytes(changed, [OLHA])


@given(st.integers(0, len(SEALED_LETTER) - 1))
@settings(max_examples=200, deadline=None)
def test_a_torn_file_is_no_file(kept: int) -> None:
    with pytest.raises((TamperedError, MalformedError)):
        seal.open_bytes(SEALED_LETTER[:kept], [OLHA])


@pytest.mark.parametrize("kept", [SEALED_CHUNK, 2 * SEALED_CHUNK, 3 * SEALED_CHUNK])
def test_torn_where_a_chunk_ends(kept: int) -> None:
    sealed = seal.seal_bytes(bytes(3 * CHUNK + 5), [OLHA.recipient])
    head = len(sealed) - sealed_length(3 * CHUNK + 5)
    with pytest.raises(TamperedError) as caught:
        seal.open_bytes(sealed[: head + kept], [OLHA])
    assert caught.value.part is Part.PAYLOAD


@given(st.binary(min_size=1, max_size=64))
@settings(deadline=None)
def test_nothing_can_be_added(tail: bytes) -> None:
    with pytest.raises(TamperedError) as caught:
        seal.open_bytes(SEALED_LETTER + tail, [OLHA])
    assert caught.value.part is Part.PAYLOAD


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_are_refused_kindly(noise: bytes) -> None:
    for file in (noise, b"age-encryption.org/v1\n" + noise, b"-----BEGIN AGE ENCRYPTED FILE-----\n" + noise):
        with pytest.raises(MalformedError):
            seal.open_bytes(file, [OLHA])


def test_chunks_cannot_change_places() -> None:
    sealed = bytearray(seal.seal_bytes(plaintext_of(3 * CHUNK), [OLHA.recipient]))
    first = len(sealed) - 3 * SEALED_CHUNK
    one, two = slice(first, first + SEALED_CHUNK), slice(first + SEALED_CHUNK, first + 2 * SEALED_CHUNK)
    sealed[one], sealed[two] = sealed[two], sealed[one]
    with pytest.raises(TamperedError):
        seal.open_bytes(sealed, [OLHA])


def test_nothing_that_is_not_authentic_is_handed_out() -> None:
    plaintext = plaintext_of(4 * CHUNK)
    sealed = bytearray(seal.seal_bytes(plaintext, [OLHA.recipient]))
    sealed[-2 * SEALED_CHUNK - 1] ^= 1  # in the second of four chunks
    opener = seal.Opener([OLHA])
    assert opener.update(sealed) == plaintext[:CHUNK]
    for call in (lambda: opener.update(b""), opener.finish):
        with pytest.raises(TamperedError):
            call()


def test_each_of_several_opens_and_a_stranger_does_not() -> None:
    sealed = seal.seal_bytes(LETTER, [OLHA.recipient, PETRO.recipient])
    assert seal.open_bytes(sealed, [OLHA]) == seal.open_bytes(sealed, [PETRO]) == LETTER
    with pytest.raises(WrongKeyError):
        seal.open_bytes(sealed, [HybridIdentity.generate()])
    assert seal.open_bytes(sealed, [HybridIdentity.generate(), PETRO]) == LETTER


def test_a_removed_recipient_is_noticed() -> None:
    sealed = seal.seal_bytes(LETTER, [OLHA.recipient, PETRO.recipient])
    first, second = (at for at in range(len(sealed)) if sealed.startswith(b"-> ", at))
    with pytest.raises(TamperedError) as caught:
        seal.open_bytes(sealed[:first] + sealed[second:], [PETRO])
    assert caught.value.part is Part.MAC


def test_two_files_of_one_plaintext_share_nothing() -> None:
    other = seal.seal_bytes(LETTER, [OLHA.recipient])
    assert other[-len(LETTER) - 32 :] != SEALED_LETTER[-len(LETTER) - 32 :]


def test_passphrase() -> None:
    sealed = seal.seal_bytes(LETTER, [ScryptRecipient("шість слів", work_factor=4)])
    assert seal.open_bytes(sealed, [ScryptIdentity("шість слів")]) == LETTER
    with pytest.raises(WrongKeyError):
        seal.open_bytes(sealed, [ScryptIdentity("шість сліз")])
    with pytest.raises(WrongKeyError, match="passphrase"):
        seal.open_bytes(sealed, [OLHA])


def test_too_much_work_is_refused_before_it_is_done() -> None:
    sealed = seal.seal_bytes(LETTER, [ScryptRecipient("six words", work_factor=6)])
    with pytest.raises(MalformedError):
        seal.open_bytes(sealed, [ScryptIdentity("six words", max_work_factor=5)])


@pytest.mark.parametrize("work_factor", [-1, 0, 31])
def test_impossible_work_factors(work_factor: int) -> None:
    with pytest.raises(ValueError, match="work factor"):
        ScryptRecipient("six words", work_factor)


def test_an_empty_passphrase_seals_nothing() -> None:
    with pytest.raises(ValueError, match="empty"):
        ScryptRecipient("")


def test_nobody_is_no_recipient() -> None:
    with pytest.raises(ValueError, match="nobody"):
        seal.seal_bytes(LETTER, [])


def test_no_key_is_no_way_to_open() -> None:
    with pytest.raises(ValueError, match="no key"):
        seal.open_bytes(SEALED_LETTER, [])


def test_a_passphrase_stands_alone() -> None:
    with pytest.raises(ValueError, match="only recipient"):
        seal.seal_bytes(LETTER, [OLHA.recipient, ScryptRecipient("six words", 4)])


def test_a_finished_file_takes_nothing_more() -> None:
    sealer, opener = seal.Sealer([OLHA.recipient]), seal.Opener([OLHA])
    opener.update(sealer.finish())
    opener.finish()
    for call in (sealer.finish, opener.finish, lambda: sealer.update(b"a"), lambda: opener.update(b"a")):
        with pytest.raises(ValueError, match="finished"):
            call()


def test_a_header_without_end_is_not_read_to_its_end() -> None:
    opener = seal.Opener([OLHA])
    opener.update(b"age-encryption.org/v1\n-> ")
    for _ in range(HEADER_LIMIT // 65536 - 1):
        opener.update(b"a" * 65536)
    with pytest.raises(MalformedError) as caught:
        opener.update(b"a" * 65536)
    assert caught.value.part is Part.HEADER


def test_no_header_is_written_that_could_not_be_read() -> None:
    with pytest.raises(ValueError, match="so many"):
        seal.seal_bytes(LETTER, [OLHA.recipient] * 700)
    many = [OLHA.recipient] * 640
    assert seal.open_bytes(seal.seal_bytes(LETTER, many), [OLHA]) == LETTER
