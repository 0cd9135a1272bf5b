"""The bot's settings: one typed place, from the environment (`DODOMU_…`); a wrong one stops the start by name.

A *demonstration store* holds a marker file; it takes only a demonstration's token on this very machine, so that
nobody's real report ever lands where the passphrases are printed on a screen.
"""

import ipaddress
import json
import re
import urllib.parse
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from locales import LANGUAGES

DEMONSTRATION = "demonstration"  # the marker's file name in the state folder
DEMONSTRATION_TOKEN = re.compile(r"\d+:DEMO[A-Za-z0-9_-]*")
_TOKEN = re.compile(r"\d{1,20}:[A-Za-z0-9_-]{3,}")
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
CONFIRMED = ("helplines", "emergency", "official", "searchers", "countries", "address")
_VALUE_CHARACTERS = 200
_ByLanguage = Annotated[dict[str, str], NoDecode]
_EACH = ': one text for all, or {"uk": "…", "en": "…"}'


@dataclass(frozen=True, slots=True)
class Quotas:
    """How much one chat may give. `human_pace_s`: what a person needs for one card, at least; 0: any pace is human."""

    report_mib: int
    day_mib: int
    reports_a_day: int
    human_pace_s: float


class SettingsError(Exception):
    """Settings that cannot be used; the text names each and what is expected, never a secret's value."""


