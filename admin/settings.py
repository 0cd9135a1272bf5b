"""What each process of the team's side is told by its environment, checked before anything starts.

    try:
        settings = load(ConsoleSettings)
    except SettingsError as error:
        ...  # each line names a variable and what is expected of it, and never repeats its value

    with settings.database() as url:    # held for as long as the process runs
        ...

Without a database URL a process uses the PostgreSQL of this machine, in the state folder.
"""

import contextlib
import urllib.parse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import (
    AfterValidator,
    Field,
    IPvAnyAddress,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from admin.errors import AdminError
from storage import local, roles, setup
from storage.retention import DEFAULT, Policy, parse

PREFIX = "DODOMU_"
DATABASE = "dodomu"  # the name of the embedded database
CONFIG = SettingsConfigDict(
    env_prefix=PREFIX, env_ignore_empty=True, frozen=True, hide_input_in_errors=True, extra="ignore"
)
_URL = "postgresql://{who}@HOST/DATABASE; unset: the PostgreSQL that comes with Dodomu, in the state folder"


class SettingsError(AdminError):
    """A setting is not set, or is not what is expected. The text names each, and no value."""

    status = 2


def _public_key(value: str) -> str:
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(value))
    return value


def _policy(value: str) -> str:
    parse(value or "{}")
    return value


def _public_key_or_none(value: str) -> str:
    return value and _public_key(value)


def _postgres(value: SecretStr) -> SecretStr:
    parts = urllib.parse.urlsplit(value.get_secret_value())
    # `port` is only checked when it is asked for.
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/") or parts.port == 0:
        raise ValueError
    return value


_HERE = frozenset({"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"})  # noqa: S104 - to compare, not to listen


def _origin(value: str) -> str:
    parts = urllib.parse.urlsplit(value.rstrip("/"))
    # `port` is only checked when it is asked for.
    if value and (parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0):
        raise ValueError
    if parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError
    return value.rstrip("/").lower()


_PostgresUrl = Annotated[SecretStr, AfterValidator(_postgres)]


class StateSettings(BaseSettings):
    """What every process of the team's side has."""

    model_config = CONFIG

    state: Path = Field(
        Path("var/line"), description="a private folder, which holds the database too if there is no URL"
    )


class PrepareSettings(StateSettings):
    """`python -m admin database prepare`."""

    superuser_url: _PostgresUrl | None = Field(
        None, description=_URL.format(who="SUPERUSER:PASSWORD") + ", prepared by its own superuser"
    )


class _StoreSettings(StateSettings):
    """What a process needs to reach the database and the sealed files."""

    blobs: str = Field("", description="a folder, or s3://BUCKET/PREFIX, where sealed files are kept")
    s3_endpoint: str = Field("", description="the address of the S3 service, like https://s3.example.org")
    s3_region: str = Field("", description="the region of the S3 bucket")
    s3_access_key_id: SecretStr = Field(SecretStr(""), description="the S3 access key's id")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="the S3 access key's secret")

    @property
    def blobs_at(self) -> str:
        """Where sealed files are: as set, else beside the rest of the state."""
        return self.blobs or str(self.state / "blobs")

    def s3(self) -> dict[str, str]:
        """What `storage.blobs.Blobs.open` needs beside the place; nothing for a folder."""
        given = {
            "endpoint": self.s3_endpoint,
            "region": self.s3_region,
            "access_key_id": self.s3_access_key_id.get_secret_value(),
            "secret_access_key": self.s3_secret_access_key.get_secret_value(),
        }
        return {name: value for name, value in given.items() if value}


class KeeperSettings(_StoreSettings):
    """The maintenance process, and the key acts of the command line: role `dodomu_keeper`."""

    keeper_database_url: _PostgresUrl | None = Field(
        None, description=_URL.format(who="dodomu_keeper:PASSWORD")
    )
    scrypt_work_factor: int = Field(
        18, ge=1, le=20, description="a whole number from 1 to 20; 18 unless this is a rehearsal"
    )
    erasures: Path | None = Field(
        None, description="the file that notes which reports were shredded, best on another machine or medium"
    )

    @property
    def ledger(self) -> Path:
        """The ledger of erasures: as set, else beside the rest of the state."""
        return self.erasures or self.state / "erasures.ndjson"

    retention: Annotated[str, AfterValidator(_policy)] = Field(
        "",
        description='when reports end, like {"*/closed: hostile": 365}: days by class and status'
        " (docs/data-protection.md)",
    )

    def retention_policy(self) -> Policy:
        """Days by class and status; what comes with the program unless set."""
        return parse(self.retention) if self.retention else DEFAULT

    def database(
        self, progress: Callable[[str], None] | None = None
    ) -> contextlib.AbstractContextManager[str]:
        """The URL as the keeper, as `reach` gives it."""
        return reach(self.keeper_database_url, self.state, roles.KEEPER, progress)


