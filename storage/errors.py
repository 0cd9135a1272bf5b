"""What can go wrong with what is kept.

StorageError
├── SwappedRowError     a sealed row does not belong where it stands, or was changed
├── LapsedError         the day's secret is destroyed: nothing can open this draft any more
├── ManifestError       the manifest cannot be trusted
│   ├── NoManifestError     no ceremony has been held yet
│   ├── BadSignatureError   not signed by the ceremony key of the settings
│   ├── OldManifestError    a serial lower than one already seen
│   └── NoRelayError        the manifest names no relay identity: nothing could be answered
├── WithdrawnError      the reporter has withdrawn this report
├── NotWithdrawnError   only what was withdrawn can be shredded
├── RefusedReplyError   a reply is not signed by a member whom the manifest names
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


class OldManifestError(ManifestError):
    """The manifest is older than one that was already seen."""


class NoRelayError(ManifestError):
    """The manifest names no relay identity yet: run `python -m admin relay`."""


class WithdrawnError(StorageError):
    """The reporter has withdrawn this report."""


class NotWithdrawnError(StorageError):
    """Only a report that its reporter has withdrawn can be shredded."""


class RefusedReplyError(StorageError):
    """A reply is not signed by a member whom the manifest names, or was changed."""


class SettingError(StorageError):
    """A secret file or folder is not usable as it is."""


class ConflictError(StorageError):
    """Somebody else changed this first."""


class BackupError(StorageError):
    """The file is not a whole backup, or what should be in one is not there."""


class LedgerError(StorageError):
    """The ledger of erasures cannot be used."""
