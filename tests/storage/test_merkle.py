"""RFC 6962's tree: its known roots and proofs, and that nothing else passes for them."""

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import merkle
from storage.errors import WrongProofError

# The leaves, roots and proofs by which implementations of RFC 6962 have checked each other from the first.
LEAVES = [bytes.fromhex(leaf) for leaf in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
INCLUSION_0_OF_8 = (
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
)
CONSISTENCY_6_OF_8 = (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)

leaves = st.lists(st.binary(max_size=4), max_size=70)


def hashes_of(data: list[bytes]) -> list[bytes]:
    return [merkle.leaf_hash(leaf) for leaf in data]


def by_the_letter(hashes: list[bytes]) -> bytes:
    """RFC 6962, 2.1, as it is written."""
    if not hashes:
        return hashlib.sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    split = max(1 << power for power in range(10) if 1 << power < len(hashes))
    return hashlib.sha256(b"\x01" + by_the_letter(hashes[:split]) + by_the_letter(hashes[split:])).digest()


@pytest.mark.parametrize("size", range(9))
def test_the_known_roots(size: int) -> None:
    assert merkle.root(hashes_of(LEAVES[:size])).hex() == ROOTS[size]


def test_the_known_proofs() -> None:
    hashes = hashes_of(LEAVES)
    assert [one.hex() for one in merkle.inclusion(hashes, 0)] == list(INCLUSION_0_OF_8)
    assert [one.hex() for one in merkle.consistency(hashes, 6)] == list(CONSISTENCY_6_OF_8)


@given(leaves)
def test_every_way_to_the_root_is_the_letter_of_the_rfc(data: list[bytes]) -> None:
    hashes = hashes_of(data)
    growing = merkle.Growing()
    for one in hashes:
        growing.add(one)
    parts = merkle.subtrees((0, len(hashes)))
    folded = merkle.fold([merkle.root(hashes[i << level : i + 1 << level]) for level, i in parts])
    assert merkle.root(hashes) == growing.root() == folded == by_the_letter(hashes)
    assert growing.size == len(hashes)
    assert len(growing._peaks) <= len(hashes).bit_length()  # the memory of a logarithm


@given(leaves.filter(bool), st.data())
def test_each_leaf_is_proved_to_be_where_it_is_and_nowhere_else(
    data: list[bytes], draw: st.DataObject
) -> None:
    hashes = hashes_of([bytes([number]) + leaf for number, leaf in enumerate(data)])
    index = draw.draw(st.integers(0, len(hashes) - 1))
    proof, root = merkle.inclusion(hashes, index), merkle.root(hashes)
    merkle.verify_inclusion(hashes[index], index, len(hashes), proof, root)
    for other in range(len(hashes)):
        if other != index:
            with pytest.raises(WrongProofError):
                merkle.verify_inclusion(hashes[other], index, len(hashes), proof, root)
            with pytest.raises(WrongProofError):
                merkle.verify_inclusion(hashes[index], other, len(hashes), proof, root)
    for forged in spoiled(draw, [hashes[index], root, *proof]):
        with pytest.raises(WrongProofError):
            merkle.verify_inclusion(forged[0], index, len(hashes), forged[2:], forged[1])


@given(leaves, st.data())
def test_a_log_is_proved_to_begin_with_its_former_self(data: list[bytes], draw: st.DataObject) -> None:
    hashes = hashes_of(data)
    old = draw.draw(st.integers(0, len(hashes)))
    proof = merkle.consistency(hashes, old)
    was, becomes = merkle.root(hashes[:old]), merkle.root(hashes)
    merkle.verify_consistency(old, len(hashes), proof, was, becomes)
    if 0 < old < len(hashes):
        for forged in spoiled(draw, [was, becomes, *proof]):
            with pytest.raises(WrongProofError):
                merkle.verify_consistency(old, len(hashes), forged[2:], forged[0], forged[1])


def spoiled(draw: st.DataObject, proof: list[bytes]) -> list[list[bytes]]:
    """A bit flipped in one of them, one cut short, one too many, one too few."""
    at = draw.draw(st.integers(0, len(proof) - 1))
    byte, bit = draw.draw(st.integers(0, 31)), draw.draw(st.integers(0, 7))
    flipped = bytearray(proof[at])
    flipped[byte] ^= 1 << bit
    ways = [[*proof[:at], bytes(flipped), *proof[at + 1 :]], [*proof[:at], proof[at][1:], *proof[at + 1 :]]]
    ways.append([*proof, proof[-1]])
    if len(proof) > 2:
        ways.append(proof[:-1])
    return ways


@settings(max_examples=200)
@given(st.lists(st.binary(min_size=1, max_size=3), min_size=1, max_size=20), st.data())
def test_whatever_is_done_to_the_leaves_shows_in_the_root(data: list[bytes], draw: st.DataObject) -> None:
    """A flipped bit, a leaf dropped, doubled, moved or put in: the published root is another one."""
    published = merkle.root(hashes_of(data))
    at, to = draw.draw(st.integers(0, len(data) - 1)), draw.draw(st.integers(0, len(data) - 1))
    flipped = bytearray(data[at])
    bit = draw.draw(st.integers(0, 8 * len(flipped) - 1))
    flipped[bit // 8] ^= 1 << bit % 8
    moved = [*data[:at], *data[at + 1 :]]
    moved.insert(to, data[at])
    for changed in (
        [*data[:at], bytes(flipped), *data[at + 1 :]],
        [*data[:at], *data[at + 1 :]],
        [*data[: at + 1], *data[at:]],
        [*data[:to], b"", *data[to:]],
        moved,
    ):
        assert (merkle.root(hashes_of(changed)) == published) == (changed == data)


def test_two_roots_for_one_log_are_a_fork() -> None:
    hashes = hashes_of(LEAVES)
    other = merkle.root(hashes[::-1])
    with pytest.raises(WrongProofError, match="two roots"):
        merkle.verify_consistency(8, 8, [], merkle.root(hashes), other)
    with pytest.raises(WrongProofError, match="two roots"):
        merkle.verify_consistency(0, 8, [], other, merkle.root(hashes))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 3), (3, 3)])
def test_a_leaf_outside_the_log_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(WrongProofError, match="no leaf"):
        merkle.inclusion_spans(index, size)
    with pytest.raises(WrongProofError, match="no leaf"):
        merkle.verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize(("old", "new"), [(4, 3), (-1, 3)])
def test_a_log_never_becomes_shorter(old: int, new: int) -> None:
    with pytest.raises(WrongProofError, match="cannot begin"):
        merkle.verify_consistency(old, new, [], bytes(32), bytes(32))