class BotSettings(BaseSettings):
    """What `python -m bot` needs to know."""

    model_config = SettingsConfigDict(env_prefix="DODOMU_", hide_input_in_errors=True, extra="ignore")

    bot_token: Annotated[SecretStr, Field(description="the public bot's token, as BotFather gave it")]
    ceremony_key: Annotated[str, Field(description="the ceremony's public key, 64 hexadecimal digits")]
    api_base: Annotated[str, Field(description="base URL of the Bot API")] = "https://api.telegram.org"
    bot_database_url: Annotated[
        SecretStr | None,
        Field(description="postgresql://… as role dodomu_bot; unset: the embedded PostgreSQL"),
    ] = None
    state: Annotated[Path, Field(description="the bot's private folder, outside every backup")] = Path(
        "var/line"
    )
    blobs: Annotated[str | None, Field(description="a folder, or s3://bucket/prefix; unset: STATE/blobs")] = (
        None
    )
    s3_endpoint: Annotated[str, Field(description="the address of the S3 service")] = ""
    s3_region: Annotated[str, Field(description="the region of the S3 bucket")] = ""
    s3_access_key_id: Annotated[SecretStr, Field(description="the S3 access key's id")] = SecretStr("")
    s3_secret_access_key: Annotated[SecretStr, Field(description="the S3 access key's secret")] = SecretStr(
        ""
    )
    draft_days: Annotated[int, Field(ge=3, le=365, description="days a draft can be continued")] = 30
    max_file_mib: Annotated[
        int, Field(ge=1, le=2000, description="the largest file that the Bot API server hands out, MiB")
    ] = 20
    max_report_mib: Annotated[int, Field(ge=1, description="files of one report together, MiB")] = 1000
    max_day_mib: Annotated[int, Field(ge=1, description="files from one chat on one day, MiB")] = 2000
    reports_a_day: Annotated[
        int, Field(ge=1, description="reports from one chat on one day; more go to the waiting room")
    ] = 10
    silent_hours: Annotated[
        int,
        Field(
            ge=0, description="hours without anybody at the queue after which reporters are told; 0: never"
        ),
    ] = 48
    human_pace_s: Annotated[
        float,
        Field(
            ge=0,
            le=10,
            description="seconds a person needs for a card; who is faster goes there too; 0: nobody",
        ),
    ] = 0.8
    thread_days: Annotated[
        int, Field(ge=0, le=3650, description="days after a report is closed until its chat is forgotten")
    ] = 90
    team: Annotated[str, Field(min_length=1, max_length=60, description="the team's name in texts")] = (
        "Dodomu"
    )
    helplines: Annotated[_ByLanguage, Field(description=f"who helps children and teenagers{_EACH}")] = {}
    emergency: Annotated[_ByLanguage, Field(description=f"whom to call in danger{_EACH}")] = {}
    official: Annotated[_ByLanguage, Field(description=f"who takes an official search request{_EACH}")] = {}
    searchers: Annotated[_ByLanguage, Field(description=f"who searches, if the person agrees{_EACH}")] = {}
    countries: Annotated[
        _ByLanguage, Field(description=f"whose prosecutors, if the person agrees{_EACH}")
    ] = {}
    address: Annotated[
        _ByLanguage, Field(description=f"where the bot's true name can be checked{_EACH}")
    ] = {}
    webhook_url: Annotated[
        str | None, Field(description="public URL of the webhook; unset: long polling")
    ] = None
    webhook_secret: Annotated[
        SecretStr | None, Field(description="16–256 of A–Z a–z 0–9 _ -; needed with a webhook")
    ] = None
    webhook_host: Annotated[str, Field(description="address to listen on")] = "127.0.0.1"
    webhook_port: Annotated[int, Field(ge=0, le=65535, description="port to listen on")] = 8082
    log_level: Annotated[str, Field(description="DEBUG, INFO, WARNING or ERROR")] = "INFO"

    @field_validator("bot_token")
    @classmethod
    def _token(cls, value: SecretStr) -> SecretStr:
        if not _TOKEN.fullmatch(value.get_secret_value()):
            raise ValueError("is not a token of the form 123456:ABC…")
        return value

    @field_validator("ceremony_key")
    @classmethod
    def _key(cls, value: str) -> str:
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(value))
        except ValueError:
            raise ValueError("is not 64 hexadecimal digits") from None
        return value

    @field_validator(*CONFIRMED, mode="before")
    @classmethod
    def _by_language(cls, value: Any) -> Any:
        if isinstance(value, str):
            try:
                value = (
                    json.loads(value) if value.lstrip().startswith("{") else dict.fromkeys(LANGUAGES, value)
                )
            except ValueError:
                raise ValueError("is not a text, nor JSON") from None
        if not isinstance(value, dict) or not set(value) <= set(LANGUAGES):
            raise ValueError(f"has languages other than {', '.join(LANGUAGES)}")
        if not all(_is_one_line(text) for text in value.values()):
            raise ValueError(
                f"has a text that is empty, of several lines, or over {_VALUE_CHARACTERS} characters"
            )
        return value

    @field_validator("log_level")
    @classmethod
    def _level(cls, value: str) -> str:
        if value not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
            raise ValueError("is not DEBUG, INFO, WARNING or ERROR")
        return value

    @model_validator(mode="after")
    def _together(self) -> "BotSettings":
        if self.webhook_url is not None:
            secret = self.webhook_secret.get_secret_value() if self.webhook_secret else ""
            if not _WEBHOOK_SECRET.fullmatch(secret):
                raise ValueError("DODOMU_WEBHOOK_SECRET: 16–256 of A–Z a–z 0–9 _ - are needed with a webhook")
        if (self.state / DEMONSTRATION).exists():
            token = self.bot_token.get_secret_value()
            if not DEMONSTRATION_TOKEN.fullmatch(token) or not _is_this_machine(self.api_base):
                raise ValueError(
                    "DODOMU_STATE: this is a demonstration store, whose keys are known to everyone who sees the"
                    " screen; it takes no real bot. Choose another folder and hold a ceremony there"
                )
        return self

    def s3(self) -> dict[str, str]:
        """What `storage.blobs.Blobs.open` needs beside the place; nothing for a folder."""
        given = {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "access_key_id": self.s3_access_key_id.get_secret_value(),
            "secret_access_key": self.s3_secret_access_key.get_secret_value(),
        }
        return {name: value for name, value in given.items() if value}

    def values(self, lang: str) -> dict[str, str]:
        """What stands in the texts of a language in place of the catalogues' own."""
        confirmed = {name: getattr(self, name).get(lang) for name in CONFIRMED}
        own = {name: text for name, text in confirmed.items() if text}
        return {"team": self.team, "limit": str(self.max_file_mib), **own}

    @property
    def unconfirmed(self) -> list[str]:
        """Settings whose texts are still the ones that came with the program; a demonstration needs none."""
        if (self.state / DEMONSTRATION).exists():
            return []
        return [f"DODOMU_{name.upper()}" for name in CONFIRMED if not getattr(self, name)]

    @property
    def quotas(self) -> Quotas:
        """How much one chat may give."""
        return Quotas(self.max_report_mib, self.max_day_mib, self.reports_a_day, self.human_pace_s)

    @property
    def draft_ttl(self) -> timedelta:
        """How long a draft can be continued."""
        return timedelta(days=self.draft_days)

    @property
    def thread_ttl(self) -> timedelta:
        """How long after a report is closed an answer may still come to its chat."""
        return timedelta(days=self.thread_days)

    @property
    def verification_key(self) -> Ed25519PublicKey:
        """The ceremony's public key."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ceremony_key))


def load(**overrides: Any) -> BotSettings:
    """The settings, or SettingsError with a line for each that is wrong."""
    try:
        return BotSettings(**overrides)
    except ValidationError as error:
        raise SettingsError(
            "\n".join(_explain(detail) for detail in error.errors(include_input=False))
        ) from None


def _explain(detail: Any) -> str:
    if not detail["loc"]:
        return str(detail["msg"]).removeprefix("Value error, ")
    name = str(detail["loc"][0])
    field = BotSettings.model_fields.get(name)
    reason = "is not set" if detail["type"] == "missing" else str(detail["msg"]).removeprefix("Value error, ")
    expected = f" (expected: {field.description})" if field else ""
    return f"DODOMU_{name.upper()} {reason}{expected}"


def _is_one_line(text: Any) -> bool:
    return (
        isinstance(text, str)
        and len(text.strip()) > 0
        and len(text) <= _VALUE_CHARACTERS
        and "\n" not in text
    )


def _is_this_machine(url: str) -> bool:
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
