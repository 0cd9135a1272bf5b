"""Lengths after padding say little, and cost little."""

import json

from hypothesis import given
from hypothesis import strategies as st

from seal import padding

lengths = st.integers(0, 1 << 42)


@given(lengths)
def test_padme_is_never_shorter_and_costs_at_most_an_eighth(length: int) -> None:
    padded = padding.padme(length)
    assert length <= padded <= length * 1.125
    assert padding.padme(padded) == padded


@given(lengths, lengths)
def test_order_is_kept(one: int, other: int) -> None:
    shorter, longer = sorted((one, other))
    assert padding.padme(shorter) <= padding.padme(longer)


@given(lengths)
def test_few_bits_remain(length: int) -> None:
    padded = padding.padme(length)
    exponent = max(padded, 1).bit_length() - 1
    significant = len(f"{padded:b}".rstrip("0"))
    assert significant <= exponent.bit_length() + 1


def test_known_lengths() -> None:
    # By hand from the paper's definition: E = floor(log2 L), S = floor(log2 E) + 1, the last E - S bits zero.
    known = {
        0: 0,
        1: 1,
        2: 2,
        8: 8,
        9: 10,
        1000: 1024,
        4097: 4352,
        20 << 20: 20 << 20,
        (20 << 20) + 1: (20 << 20) + (512 << 10),
    }
    assert {length: padding.padme(length) for length in known} == known


def test_at_least_four_kib() -> None:
    assert [padding.padded_length(length) for length in (0, 1, 4095, 4096, 4097)] == [4096] * 4 + [4352]


@given(st.integers(0, 100_000))
def test_files(length: int) -> None:
    assert length + padding.pad_tail(length) == padding.padded_length(length)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=2000), max_size=5))
def test_json_reads_the_same(body: dict[str, str]) -> None:
    data = json.dumps(body).encode()
    padded = padding.pad_json(data)
    assert json.loads(padded) == body
    assert len(padded) == padding.padded_length(len(data))
