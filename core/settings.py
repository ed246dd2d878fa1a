"""Settings: one place, from the environment (`VELELLA_…`), `.env` and `velella.toml`, in this order of precedence: see
`settings_sources.py`.

`velella config` prints every setting with its value, its source and its meaning: the descriptions here are that text.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Collection
from ipaddress import ip_network
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args
from urllib.parse import unquote_plus

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from .private import private_folder

PRIVATE_NETWORKS = ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""A client with such an address hasn't come through a router of the internet."""

LOOPBACK_OF = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}
"""Addresses that mean all of a machine → the one by which that machine reaches itself."""

_HOST = r"(?:[^/?#@:,\[\]]*|\[[^/?#@\]]*\])(?::[0-9]+)?"
_PARAMETER = "[^=&#]+=[^&#]*"
_POSTGRESQL = re.compile(rf"postgres(?:ql)?://(?:[^/?#]*@)?{_HOST}(?:,{_HOST})*(?:/[^?#]*)?(?:\?(?:{_PARAMETER}(?:&{_PARAMETER})*)?)?")


BuyerEmail = Literal["order-placed", "order-shipped", "order-returned", "order-refunded", "order-transfer-requested"]
"""An email to a buyer, by its template."""


Secret = Literal["jwt_secret", "cookie_secret", "mfa_key", "cluster_token", "metrics_token"]
"""A setting that is made on the first start unless it is given. Servers that share a database share them."""


class ProviderSettings(BaseModel):
    """One provider of a module: which class, under which id, with which options."""

    model_config = ConfigDict(extra="forbid")

    use: str
    """Identifier that the module ships (`system`, `manual`, `stripe`) or an import path `package.module:Class`."""
    id: str = "default"
    """Tells apart two providers of one class: `pp_<use>_<id>`."""
    options: dict[str, Any] = Field(default_factory=dict)


class Verified(BaseModel):
    """That actors who sign in by a provider have to prove that what they are called there is theirs."""

    model_config = ConfigDict(extra="forbid")

    auth_provider: str
    entity_type: str = "email"


