"""What one compartment's process holds: its live sessions with their keys, and what it reads and writes with.

    compartment.admit(message); compartment.dismiss(session)

Keys are here as long as a session is, in memory alone.
"""

import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from admin.console.pages import Pages
from admin.console.permissions import Role
from admin.console.pipe import Admit
from admin.console.static import Static
from admin.previews.maker import Preview, PreviewMaker
from seal import HybridIdentity, parse_identity
from storage.blobs import Blobs
from storage.desk import Desk, Who
from storage.manifest import Manifest


@dataclass
class Opened:
    """One session in this process. `identities` open its reports; `all_identities` also files sealed elsewhere."""

    who: Who
    call_sign: str
    role: Role
    identities: Sequence[HybridIdentity] = field(repr=False)
    all_identities: Sequence[HybridIdentity] = field(repr=False)
    signing_key: Ed25519PrivateKey | None = field(repr=False)  # of who may write to reporters
    told: set[tuple[str, str]] = field(default_factory=set)  # what leaves were written already
    made: dict[tuple[uuid.UUID, bool], Preview] = field(default_factory=dict, repr=False)  # to be fetched

    def person(self) -> Mapping[str, str]:
        """As pages name them."""
        return {"call_sign": self.call_sign, "role": self.role}


@dataclass
class Compartment:
    """One compartment's process. `manifest` gives the newest one, verified, or raises ManifestError."""

    name: str
    desk: Desk
    manifest: Callable[[], Awaitable[Manifest]] = field(repr=False)
    blobs: Blobs
    previews: PreviewMaker
    now: Callable[[], datetime]
    sessions: dict[str, Opened] = field(default_factory=dict, repr=False)
    pages: Pages = field(default_factory=lambda: Pages(("console", "forms"), Static()), repr=False)

    def admit(self, message: Admit) -> None:
        """A session begins here."""
        identities = [_hybrid(line) for line in message.identities]
        key = bytes.fromhex(message.signing_key)
        self.sessions[message.session] = Opened(
            Who(message.member_id, (self.name,)),
            message.call_sign,
            Role(message.role),
            identities,
            [*identities, *map(_hybrid, message.others)],
            Ed25519PrivateKey.from_private_bytes(key) if key else None,
        )

    def dismiss(self, session: str) -> None:
        """A session ends: what it opened is forgotten."""
        self.sessions.pop(session, None)

    def page(
        self, opened: Opened, request: Request, template: str, status: int = 200, **facts: object
    ) -> Response:
        """A page for this member, in the language of the request."""
        path = str(facts.pop("path", request.url.path))
        text = self.pages.render(template, language(request), person=opened.person(), path=path, **facts)
        return HTMLResponse(text, status)


Handler = Callable[[Compartment, Opened, Request], Awaitable[Response]]


def language(request: Request) -> str:
    """The language in which the web process asks for pages."""
    return request.headers.get("x-language", "uk")


def report_of(request: Request) -> uuid.UUID:
    """The report that the path names."""
    return uuid.UUID(request.path_params["report"])


def _hybrid(line: str) -> HybridIdentity:
    identity = parse_identity(line)
    if not isinstance(identity, HybridIdentity):
        raise TypeError("a team identity is always hybrid")
    return identity
