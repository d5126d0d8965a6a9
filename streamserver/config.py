"""The typed mirror of `config.toml`. What is misspelt, of a wrong type or impossible stops the start with its key named."""

import os
import re
import tomllib
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

PREFIX = "STREAMSERVER_"


class ConfigError(Exception):
    """The configuration cannot be used; the message names each key and what it should be."""


def _network(text: str) -> str:
    ip_network(text)
    return text


def _public_url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"}):
        raise ValueError("must look like https://shop.example, without a path")
    default_port = f":{443 if parts.scheme == 'https' else 80}"
    return text.rstrip("/").lower().removesuffix(default_port)  # as browsers write an Origin


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ServerConfig(Section):
    data: Path = Path("data")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_json: bool = False


class WebConfig(Section):
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    processes: Annotated[int, Field(ge=0, le=256)] = 0
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    trusted_proxies: list[Annotated[str, AfterValidator(_network)]] = []
    max_body: Annotated[int, Field(ge=1024)] = 10_485_760
    drain_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    metrics_port: Annotated[int, Field(ge=0, le=65535)] = 9090


class RedisConfig(Section):
    url: Annotated[str, Field(pattern=r"^(embedded|(rediss?|unix)://.+)$")] = "embedded"
    stock_url: Annotated[str, Field(pattern=r"^$|^(rediss?|unix)://.+$")] = ""
    live_url: Annotated[str, Field(pattern=r"^$|^(rediss?|unix)://.+$")] = ""


class DatabaseConfig(Section):
    url: Annotated[str, Field(pattern=r"^$|^(sqlite\+aiosqlite|postgresql\+asyncpg)://.+$")] = ""


class AccountsConfig(Section):
    session_days: Annotated[int, Field(ge=1, le=365)] = 30
    sign_in_attempts: Annotated[int, Field(ge=1, le=1000)] = 10
    guests_per_client: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    enrolment: Literal["everyone", "admins"] = "everyone"


class StockConfig(Section):
    hold_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    grace_seconds: Annotated[int, Field(ge=0, le=3_600)] = 15
    tries_per_buyer: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    expire_batch: Annotated[int, Field(ge=1, le=1_000)] = 200
    offer_seconds: Annotated[int, Field(ge=1, le=86_400)] = 120
    patience_seconds: Annotated[int, Field(ge=15, le=86_400)] = 60
    rest_hours: Annotated[int, Field(ge=0, le=8_760)] = 24
    min_free_space: Annotated[int, Field(ge=0)] = 500_000_000


class RoomsConfig(Section):
    lineup_size: Annotated[int, Field(ge=1, le=100)] = 100
    undo_seconds: Annotated[int, Field(ge=0, le=600)] = 10
    abandon_minutes: Annotated[int, Field(ge=1, le=10_080)] = 30
    log_events: Annotated[int, Field(ge=10, le=100_000)] = 1000


class RealtimeConfig(Section):
    tick_ms: Annotated[int, Field(ge=10, le=5_000)] = 50
    messages_per_second: Annotated[int, Field(ge=1, le=100_000)] = 50
    max_backlog: Annotated[int, Field(ge=65_536)] = 262_144
    ping_seconds: Annotated[int, Field(ge=1, le=300)] = 10
    slow_seconds: Annotated[int, Field(ge=1, le=300)] = 15


class OrdersConfig(Section):
    payments: Literal["sandbox"] = "sandbox"
    sandbox_slow_seconds: Annotated[float, Field(ge=0, le=600)] = 5.0
    unpaid_minutes: Annotated[int, Field(ge=1, le=10_080)] = 60


class MediaConfig(Section):
    max_pixels: Annotated[int, Field(ge=10_000, le=200_000_000)] = 40_000_000


class Config(BaseSettings):
    """All sections. `Config.load(path)` is the one way to make it; children of the supervisor get it by environment."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix=PREFIX, env_nested_delimiter="__", env_ignore_empty=False
    )

    server: ServerConfig = ServerConfig()
    web: WebConfig = WebConfig()
    redis: RedisConfig = RedisConfig()
    database: DatabaseConfig = DatabaseConfig()
    accounts: AccountsConfig = AccountsConfig()
    stock: StockConfig = StockConfig()
    rooms: RoomsConfig = RoomsConfig()
    realtime: RealtimeConfig = RealtimeConfig()
    orders: OrdersConfig = OrdersConfig()
    media: MediaConfig = MediaConfig()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return env_settings, init_settings

    @classmethod
    def load(cls, path: Path) -> "Config":
        """Read the file at `path` and the environment over it. Raises `ConfigError`."""
        try:
            text = path.read_text()
            values = tomllib.loads(text)
        except FileNotFoundError as error:
            raise ConfigError(f"There is no configuration at {path}. Copy config.toml from the project.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{path} is not valid TOML: {error}") from error
        try:
            _refuse_unknown_environment()
            config = cls(**values)
        except ValidationError as error:
            raise ConfigError(_explain(path, text, error)) from error
        except ValueError as error:  # pydantic-settings could not parse a list given by the environment
            raise ConfigError(str(error)) from error
        data = (path.parent / config.server.data).resolve()
        return config.model_copy(update={"server": config.server.model_copy(update={"data": data})})

    @cached_property
    def public_url(self) -> str:
        return self.web.public_url or f"http://{self.web.host}:{self.web.port}"

    @cached_property
    def origins(self) -> frozenset[str]:
        """Origins whose pages may write with a cookie. On loopback, its names are one place."""
        if self.web.public_url or self.web.host not in {"127.0.0.1", "localhost"}:
            return frozenset({self.public_url})
        return frozenset(f"http://{name}:{self.web.port}" for name in ("127.0.0.1", "localhost"))

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def redis_socket(self) -> Path:
        return self.server.data / "redis" / "redis.sock"

    @property
    def stock_redis_url(self) -> str:
        return self.redis.stock_url or self._redis_url

    @property
    def live_redis_url(self) -> str:
        return self.redis.live_url or self._redis_url

    @property
    def _redis_url(self) -> str:
        return f"unix://{self.redis_socket}" if self.redis.url == "embedded" else self.redis.url

    @property
    def database_url(self) -> str:
        return self.database.url or f"sqlite+aiosqlite:///{self.server.data / 'streamserver.db'}"

    @property
    def media_folder(self) -> Path:
        return self.server.data / "images"


def _refuse_unknown_environment() -> None:
    known = {
        f"{PREFIX}{section}__{key}".upper()
        for section, field in Config.model_fields.items()
        for key in getattr(field.annotation, "model_fields", {})
    }
    for name in os.environ:
        if name.upper().startswith(PREFIX) and name.upper() not in known | {f"{PREFIX}CONFIG"}:
            raise ConfigError(f"The environment variable {name} names no setting. See config.toml for all of them.")


def _explain(path: Path, text: str, error: ValidationError) -> str:
    lines = [f"{path} cannot be used:"]
    for problem in error.errors():
        location = [str(part) for part in problem["loc"]]
        key = ".".join(location)
        what = "there is no such setting" if problem["type"] == "extra_forbidden" else problem["msg"]
        lines.append(f"  {key}{_line_of(text, location)}: {what}")
    return "\n".join(lines)


def _line_of(text: str, location: list[str]) -> str:
    """Where the key stands in the file, as ` (line n)`; nothing for a value that came from the environment."""
    section = None
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[(\w+)\]", line):
            section = header[1]
            if location == [section]:
                return f" (line {number})"
        elif section == location[0] and len(location) > 1 and re.match(rf"\s*{re.escape(location[1])}\s*=", line):
            return f" (line {number})"
    return ""
