"""`python -m rehearsal`: the server in a process of its own, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import signal
import sys
from pathlib import Path

from rehearsal.errors import PortTakenError, StateError
from rehearsal.server import Rehearsal
from rehearsal.world import TOKEN

ABOUT = """\
A Bot API server for this machine and a chat page in the browser: try, train and test a bot without Telegram.

Give the bot the printed address as its Bot API server and the same token; open the address in a browser and
write to the bot as one person or several. Nothing leaves this machine.
"""
EXAMPLES = """\
examples:
  python -m rehearsal --token 1000:TRY                       one bot, forgotten at the end
  python -m rehearsal --token 1000:TRY --state var/rehearsal  chats are kept between runs
  python -m rehearsal --token 1000:TRY --token 2000:DUTY     two bots; the page lets you choose
  python -m rehearsal --token 1000:TRY --webhook-target http://127.0.0.1:9001/hook \\
                      --webhook-target http://127.0.0.1:9002/hook
                                                             two processes of one bot, served in turn

Any NUMBER:LETTERS is a token here. A real one is neither needed nor wanted.
"""


def arguments() -> argparse.ArgumentParser:
    """Return the parser, whose help is the manual."""
    parser = argparse.ArgumentParser(
        prog="python -m rehearsal",
        description=ABOUT,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument(
        "--port", type=int, default=8081, help="port to listen on; 0 takes a free one (default: 8081)"
    )
    parser.add_argument(
        "--token",
        action="append",
        required=True,
        metavar="NUMBER:LETTERS",
        help="a bot's token; may be given several times; any other token is refused with 401",
    )
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keep chats and files in this folder between runs"
    )
    parser.add_argument(
        "--webhook-target",
        action="append",
        default=[],
        metavar="URL",
        help="deliver webhooks here, whatever setWebhook said; several are used in turn",
    )
    parser.add_argument(
        "--webhook-retry-first-s",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="pause before a failed delivery is tried again; doubles each time (default: 1)",
    )
    parser.add_argument(
        "--webhook-retry-longest-s",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="longest such pause (default: 60)",
    )
    return parser


async def serve(asked: argparse.Namespace) -> int:
    """Serve until asked to stop. Returns the exit status."""
    rehearsal = Rehearsal(
        asked.token,
        host=asked.host,
        port=asked.port,
        state=asked.state,
        webhook_targets=asked.webhook_target,
        retry_first_s=asked.webhook_retry_first_s,
        retry_longest_s=asked.webhook_retry_longest_s,
    )
    try:
        await rehearsal.start()
    except (PortTakenError, StateError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sys.stdout.write(f"Chat page and Bot API server: {rehearsal.url}\nCtrl-C ends it.\n")
    sys.stdout.flush()
    await stop.wait()
    await rehearsal.stop()
    return 0


def main() -> int:
    """Read the arguments and serve."""
    parser = arguments()
    asked = parser.parse_args()
    for token in asked.token:
        if not TOKEN.fullmatch(token):
            parser.error("a token has the form NUMBER:LETTERS, for example 1000:TRY")
    return asyncio.run(serve(asked))


if __name__ == "__main__":
    sys.exit(main())
