"""`python -m flows show family --lang en` prints a form as a table, to be read and reviewed."""

import argparse
import sys
from pathlib import Path

from flows import forms, understand, understand_place
from flows.errors import UnknownFormError
from flows.graph import drawing
from flows.show import table
from locales import NotOfferedError, Texts, offered


def main(arguments: list[str] | None = None) -> int:
    """Print one form in one language; 2 when there is no such form or language."""
    parser = argparse.ArgumentParser(prog="python -m flows", description="What this line asks.")
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("show", help="print a form as a table, or draw it")
    show.add_argument("form", help="its name: " + ", ".join(sorted({form.name for form in forms.every()})))
    show.add_argument("--version", type=int, help="which version (default: the newest)")
    show.add_argument("--lang", default="en", help="of the texts: " + ", ".join(offered("forms")))
    show.add_argument("--svg", type=Path, metavar="FILE", help="draw it into this file instead")
    understand.add(commands)
    understand_place.add(commands)
    given = parser.parse_args(arguments)
    if "run" in given:
        return int(given.run(given))
    try:
        form = forms.newest(given.form) if given.version is None else forms.get(given.form, given.version)
        texts = Texts.load(given.lang, domains=("forms",))
    except (UnknownFormError, NotOfferedError) as problem:
        parser.error(str(problem))
    if given.svg:
        given.svg.write_text(drawing(form, texts), encoding="utf-8")
        return 0
    sys.stdout.write(table(form, texts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
