"""`TransferPolicy`: whether, and where to, funds may leave an account."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ActionStatus, OperatorError


@dataclass(frozen=True, slots=True)
class TransferPolicy:
    """What the people who run a worker allow; no automation file and no state can widen it.

    Attributes:
        allowed: whether funds may leave at all.
        addresses: where they may go.
    """

    allowed: bool = False
    addresses: frozenset[str] = frozenset()

    def check(self, address: str) -> None:
        """Refuse an address that is not allowed.

        Raises:
            OperatorError: `disabled_funds_transfer_error`.
        """
        if not self.allowed:
            raise OperatorError(
                ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR,
                "this worker moves no funds; whoever runs it can allow it (OCTOFLOW_WORKER_ALLOW_TRANSFERS)",
            )
        if address not in self.addresses:
            raise OperatorError(
                ActionStatus.DISABLED_FUNDS_TRANSFER_ERROR,
                f"the address {address!r} is not on this worker's list (OCTOFLOW_WORKER_TRANSFER_ADDRESSES)",
            )
