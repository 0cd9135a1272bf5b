"""`python -m flows.data.make [FOLDER]` writes the tables; into flows/data when no folder is named."""

import sys
from pathlib import Path

from flows.data.make import settlements, words


def main() -> None:
    """Write every table into the folder, byte for byte the same from the same sources."""
    match sys.argv[1:]:
        case []:
            folder = Path(__file__).parents[1]
        case [name]:
            folder = Path(name)
        case _:
            sys.exit(__doc__)
    for name, text in {**settlements.build(), **words.build()}.items():
        (folder / name).write_bytes(text.encode())


if __name__ == "__main__":
    main()
