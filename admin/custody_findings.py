"""What a verification found: each fault in a sentence, the first few of a kind, and how many more there were."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

SHOWN = 3  # of one kind; what is wrong a million times is told three times


class Fault(StrEnum):
    """What can be wrong; the word stands before the sentence."""

    CUT = "cut off"
    LEAF = "changed leaf"
    TIME = "time goes back"
    LOG = "changed log"
    MISSING = "missing leaves"
    FORK = "fork"
    CHECKPOINT = "forged checkpoint"
    UNPUBLISHED = "no checkpoint"
    MANIFEST = "changed manifest"
    ITEM = "changed item"
    STRANGER = "item without leaf"
    GONE = "missing item"
    STAMP = "wrong time stamp"
    WITNESS = "forged cosignature"


@dataclass
class Findings:
    """`lines` tell what was checked; `faults` what is wrong; `remarks` what was not checked, and why."""

    lines: list[str] = field(default_factory=list)
    faults: list[tuple[Fault, str]] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    counts: Counter[Fault] = field(default_factory=Counter)

    def wrong(self, fault: Fault, sentence: str) -> None:
        """One thing that is wrong."""
        self.counts[fault] += 1
        if self.counts[fault] <= SHOWN:
            self.faults.append((fault, sentence))

    @property
    def holds(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    def text(self) -> str:
        """For a person: what was checked, what is wrong, and a last line that says it all."""
        told = [*self.lines, *(f"Note: {remark}" for remark in self.remarks)]
        if self.holds:
            return "\n".join(
                [*told, "", "The log holds: nothing was changed, dropped, doubled or reordered."]
            )
        told += ["", "THE LOG DOES NOT HOLD:"]
        for fault in dict.fromkeys(fault for fault, _ in self.faults):
            told += [f"  {fault}: {sentence}" for kind, sentence in self.faults if kind is fault]
            if more := self.counts[fault] - SHOWN:
                told += [f"  {fault}: and {more} more"] if more > 0 else []
        return "\n".join(told)
