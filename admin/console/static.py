"""Scripts and styles, each under a name that carries the hash of what is in it.

htmx and its server-sent-events extension are the files of the installed `django-htmx` wheel; no copy is kept here.
"""

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

_OURS = Path(__file__).parent / "static"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it is served."""

    data: bytes
    content_type: str


class Static:
    """All assets, read once. `address("console.css")` is where it is served."""

    def __init__(self) -> None:
        self._addresses: dict[str, str] = {}
        self._assets: dict[str, Asset] = {}
        htmx = _htmx()
        for name, path in {
            "htmx.js": htmx / "htmx-2.min.js",
            "sse.js": htmx / "ext" / "hx-sse-2.min.js",
            "console.css": _OURS / "console.css",
            "copy.js": _OURS / "copy.js",
            "keys.js": _OURS / "keys.js",
            "icon.svg": _OURS / "icon.svg",
        }.items():
            data = path.read_bytes()
            stem, ending = name.split(".")
            hashed = f"{stem}.{hashlib.sha256(data).hexdigest()[:16]}.{ending}"
            self._addresses[name] = f"/static/{hashed}"
            self._assets[hashed] = Asset(data, _TYPES[f".{ending}"])

    def address(self, name: str) -> str:
        """The path under which an asset is served."""
        return self._addresses[name]

    def asset(self, hashed: str) -> Asset | None:
        """What is served under that name, if anything."""
        return self._assets.get(hashed)


def _htmx() -> Path:
    """The folder of scripts in the wheel. Found, not imported: the package itself needs Django."""
    spec = find_spec("django_htmx")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("django-htmx is not installed: requirements/run.txt lists it")
    return Path(spec.origin).parent / "static" / "django_htmx"