def default_providers() -> dict[str, list[ProviderSettings]]:
    return {
        "payment": [ProviderSettings(use="system", id="default")],
        "fulfillment": [ProviderSettings(use="manual", id="manual")],
        "tax": [ProviderSettings(use="system")],
        "auth": [ProviderSettings(use="emailpass", id="emailpass")],
        "file": [ProviderSettings(use="local", id="local")],
        "notification": [ProviderSettings(use="local", id="local")],
        "search": [ProviderSettings(use="postgres", id="postgres")],
        "analytics": [ProviderSettings(use="local", id="local")],
    }


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="VELELLA_", env_nested_delimiter="__", env_file=".env", toml_file="velella.toml", extra="ignore"
    )

    SECRETS: ClassVar[tuple[Secret, ...]] = get_args(Secret)

    # where
    host: str = Field(
        "127.0.0.1",
        description="Address the HTTP front ends listen on. Anything but loopback opens the shop to the network. "
        "node: in a cluster, the address that Ray knows each node by.",
    )
    port: int = Field(9000, ge=0, le=65535, description="Port of the HTTP front ends.")
    data_dir: Path = Field(Path(".velella"), description="Where the embedded PostgreSQL, sockets, secrets and logs lie.")
    public_url: str | None = Field(
        None,
        description="How browsers reach this server. Default: http://<host>:<port>. Links in emails and addresses of files begin with it.",
    )

    admin_url: str | None = Field(None, description="Where the dashboard is, for links in emails. Default: public_url/app.")
    storefront_url: str | None = Field(None, description="Where buyers are, for links in emails. Default: the first origin of store_cors.")

    # data
    database_url: str | None = Field(None, description="postgresql://… Default: an embedded PostgreSQL under data_dir.")
    databases: dict[str, str] = Field(
        default_factory=dict, description="Databases of single modules: module → URL. Default: database_url for all."
    )
    connections: int = Field(8, ge=1, description="Database connections of a process, unless its pool says otherwise.")
    statement_timeout: float = Field(30.0, gt=0, description="Seconds after which PostgreSQL gives up a statement.")

    # how it runs
    topology: str = Field("packed", description="packed, pooled, or a path to a cluster.yaml.")
    processes: int = Field(0, ge=0, description="Processes of the packed topology. 0: one a core.")
    admission: int = Field(512, ge=1, description="Messages that may wait in a replica; one more is refused with 503.")
    message_timeout: float = Field(30.0, gt=0, description="Seconds an HTTP request and all its messages may take, once its body is there.")
    cache: bool = Field(True, description="Whether processes cache answers.")
    cache_bytes: int = Field(64 * 1024 * 1024, ge=0, description="Bytes of answers a process may hold.")
    cache_seconds: float | None = Field(
        None,
        gt=0,
        description="Longest life of a cached answer, should every invalidation be lost. Default: 300 where all processes share a node, "
        "5 on several nodes: one that is cut off isn't told what changes.",
    )
    ray_address: str | None = Field(None, description="Ray cluster to join: auto, or host:port. Default: Ray is started on this machine.")
    message_host: str | None = Field(
        None,
        description="Address on which processes also take messages by TCP. Default: the node's own in a cluster, none on one machine. "
        "none: not at all; messages between nodes go as Ray calls.",
    )
    cluster_token: str | None = Field(
        None, min_length=1, description="Secret of the TCP sockets between processes. Default: made on the first start, kept in data_dir."
    )
    tls_certificate: Path | None = Field(None, description="Certificate of this node for TCP between nodes (PEM). Default: no TLS there.")
    tls_key: Path | None = Field(None, description="Its private key (PEM).")
    tls_ca: Path | None = Field(None, description="The authority whose certificates the nodes of this cluster have (PEM), and nobody else.")

    trusted_proxies: list[IPvAnyNetwork] = Field(
        default_factory=lambda: [ip_network(network) for network in PRIVATE_NETWORKS],
        description="Networks of the proxies before this server: what they say in X-Forwarded-For is the client's address, which limits "
        "count by. Default: this machine and private networks, so one proxy beside the server needs no setting.",
    )

    connections_per_address: int = Field(
        256, ge=0, description="Connections that one address may have open to one process. 0: any number, as trusted proxies may have."
    )
    receive_timeout: float = Field(
        10.0, gt=0, description="Seconds in which the head of a request has to come, and its body less what receive_rate grants."
    )
    receive_rate: int = Field(8192, gt=0, description="Bytes of a body that give its client a second more: the least speed of a large one.")

    # the API
    jwt_secret: str | None = Field(None, min_length=1, description="Signs tokens. Default: made on the first start, kept in data_dir.")
    jwt_expires: int = Field(86_400, gt=0, description="Seconds a token is valid.")
    cookie_secret: str | None = Field(
        None, min_length=1, description="Signs session cookies. Default: made on the first start, kept in data_dir."
    )
    session_expires: int = Field(36_000, gt=0, description="Seconds a session lives without a request.")
    session_lifetime: int = Field(
        30 * 86_400,
        gt=0,
        description="Seconds after signing in at which a session ends however much it is used, and tokens are refreshed no more.",
    )
    auth_methods: dict[str, list[str]] = Field(
        default_factory=lambda: {"user": ["emailpass"]}, description="Ways to sign in by actor type. Types that aren't named may use any."
    )
    auth_verifications: dict[str, list[Verified]] = Field(
        default_factory=dict,
        description="What actors prove before they sign in, by type: {customer = [{auth_provider = 'emailpass', entity_type = 'email'}]}.",
    )
    mfa_key: str | None = Field(
        None, min_length=1, description="Seals secrets of second factors. Default: made on the first start, kept in data_dir."
    )
    mfa_issuer: str = Field("Velella", description="The name under which authenticator apps list the shop.")
    mfa_disable_needs_code: bool = Field(
        False, description="Whether who is signed in needs a code to disable a second factor, and to replace its recovery codes."
    )
    store_cors: str = Field(
        "http://localhost:8000", description="Origins that storefronts come from, comma separated; /…/ is a pattern, * is any."
    )
    admin_cors: str = Field("http://localhost:5173,http://localhost:9000", description="Origins that admin dashboards come from.")
    auth_cors: str = Field("http://localhost:5173,http://localhost:9000,http://localhost:8000", description="Origins for /auth.")
    body_limit: int = Field(100 * 1024, gt=0, description="Bytes a request body may have; 2 MiB on batch routes.")
    upload_limit: int = Field(20 * 1024 * 1024, gt=0, description="Bytes an uploaded file may have.")
    import_limit: int = Field(64 * 1024 * 1024, gt=0, description="Bytes a CSV file may have, which products are imported from.")
    upload_types: list[str] = Field(
        default_factory=lambda: [
            "image/*",
            "video/*",
            "audio/*",
            "model/*",
            "text/csv",
            "text/plain",
            "application/json",
            "application/pdf",
        ],
        description="Types that files may be uploaded as.",
    )
    upload_timeout: float = Field(300.0, gt=0, description="Seconds that uploading may take.")
    restricted_fields: list[str] = Field(
        default_factory=lambda: ["order", "orders"], description="Fields the store API never shows unless a route allows them."
    )

    translation: bool = Field(
        True, description="Whether texts of the shop are translated: ?locale= of storefronts, and the dashboard's pages for it."
    )

    view_configurations: bool = Field(
        False, description="Whether users choose the columns of the dashboard's lists, and keep them as views with filters and an order."
    )

    search: bool = Field(
        False,
        description="Whether products are kept in a search index, for /store/search and the dashboard's search. Each change of a product "
        "is then indexed about a second later.",
    )

    # stricter than Medusa
    strict_channels: bool = Field(
        False,
        description="Whether carts only take what is sold in their own sales channel, and only go to channels of the storefront's key.",
    )
    strict_variants: bool = Field(
        False, description="Whether new products are refused with variants that leave options out, or two that are made of the same values."
    )
    strict_addresses: bool = Field(False, description="Whether a cart is refused that is opened with an address outside its region.")

    # limits
    sign_in_account_limit: str = Field(
        "10/minute", description="Wrong passwords of an account; more are refused with 429. 10/minute;100/day is both. Empty: no limit."
    )
    sign_in_address_limit: str = Field("60/minute", description="Wrong passwords from an address, or a /64 of IPv6, whatever the account.")
    sign_up_address_limit: str = Field("60/minute", description="Identities registered from an address.")
    email_account_limit: str = Field(
        "1/minute", description="Emails to an address that somebody can ask for: resets, invitations, transfers of orders."
    )
    email_request_limit: str = Field(
        "10/minute", description="Emails about forgotten passwords and transfers of orders that are asked for from an address."
    )

    # third parties
    providers: dict[str, list[ProviderSettings]] = Field(
        default_factory=default_providers,
        description="Providers by module, and of what the shop itself stands on: locking (actor, postgres, redis), events (outbox, redis), "
        "session (postgres, redis), cache (process, redis), workflow_engine (postgres, redis). What isn't named keeps its own.",
    )
    payment_provider_timeout: float = Field(
        15.0,
        gt=0,
        description="Seconds that a payment provider is given to answer. After that it isn't known what it did: it is asked again.",
    )
    fulfillment_provider_timeout: float = Field(
        15.0,
        gt=0,
        description="Seconds that a fulfillment provider is given to answer. After that it isn't known what it did: it is asked again.",
    )
    payment_hold_seconds: float = Field(
        3600.0,
        gt=0,
        description="Seconds for which money may be held, or have been taken, for a cart that doesn't become an order. "
        "Then it is let go, or given back.",
    )
    emails: list[BuyerEmail] | None = Field(
        None,
        description="Emails to buyers that are sent. Default: all, where another provider than local delivers emails; "
        "else order-transfer-requested alone, without which no order is handed over.",
    )
    templates_dir: Path | None = Field(None, description="Folder with emails of the shop's own: <template>.txt and <template>.html.")
    modules: dict[str, str] = Field(default_factory=dict, description="Modules beyond the built-in ones: name → import path.")
    plugins: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Packages of the shop's own workflows, hooks, subscribers, and routes (in their `http`): package → its options. "
        "A list names packages without options.",
    )

    # observability
    metrics: Literal["private", "open", "off"] = Field(
        "private",
        description="Who may read /metrics. private: who brings metrics_token, from wherever. "
        "open: everybody who reaches the port. off: there is none.",
    )
    metrics_token: str | None = Field(
        None,
        min_length=1,
        description="Bearer token for /metrics. Default: made on the first start, kept in data_dir/secrets/metrics_token.",
    )

    traces: str | None = Field(
        None, description="OpenTelemetry collector that traces go to by OTLP over HTTP: http://localhost:4318. Needs velella[otel]."
    )
    traces_share: float = Field(
        1.0, ge=0, le=1, description="Share of requests that are traced. One that comes with a trace says so itself."
    )

    # logs
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least severe line that is written.")
    log_format: Literal["auto", "text", "json"] = Field("auto", description="auto: readable on a terminal, JSON otherwise.")
    log_requests: bool = Field(True, description="Whether each request is a line of the log, at the level info.")

    @field_validator("plugins", mode="before")
    @classmethod
    def _without_options(cls, given: Any) -> Any:
        return {name: {} for name in given} if isinstance(given, list | tuple) else given

    @field_validator("database_url", "databases")
    @classmethod
    def _check_urls(cls, given: Any) -> Any:
        for name, url in (given if isinstance(given, dict) else {"it": given}).items():
            if url is not None:
                check_database_url(name, url)
        return given

    @field_validator("providers")
    @classmethod
    def _keep_default_providers(cls, given: dict[str, list[ProviderSettings]]) -> dict[str, list[ProviderSettings]]:
        """Naming payment providers must not remove the tax provider."""
        return {**default_providers(), **given}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls), file_secret_settings

    def with_secrets(self) -> Settings:
        """The same settings with every secret filled in; these themselves, where all are."""
        made: dict[str, str] = {name: self.secret(name) for name in self.SECRETS if getattr(self, name) is None}
        return self.model_copy(update=made) if made else self

    def secret(self, name: Secret) -> str:
        """A secret as it is given; else it is made once and kept in `data_dir/secrets`, readable by the owner only."""
        given: str | None = getattr(self, name)
        return kept_secret(self.private_data_dir() / "secrets" / name) if given is None else given

    def private_data_dir(self) -> Path:
        """`data_dir`, made if it doesn't exist, readable by its owner only; if that is root, PostgreSQL's account may pass through it."""
        return private_folder(self.data_dir, passed=os.geteuid() == 0)

    @property
    def longest_cached(self) -> float:
        """`cache_seconds`, or the default for one node; a caller that runs several nodes sets it (see `for_several_nodes`)."""
        return 300.0 if self.cache_seconds is None else self.cache_seconds

    def for_several_nodes(self) -> Settings:
        """The same settings for processes that may lose contact with each other."""
        return self.model_copy(update={"cache_seconds": 5.0}) if self.cache_seconds is None else self

    @property
    def url(self) -> str:
        """How browsers reach this server, without a slash at its end: `public_url`, else as this machine itself reaches it."""
        return self.public_url.rstrip("/") if self.public_url else url_of(self.host, self.port)

    @property
    def lacks_public_url(self) -> bool:
        """Whether nothing says how other machines reach this server, although they can: links would lead them to themselves."""
        return self.public_url is None and self.host in (*LOOPBACK_OF, "node")

    @property
    def dashboard_dir(self) -> Path:
        """Where `velella admin build` puts the dashboard: what is served is `site` in it."""
        return self.data_dir / "dashboard"

    def database_of(self, module: str) -> str:
        """URL of a module's database. Raises Misconfigured if none is known yet."""
        from .errors import Misconfigured

        url = self.databases.get(module) or self.database_url
        if url is None:
            raise Misconfigured(
                "No database is configured.", hint="Set VELELLA_DATABASE_URL, or let `velella serve` start the embedded one."
            )
        return url