class TrustedSettings(KeeperSettings):
    """The keeper where it can check what the ceremony key signed: the console's and the bot's setting, if it is set."""

    ceremony_key: Annotated[str, AfterValidator(_public_key_or_none)] = Field(
        "", description="the public half of the ceremony key, 64 hexadecimal digits"
    )


class RestoreSettings(TrustedSettings, PrepareSettings):
    """`python -m admin restore`: as the database's superuser."""


class AddressSettings(BaseSettings):
    """Where the console listens."""

    model_config = CONFIG

    console_host: str = Field(
        "127.0.0.1", description="the address to listen on, 127.0.0.1 for this machine alone"
    )
    console_port: int = Field(8080, ge=1, le=65535, description="a port to listen on, from 1 to 65535")

    console_url: Annotated[str, AfterValidator(_origin)] = Field(
        "",
        description="the address that browsers use, like https://desk.example.org, with no path; security keys are"
        " bound to it for good",
    )

    @property
    def url(self) -> str:
        """The address that browsers use: as set, else of this machine. Under a number there are no security keys."""
        if self.console_url:
            return self.console_url
        here = self.console_host in _HERE
        host = f"[{self.console_host}]" if ":" in self.console_host else self.console_host
        return f"http://{'localhost' if here else host}:{self.console_port}"

    @property
    def listens_at(self) -> str:
        """Host and port, as they are said when they cannot be listened on."""
        host = f"[{self.console_host}]" if ":" in self.console_host else self.console_host
        return f"{host}:{self.console_port}"


class ConsoleSettings(_StoreSettings, AddressSettings):
    """The console: role `dodomu_console`."""

    console_database_url: _PostgresUrl | None = Field(
        None, description=_URL.format(who="dodomu_console:PASSWORD")
    )
    ceremony_key: Annotated[str, AfterValidator(_public_key)] = Field(
        description="the public half of the ceremony key, the 64 hexadecimal digits that"
        " `python -m admin ceremony` printed"
    )
    scrypt_work_factor: int = Field(
        18, ge=1, le=20, description="a whole number from 1 to 20, the highest of any member; 18 is usual"
    )
    proxy_address: IPvAnyAddress | None = Field(
        None, description="the address from which the TLS proxy in front connects, such as 127.0.0.1"
    )
    client_certificate_header: str = Field(
        "",
        pattern=r"\A[A-Za-z0-9-]*\z",
        description="the header in which that proxy gives the fingerprint of the client's certificate, such as"
        " X-Client-Certificate; it needs DODOMU_PROXY_ADDRESS",
    )
    session_minutes: int = Field(
        30, ge=1, le=720, description="minutes without a click until one is signed out, from 1 to 720"
    )

    @field_validator("client_certificate_header")
    @classmethod
    def _from_the_proxy_alone(cls, value: str, info: ValidationInfo) -> str:
        if value and not info.data.get("proxy_address"):
            raise ValueError
        return value

    def database(
        self, progress: Callable[[str], None] | None = None
    ) -> contextlib.AbstractContextManager[str]:
        """The URL as the console, as `reach` gives it."""
        return reach(self.console_database_url, self.state, roles.CONSOLE, progress)

    def ceremony_public_key(self) -> Ed25519PublicKey:
        """What the manifest's signature is checked with."""
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.ceremony_key))


@contextlib.contextmanager
def reach(
    url: SecretStr | None, state: Path, role: str, progress: Callable[[str], None] | None = None
) -> Iterator[str]:
    """The database's URL for this role, for as long as the process needs it. Blocks while it starts.

    Raises storage.programs.LocalError when the embedded PostgreSQL cannot run.
    """
    if url is not None:
        yield url.get_secret_value()
        return
    passwords = setup.new_passwords(state / "roles")
    with local.acquire(state / "postgres", progress=progress) as server:
        yield server.url(role, passwords[role], DATABASE)


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
