"""Simulated providers: real HTTP servers with the quotas and the quirks of real LLM providers.

For tests, demonstrations and benchmarks, ours and users'. Shares no code with the rest of
Spillover: it is the judge of what the ledger counts.
"""

from __future__ import annotations

from spillover.simulator.demo import demo_providers
from spillover.simulator.faults import FAULTS, Break, Fault, Part, html_page
from spillover.simulator.flavours import FLAVOURS
from spillover.simulator.hosting import SimulatedProvider, running, simulate
from spillover.simulator.records import Counters, Outcome, Record
from spillover.simulator.replies import Complaint
from spillover.simulator.spec import (
    Allowance,
    Metric,
    Model,
    Pool,
    ProviderSpec,
    ScriptedCall,
    WindowKind,
    limits,
)

__all__ = [
    "FAULTS",
    "FLAVOURS",
    "Allowance",
    "Break",
    "Complaint",
    "Counters",
    "Fault",
    "Metric",
    "Model",
    "Outcome",
    "Part",
    "Pool",
    "ProviderSpec",
    "Record",
    "ScriptedCall",
    "SimulatedProvider",
    "WindowKind",
    "demo_providers",
    "html_page",
    "limits",
    "running",
    "simulate",
]
