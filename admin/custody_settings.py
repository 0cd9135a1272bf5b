"""What the keeper is told of the custody log: its name, where its checkpoints are published, who vouches for them.

    settings = load(CustodySettings)
    settings.places()          # nothing set: checkpoints are kept in the database alone, and the operator is warned

All are optional; one that is set is checked before the keeper starts.
"""

import ipaddress
import re
import urllib.parse
from pathlib import Path
from typing import Annotated

from cryptography import x509
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings

from admin import timestamps
from admin.publishing import Address, Channel, Folder, Place
from admin.settings import CONFIG, SettingsError
from admin.timestamps import Authority
from storage import notes
from storage.errors import MalformedNoteError

_ORIGIN = re.compile(r"[^\s+]{1,200}")
_CHANNEL = re.compile(r"|@\w{5,32}|-?\d{1,20}")
_BOT_TOKEN = re.compile(r"|\d{1,20}:[A-Za-z0-9_-]{3,}")
_WEB = ("http", "https")


def _origin(value: str) -> str:
    if not _ORIGIN.fullmatch(value):
        raise ValueError
    return value


def _private_address(value: str) -> str:
    """An address to which a secret may be sent: encrypted, or of this machine."""
    parts = urllib.parse.urlsplit(value)
    if value and not (
        parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname)))
    ):
        raise ValueError
    return value


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _addresses(value: str) -> str:
    for one in value.split():
        parts = urllib.parse.urlsplit(one)
        if parts.scheme not in _WEB or not parts.hostname:
            raise ValueError
    return value


def _keys(value: str) -> str:
    try:
        for one in value.split():
            notes.witness_name(one)
    except MalformedNoteError:
        raise ValueError from None
    return value


def _channel(value: str) -> str:
    if not _CHANNEL.fullmatch(value):
        raise ValueError
    return value


def _bot_token(value: SecretStr) -> SecretStr:
    if not _BOT_TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError
    return value


class CustodySettings(BaseSettings):
    """The custody log's own settings, all optional."""

    model_config = CONFIG

    log_origin: Annotated[str, AfterValidator(_origin)] = Field(
        "dodomu/custody",
        description="the log's name, best a domain of yours and a path, like dodomu.example.org/custody; without"
        " spaces and +",
    )
    checkpoint_minutes: int = Field(
        60, ge=1, le=1440, description="minutes from one checkpoint to the next, from 1 to 1440"
    )
    checkpoint_folder: Path | None = Field(
        None, description="a folder for checkpoints, which others may read"
    )
    checkpoint_url: Annotated[str, AfterValidator(_private_address)] = Field(
        "", description="an address that begins with https://, below which checkpoints are PUT"
    )
    checkpoint_url_token: SecretStr = Field(SecretStr(""), description="the bearer token for that address")
    checkpoint_channel: Annotated[str, AfterValidator(_channel)] = Field(
        "", description="a Telegram channel, like @dodomu_checkpoints or -1001234567890"
    )
    checkpoint_bot_token: Annotated[SecretStr, AfterValidator(_bot_token)] = Field(
        SecretStr(""), description="the token of a bot that may write in that channel; never the public bot's"
    )
    api_base: Annotated[str, AfterValidator(_private_address)] = Field(
        "https://api.telegram.org",
        description="base URL of the Bot API; https://, or http:// on this machine",
    )
    witnesses: Annotated[str, AfterValidator(_keys)] = Field(
        "", description="the verifier keys of witnesses, NAME+HASH+KEY (cosignature/v1), with spaces between"
    )
    timestamp_authorities: Annotated[str, AfterValidator(_addresses)] = Field(
        "", description="addresses of RFC 3161 authorities, with spaces between"
    )
    timestamp_roots: Path | None = Field(
        None, description="a PEM file with the root certificates of those authorities"
    )

    def places(self) -> list[Place]:
        """Where checkpoints are published. Raises SettingsError when half of a channel is set."""
        found: list[Place] = []
        if self.checkpoint_folder is not None:
            found.append(Folder(self.checkpoint_folder))
        if self.checkpoint_url:
            found.append(Address(self.checkpoint_url, self.checkpoint_url_token))
        if bool(self.checkpoint_channel) != bool(self.checkpoint_bot_token.get_secret_value()):
            raise SettingsError(
                "DODOMU_CHECKPOINT_CHANNEL and DODOMU_CHECKPOINT_BOT_TOKEN belong together: one is not set."
            )
        if self.checkpoint_channel:
            found.append(Channel(self.checkpoint_channel, self.checkpoint_bot_token, self.api_base))
        return found

    def authorities(self) -> list[Authority]:
        """Who is asked for time stamps."""
        return [Authority.of(url) for url in self.timestamp_authorities.split()]

    def roots(self) -> list[x509.Certificate]:
        """What time stamps are verified with. Raises SettingsError, TimestampError when they cannot be read."""
        if not self.timestamp_authorities:
            return []
        if self.timestamp_roots is None:
            raise SettingsError("DODOMU_TIMESTAMP_ROOTS is not set: time stamps could not be verified.")
        return timestamps.read_roots(self.timestamp_roots)
