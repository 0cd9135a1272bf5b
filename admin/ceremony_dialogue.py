"""The ceremony as two people hold it at a terminal: what each step is for, and no step before they say so.

Both papers are proven from the print: some words of each are typed back before anything is kept. Whoever stops (Ctrl-C)
leaves nothing behind.

    Dialogue(input, say, SystemRandom()).opens(offline=False)
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from admin.papers import CEREMONY_KEY, RECOVERY, WORDS, CeremonyError, Files, Kind, seed_of, to_words
from seal import HybridIdentity

ASKED = 3  # words of each paper

_OPENING = """\
The key ceremony of Dodomu
==========================

It is held once, by two people together, on a machine that you trust. Have ready: a printer on this machine that keeps
no copies, and two places that lock, far from each other. It takes a quarter of an hour.

It makes two secrets, each on a paper of its own:

  the ceremony key        says who is a member and to whose keys reports are sealed. It opens nothing.
  the recovery identity   opens every report when nobody's passphrase is left. It signs nothing.

Who has both has everything: that is why they are kept apart.

Ctrl-C stops at any question, and then nothing has happened.
"""
_OFFLINE = """\
This machine needs no network and no database: disconnect it now. What the server needs will be in one more file,
which holds nothing secret.
"""
_FOLDER = """\
Step 1 of 4. The keys are made, and the papers written to

  {folder}

Choose a folder that is gone when the machine is switched off, such as one under /dev/shm on Linux: what was once on a
disk or a stick can be found there after it was deleted.
"""
_PRINT = """\
Step 2 of 4. Print. Open each page in a browser of this machine and print it, one sheet each:

  {ceremony_page}
  {recovery_page}
"""
_PROVE = """\
Step 3 of 4. Prove that both prints can be read. Turn away from the screen: read from the paper alone.
"""
_KEEP = """\
Step 4 of 4. Both papers are proven. What is not secret is kept now, and then the ceremony is held.
"""


class StoppedError(CeremonyError):
    """Stopped. Nothing was kept, and the files are removed."""

    def __init__(self) -> None:
        super().__init__(
            "\nStopped. Nothing was kept and the files are removed. Burn what was printed: it opens nothing."
        )


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Asks and tells. `ask` shows a question and returns what was typed; EOFError when nobody is there."""

    ask: Callable[[str], str]
    tell: Callable[[str], None]
    chance: random.Random

    def opens(self, folder: Path, *, offline: bool) -> None:
        """What it is, before anything is made."""
        self.tell(_OPENING)
        if offline:
            self.tell(_OFFLINE)
        self._goes_on("Begin? [Enter] ")
        self.tell(_FOLDER.format(folder=folder))
        self._goes_on("Make the keys? [Enter] ")

    def proves(self, files: Files, ceremony_key: Ed25519PrivateKey, recovery: HybridIdentity) -> None:
        """From the written papers to the proof that both prints can be read."""
        self.tell(_PRINT.format(ceremony_page=files.ceremony_page, recovery_page=files.recovery_page))
        self._goes_on("Are both printed? [Enter] ")
        self.tell(_PROVE)
        self._reads(CEREMONY_KEY, to_words(CEREMONY_KEY, ceremony_key.private_bytes_raw()))
        self._reads(RECOVERY, to_words(RECOVERY, seed_of(recovery)))
        self.tell(_KEEP)
        self._goes_on("Keep it? [Enter] ")

    def _reads(self, kind: Kind, words: Sequence[str]) -> None:
        for place in sorted(self.chance.sample(range(1, WORDS + 1), ASKED)):
            while self._typed(f"{kind.name}, word {place}: ").strip().casefold() != words[place - 1]:
                self.tell(
                    f"That is not word {place} of the {kind.name}. Read it once more; if it cannot be read, print anew."
                )
        self.tell(f"The {kind.name} can be read.\n")

    def _goes_on(self, question: str) -> None:
        self._typed(question)

    def _typed(self, question: str) -> str:
        try:
            return self.ask(question)
        except (EOFError, KeyboardInterrupt):
            raise StoppedError from None
