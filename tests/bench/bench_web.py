"""The page: first rows, filters, an object, a busy stream, weight; beside what is to be reached."""

import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from playwright.sync_api import Browser, Page, sync_playwright

from broker_classifier.streams.embedded_kafka import embedded_kafka
from broker_classifier.web.index.published import published
from broker_classifier.web.index.sky import place
from broker_classifier.web.index.store_answers import store_answers
from broker_classifier.web.index.tables import open_index
from tests.bench.figures import entry
from tests.bench.on_kafka import bench_kafka
from tests.browser.pages import chromium
from tests.web.published_messages import encoded, history, message
from tests.web.served import Served

SIZES = {100_000: 500.0, 1_000_000: 1000.0}  # objects in the index: ms to the first paint
FILTERS = (
    "?class=TDE",
    "?min_probability=0.9&min_bits=1.5",
    "?changed=1&band=r&sort=bits",
    "?ra=150&dec=20&radius=7200",
    "?text=abc",
    "?max_age=10&sort=-points",
)
GOAL_FILTER_MS, GOAL_SCREEN_MS, GOAL_OBJECT_MS = 50.0, 100.0, 200.0
GOAL_FRAMES, GOAL_CORES, GOAL_HOME_KB, GOAL_OBJECT_KB = 60.0, 0.5, 100.0, 400.0
RATE, BUSY_S = 500, 20.0
REPETITIONS = 5
BIG = "ZTF26thousand"
# Runs before the page's own scripts: notes when the first row, or an object, is on the screen.
WATCH = """
const watch = () => {
  const there = document.querySelector(".row:not(.pending) .c.object a[href], .moment h2");
  if (there) requestAnimationFrame(() => { window.drawnAt = performance.now(); });
  else requestAnimationFrame(watch);
};
requestAnimationFrame(watch);
"""
FRAMES = """
async (seconds) => {
  let n = 0;
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    await new Promise(requestAnimationFrame);
    n += 1;
  }
  return n / ((performance.now() - start) / 1000);
}
"""
WEIGHT = """
() => performance.getEntriesByType("resource")
  .filter((file) => file.name.endsWith(".js") || file.name.endsWith(".css"))
  .reduce((sum, file) => sum + file.encodedBodySize, 0) / 1000
"""
FILTERED = """
async () => {
  const total = document.querySelector(".total");
  const before = total.textContent;
  const start = performance.now();
  document.querySelector(".chip").click();
  while (total.textContent === before) await new Promise(requestAnimationFrame);
  return performance.now() - start;
}
"""


def entries() -> list[dict[str, Any]]:
    """Measure all; takes about four minutes."""
    with sync_playwright() as playwright, closing(chromium(playwright)) as browser:
        return [*still(browser), *busy(browser)]


def still(browser: Browser) -> Iterator[dict[str, Any]]:
    """Measure a page that nothing comes to."""
    for n_objects, goal in SIZES.items():
        with page_of(n_objects) as served:
            name = f"web: first rows drawn, {n_objects:,} objects"
            yield to_reach(name, drawn_ms(browser, served, "/"), "ms", goal)
            if n_objects == min(SIZES):
                yield from details(browser, served)


def details(browser: Browser, served: Served) -> Iterator[dict[str, Any]]:
    """Measure filters, the large object and the weight, on the smaller index."""
    answers = [answer_ms(served, query) for query in FILTERS for _ in range(REPETITIONS)]
    yield to_reach("web: a filter's answer, 100,000 objects", answers, "ms", GOAL_FILTER_MS)
    with tab_of(browser) as tab:
        tab.goto(served.address())
        tab.wait_for_function("() => window.drawnAt")
        on_screen = [float(tab.evaluate(FILTERED)) for _ in range(2 * REPETITIONS)]
        yield to_reach("web: a filter on the screen", on_screen, "ms", GOAL_SCREEN_MS)
        yield to_reach("web: weight of the home page", [weight_kb(tab)], "kB", GOAL_HOME_KB)
    path, name = f"/object/ztf/{BIG}", "web: 1,000 points, 300 answers, drawn"
    yield to_reach(name, drawn_in_open_tab_ms(browser, served, path), "ms", GOAL_OBJECT_MS)
    yield to_reach(f"{name} in a new tab", drawn_ms(browser, served, path), "ms", GOAL_OBJECT_MS)
    with tab_of(browser) as tab:
        tab.goto(served.address(f"/object/ztf/{BIG}"))
        tab.wait_for_function("() => window.drawnAt")
        yield to_reach("web: weight of the object page", [weight_kb(tab)], "kB", GOAL_OBJECT_KB)


def busy(browser: Browser) -> Iterator[dict[str, Any]]:
    """Measure the page and the server while 500 messages come in a second."""
    with bench_kafka() as kafka, tempfile.TemporaryDirectory() as folder, tab_of(browser) as tab:
        kafka.create_topic("answers", 4)
        served = Served(kafka.bootstrap_servers, "answers", Path(folder))
        served.start()
        try:
            tab.goto(served.address())
            values = [encoded(content) for content in many_messages(int(RATE * BUSY_S))]
            cpu, started = cpu_s(served.process_id), time.monotonic()
            producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "linger.ms": 20})
            frames = []
            for second in range(int(BUSY_S)):
                for value in values[second * RATE : (second + 1) * RATE]:
                    producer.produce("answers", value)
                producer.poll(0)
                frames.append(float(tab.evaluate(FRAMES, 1.0 - 0.02)))
            cores = (cpu_s(served.process_id) - cpu) / (time.monotonic() - started)
            producer.flush(30)
            behind = len(values) - served.n_answers()
        finally:
            served.stop()
    yield to_reach("web: frames/s at 500 messages/s", frames, "1/s", GOAL_FRAMES)
    yield to_reach("web: cores of the server at 500 messages/s", [cores], "cores", GOAL_CORES)
    yield to_reach("web: answers behind after 20 s of it", [float(behind)], "answers", float(RATE))


