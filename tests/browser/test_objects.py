"""The list in a real browser: the stream, filters, sorting, the address, what is hostile."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages import keep, wait_for_text
from tests.web.published_messages import history, message


def opened(tab, served, query=""):
    tab.goto(served.address(f"/{query}"))
    tab.locator(".row:not(.head):not(.pending)").first.wait_for()
    return tab


def shown(tab):
    """The objects of the rows in view, from above."""
    return tab.locator(".rows .row:not([hidden]) .c.object a").all_inner_texts()


def total(tab):
    return tab.locator(".total").inner_text()


def test_the_list_shows_every_object_and_only_rows_in_view_are_there(tab, served):
    opened(tab, served)
    n_objects = served.ask("/api/objects?limit=0")["total"]
    assert total(tab) == f"{n_objects} objects"
    assert tab.locator(".rows .row").count() < n_objects
    keep(tab, "home-light")


def test_an_answer_that_is_published_appears_by_itself(tab, served):
    opened(tab, served)
    tab.mouse.move(5, 5)
    served.publish([message("ZTF26newest", 4, top=4)])
    wait_for_text(tab, ".stream", "ZTF26newest")
    wait_for_text(tab, ".rows", "ZTF26newest")
    assert shown(tab)[0] == "ZTF26newest"


def test_nothing_moves_under_a_pointer_in_the_list(tab, served):
    opened(tab, served)
    tab.locator(".rows .row").nth(3).hover()
    before = shown(tab)
    served.publish([message("ZTF26waits", 4, top=3)])
    tab.locator(".news").wait_for()
    assert shown(tab) == before
    tab.locator(".news").click()
    wait_for_text(tab, ".rows", "ZTF26waits")


def test_the_stream_stands_still_while_it_is_paused(tab, served):
    opened(tab, served)
    tab.get_by_role("button", name="Pause").click()
    served.publish([message("ZTF26later", 4)])
    wait_for_text(tab, ".streamcard.held", "Stream")
    assert "ZTF26later" not in tab.locator(".stream").inner_text()
    tab.get_by_role("button", name="Go on").click()
    wait_for_text(tab, ".stream", "ZTF26later")


def test_a_class_filters_the_list_and_stands_in_the_address(tab, served):
    served.publish([message("ZTF26thetde", 6, top=4)])
    opened(tab, served)
    tab.get_by_label("Filter by class").get_by_role("button", name="TDE").click()
    tab.wait_for_url("**/?class=TDE")
    expect(tab.locator(".total")).to_contain_text(" of ")
    classes = tab.locator(".rows .row:not([hidden]) .c.class b").all_inner_texts()
    assert set(classes) == {"TDE"}


@pytest.mark.parametrize(
    "query",
    [
        "?min_points=10",
        "?max_bits=1&band=r",
        "?changed=1",
        "?ra=90&dec=-20&radius=7200",
        "?sort=-bits",
    ],
)
def test_an_address_shows_what_the_server_says_it_shows(tab, served, query):
    opened(tab, served, query)
    content = served.ask(f"/api/objects{query}&limit=5")
    assert shown(tab)[: len(content["rows"])][:5] == [row["object_id"] for row in content["rows"]]
    assert total(tab).split(" ")[0] == str(content["total"])


def test_a_search_finds_an_id_and_a_position(tab, served):
    opened(tab, served)
    search = tab.get_by_role("searchbox")
    search.fill("aaaaaba")
    expect(tab.locator(".total")).to_contain_text("1 of")
    search.fill("06:00:00 -20:00:00 3600")
    tab.wait_for_url("**ra=90&dec=-20&radius=3600")
    expect(tab.locator(".total")).to_contain_text("1 of")
    assert shown(tab) == ["ZTF26aaaaaba"]


def test_an_empty_answer_is_explained_and_can_be_undone(tab, served):
    tab.goto(served.address("/?text=nobody"))
    wait_for_text(tab, ".cover", "No object is like that")
    tab.get_by_role("button", name="Clear all filters").click()
    tab.locator(".row:not(.head):not(.pending)").first.wait_for()
    assert tab.url == served.address("/")


def test_hostile_words_stay_words(tab, served):
    evil = '<img src=x onerror="document.title=`evil`">'
    served.publish(
        history(evil, 5, survey="<b>ztf</b>", context={evil: evil, "n": [evil]}, **{"class": evil})
    )
    opened(tab, served, "?text=onerror")
    assert shown(tab) == [evil]
    tab.locator(".rows .c.object a").first.click()
    wait_for_text(tab, "h1", evil)
    wait_for_text(tab, ".aside", evil)
    assert tab.title() != "evil"
    assert tab.locator("img").count() == 0


def test_a_phone_shows_the_list_without_scrolling_sideways(tab, served):
    tab.set_viewport_size({"width": 360, "height": 740})
    for path in ("/", "/object/ztf/ZTF26aaaaabb", "/bundle/ztf-transients", "/health"):
        tab.goto(served.address(path))
        tab.wait_for_load_state("networkidle") if path != "/" else opened(tab, served)
        assert tab.evaluate("document.documentElement.scrollWidth") <= 360, path
        keep(tab, f"phone-{path.split('/')[1] or 'home'}")


def test_the_keyboard_alone_leads_to_an_object(tab, served):
    opened(tab, served)
    first, second = shown(tab)[:2]
    tab.locator(".scroll").focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    wait_for_text(tab, "h1", second)
    assert first != second


def test_the_theme_goes_from_light_to_dark_and_stays(tab, served):
    opened(tab, served)
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    button = tab.get_by_role("button", name="Colours:")
    button.click()
    button.click()
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    opened(tab, served)
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    keep(tab, "home-dark")
