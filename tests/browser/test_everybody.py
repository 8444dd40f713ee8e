"""Axe finds nothing serious on any page, in light and in dark."""

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.pages import keep

PAGES = {
    "home": "/",
    "object": "/object/ztf/ZTF26aaaaabb",
    "bundle": "/bundle/ztf-transients",
    "health": "/health",
    "nowhere": "/object/ztf/nobody",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_axe_finds_nothing_serious(tab, served, page, scheme):
    tab.emulate_media(color_scheme=scheme)
    tab.goto(served.address(PAGES[page]))
    tab.locator("main > :not(.loading)").first.wait_for()
    tab.wait_for_timeout(300)
    # Axe evaluates its script from outside, so the page's own policy does not stop it.
    violations = Axe().run(tab).response["violations"]
    serious = {
        rule["id"]: [node["html"][:120] for node in rule["nodes"]][:3]
        for rule in violations
        if rule["impact"] in ("serious", "critical")
    }
    assert serious == {}
    keep(tab, f"{page}-{scheme}")
