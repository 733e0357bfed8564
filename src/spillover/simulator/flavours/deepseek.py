"""DeepSeek: no limits of its own, a prepaid balance, 402 when it is spent.

Refuses to know counting. Shapes follow api-docs.deepseek.com.
"""

from __future__ import annotations

from typing import ClassVar

from spillover.simulator.flavours.base import Flavour
from spillover.simulator.replies import Circumstances, Complaint, Reply, json_reply


class DeepSeek(Flavour):
    """The `deepseek` flavour."""

    name: ClassVar[str] = "deepseek"

    def complaint(self, why: Complaint, said: Circumstances) -> Reply:
        """Its words for spent money are its own."""
        if why is Complaint.PAYMENT_REQUIRED:
            return self.error(
                402, "Insufficient Balance", kind="unknown_error", code="invalid_request_error"
            )
        return super().complaint(why, said)

    def account(self, path: str, balance_usd: float) -> Reply | None:
        """Tell of the balance, as texts."""
        if path != "/user/balance":
            return None
        purse = {
            "currency": "USD",
            "total_balance": f"{balance_usd:.2f}",
            "granted_balance": "0.00",
            "topped_up_balance": f"{balance_usd:.2f}",
        }
        return json_reply(200, {"is_available": balance_usd > 0, "balance_infos": [purse]})
