"""The page: one file that stands alone, with every object and what it was given."""

import json
import re
from pathlib import Path
from typing import Any

from broker_classifier.demo.ledger import Ledger, proof
from broker_classifier.demo.page import write_page
from tests.demo.answers import RECEIVED, answer, sent


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


def content_of(html: str) -> dict[str, Any]:
    [text] = re.findall(r'<script type="application/json" id="content">(.*?)</script>', html)
    content: dict[str, Any] = json.loads(text)
    return content


def test_the_page_needs_nothing_but_itself(tmp_path):
    html = written(tmp_path, ledger())
    assert not re.search(r"<(link|img|iframe)|<script[^>]* src|url\(|^import ", html, re.MULTILINE)
    [policy] = re.findall(r'Content-Security-Policy" content="(.*?)"', html)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy


def test_every_object_is_there_and_its_name_cannot_break_the_page(tmp_path):
    html = written(tmp_path, ledger())
    names = [card["history"]["object_id"] for card in content_of(html)["objects"]]
    assert sorted(names) == ["ZTF1", "ZTF<2>"]
    assert "ZTF<2>" not in html


def test_an_object_has_its_points_and_every_answer(tmp_path):
    books = ledger(["ZTF1"])
    books.receive(answer(20), RECEIVED.timestamp())
    [card] = content_of(written(tmp_path, books))["objects"]
    [bundle] = card["history"]["bundles"]
    assert card["truth"] == "SNIa"
    assert [a["message"]["mjd"] for a in bundle["answers"]] == [61000.0, 61020.0]
    assert bundle["answers"][-1]["attention_millionths"] == [250_000, 750_000]


def test_the_page_carries_the_proof(tmp_path):
    books = ledger()
    assert all(check["holds"] for check in content_of(written(tmp_path, books))["checks"])
    books.sent.append(sent(9))
    checks = content_of(written(tmp_path, books))["checks"]
    assert [check["holds"] for check in checks].count(False) == 2


def test_a_night_without_answers_still_has_a_page(tmp_path):
    assert "Nothing was classified" in written(tmp_path, Ledger())
