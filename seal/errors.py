"""Everything that can go wrong with a sealed file is one of three things, and each is its own type.

    SealError
    ├── WrongKeyError    no given key opens the file; the file itself may be whole
    ├── TamperedError    the file is not as it was sealed: changed, cut short, or with bytes added
    └── MalformedError   the bytes are not an age file, its armor, or a key

`part` says where: callers compare it, never the sentence. No error holds a key, a passphrase or a plaintext.
"""

from enum import StrEnum


class Part(StrEnum):
    """The part of an age file, or of a person's key, in which the fault was found."""

    ARMOR = "armor"
    HEADER = "header"
    MAC = "mac"
    PAYLOAD = "payload"
    KEY = "key"


class SealError(Exception):
    """The file could not be opened."""


class WrongKeyError(SealError):
    """None of the given keys opens this file."""

    def __init__(self, sentence: str | None = None) -> None:
        super().__init__(sentence or self.__doc__)


class TamperedError(SealError):
    """The file was changed or cut short after it was sealed."""

    def __init__(self, part: Part, sentence: str | None = None) -> None:
        super().__init__(sentence or self.__doc__)
        self.part = part


class MalformedError(SealError):
    """The bytes do not follow the age format."""

    def __init__(self, part: Part, sentence: str | None = None) -> None:
        super().__init__(sentence or self.__doc__)
        self.part = part
