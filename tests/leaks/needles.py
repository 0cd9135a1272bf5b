"""Looks for telling words in files, in every form in which a careless program could have written them.

found = search(folder, [Needle("name", "Kvitoslava")])
[hit.what for hit in found] == []
"""

import base64
import json
import os
import re
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SHORTEST = 6  # bytes of a form; what is shorter stands anywhere by chance


@dataclass(frozen=True)
class Needle:
    """Words or bytes that must stand nowhere in clear. `what` names them in a failure."""

    what: str
    value: str | bytes


@dataclass(frozen=True)
class Hit:
    """A needle that was found: in which file, in which form."""

    what: str
    form: str
    file: str


def forms(value: str | bytes) -> dict[str, bytes]:
    """A value as UTF-8, UTF-16, hex, base64 at each alignment, JSON and percent escapes; the long enough of them."""
    plain = value.encode() if isinstance(value, str) else value
    found = {"plain": plain, "hex": plain.hex().encode(), "HEX": plain.hex().upper().encode()}
    found |= {f"base64+{shift}": _inner_base64(plain, shift) for shift in range(3)}
    if isinstance(value, str):
        escaped = json.dumps(value)[1:-1]
        found |= {
            "UTF-16 LE": value.encode("utf-16-le"),
            "UTF-16 BE": value.encode("utf-16-be"),
            "JSON": escaped.encode(),
            "JSON, hex in capitals": re.sub(
                r"u([0-9a-f]{4})", lambda m: "u" + m[1].upper(), escaped
            ).encode(),
            "repr": repr(plain)[2:-1].encode(),
            "octal": "".join(f"\\{byte:03o}" for byte in plain).encode(),
            "percent": urllib.parse.quote(value).encode(),
            "lower case": value.lower().encode(),
        }
    # A line break ends a pattern of grep's; such forms are split where it stands.
    return {form: max(data.split(b"\n"), key=len) for form, data in found.items()}


def _inner_base64(plain: bytes, shift: int) -> bytes:
    """What stands in base64 whatever stood before (`shift` bytes, modulo 3) and after."""
    whole = base64.b64encode(bytes(shift) + plain).rstrip(b"=")
    first = -(-shift * 8 // 6)
    return whole[first : (shift + len(plain)) * 8 // 6]


def search(places: Iterable[Path], needles: Sequence[Needle]) -> list[Hit]:
    """Every file below these places that holds a needle in some form; grep looks, for it looks for all at once."""
    patterns: dict[bytes, list[tuple[str, str]]] = {}
    for needle in needles:
        for form, data in forms(needle.value).items():
            if len(data) >= SHORTEST:
                patterns.setdefault(data, []).append((needle.what, form))
    with tempfile.NamedTemporaryFile() as file:
        file.write(b"\n".join(patterns))
        file.flush()
        done = subprocess.run(
            ["grep", "-rlaF", "--null", "-f", file.name, "--", *map(str, places)],
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
    assert done.returncode in {0, 1}, done.stderr.decode()
    hits = []
    for name in filter(None, done.stdout.split(b"\0")):
        content = Path(os.fsdecode(name)).read_bytes()
        found = [told for data, several in patterns.items() if data in content for told in several]
        assert found, name
        hits += [Hit(*told, os.fsdecode(name)) for told in found]
    return hits
