"""The demo's page in a real browser: one file, every object, any of them to go back in."""

from playwright.sync_api import expect

from tests.browser.pages import keep, wait_for_text
from tests.demo.answers import RECEIVED, answer
from tests.demo.test_page import ledger, written


def test_the_file_alone_shows_every_object_and_its_history(tab, tmp_path):
    books = ledger(["ZTF1", "ZTF<2>", "ZTF3"])
    books.receive(answer(20, "ZTF1", {"SNIa": 0.1, "SNII": 0.9}), RECEIVED.timestamp())
    written(tmp_path, books)
    tab.goto((tmp_path / "night" / "index.html").as_uri())
    expect(tab.locator(".nightcard")).to_have_count(3)
    assert tab.locator(".nightcard h2").all_inner_texts() == ["ZTF1", "ZTF<2>", "ZTF3"]
    keep(tab, "night")
    tab.get_by_role("link", name="ZTF1").click()
    wait_for_text(tab, ".moment", "answer 2 of 2")
    tab.keyboard.press("ArrowLeft")
    wait_for_text(tab, ".moment", "As it was then")
    wait_for_text(tab, ".probs li.most", "SNIa")
    tab.get_by_role("link", name="All objects").click()
    expect(tab.locator(".nightcard")).to_have_count(3)


def test_the_file_is_no_wider_than_a_phone(tab, tmp_path):
    tab.set_viewport_size({"width": 360, "height": 740})
    written(tmp_path, ledger())
    tab.goto((tmp_path / "night" / "index.html").as_uri())
    tab.locator(".nightcard").first.wait_for()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 360
