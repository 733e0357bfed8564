"""Perform what the core decides, against the real world: the only place that awaits and knows the core."""

from spillover.engine.call import Answer, Call, Give
from spillover.engine.engine import Engine
from spillover.engine.opening import EngineOptions, open_engine
from spillover.engine.rounds import Rounds

__all__ = ["Answer", "Call", "Engine", "EngineOptions", "Give", "Rounds", "open_engine"]
