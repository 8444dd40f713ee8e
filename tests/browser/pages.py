"""A browser for the tests, and what it saw."""

from playwright.sync_api import Browser, Playwright
from playwright.sync_api import Page as Tab

from tests.kafka_streets import TOP
from tests.tools import program

SCREENSHOTS = TOP / "screenshots"
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def chromium(playwright: Playwright) -> Browser:
    path = program("chromium", "chromium")
    return playwright.chromium.launch(executable_path=path, args=QUIET, headless=True)


def keep(tab: Tab, name: str) -> None:
    """Keep a screenshot, to be looked at after the run."""
    SCREENSHOTS.mkdir(exist_ok=True)
    tab.screenshot(path=SCREENSHOTS / f"{name}.png")


def wait_for_text(tab: Tab, selector: str, text: str) -> None:
    tab.locator(selector).filter(has_text=text).first.wait_for(timeout=20_000)
