"""Signed notes, checkpoints and cosignatures: as others write them, and nothing forged is taken for one."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from storage import notes
from storage.errors import ForgedNoteError, MalformedNoteError, UnsignedNoteError
from storage.notes import Checkpoint, Signer

# What the documentation of Go's sumdb/note shows.
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
GO_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
GO_LINE = (
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
LOG = Signer("log.example/dodomu", Ed25519PrivateKey.from_private_bytes(bytes(32)))
WITNESS = Signer("witness.example/w1", Ed25519PrivateKey.from_private_bytes(bytes([1] * 32)))
HEAD = Checkpoint(LOG.name, 20852163, bytes(range(32)))
NOTE = notes.sign(HEAD.text(), LOG)


def test_a_note_is_byte_for_byte_what_go_writes() -> None:
    signer = Signer("PeterNeumann", Ed25519PrivateKey.from_private_bytes(GO_SEED))
    assert signer.vkey == GO_VKEY
    assert notes.sign(GO_TEXT, signer) == f"{GO_TEXT}\n{GO_LINE}".encode()
    assert notes.verify(f"{GO_TEXT}\n{GO_LINE}".encode(), [GO_VKEY]) == GO_TEXT


def test_a_checkpoint_there_and_back() -> None:
    text = notes.verify(NOTE, [LOG.vkey])
    assert text == "log.example/dodomu\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert Checkpoint.parse(text) == HEAD
    assert Checkpoint.parse(text + "a line that extends it\n") == HEAD


@given(st.integers(0, notes.SIZE_MAX), st.binary(min_size=32, max_size=32))
def test_every_checkpoint_comes_back(size: int, root: bytes) -> None:
    head = Checkpoint(LOG.name, size, root)
    assert Checkpoint.parse(notes.verify(notes.sign(head.text(), LOG), [LOG.vkey])) == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        "log.example\n1\n",
        f"\n1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log.example\n01\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log.example\n-1\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log.example\n١\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log.example\n{2**63}\n{base64.b64encode(bytes(32)).decode()}\n",
        f"log.example\n1\n{base64.b64encode(bytes(31)).decode()}\n",
        f"log.example\n1\n{base64.b64encode(bytes(32)).decode()}",
        f"log.example\n1\n{base64.b64encode(bytes(32)).decode().rstrip('=')}\n",
        f"log.example\n1\n{base64.b64encode(bytes(32)).decode()[:-2]}B=\n",
        f"log.example\n1\n{base64.b64encode(bytes(32)).decode()}\n\nmore\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedNoteError):
        Checkpoint.parse(text)


@given(st.integers(0, len(NOTE) * 8 - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    flipped = bytearray(NOTE)
    flipped[bit // 8] ^= 1 << bit % 8
    with pytest.raises((MalformedNoteError, UnsignedNoteError, ForgedNoteError)):
        notes.verify(bytes(flipped), [LOG.vkey])


def test_a_signature_of_someone_else_is_ignored_and_not_enough() -> None:
    other = Signer("log.example/other", Ed25519PrivateKey.generate())
    both = NOTE + notes.sign(HEAD.text(), other).rpartition(b"\n\n")[2]
    assert notes.verify(both, [LOG.vkey]) == HEAD.text()
    with pytest.raises(UnsignedNoteError):
        notes.verify(notes.sign(HEAD.text(), other), [LOG.vkey])
    with pytest.raises(UnsignedNoteError):
        notes.verify(NOTE, [])


def test_a_name_alone_proves_nothing() -> None:
    """Another key under the log's name is not the log's; under its name and id it is a forgery."""
    namesake = Signer(LOG.name, Ed25519PrivateKey.generate())
    with pytest.raises(UnsignedNoteError):
        notes.verify(notes.sign(HEAD.text(), namesake), [LOG.vkey])
    forged = Checkpoint(LOG.name, 5, HEAD.root).text().encode() + b"\n" + NOTE.rpartition(b"\n\n")[2]
    with pytest.raises(ForgedNoteError, match=r"log\.example/dodomu"):
        notes.verify(forged, [LOG.vkey])
    with pytest.raises(ForgedNoteError):  # a good signature beside a forged one does not mend it
        notes.verify(forged + notes.sign(Checkpoint(LOG.name, 5, HEAD.root).text(), LOG).rpartition(b"\n\n")[2],
                     [LOG.vkey])  # fmt: skip


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"text\n",
        b"text\n\n",
        b"text\n\n\n",
        NOTE[:-1],
        NOTE + b"\n",
        NOTE.replace("—".encode(), b"-"),
        NOTE + b"a line of something else\n",
        NOTE + "— name\n".encode(),
        NOTE + "— name \n".encode(),
        NOTE + "— name AAAA\n".encode(),
        NOTE + "— name AAAAAB==\n".encode(),
        NOTE + "— na+me AAAAAAA=\n".encode(),
        NOTE + "— na\u00a0me AAAAAAA=\n".encode(),
        NOTE.replace(b"\n", b"\r\n"),
        b"\xff" + NOTE,
        b"\0" + NOTE,
        NOTE + "— name AAAAAAA=\n".encode() * notes.SIGNATURES_MAX,
        b"text\n" * 200_000 + NOTE,
    ],
)
def test_what_is_no_note_is_refused(note: bytes) -> None:
    with pytest.raises(MalformedNoteError):
        notes.verify(note, [LOG.vkey])


def test_what_nobody_could_read_is_not_signed() -> None:
    with pytest.raises(MalformedNoteError):
        notes.sign("a bell \a\n", LOG)
    with pytest.raises(MalformedNoteError):
        Signer("two words", Ed25519PrivateKey.generate())


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        LOG.vkey.replace("log", "lag"),
        LOG.vkey.replace("+", " ", 1),
        LOG.vkey[:-4],
        LOG.witness_vkey,
        "log.example+00000000+" + base64.b64encode(bytes(33)).decode(),
    ],
)
def test_a_mistyped_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedNoteError):
        notes.verify(NOTE, [vkey])


# ---- witnesses -------------------------------------------------------------------------------------


def test_a_witness_says_when_it_saw_the_head() -> None:
    cosigned = NOTE + notes.cosign(NOTE, WITNESS, at=1_679_315_147)
    assert notes.cosigners(cosigned, [WITNESS.witness_vkey]) == {WITNESS.name: 1_679_315_147}
    assert notes.verify(cosigned, [LOG.vkey]) == HEAD.text()
    assert notes.cosigners(NOTE, [WITNESS.witness_vkey]) == {}
    assert notes.cosigners(cosigned, []) == {}


def test_a_cosignature_as_the_standard_writes_it() -> None:
    """The message that is signed, put together by hand."""
    line = notes.cosign(NOTE, WITNESS, at=1_679_315_147).decode()
    dash, name, encoded = line.rstrip("\n").split(" ")
    raw = base64.b64decode(encoded)
    assert (dash, name) == ("—", WITNESS.name)
    assert raw[4:12] == (1_679_315_147).to_bytes(8, "big")
    WITNESS.key.public_key().verify(raw[12:], b"cosignature/v1\ntime 1679315147\n" + HEAD.text().encode())


def test_a_cosignature_is_no_signature_of_the_log() -> None:
    line = notes.cosign(NOTE, WITNESS, at=1)
    only = HEAD.text().encode() + b"\n" + line
    with pytest.raises(UnsignedNoteError):
        notes.verify(only, [Signer(WITNESS.name, WITNESS.key).vkey])
    with pytest.raises(MalformedNoteError, match="of a log"):
        notes.verify(only, [WITNESS.witness_vkey])
    with pytest.raises(MalformedNoteError, match="of a witness"):
        notes.cosigners(only, [LOG.vkey])


@given(st.data())
def test_any_flipped_bit_of_a_cosignature_is_refused_or_of_nobody(draw: st.DataObject) -> None:
    line = notes.cosign(NOTE, WITNESS, at=1_679_315_147)
    bit = draw.draw(st.integers(0, len(line) * 8 - 1))
    flipped = bytearray(line)
    flipped[bit // 8] ^= 1 << bit % 8
    try:
        assert notes.cosigners(NOTE + bytes(flipped), [WITNESS.witness_vkey]) == {}
    except (MalformedNoteError, ForgedNoteError):
        return


def test_a_cosignature_of_another_head_is_a_forgery() -> None:
    other = notes.sign(Checkpoint(LOG.name, 1, bytes(32)).text(), LOG)
    with pytest.raises(ForgedNoteError):
        notes.cosigners(NOTE + notes.cosign(other, WITNESS, at=1), [WITNESS.witness_vkey])
    with pytest.raises(ForgedNoteError, match="no time"):
        notes.cosign(NOTE, WITNESS, at=2**63)
