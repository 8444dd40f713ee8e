"""An object in a real browser: time travel by pointer and key, deep links, what is taken away."""

import csv
import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.pages import keep, wait_for_text
from tests.web.published_messages import history, message

OBJECT = "ZTF26traveler"
N_POINTS = 24


@pytest.fixture
def traveler(tab, served):
    """The page of an object with 22 answers, the first 5 of them another class."""
    if not served.ask(f"/api/objects?text={OBJECT}")["total"]:
        served.publish(history(OBJECT, N_POINTS))
    tab.goto(served.address(f"/object/ztf/{OBJECT}"))
    wait_for_text(tab, ".moment", "Now")
    return tab


def moment(tab):
    return tab.locator(".moment .when").inner_text()


def share_of(tab, name):
    """The probability of a class in the panel, as a number."""
    line = tab.locator(".probs li").filter(has=tab.locator(f".name[title='{name}']"))
    return float(line.locator(".p").inner_text().replace("> ", ""))


def hovered(tab, skip=0):
    """Move over the light curve until a point answers; return its text."""
    box = tab.locator(".curve canvas").bounding_box()
    for i in range(8 + skip, 80):
        for j in range(3, 38):
            x, y = box["x"] + box["width"] * i / 80, box["y"] + box["height"] * j / 40
            tab.mouse.move(x, y)
            tip = tab.locator(".tip")
            if tip.is_visible():
                return tip.inner_text()
    return ""


def test_an_objects_data_are_fetched_once_and_its_scripts_are_one_file(tab, served, traveler):
    asked = []
    tab.on("request", lambda request: asked.append(request.url))
    tab.reload()
    wait_for_text(tab, ".moment", "Now")
    assert asked.count(served.address(f"/api/objects/ztf/{OBJECT}")) == 1
    assert sum(address.endswith(".js") for address in asked) == 1


def test_a_click_on_a_point_takes_the_page_back_to_its_moment(traveler):
    text = hovered(traveler, skip=24)
    mjd = re.findall(r"MJD ([\d.]+)", text)[0]
    traveler.mouse.down()
    traveler.mouse.up()
    wait_for_text(traveler, ".moment", "As it was then")
    assert f"MJD {mjd}" in moment(traveler)
    assert "at=" in traveler.url
    keep(traveler, "object-then")


def test_arrow_keys_step_through_the_answers_as_they_were_published(traveler, served):
    [bundle] = served.ask(f"/api/objects/ztf/{OBJECT}")["bundles"]
    traveler.keyboard.press("Home")
    for k, answer in enumerate(bundle["answers"][:8]):
        assert f"answer {k + 1} of {N_POINTS - 2}" in moment(traveler)
        for name, share in answer["message"]["probabilities"].items():
            assert share_of(traveler, name) == pytest.approx(share, abs=0.0051)
        used = traveler.locator(".moment dt:text-is('Points used') + dd").inner_text()
        assert int(used) == answer["message"]["n_points_used"]
        traveler.keyboard.press("ArrowRight")
    traveler.keyboard.press("End")
    assert "Now" in traveler.locator(".moment h2").inner_text()


def test_the_history_can_be_played(traveler):
    traveler.get_by_role("button", name="Play").click()
    expect(traveler.locator(".moment h2")).to_have_text("As it was then")
    wait_for_text(traveler, ".moment", "Now")  # at the end it stops by itself
    traveler.get_by_role("button", name="Play").click()
    traveler.get_by_role("button", name="Pause").click()


def test_an_address_leads_to_a_moment(traveler, served):
    [bundle] = served.ask(f"/api/objects/ztf/{OBJECT}")["bundles"]
    alert = bundle["answers"][3]["message"]["alert_id"]
    traveler.goto(served.address(f"/object/ztf/{OBJECT}?at={alert}&y=mag&hide=g"))
    wait_for_text(traveler, ".moment", "answer 4 of")
    button = traveler.get_by_role("button", name="Magnitude")
    assert button.get_attribute("aria-pressed") == "true"
    assert traveler.locator(".legend button[aria-pressed=false]").inner_text() == "g"


def test_who_looks_at_the_past_stays_there_when_an_answer_comes(traveler, served):
    traveler.keyboard.press("Home")
    n = len(served.ask(f"/api/objects/ztf/{OBJECT}")["bundles"][0]["answers"])
    served.publish([message(OBJECT, n + 3)])
    wait_for_text(traveler, ".player output", f"1 of {n + 1}")
    traveler.keyboard.press("End")
    served.publish([message(OBJECT, n + 4)])
    wait_for_text(traveler, ".player output", f"{n + 2} of {n + 2}")


def test_a_revised_answer_shows_what_it_was_before(tab, served):
    old, new = message("ZTF26revised", 6, top=1), message("ZTF26revised", 6, top=0, revised=True)
    served.publish([old, new | {"curve_version": old["curve_version"] + 1}])
    tab.goto(served.address("/object/ztf/ZTF26revised"))
    wait_for_text(tab, ".moment", "Before late points came, this answer was SNII")
    assert "answer 1 of 1" in moment(tab)


def test_two_bundles_stand_side_by_side(tab, served):
    other = {"model": {"name": "ztf-kilonovae", "version": "0.4.0", "hash": "x"}}
    served.publish(history("ZTF26both", 9))
    served.publish(
        content | other | {"id": content["id"] + "k"} for content in history("ZTF26both", 9)
    )
    tab.goto(served.address("/object/ztf/ZTF26both"))
    expect(tab.locator(".probabilities canvas")).to_have_count(2)
    tab.get_by_role("button", name="ztf-transients").click()
    wait_for_text(tab, ".moment", "ztf-transients 0.5.0")
    keep(tab, "object-two-bundles")


def test_what_is_shown_can_be_taken_away(traveler, tmp_path):
    traveler.keyboard.press("Home")
    for name in ("CSV", "JSON", "PNG"):
        with traveler.expect_download() as started:
            traveler.get_by_role("button", name=name, exact=True).click()
        started.value.save_as(tmp_path / name)
    rows = list(csv.DictReader((tmp_path / "CSV").read_text().splitlines()))
    first = message(OBJECT, 3)
    assert [float(row["mjd"]) for row in rows] == [p["mjd"] for p in first["light_curve"]]
    content = json.loads((tmp_path / "JSON").read_text())
    assert len(content["light_curve"]) == 3
    assert (tmp_path / "PNG").read_bytes().startswith(b"\x89PNG")


def test_every_canvas_has_a_table_with_the_same(traveler):
    traveler.get_by_text("Table of the points").click()
    rows = traveler.locator("[aria-label='Table of the points'] tbody tr")
    expect(rows.first).to_be_visible()
    assert rows.count() >= N_POINTS
    traveler.get_by_text("Table of the answers").click()
    expect(traveler.locator("[aria-label='Table of the answers'] tbody tr").first).to_be_visible()
