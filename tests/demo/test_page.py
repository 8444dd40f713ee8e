"""The page: one file that stands alone, well formed, with every object and what it was given."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from broker_classifier.demo.charts import AREA_HEIGHT, areas, chart
from broker_classifier.demo.ledger import Ledger, proof
from broker_classifier.demo.page import write_page
from broker_classifier.model.class_colours import class_colour
from tests.demo.answers import RECEIVED, answer, sent

EVOLVING = [
    answer(1, probabilities={"SNIa": 0.5, "SNII": 0.5}),
    answer(20, probabilities={"SNIa": 0.9, "SNII": 0.1}),
]


def ledger(names=("ZTF1", "ZTF<2>")) -> Ledger:
    books = Ledger(totals={"received": len(names), "classified": len(names)})
    for i, name in enumerate(names):
        books.sent.append(sent(i, name))
        books.receive(answer(i, name), RECEIVED.timestamp())
    return books


def written(path: Path, books: Ledger) -> str:
    return write_page(
        path / "night" / "index.html", books, proof(books, len(books.sent)), "a night"
    ).read_text()


def test_the_page_needs_nothing_but_itself(tmp_path):
    html = written(tmp_path, ledger())
    assert not re.search(r"<(script|link|img|iframe)|https?://|url\(", html)
    assert "$" not in html


def test_every_object_has_a_card_and_its_name_cannot_break_the_page(tmp_path):
    html = written(tmp_path, ledger())
    assert html.count("<article>") == 2
    assert "ZTF&lt;2&gt;" in html
    assert "ZTF<2>" not in html


def test_the_page_carries_the_proof(tmp_path):
    books = ledger()
    assert written(tmp_path, books).count("✗") == 0
    books.sent.append(sent(9))
    assert written(tmp_path, books).count("✗") == 2


def test_a_night_without_answers_still_has_a_page(tmp_path):
    assert "Nothing was classified" in written(tmp_path, Ledger())


def test_a_chart_is_well_formed_with_a_circle_per_used_point():
    svg = ET.fromstring(chart(EVOLVING))
    circles = [one for one in svg.iter("circle") if "used" in (one.get("class") or "").split()]
    assert len(circles) == 2
    radii = sorted(float(one.get("r", 0)) for one in circles)
    assert radii[0] < radii[1]


@pytest.mark.parametrize(("step", "share"), [(0, 0.5), (1, 0.9)])
def test_an_area_is_as_high_as_its_probability(step, share):
    steps = [(10.0, EVOLVING[0].probabilities), (50.0, EVOLVING[1].probabilities)]
    paths = {class_colour(c): p for c, p in zip(("SNIa", "SNII"), areas(steps, 90.0), strict=True)}
    corners = re.findall(r"([\d.]+),([\d.]+)", paths[class_colour("SNIa")])
    upper, lower = corners[:4], corners[4:][::-1]
    height = float(lower[2 * step][1]) - float(upper[2 * step][1])
    assert height == pytest.approx(share * AREA_HEIGHT, abs=0.11)
