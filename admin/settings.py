"""What each process of the team's side is told by its environment, checked before anything starts.

    try:
        settings = load(ConsoleSettings)
    except SettingsError as error:
        ...  # each line names a variable and what is expected of it, and never repeats its value

Without a database URL the process uses the PostgreSQL of this machine, in the state folder.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from storage import local, setup

PREFIX = "DODOMU_"
DATABASE = "dodomu"  # the name of the embedded database
_HEX_KEY = re.compile(r"[0-9a-f]{64}")
_CONFIG = SettingsConfigDict(
    env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True, extra="ignore"
)
_POSTGRES = re.compile(r"postgres(ql)?://\S+")


class SettingsError(Exception):
    """A setting is not set, or is not what is expected. The text names each, and no value."""


def _hex_key(value: str) -> str:
    if not _HEX_KEY.fullmatch(value):
        raise ValueError
    return value


def _postgres(value: SecretStr) -> SecretStr:
    if not _POSTGRES.fullmatch(value.get_secret_value()):
        raise ValueError
    return value


_PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]


class StateSettings(BaseSettings):
    """What every process of the team's side has: a private folder and a database."""

    model_config = _CONFIG

    state: Path = Field(Path("var"), description="a folder for what this process keeps to itself")
    database_url: _PostgresUrl | None = Field(
        None,
        description="postgresql://ROLE:PASSWORD@HOST/DATABASE, with this process's own role; unset: the"
        " PostgreSQL that comes with Dodomu, kept in the state folder",
    )

    @contextlib.contextmanager
    def database(self, role: str, progress: Callable[[str], None] | None = None) -> Iterator[str]:
        """The URL of the database for this role, for as long as the process needs it. Blocks while it starts.

        Raises storage.programs' LocalError when the embedded PostgreSQL cannot run.
        """
        if self.database_url is not None:
            yield self.database_url.get_secret_value()
            return
        passwords = setup.new_passwords(self.state / "roles")
        with local.acquire(self.state / "postgres", progress=progress) as server:
            yield server.url(role, passwords[role], DATABASE)


class PrepareSettings(StateSettings):
    """`python -m admin database prepare`."""

    superuser_url: _PostgresUrl | None = Field(
        None,
        description="postgresql://USER:PASSWORD@HOST/DATABASE of a role that may create roles and databases;"
        " unset: the PostgreSQL that comes with Dodomu, kept in the state folder",
    )


class KeeperSettings(StateSettings):
    """The maintenance process, and the key acts of the command line: role `dodomu_keeper`."""

    blobs: str = Field("", description="a folder or an s3:// address where sealed files are kept")
    scrypt_work_factor: int = Field(
        18, ge=1, le=20, description="a whole number from 1 to 20; 18 unless this is a rehearsal"
    )

    @property
    def blobs_at(self) -> str:
        """Where sealed files are: as set, else beside the rest of the state."""
        return self.blobs or str(self.state / "blobs")


class AddressSettings(BaseSettings):
    """Where the console listens."""

    model_config = _CONFIG

    host: str = Field("127.0.0.1", description="the address to listen on, 127.0.0.1 for this machine alone")
    port: int = Field(8080, ge=1, le=65535, description="a port to listen on, from 1 to 65535")

    @property
    def address(self) -> str:
        """For a browser on this machine."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


class ConsoleSettings(KeeperSettings, AddressSettings):
    """The console: role `dodomu_console`."""

    ceremony_key: Annotated[str, AfterValidator(_hex_key)] = Field(
        description="the public half of the ceremony key: the 64 hexadecimal digits (0-9, a-f) that"
        " `python -m admin ceremony` printed"
    )
    session_minutes: int = Field(
        30, ge=1, le=720, description="minutes without a click until one is signed out, from 1 to 720"
    )

    def ceremony_public_key(self) -> Ed25519PublicKey:
        """What the manifest's signature is checked with."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ceremony_key))


def seen_manifest(state: Path, process: str) -> Path:
    """Where a process notes the highest manifest that it has seen; a file of its own (`storage.manifest`)."""
    return state / f"seen-manifest-{process}"


_Settings = TypeVar("_Settings", bound=BaseSettings)


def load(settings: type[_Settings]) -> _Settings:
    """The settings that the environment gives; SettingsError with one line for each that is not usable."""
    try:
        return settings()
    except ValidationError as error:
        raise SettingsError("\n".join(friendly(settings, error))) from None


def friendly(settings: type[BaseSettings], error: ValidationError) -> list[str]:
    """One sentence for each setting that is not usable: its variable, what is expected, never its value."""
    faults = {str(fault["loc"][0]): fault["type"] for fault in error.errors(include_input=False)}
    return [
        f"{PREFIX}{name.upper()} {'is not set' if kind == 'missing' else 'is not usable'}. "
        f"Expected: {settings.model_fields[name].description}."
        for name, kind in sorted(faults.items())
    ]
