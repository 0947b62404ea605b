"""What `octoflow doctor` looks at: small checks in tables, none of which can keep the others from running."""

from cli.servers.checks import account, exchange, machine, server
from cli.servers.checks.finding import Check, Finding, Health, examine, failed, ok, warning

__all__ = ["account", "exchange", "machine", "server", "Check", "Finding", "Health", "examine", "failed"]
__all__ += ["ok", "warning"]
