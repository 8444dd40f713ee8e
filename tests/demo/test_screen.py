"""What the terminal shows: bars and sparklines of the right length, rows that stay in place."""

import io
import time
from dataclasses import replace

import pytest
from rich.console import Console
from rich.live import Live

from broker_classifier.demo.ledger import Ledger
from broker_classifier.demo.play import Playing
from broker_classifier.demo.screen import LiveView, PlainView, bar, rows_to_show, screen, sparkline
from broker_classifier.model.class_colours import class_colour
from tests.demo.answers import RECEIVED, answer, sent


def playing(n: int = 3) -> Playing:
    alerts = [sent(i, f"ZTF{i}") for i in range(n)]
    ledger = Ledger(sent=alerts, totals={"received": n, "classified": n})
    for i in range(n):
        ledger.receive(answer(i, f"ZTF{i}"), RECEIVED.timestamp() + 0.02)
    return Playing(alerts, time.monotonic() - 5, ledger, first_answer_s=2.0)


def drawn(width: int, state: Playing) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    evolution = state.ledger.evolution()
    console.print(screen("a night", state, evolution, rows_to_show([], evolution, 10), width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("height", [24, 40])
def test_the_whole_screen_fits_the_terminal_with_its_title(height):
    console = Console(file=io.StringIO(), width=80, height=height, force_terminal=True)
    state = playing(60)
    state.ledger.declined = {"solar_system": 3, "no_usable_points": 2}
    with Live(console=console, auto_refresh=False) as live:
        view = LiveView(console, live, "a night")
        view.show(state)
        frame = live.get_renderable()
    lines = console.render_lines(frame)
    assert len(lines) == height - 1
    assert "a night" in "".join(segment.text for segment in lines[0])


def test_an_answer_says_whether_it_is_the_truth():
    state = playing(2)
    state.ledger.sent[1] = replace(state.ledger.sent[1], label="TDE")
    state.ledger.sent[0] = replace(state.ledger.sent[0], label="SNIa")
    right, wrong = [line for line in drawn(100, state).splitlines() if "ZTF" in line]
    assert "✓" in right
    assert "✗" not in right
    assert "✗" in wrong
    assert "✓" not in wrong


def test_the_screen_says_why_alerts_were_declined():
    state = playing()
    state.ledger.declined = {"no_usable_points": 2, "solar_system": 5}
    assert "declined: 5 solar_system, 2 no_usable_points" in drawn(100, state)


@pytest.mark.parametrize("length", [1, 7, 30])
def test_a_bar_shares_its_length_by_probability(length):
    text = bar({"SNIa": 0.5, "SNII": 0.3, "TDE": 0.2}, length)
    assert text.plain == "█" * length
    cells = {str(span.style): span.end - span.start for span in text.spans}
    assert abs(cells.get(class_colour("SNIa"), 0) - 0.5 * length) <= 0.5


def test_a_long_sparkline_keeps_its_ends():
    line = sparkline([0.0] + [0.5] * 100 + [1.0], 10)
    assert (len(line), line[0], line[-1]) == (10, "▁", "█")


def test_an_object_keeps_its_row_until_a_newer_one_needs_it():
    evolution = {name: [answer(i, name)] for i, name in enumerate("abcd")}
    rows = rows_to_show([], {name: evolution[name] for name in "abc"}, 3)
    assert rows == ["a", "b", "c"]
    assert rows_to_show(rows, evolution, 3) == ["d", "b", "c"]


@pytest.mark.parametrize("width", [80, 132, 200])
def test_the_screen_shows_objects_truth_answers_and_accounting(width):
    text = drawn(width, playing())
    for word in ("ZTF0", "ZTF2", "SNIa", "0.80", "received 3", "classified 3", "20 ms"):
        assert word in text
    assert max(map(len, text.splitlines())) <= width


def test_the_screen_says_that_the_service_is_starting():
    assert "loads its model" in drawn(80, Playing([], time.monotonic()))


def test_without_a_terminal_the_first_probability_is_a_plain_line():
    console = Console(file=io.StringIO(), width=100)
    PlainView(console).show(playing())
    assert isinstance(console.file, io.StringIO)
    assert "first probability after 2.0 s: ZTF0 SNIa 0.80" in console.file.getvalue()
