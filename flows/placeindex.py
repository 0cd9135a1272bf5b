"""Names found by their keys: exactly, in another case, begun, spelled as a neighbour would, or with one slip.

Rows are numbers, the best known lowest; what they mean is the caller's affair. How near an answer is comes with it, so
that a guess is never shown above a name that was written as it is.

    index = Index(own={"харцизк": [0]}, other={}, towns=1)
    index.named(("харцизка",))     # (Nearness.INFLECTED, [0])
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from enum import IntEnum
from functools import cached_property
from heapq import nsmallest
from itertools import chain, islice, product
from typing import Final, NamedTuple

from flows import placenames

PREFIX_LEAST: Final = 4  # letters before a name may be completed
SLIP_LEAST: Final = 5  # letters before one may be wrong
WITHIN_LEAST: Final = 4  # letters of a name in a sentence
TWO: Final = 2
TWO_SLIPS_LEAST: Final = 9  # letters before two may be
SLIP_MOST: Final = 30  # letters of the longest name in which one is looked for
BONES_LEAST: Final = 2  # consonants before vowels may differ
SCAN_CAP: Final = 400  # keys looked through for one prefix or skeleton
COMPLETED_MOST: Final = 20  # names that a beginning is completed to
MISSPELLED_CASES_CAP: Final = 12  # cases tried of a name that is misspelled besides
FEW: Final = 500  # names
CASES_CAP: Final = 400  # combinations of cases tried for a name of several words
GUESS_LEAST: Final = 6  # letters of a word in a sentence that may be misspelled


class Nearness(IntEnum):
    """How an answer was reached, nearest first."""

    EXACT = 0
    INFLECTED = 1
    COMPLETED = 2
    RESPELLED = 3
    SLIPPED = 4
    WITHIN = 5  # in a sentence
    GUESSED = 6  # in a sentence, and misspelled
    NOT = 9


Found = tuple[Nearness, list[int]]
NOTHING: Final[Found] = (Nearness.NOT, [])


class Skipped(NamedTuple):
    """Keys of words that are no name by themselves, and of those with which no name begins or ends."""

    words: frozenset[str]
    edges: frozenset[str]


class Index:
    """Keys of names, the present ones before older and other ones, each with the rows that bear it."""

    def __init__(self, own: Mapping[str, list[int]], other: Mapping[str, list[int]], *, towns: int) -> None:
        """Keep the keys; rows below `towns` are known well enough to be guessed at in a sentence."""
        self._own = own
        self._other = other
        self._towns = towns

    def exact(self, key: str) -> list[int]:
        """The rows that bear this name now, then those that bore it or are also called so."""
        return [*self._own.get(key, ()), *self._other.get(key, ())]

    def inflected(self, words: Sequence[str]) -> list[int]:
        """The rows of names of which these words may be an oblique case."""
        return [row for key in _nominatives(words) for row in self._best(key)]

    def named(self, words: Sequence[str], *, oblique: bool = False) -> Found:
        """The rows of this name, as it is or in another case; an oblique one is as likely the one as the other."""
        key = placenames.joined(words)
        exact, cases = self.exact(key), self.inflected(words)
        if exact:
            rows = sorted({*exact, *cases}) if oblique else [*exact, *sorted(cases)]
            return Nearness.EXACT, list(dict.fromkeys(rows))
        return (Nearness.INFLECTED, sorted(set(cases))) if cases else NOTHING

    def alike(self, key: str) -> Found:
        """The rows of names that begin so; else are spelled almost so; else differ by one letter."""
        rows = self._completed(key)
        return (Nearness.COMPLETED, rows) if rows else self.misspelled(key)

    def misspelled(self, key: str) -> Found:
        """The rows of names that are spelled almost so; else differ by a letter; else of long ones of towns, by two."""
        found = self._almost(key)
        if found is NOTHING and (rows := self._slipped_twice(key)):
            return Nearness.SLIPPED, rows
        return found

    def misspelled_in_any_case(self, words: Sequence[str], *, least: int) -> Found:
        """The same, of a name that is in another case besides; of names too short for both, none."""
        found = NOTHING
        for key in islice(chain([placenames.joined(words)], _nominatives(words)), MISSPELLED_CASES_CAP):
            if least <= len(key) <= SLIP_MOST:
                found = min(found, self._almost(key))
        return found

    def within(self, words: Sequence[str], skip: Skipped, marked: frozenset[str]) -> Found:
        """The rows of names inside a sentence: the longest runs of words that are one, in any case.

        A single word that is not `marked` as a name is taken for a town only, never for a village.
        """
        for length in (3, 2, 1):
            found: set[int] = set()
            for at in range(len(words) - length + 1):
                run = words[at : at + length]
                if len(placenames.joined(run)) >= WITHIN_LEAST and skip.edges.isdisjoint((run[0], run[-1])):
                    named = length > 1 or run[0] in marked
                    found.update(row for row in self._run(run, skip) if named or row < self._towns)
            if found:
                return Nearness.WITHIN, sorted(found)
        return NOTHING

    def _run(self, words: Sequence[str], skip: Skipped) -> Iterator[int]:
        key = placenames.joined(words)
        if key not in skip.words:
            yield from self.exact(key)
            for case in _nominatives(words):
                if case not in skip.words:
                    yield from self._best(case)

    def guessed(self, words: Sequence[str]) -> Found:
        """The rows of towns that a word of a sentence may be, misspelled."""
        found: set[int] = set()
        for word in words:
            rows = self.misspelled_in_any_case((word,), least=GUESS_LEAST)[1]
            found.update(row for row in rows if row < self._towns)
        return (Nearness.GUESSED, sorted(found)) if found else NOTHING

    def _best(self, key: str) -> list[int]:
        return self._own.get(key) or self._other.get(key, [])

    @cached_property
    def _keys(self) -> list[str]:
        return sorted(self._own.keys() | self._other.keys())

    @cached_property
    def _skeletons(self) -> Mapping[str, list[str]]:
        skeletons: dict[str, list[str]] = {}
        bones = placenames.skeleton("\n".join(self._keys)).split("\n")
        for bone, key in zip(bones, self._keys, strict=True):
            skeletons.setdefault(bone, []).append(key)
        return skeletons

    def _completed(self, key: str) -> list[int]:
        if len(key) < PREFIX_LEAST:
            return []
        start = bisect_left(self._keys, key)
        longer = islice(self._keys, start, start + SCAN_CAP)
        return nsmallest(
            COMPLETED_MOST, {row for each in longer if each.startswith(key) for row in self._best(each)}
        )

    def _respelled(self, key: str) -> list[int]:
        """Names with the same consonants whose vowels differ as neighbouring languages' do."""
        bones = placenames.skeleton(key)
        most = min(3, len(key) // 3)
        if len(bones) < BONES_LEAST or len(key) > SLIP_MOST:
            return []
        near = [
            (placenames.slips(key, each, most), row)
            for each in self._skeletons.get(bones, ())[:SCAN_CAP]
            for row in self._best(each)
        ]
        return [row for slips, row in sorted(near) if slips <= most]

    def _almost(self, key: str) -> Found:
        if rows := self._respelled(key):
            return Nearness.RESPELLED, rows
        rows = self._slipped(key)
        return (Nearness.SLIPPED, rows) if rows else NOTHING

    def _slipped(self, key: str) -> list[int]:
        if not SLIP_LEAST <= len(key) <= SLIP_MOST:
            return []
        if len(self._keys) < FEW:  # a look at each is cheaper than all slips
            return sorted(
                {
                    row
                    for each in self._keys
                    if placenames.slips(key, each, 1) <= 1
                    for row in self._best(each)
                }
            )
        return sorted({row for each in placenames.one_slip(key) for row in self._best(each)})

    @cached_property
    def _towns_by_length(self) -> Mapping[int, list[tuple[str, int]]]:
        by_length: dict[int, list[tuple[str, int]]] = {}
        for names in (self._own, self._other):
            for key, rows in names.items():
                if rows[0] < self._towns:
                    by_length.setdefault(len(key), []).append((key, rows[0]))
        return by_length

    def _slipped_twice(self, key: str) -> list[int]:
        if not TWO_SLIPS_LEAST <= len(key) <= SLIP_MOST:
            return []
        near = (
            pair
            for length in range(len(key) - TWO, len(key) + TWO + 1)
            for pair in self._towns_by_length.get(length, ())
        )
        return sorted({row for each, row in near if placenames.slips(key, each, TWO) <= TWO})


def _nominatives(words: Sequence[str]) -> Iterator[str]:
    if len(words) == 1:
        yield from placenames.nominatives(words[0])
        return
    choices = [(word, *placenames.nominatives(word)) for word in words]
    for chosen in islice(product(*choices), 1, CASES_CAP):
        yield placenames.joined(chosen)
