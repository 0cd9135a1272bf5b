"""What can go wrong with what is kept.

StorageError
├── SwappedRowError     a sealed row does not belong where it stands, or was changed
├── LapsedError         the day's secret is destroyed: nothing can open this draft any more
├── ManifestError       the manifest cannot be trusted
│   ├── NoManifestError     no ceremony has been held yet
│   ├── BadSignatureError   not signed by the ceremony key of the settings
│   │   ├── NotTwoLeadsError    nor by two different leads of the manifest before
│   │   ├── NotAResetError      two leads signed more than new keys of one other member
│   │   └── BrokenChainError    the manifests before one that two leads signed are missing or do not lead to it
│   ├── OldManifestError    a serial lower than one already seen
│   └── NoRelayError        the manifest names no relay identity: nothing could be answered
├── WithdrawnError      the reporter has withdrawn this report
├── NotEndingError      only what was withdrawn, or whose time ends, can be shredded
├── RefusedReplyError   a reply is not signed by a member whom the manifest names
├── LogError            the custody log does not hold together, or not with what was published of it
│   ├── WrongProofError     a proof proves something else, or nothing
│   ├── MissingTilesError   a part of the tree is missing, or the keeper is still at it
│   ├── MalformedNoteError  not a signed note, or not a checkpoint
│   ├── UnsignedNoteError   no key that we know has signed it
│   ├── ForkError           the log does not go on from what was signed before
│   └── ForgedNoteError     a signature in the name of a key that we know does not hold
├── SettingError        a secret file or folder is not usable as it is
├── BackupError         a file is not a whole backup, or what should be in one is not there
├── LedgerError         the ledger of erasures cannot be used
└── ConflictError       somebody else changed this first
"""


class StorageError(Exception):
    """What is kept could not be used."""


class SwappedRowError(StorageError):
    """A sealed row does not belong where it stands, or was changed."""


class LapsedError(StorageError):
    """The secret of that day is destroyed."""


class ManifestError(StorageError):
    """The manifest cannot be trusted."""


class NoManifestError(ManifestError):
    """No manifest is kept: hold the key ceremony first (`python -m admin ceremony`)."""


class BadSignatureError(ManifestError):
    """The manifest is not signed by the ceremony key of the settings."""


class NotTwoLeadsError(BadSignatureError):
    """A reset is not signed by two different leads whom the manifest before names."""


class NotAResetError(BadSignatureError):
    """Two leads together may give new keys to one other member, and change nothing else."""


class BrokenChainError(BadSignatureError):
    """What two leads signed counts only after the manifests that lead to it."""


class OldManifestError(ManifestError):
    """The manifest is older than one that was already seen."""


class NoRelayError(ManifestError):
    """The manifest names no relay identity yet: run `python -m admin relay`."""


class WithdrawnError(StorageError):
    """The reporter has withdrawn this report."""


class NotEndingError(StorageError):
    """Only a report that its reporter has withdrawn can be shredded."""


class RefusedReplyError(StorageError):
    """A reply is not signed by a member whom the manifest names, or was changed."""


class LogError(StorageError):
    """The custody log does not hold together, or not with what was published of it."""


class WrongProofError(LogError):
    """A proof proves something else, or nothing."""


class MissingTilesError(LogError):
    """A part of the log's tree is missing, or the keeper is still at it."""


class MalformedNoteError(LogError):
    """This is not a signed note, or not a checkpoint."""


class UnsignedNoteError(LogError):
    """No key that we know has signed this note."""


class ForkError(LogError):
    """The log does not go on from what was signed before: nothing more is signed for it."""


class ForgedNoteError(LogError):
    """A signature in the name of a key that we know does not hold."""


class SettingError(StorageError):
    """A secret file or folder is not usable as it is."""


class ConflictError(StorageError):
    """Somebody else changed this first."""


class BackupError(StorageError):
    """The file is not a whole backup, or what should be in one is not there."""


class LedgerError(StorageError):
    """The ledger of erasures cannot be used."""
