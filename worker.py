"""The process that runs workflows and activities: `python worker.py` or `octoflow worker`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Callable
from datetime import timedelta

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.worker import Worker, WorkerDeploymentConfig

from activities.build_id import build_id
from activities.collector import freeze_startup
from activities.editing import EditActivities
from activities.invocation import InvocationActivities
from activities.log_context import ContextFilter
from codec import PayloadKeyError
from connection import (
    ConnectionProblem,
    SettingProblem,
    connect,
    encrypts_payloads,
    load_settings,
    read_settings,
    search_attributes_registered,
)
from engine.community import CommunityAuthenticatorFactory, HttpCommunity, NoCommunity
from engine.effects import TransferPolicy
from engine.errors import ConfigurationError
from engine.job import EngineSettings, Services
from engine.masking import MaskingFilter
from workflows.automation import Automation

EXIT_WRONG_SETTINGS = 2
EXIT_NOT_REACHABLE = 3

logger = logging.getLogger("octoflow.worker")


class WorkerSettings(BaseSettings):
    """How a worker works, read from `OCTOFLOW_WORKER_*` variables; times in seconds.

    Attributes:
        max_invocations: invocations under way at the same time.
        max_workflow_tasks: workflow tasks under way at the same time.
        max_cached_workflows: automations kept in memory between their runs; others are replayed.
        shutdown_timeout: how long running invocations may take to finish when the worker is asked to end;
            above the longest invocation, or a deploy would run it twice.
        heartbeat_interval: longest time between two heartbeats that reach the server.
        allow_transfers: whether automations may withdraw funds at all.
        transfer_addresses: the only addresses that funds may go to, as a JSON list in the environment.
        community_url: address of the community that leaders publish to; without one nothing is published.
        community_token: reference, such as `env:COMMUNITY`, to the token of automations that have none.
        sticky_timeout: time after which another worker takes over automations of one that vanished.
    """

    model_config = SettingsConfigDict(env_prefix="OCTOFLOW_WORKER_", extra="ignore")

    max_invocations: int = Field(default=100, gt=0)
    max_workflow_tasks: int = Field(default=100, gt=1)
    max_cached_workflows: int = Field(default=1_000, gt=0)
    shutdown_timeout: float = Field(default=310, ge=0)
    heartbeat_interval: float = Field(default=5, gt=0)
    allow_transfers: bool = False
    transfer_addresses: frozenset[str] = frozenset()
    community_url: str | None = None
    community_token: str | None = None
    sticky_timeout: float = Field(default=10, gt=0)

    def services(self) -> Services:
        """Return the engine's seams as these settings want them.

        Raises:
            ConfigurationError: the community's address cannot be used, or its token is not there.
        """
        policy = TransferPolicy(self.allow_transfers, self.transfer_addresses)
        return Services(settings=EngineSettings(transfers=policy), community=self._community())

    def _community(self) -> CommunityAuthenticatorFactory:
        if self.community_url is None:
            return NoCommunity()
        community = HttpCommunity(url=self.community_url, reference=self.community_token)
        community.check_reference()
        return community


async def build_worker(
    client: Client,
    *,
    task_queue: str,
    services: Services | None = None,
    settings: WorkerSettings | None = None,
) -> Worker:
    """Return a worker that is ready to run.

    Args:
        client: connected with `connection.connect`, whose plugin configures the worker as well.
        task_queue: the queue to serve.
        services: the engine's seams; those of the settings by default.
        settings: defaults to those of the environment.

    Raises:
        SettingProblem: a variable of the environment cannot be used.
        ConfigurationError: the community that the settings name cannot be used.
    """
    settings = settings or read_settings(WorkerSettings)
    services = services or settings.services()
    registered = await search_attributes_registered(client)
    if not registered:
        logger.warning(
            "search attributes are not registered, so that `octoflow list` cannot filter; "
            "`octoflow server` registers them on the server it starts or is pointed to"
        )
    encrypted = encrypts_payloads(client)
    invocations = InvocationActivities(services, search_attributes=registered, encrypted=encrypted)
    edits = EditActivities(services, encrypted=encrypted)
    return Worker(
        client,
        task_queue=task_queue,
        deployment_config=_deployment(),
        workflows=[Automation],
        activities=[invocations.run_invocation, edits.apply_edit],
        max_concurrent_activities=settings.max_invocations,
        max_concurrent_workflow_tasks=settings.max_workflow_tasks,
        max_cached_workflows=settings.max_cached_workflows,
        graceful_shutdown_timeout=timedelta(seconds=settings.shutdown_timeout),
        max_heartbeat_throttle_interval=timedelta(seconds=settings.heartbeat_interval),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=settings.sticky_timeout),
    )


def _deployment() -> WorkerDeploymentConfig:
    """Return the name and version under which servers know this worker.

    Without one, the SDK hashes the code of all loaded modules at every start, which takes seconds.
    """
    release = WorkerDeploymentVersion(deployment_name="octoflow", build_id=build_id())
    return WorkerDeploymentConfig(version=release, use_worker_versioning=False)


async def run_worker(
    client: Client,
    *,
    task_queue: str,
    services: Services | None = None,
    settings: WorkerSettings | None = None,
    stop: asyncio.Event | None = None,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve a task queue until asked to stop, then let the invocations under way finish.

    Args:
        client: connected with `connection.connect`.
        task_queue: the queue to serve.
        services: the engine's seams.
        settings: defaults to those of the environment.
        stop: set it to end the worker; default: SIGINT and SIGTERM do.
        on_ready: called once the worker polls.
    """
    worker = await build_worker(client, task_queue=task_queue, services=services, settings=settings)
    stop = stop or stop_on_signals()
    freeze_startup()
    async with worker:
        if on_ready is not None:
            on_ready()
        await stop.wait()
        logger.info("finishing the invocations that run; nothing new is taken")


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set; the running loop handles them from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


def configure_logging(level: int = logging.INFO) -> None:
    """Log to stderr: each record with the automation and iteration that it is about, none with a secret."""
    handler = logging.StreamHandler()
    handler.addFilter(ContextFilter())
    handler.addFilter(MaskingFilter())
    logging.basicConfig(
        level=level, handlers=[handler], format="%(asctime)s %(levelname)s %(name)s: %(context)s%(message)s"
    )


async def _serve(task_queue: str | None) -> None:
    settings, own = load_settings(), read_settings(WorkerSettings)
    services = own.services()
    queue = task_queue or settings.task_queue
    client = await connect(settings)
    target = client.service_client.config.target_host

    def announce() -> None:
        logger.info("serving task queue '%s' of namespace '%s' at %s", queue, client.namespace, target)

    await run_worker(client, task_queue=queue, services=services, settings=own, on_ready=announce)


def main(arguments: list[str] | None = None) -> int:
    """Run a worker; return the process's exit code."""
    parser = argparse.ArgumentParser(prog="worker.py", description="Run Octoflow's workflows and activities.")
    parser.add_argument("--task-queue", help="queue to serve (default: OCTOFLOW_TASK_QUEUE, else octoflow)")
    options = parser.parse_args(arguments)
    configure_logging()
    try:
        asyncio.run(_serve(options.task_queue))
    except ConnectionProblem as problem:
        logger.error("%s", problem)
        return EXIT_NOT_REACHABLE
    except (SettingProblem, PayloadKeyError, ConfigurationError) as problem:
        logger.error("%s", problem)
        return EXIT_WRONG_SETTINGS
    finally:
        gc.collect()  # what still refers to the SDK's core must go before the interpreter does
    return 0


if __name__ == "__main__":
    sys.exit(main())
