"""Take the pictures of the dashboard in docs/images: `python scripts/dashboard_pictures.py`.

A gateway over simulated providers is used for half a minute, and each view is looked at. The pictures
are shrunk by pngquant, which must be installed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.journeys.browsing import PHONE, browsing, open_view, reading
from tests.waiting import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
WIDE = {"width": 1360, "height": 690}
ADDRESS = "http://127.0.0.1:4499"
BUSY_MS = 25_000
"""Until the demo's quotas were spent once, so that there is something to see."""


@contextmanager
def demo() -> Iterator[None]:
    """Run the demo, with nothing of the user's."""
    with tempfile.TemporaryDirectory() as state:
        process = subprocess.Popen(
            [sys.executable, "-m", "spillover", "demo", "--port", "4499"],
            stdout=subprocess.PIPE,
            env={"PATH": "", "HOME": state, "PYTHONPATH": ":".join(sys.path)},
            text=True,
        )
        said = process.stdout
        try:
            wait_until(lambda: said is not None and "4499" in said.readline())
            yield
        finally:
            process.terminate()
            process.wait()


def main() -> None:
    """Take every picture."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with demo(), browsing() as browser:
        with reading(browser, ADDRESS, viewport=WIDE) as page:
            open_view(page, "/")
            page.wait_for_timeout(BUSY_MS)
            page.locator(".card.is-cooldown").first.wait_for()
            taken(page, "overview")
            page.locator(".card .name").first.click()
            page.locator("#drawer[open]").wait_for()
            taken(page, "profile")
            open_view(page, "/playground")
            page.get_by_role("button", name="Send").click()
            page.locator(".step.done").wait_for()
            taken(page, "playground")
            open_view(page, "/setup")
            taken(page, "setup")
        with reading(browser, ADDRESS, viewport=WIDE, color_scheme="dark") as page:
            open_view(page, "/")
            page.get_by_role("button", name="Why not the others?").click()
            page.locator(".why li").first.wait_for()
            taken(page, "overview-dark")
            open_view(page, "/history?span=hour")
            page.locator(".chart canvas").first.wait_for()
            taken(page, "history")
            open_view(page, "/trace")
            page.locator("#requests tr", has_text="→").locator("a").first.click()
            page.locator("h1.mono").wait_for()
            taken(page, "trace")
        with reading(browser, ADDRESS, viewport=PHONE, locale="zh-CN") as page:
            open_view(page, "/")
            taken(page, "phone-zh")


def taken(page: Page, name: str) -> None:
    """Keep a picture."""
    page.wait_for_timeout(400)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    subprocess.run(["pngquant", "--force", "--output", path, "128", path], check=True)


if __name__ == "__main__":
    main()
