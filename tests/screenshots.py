"""`make screenshots`: pictures of the pages, over the demo's newsroom, into docs/images/."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from playwright.sync_api import sync_playwright

FOLDER = Path(__file__).parent.parent / "docs/images"
PICTURES = (  # name, page, colors, width
    ("front", "/", "light", 1280),
    ("search", "/search?q=drill*+OR+missile*&label=defense", "dark", 1280),
)
PATIENCE_S = 300


@contextmanager
def demo() -> Iterator[str]:
    """The address of a demo that serves its page."""
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        listen = f"127.0.0.1:{probe.getsockname()[1]}"
    environment = {"PATH": "/usr/bin:/bin", "DEFNEWS_API__LISTEN": listen}
    process = subprocess.Popen([sys.executable, "-m", "pipeline", "demo", "--open"], env=environment)
    try:
        for _ in range(PATIENCE_S):
            try:
                with urlopen(f"http://{listen}/healthz"):
                    break
            except URLError:
                time.sleep(1)  # noqa: TID251 - a process starts, no clock of ours runs
        yield f"http://{listen}"
    finally:
        process.terminate()
        process.wait()


def take(browser: Any, address: str) -> None:
    """All pictures."""
    for name, place, scheme, width in PICTURES:
        context = browser.new_context(
            base_url=address, viewport={"width": width, "height": 800}, color_scheme=scheme, timezone_id="UTC"
        )
        page = context.new_page()
        page.goto(place)
        page.screenshot(path=FOLDER / f"{name}.png")
        context.close()


def main() -> None:
    """Make the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with demo() as address, sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"), args=["--no-sandbox"]
        )
        take(browser, address)
        browser.close()


if __name__ == "__main__":
    main()
