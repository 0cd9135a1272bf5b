"""`python -m locales check` says what is wrong with the catalogues; `compile` makes their `.mo` files."""

import argparse
import sys

from locales.catalogues import DOMAINS, compile_all, offered
from locales.check import problems


def main(arguments: list[str] | None = None) -> int:
    """Run one of the two; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m locales", description="The catalogues of texts.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("check", help="say what is missing, unknown or differs between languages")
    commands.add_parser("compile", help="make the .mo files from the .po files")
    if parser.parse_args(arguments).command == "compile":
        made = list(compile_all())
        sys.stdout.write(f"{len(made)} catalogues compiled\n")
        return 0
    found = problems()
    for problem in found:
        sys.stderr.write(problem + "\n")
    if not found:
        said = "; ".join(f"{domain}: {', '.join(offered(domain))}" for domain in DOMAINS)
        sys.stdout.write(f"catalogues complete ({said})\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
