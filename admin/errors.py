"""What can be refused on the team's side; the text of each is the sentence a person reads, and holds no secret.

AdminError
├── SettingsError    (admin.settings) a setting is not set, or is not what is expected
├── CeremonyError    (admin.papers) the ceremony cannot be held, or a paper's file is not what it should be
├── MemberError      (admin.openers) a member's keys cannot be changed so
├── DemoError        (admin.demo) the folder cannot hold a demonstration
├── TimestampError   (admin.timestamps) a time stamp does not hold
├── DumpError        (admin.custody_dump) a dump cannot be written there
├── NoDumpError      (admin.custody_verify) there is no dump to verify
├── PublishedError   (admin.custody_heads) published checkpoints cannot be read
├── ProofError       (admin.custody_proofs) there is nothing to prove yet, or a proof does not hold
└── CommandError     (admin.__main__) a command cannot be done
"""


class AdminError(Exception):
    """What was asked cannot be done."""

    status = 1  # the command line's exit status
