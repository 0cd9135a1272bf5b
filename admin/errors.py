"""What can be refused on the team's side; the text of each is the sentence a person reads, and holds no secret.

AdminError
├── SettingsError    (admin.settings) a setting is not set, or is not what is expected
├── CeremonyError    (admin.papers) the ceremony cannot be held, or a paper's file is not what it should be
├── MemberError      (admin.openers) a member's keys cannot be changed so
├── DemoError        (admin.demo) the folder cannot hold a demonstration
└── CommandError     (admin.__main__) a command cannot be done
"""


class AdminError(Exception):
    """What was asked cannot be done."""

    status = 1  # the command line's exit status
