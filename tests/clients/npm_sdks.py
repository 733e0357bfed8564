"""The npm packages `openai` and `@anthropic-ai/sdk` against a gateway over upstreams of every dialect.

`python -m tests.clients.npm_sdks FOLDER`, with the folder that both are installed in. What `spillover
connect` prints for them runs too. The upstreams are simulated: nothing leaves the machine.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from spillover.catalogue.clients import Language, Link, load, written
from spillover.protocols.conversation.seals import Dialect
from spillover.simulator import ProviderSpec, running
from tests.clients.stage import SAID
from tests.journeys.dialects import FLAVOURS, a_profile
from tests.serving import serving

if TYPE_CHECKING:
    from tests.serving import Served

TRIED = "tests/clients/npm_sdks.py"
ASKING = Path(__file__).parent / "npm" / "asking.mjs"
CLIENT_KEY = "sk-client-of-npm-0123456789"
ADMIN_KEY = "sk-admin-of-npm-0123456789"


def snippets(gateway: Served, folder: Path) -> None:
    """Run the texts as they are."""
    clients = [client for client in load().entries if client.tried == TRIED]
    assert clients
    for client in clients:
        (part,) = (part for part in client.parts if part.language is Language.JAVASCRIPT)
        link = Link(address=gateway.address, model="chat", key=CLIENT_KEY)
        script = folder / f"{client.id}.mjs"
        script.write_text(written(part, link), "utf-8")
        told = subprocess.run(
            ["node", script], check=True, capture_output=True, encoding="utf-8", timeout=120
        )
        assert SAID in told.stdout, told.stdout
        print(f"{client.id}: {told.stdout.strip()}", flush=True)


def main(installed: Path) -> None:
    """Serve, and have the SDKs ask."""
    specs = [ProviderSpec(flavour=FLAVOURS[each], events_per_s=100.0) for each in Dialect]
    with running(*specs) as providers, tempfile.TemporaryDirectory() as name:
        names = [each.value for each in Dialect]
        pairs = list(zip(Dialect, providers, strict=True))
        chains = {
            f"{first}-first": {"profiles": [first, second], "timeouts": {"stall": "1s"}}
            for first, second in zip(names, [*names[1:], names[0]], strict=True)
        }
        document = {
            "storage": "memory",
            "server": {"client_keys": [CLIENT_KEY], "admin_key": ADMIN_KEY},
            "profiles": {each.value: a_profile(far, each) for each, far in pairs},
            "chains": chains,
        }
        folder = Path(name)  # modules are looked for beside a script
        (folder / "node_modules").symlink_to(installed.absolute() / "node_modules")
        script = shutil.copy(ASKING, folder)
        with serving(document) as gateway:
            snippets(gateway, folder)
            told = {
                "address": gateway.address,
                "key": CLIENT_KEY,
                "adminKey": ADMIN_KEY,
                "controls": {each.value: far.control_url for each, far in pairs},
            }
            subprocess.run(["node", script, json.dumps(told)], check=True, timeout=600)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