def to_reach(name: str, values: list[float], unit: str, goal: float) -> dict[str, Any]:
    return entry(name, values, unit, "to reach", [goal] * len(values))


def many_messages(n: int) -> list[dict[str, Any]]:
    """Messages of many objects at once, of 30 to 49 points each, as they come from a night."""
    names = [f"ZTF26b{i:05d}" for i in range(n // 20)]
    return [message(name, 30 + k, top=i % 6) for k in range(20) for i, name in enumerate(names)]


def drawn_ms(browser: Browser, served: Served, path: str) -> list[float]:
    """Open a page in a new tab, several times; return when its content was on the screen."""
    values = []
    for _ in range(REPETITIONS):
        with tab_of(browser) as tab:
            values.append(opened_ms(tab, served.address(path)))
    return values


def drawn_in_open_tab_ms(browser: Browser, served: Served, path: str) -> list[float]:
    """Go to a page from the list, several times; return when its content was on the screen.

    A new tab is a new process for the browser, which has compiled nothing yet.
    """
    values = []
    with tab_of(browser) as tab:
        for _ in range(REPETITIONS + 1):  # the first warms up
            opened_ms(tab, served.address())
            values.append(opened_ms(tab, served.address(path)))
    return values[1:]


def opened_ms(tab: Page, address: str) -> float:
    tab.goto(address)
    return float(tab.wait_for_function("() => window.drawnAt").json_value())


def answer_ms(served: Served, query: str) -> float:
    start = time.perf_counter()
    served.ask(f"/api/objects{query}&limit=100")
    return 1000.0 * (time.perf_counter() - start)


def weight_kb(tab: Page) -> float:
    return float(tab.evaluate(WEIGHT))


def cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100.0


@contextmanager
def tab_of(browser: Browser) -> Iterator[Page]:
    """Open a tab with an empty cache."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH)
    yield context.new_page()
    context.close()


@contextmanager
def page_of(n_objects: int) -> Iterator[Served]:
    """Serve a page whose index has so many objects, and one with 1,000 points."""
    with tempfile.TemporaryDirectory() as folder, embedded_kafka({"answers": 1}) as kafka:
        fill_index(Path(folder) / "index.sqlite", n_objects)
        served = Served(kafka.bootstrap_servers, "answers", Path(folder))
        served.start()
        try:
            yield served
        finally:
            served.stop()


def fill_index(path: Path, n_objects: int) -> None:
    """Copy a few real rows under other names, at other places, with other figures."""
    with closing(open_index(path)) as index:
        for answers in (history("ZTF26pattern", 30), map(big_message, range(701, 1001))):
            store_answers(index, [published(encoded(content)) for content in answers])
        index.row_factory = sqlite3.Row
        pattern = dict(index.execute("SELECT * FROM objects WHERE key = 1").fetchone())
        drawing = tuple(index.execute("SELECT spark, runs FROM drawings WHERE key = 1").fetchone())
        columns = ", ".join(pattern)
        marks = ", ".join(f":{name}" for name in pattern)
        made = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
        indexes = dict(index.execute(made).fetchall())
        for name in indexes:
            index.execute(f"DROP INDEX {name}")
        index.execute("BEGIN")
        rows = map(copied(pattern), range(3, n_objects + 1))
        index.executemany(f"INSERT INTO objects ({columns}) VALUES ({marks})", rows)
        index.executemany(
            "INSERT INTO drawings VALUES (?, ?, ?)",
            ((key, *drawing) for key in range(3, n_objects + 1)),
        )
        index.execute("UPDATE facts SET value = ? WHERE name = 'seq'", (n_objects + 400,))
        index.execute("COMMIT")
        for sql in indexes.values():  # afterwards, in a tenth of the time
            index.execute(sql)


def copied(pattern: dict[str, Any]) -> Callable[[int], dict[str, Any]]:
    """Return the function that makes the row of a key."""
    rng, classes = random.Random(1), ("SNIa", "SNII", "SNIbc", "SLSN-I", "TDE", "AGN")
    weights = (60, 13, 6, 2, 1, 15)

    def row(key: int) -> dict[str, Any]:
        ra, dec = rng.uniform(0, 360), rng.uniform(-30, 85)
        first = pattern["first_mjd"] + rng.uniform(-300, 0)
        return pattern | {
            "key": key,
            "object_id": f"ZTF26{''.join(rng.choices('abcdefghijklmnopqrstuvwxyz', k=4))}{key}",
            "top_class": rng.choices(classes, weights)[0],
            "probability": rng.uniform(0.3, 1.0),
            "bits": rng.uniform(0.0, 2.5),
            "n_points": rng.randint(1, 100),
            "n_changes": rng.choice((0, 0, 0, 1, 2)),
            "bands": rng.choice(("g", "r", "gr", "gr", "gr")),
            "first_mjd": first,
            "last_mjd": first + rng.expovariate(1 / 40),
            "ra": ra,
            "dec": dec,
            **place(ra, dec)._asdict(),
            "seq": key + 300,
        }

    return row


def big_message(n_points: int) -> dict[str, Any]:
    return message(BIG, n_points)
