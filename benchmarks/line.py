"""A bot wired to a durable PostgreSQL of its own, for measuring; Telegram is whatever session is passed."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import asyncpg
from aiogram.client.session.base import BaseSession
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bot.app import DATABASE, App, build
from bot.logs import configure
from bot.settings import load
from flows import forms
from seal import HybridIdentity
from storage import local, manifest, roles, setup


@dataclass(frozen=True)
class Store:
    """A state folder as a bot finds it after the ceremony, and the database beside it, which syncs every commit."""

    folder: Path
    ceremony_key: str  # the public half, hex
    superuser_url: str


@contextlib.asynccontextmanager
async def store(folder: Path) -> AsyncIterator[Store]:
    """Prepares one, and holds its PostgreSQL."""
    passwords = setup.new_passwords(folder / "roles")
    with local.acquire(folder / "postgres") as server:
        await setup.prepare(server.superuser_url(), DATABASE, passwords)
        ceremony = Ed25519PrivateKey.generate()
        first = manifest.Manifest(
            serial=1,
            expires=date(2099, 1, 1),
            recovery=str(HybridIdentity.generate().recipient),
            compartments={
                "team": manifest.Compartment(epoch=1, recipient=str(HybridIdentity.generate().recipient))
            },
            members={},
            routing={form.name: "team" for form in forms.every()},
        )
        keeper = await asyncpg.connect(server.url(roles.KEEPER, passwords[roles.KEEPER], DATABASE))
        await manifest.keep(keeper, first, manifest.sign(first, ceremony))
        await keeper.close()
        public = ceremony.public_key().public_bytes_raw().hex()
        yield Store(folder, public, server.superuser_url(DATABASE))


@contextlib.asynccontextmanager
async def line(folder: Path, *, session: BaseSession) -> AsyncIterator[App]:
    """The bot's parts as in earnest: durable commits, hybrid sealing, its own role."""
    configure("ERROR")
    async with store(folder) as kept:
        settings = load(bot_token="1:AAA", ceremony_key=kept.ceremony_key, state=folder)
        async with build(settings) as app:
            await app.bot.session.close()
            app.bot.session = session
            yield app
