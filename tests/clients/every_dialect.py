"""The official SDKs of Anthropic, Google and OpenAI against a gateway over upstreams of every dialect.

`python -m tests.clients.every_dialect PYTHON`, with the path of a Python in an environment that has the
newest `anthropic`, `google-genai` and `openai`. The upstreams are simulated: nothing leaves the machine.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import ProviderSpec, running
from tests.journeys.dialects import FLAVOURS, a_profile
from tests.serving import serving

ASKING = Path(__file__).with_name("sdk_asking.py")


def main(python: str) -> int:
    """Serve, and have the SDKs ask; return what their asking comes to."""
    specs = [ProviderSpec(flavour=FLAVOURS[each], events_per_s=100.0) for each in Dialect]
    with running(*specs) as providers:
        names = [each.value for each in Dialect]
        pairs = list(zip(Dialect, providers, strict=True))
        profiles = {each.value: a_profile(far, each) for each, far in pairs}
        turned = [*names[1:], names[0]]
        chains = {
            f"{first}-first": [first, second] for first, second in zip(names, turned, strict=True)
        }
        document = {"storage": "memory", "profiles": profiles, "chains": chains}
        with serving(document) as gateway:
            controls = {each.value: far.control_url for each, far in pairs}
            told = json.dumps({"address": gateway.address, "controls": controls})
            return subprocess.run([python, str(ASKING), told], check=False, timeout=600).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