def check_database_url(name: str, url: str) -> None:
    """Raises ValueError for what no driver can read: what a driver says of it may hold a part of the password."""
    if not _POSTGRESQL.fullmatch(url):
        raise ValueError(f"{name} isn't postgresql://user:password@host:port/name, with %2F for a / in the password, and so on")


def without_password(url: str) -> str:
    """A URL as others may see it: rather with too little than with a part of a password that isn't escaped."""
    before, at, after = without_parameters(url, SECRET_PARAMETERS).rpartition("@")
    scheme, slashes, login = before.partition("://")
    return f"{scheme}{slashes}{login.split(':')[0]}{at}{after}"


SECRET_PARAMETERS = ("password", "sslpassword")
"""What drivers take from a database's URL besides its login."""


def without_parameters(url: str, names: Collection[str]) -> str:
    """A URL without these parameters of its query."""
    address, _, query = url.partition("?")
    kept = [part for part in query.split("&") if part and unquote_plus(part.partition("=")[0]) not in names]
    return "?".join((address, "&".join(kept))) if kept else address


def url_of(host: str, port: int) -> str:
    """The URL of a server that listens on an address. One that means all addresses becomes that of this machine."""
    host = LOOPBACK_OF.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def kept_secret(path: Path, size: int = 48) -> str:
    """Read the secret, or make it of `size` random bytes; if two processes make it at once, one wins and both read the same."""
    private_folder(path.parent)
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    if not path.exists():
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(size))
        try:
            path.hardlink_to(draft)
        except FileExistsError:
            pass  # another process was first: its secret counts
        finally:
            draft.unlink()
    return path.read_text()
