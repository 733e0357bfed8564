"""What an answer used is counted as the ledger counts."""

from __future__ import annotations

from spillover.core.values import Usage
from spillover.protocols.conversation.answers import Tokens


def test_tokens_are_a_calls_usage() -> None:
    found = Tokens(input=10, cached=12, stored=1, output=5, reasoning=2).usage()

    assert found == Usage(requests=1, input_tokens=10, output_tokens=5, cached_tokens=10)
