"""`python -m flows understand-date TEXT` prints what a date in words is understood as, to be tried and reviewed.

$ python -m flows understand-date "осінь 2022" --today 2026-11-22
{"edtf": "2022-23", "certain": true, "words": "осінь 2022"}
"""

import argparse
import json
import sys
from datetime import UTC, date, datetime

from flows.dates import understand


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the program."""
    command = commands.add_parser("understand-date", help="print how a date in words is understood, as JSON")
    command.add_argument("text", metavar="TEXT", help="the words")
    command.add_argument("--today", type=date.fromisoformat, help="the day it was said (default: today, UTC)")
    command.add_argument("--ahead", action="store_true", help="it is said of what is going to happen")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Print one line of JSON; "edtf" is null when the words are left to a person."""
    today = given.today or datetime.now(UTC).date()
    understood = understand(given.text, today=today, ahead=given.ahead)
    edtf, certain = (understood.edtf, understood.certain) if understood else (None, False)
    said = {"edtf": edtf, "certain": certain, "words": given.text}
    sys.stdout.buffer.write(json.dumps(said, ensure_ascii=False).encode(errors="replace") + b"\n")
    return 0
