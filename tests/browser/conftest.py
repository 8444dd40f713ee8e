"""A browser, and a page with a small night in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from broker_classifier.streams.embedded_kafka import EmbeddedKafka, embedded_kafka
from tests.browser.pages import chromium
from tests.web.published_messages import history
from tests.web.served import Served

OBJECTS = [f"ZTF26aaaaa{letter}{second}" for letter in "abcd" for second in "abcdefghij"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Of the module: as long as it is open, its thread has a running loop, and asyncio.run fails.
    with sync_playwright() as playwright:
        opened = chromium(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def own_broker() -> Iterator[EmbeddedKafka]:
    with embedded_kafka({"answers": 2}) as broker:
        yield broker


@pytest.fixture(scope="module")
def served(own_broker: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A page with forty objects; tests may add others."""
    page = Served(own_broker.bootstrap_servers, "answers", tmp_path_factory.mktemp("page"))
    page.start()
    messages = (
        content
        for i, name in enumerate(OBJECTS)
        for content in history(name, 5 + i % 12, ra=9.0 * i, dec=2.0 * i - 40.0)
    )
    page.publish(messages)
    yield page
    page.stop()


@pytest.fixture
def tab(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A tab in which any error of a script, or refusal by the policy, fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    errors: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    yield opened
    context.close()
    assert [error for error in errors if "ERR_" not in error] == []
