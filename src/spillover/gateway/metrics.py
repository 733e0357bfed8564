"""Count what events tell, and write it as Prometheus reads it.

Counting is a few additions for each request; families are made when someone asks for them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from spillover.core.values import Status
from spillover.events import BudgetReached, RequestDone, RequestFallback

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.core import Metric

    from spillover.engine import Engine
    from spillover.events import Event
    from spillover.gateway.routes import Inquiry

REQUEST_S: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
TTFT_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
RESERVE_S: Final = (50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 50e-3, 0.25, 1.0)


class Timings:
    """How many spans fell into each bucket, and their sum."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        """Take the buckets' upper bounds in seconds; what is above falls into one more."""
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self.sum_s = 0.0

    def add(self, seconds: float) -> None:
        """Count a span."""
        self._counts[bisect_left(self._bounds, seconds)] += 1
        self.sum_s += seconds

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """Upper bound and number of spans up to it, for each bucket."""
        found, total = [], 0
        for bound, count in zip((*map(str, self._bounds), "+Inf"), self._counts, strict=True):
            total += count
            found.append((bound, float(total)))
        return found


class Metrics:
    """The metrics of one engine, from the moment of their making."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._requests: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._fallbacks: defaultdict[tuple[str, str, str, str], int] = defaultdict(int)
        self._tokens: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._budgets: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        self._request_s = Timings(REQUEST_S)
        self._ttft_s = Timings(TTFT_S)
        self._reserve_s = Timings(RESERVE_S)
        engine.events.listen(self._count)

    def _count(self, event: Event) -> None:
        if isinstance(event, RequestDone):
            profile = event.profile or ""
            self._requests[event.chain, profile, event.outcome] += 1
            self._request_s.add(event.took_ms / 1_000)
            if event.ttft_ms is not None:
                self._ttft_s.add(event.ttft_ms / 1_000)
            if event.reserve_ms:
                self._reserve_s.add(event.reserve_ms / 1_000)
            if event.input_tokens:
                self._tokens[profile, "input"] += event.input_tokens
            if event.output_tokens:
                self._tokens[profile, "output"] += event.output_tokens
        elif isinstance(event, BudgetReached):
            self._budgets[event.profile, event.limit, str(event.percent)] += 1
        elif isinstance(event, RequestFallback):
            self._fallbacks[event.chain, event.source, event.to or "", event.cause] += 1

    async def scrape(self, inquiry: Inquiry) -> None:
        """Answer in the text format that the scraper asks for."""
        from prometheus_client.exposition import choose_encoder  # noqa: PLC0415 - seldom needed
        from prometheus_client.registry import CollectorRegistry  # noqa: PLC0415 - the same

        registry = CollectorRegistry(auto_describe=False)
        registry.register(self)
        accept = inquiry.visit.headers.get(b"accept", b"").decode("latin-1")
        encode, content_type = choose_encoder(accept)
        await inquiry.visit.answer(200, {"content-type": content_type}, encode(registry))

    def collect(self) -> Iterator[Metric]:
        """Yield every family as it stands now."""
        yield from self._counters()
        yield from self._timings()
        yield from self._gauges()

    def _counters(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily  # noqa: PLC0415 - seldom needed

        for name, text, labels, counts in (
            ("requests", "Requests that ended.", ("chain", "profile", "outcome"), self._requests),
            (
                "fallbacks",
                "Times a request went on to another profile, or found none left.",
                ("chain", "from", "to", "cause"),
                self._fallbacks,
            ),
            ("tokens", "Tokens used, by kind (input, output).", ("profile", "kind"), self._tokens),
            (
                "budget_alerts",
                "Thresholds of budgets that were passed.",
                ("profile", "limit", "percent"),
                self._budgets,
            ),
        ):
            family = CounterMetricFamily(f"spillover_{name}", text, labels=labels)
            for values, count in counts.items():
                family.add_metric(values, count)
            yield family

    def _timings(self) -> Iterator[Metric]:
        from prometheus_client.core import HistogramMetricFamily  # noqa: PLC0415 - seldom needed

        for name, text, timings in (
            ("request", "From a request's arrival to its end.", self._request_s),
            ("ttft", "From the send to the first content.", self._ttft_s),
            ("reserve", "What reserving in the ledger took, for a whole request.", self._reserve_s),
        ):
            family = HistogramMetricFamily(f"spillover_{name}_seconds", text)
            family.add_metric((), timings.buckets, timings.sum_s)
            yield family

    def _gauges(self) -> Iterator[Metric]:
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415 - seldom needed

        used = GaugeMetricFamily(
            "spillover_limit_used_ratio",
            "Used and reserved share of a limit.",
            labels=("profile", "metric", "per"),
        )
        stands = GaugeMetricFamily(
            "spillover_profile_status",
            "1 for the status a profile has, 0 for the others.",
            labels=("profile", "status"),
        )
        for name, profile in self._engine.status()["profiles"].items():
            for status in Status:
                stands.add_metric((name, status), float(profile["status"] == status))
            shares: dict[tuple[str, str, str], float] = {}
            for limit in profile["limits"]:
                amount, which = limit["amount"], (name, limit["metric"], limit["per"] or "")
                share = (limit["used"] + limit["reserved"]) / amount if amount else 1.0
                # Its own, its account's and a learned one may be of a kind: the fullest counts.
                shares[which] = max(share, shares.get(which, 0.0))
            for which, share in shares.items():
                used.add_metric(which, share)
        yield used
        yield stands
