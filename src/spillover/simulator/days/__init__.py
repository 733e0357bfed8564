"""Whole days of traffic in seconds: the real engine, ledger and clock over simulated providers.

Nothing decides here: requests are served by `engine`, so what a day shows is what a gateway does.
The providers still share no code with it and judge what it sends.
"""

from spillover.simulator.days.day import Day, Outage, Policy
from spillover.simulator.days.figures import Figures
from spillover.simulator.days.running import run

__all__ = ["Day", "Figures", "Outage", "Policy", "run"]
