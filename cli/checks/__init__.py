"""What `octoflow doctor` looks at: small checks in tables, none of which can keep the others from running."""

from cli.checks.finding import Check, Finding, Health, examine, failed, ok, warning

__all__ = ["Check", "Finding", "Health", "examine", "failed", "ok", "warning"]
