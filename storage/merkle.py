"""The tree over the custody log: RFC 6962, section 2, so that a root of 32 bytes holds every leaf in its place.

    root([leaf_hash(data) for data in leaves])
    proof = inclusion(hashes, index)
    verify_inclusion(leaf_hash(data), index, len(hashes), proof, root(hashes))

A leaf's hash is SHA-256(0x00 || leaf), a node's SHA-256(0x01 || left || right), the empty tree's SHA-256 of
nothing. Pure: where the hashes are kept is told by `storage.proofs`, which asks here only which of them a proof
is made of (`inclusion_spans`, `consistency_spans`, `subtrees`).
"""

import hashlib
from collections.abc import Sequence

from storage.errors import WrongProofError

HASH_SIZE = 32  # bytes
TILE_LEVELS = 8
TILE = 1 << TILE_LEVELS  # hashes (c2sp.org/tlog-tiles)
EMPTY = hashlib.sha256().digest()

_LEAF, _NODE = b"\x00", b"\x01"  # so that no leaf can pass for a node

Span = tuple[int, int]
"""Leaves from the first index to before the second."""
Subtree = tuple[int, int]
"""(level, number): the complete subtree over the leaves from number << level to before (number + 1) << level."""


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || leaf): 32 bytes."""
    return hashlib.sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): 32 bytes."""
    return hashlib.sha256(_NODE + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes; `EMPTY` of none."""
    level = list(hashes)
    if not level:
        return EMPTY
    while len(level) > 1:
        # The last of an odd number goes up as it is: so it comes to stand where the RFC's recursion puts it.
        pairs = zip(level[::2], level[1::2], strict=False)
        level = [node_hash(left, right) for left, right in pairs] + level[len(level) & ~1 :]
    return level[0]


class Growing:
    """A tree that only grows, in memory of O(log n): the roots of its complete subtrees, the widest first."""

    def __init__(self) -> None:
        self.size = 0
        self._peaks: list[bytes] = []

    def add(self, leaf: bytes) -> None:
        """One more leaf, by its hash."""
        here = leaf
        for _ in range((self.size + 1 & -(self.size + 1)).bit_length() - 1):
            here = node_hash(self._peaks.pop(), here)
        self._peaks.append(here)
        self.size += 1

    def root(self) -> bytes:
        """The root over all that was added."""
        return fold(self._peaks)


# ---- which hashes a proof is made of -------------------------------------------------------------


def subtrees(span: Span) -> list[Subtree]:
    """The complete subtrees that a span consists of, from the left; folded (`fold`) they are its root.

    The span is one of `inclusion_spans` or `consistency_spans`, or begins at 0.
    """
    found, (at, end) = [], span
    while at < end:
        level = (end - at).bit_length() - 1
        found.append((level, at >> level))
        at += 1 << level
    return found


def fold(peaks: Sequence[bytes]) -> bytes:
    """The root over complete subtrees that stand side by side, the widest first; `EMPTY` of none."""
    if not peaks:
        return EMPTY
    *rest, here = peaks
    for peak in reversed(rest):
        here = node_hash(peak, here)
    return here


def inclusion_spans(index: int, size: int) -> list[Span]:
    """The spans whose roots prove leaf `index` in a tree of `size`, from the leaf upwards (RFC 6962, 2.1.1)."""
    if not 0 <= index < size:
        raise WrongProofError(f"there is no leaf {index} in a log of {size}")
    spans, low, high = [], 0, size
    while high - low > 1:
        middle = low + _left(high - low)
        if index < middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """The spans whose roots prove that a tree of `new` begins with that of `old` (RFC 6962, 2.1.2)."""
    if not 0 <= old <= new:
        raise WrongProofError(f"a log of {new} cannot begin with one of {old}")
    if old in {0, new}:
        return []
    spans, low, high = [], 0, new
    while old != high:
        middle = low + _left(high - low)
        if old <= middle:
            spans.append((middle, high))
            high = middle
        else:
            spans.append((low, middle))
            low = middle
    if low > 0:  # the whole old tree is known to who asks; a part of it is not
        spans.append((low, high))
    return spans[::-1]


def _left(size: int) -> int:
    """The largest power of two smaller than `size`."""
    return 1 << (size - 1).bit_length() - 1


# ---- proofs --------------------------------------------------------------------------------------


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The proof that leaf `index` is in the tree over these leaf hashes."""
    return [root(hashes[low:high]) for low, high in inclusion_spans(index, len(hashes))]


def consistency(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The proof that the tree over these leaf hashes begins with that over the first `old`."""
    return [root(hashes[low:high]) for low, high in consistency_spans(old, len(hashes))]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], of: bytes) -> None:
    """Raises WrongProofError unless the leaf of this hash is number `index` of the `size` under the root `of`."""
    spans = inclusion_spans(index, size)
    _must_be_hashes([leaf, of, *proof])
    if len(spans) != len(proof):
        raise WrongProofError(f"a proof of {len(spans)} hashes was due, this has {len(proof)}")
    here = leaf
    for (low, _), beside in zip(spans, proof, strict=True):
        here = node_hash(here, beside) if low > index else node_hash(beside, here)
    if here != of:
        raise WrongProofError("the leaf is not in the log under this root")


def verify_consistency(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> None:
    """Raises WrongProofError unless the log of `new` leaves under `new_root` begins with that under `old_root`."""
    spans = consistency_spans(old, new)
    _must_be_hashes([old_root, new_root, *proof])
    if len(spans) != len(proof):
        raise WrongProofError(f"a proof of {len(spans)} hashes was due, this has {len(proof)}")
    if (old == 0 and old_root != EMPTY) or (old == new and old_root != new_root):
        raise WrongProofError("two roots for one log")
    if not old or old == new:
        return
    steps = list(zip(spans, proof, strict=True))
    # Where the walk begins: at the last complete part of the old tree, or at the whole of it.
    was = becomes = old_root
    if spans[0][1] == old:
        (_, was), *steps = steps
        becomes = was
    for (low, _), beside in steps:
        becomes = node_hash(becomes, beside) if low >= old else node_hash(beside, becomes)
        if low < old:
            was = node_hash(beside, was)
    if was != old_root:
        raise WrongProofError("the log does not begin with the one of the older root")
    if becomes != new_root:
        raise WrongProofError("the log under the newer root is another one")


def _must_be_hashes(given: Sequence[bytes]) -> None:
    if any(len(one) != HASH_SIZE for one in given):
        raise WrongProofError(f"a hash has {HASH_SIZE} bytes")
