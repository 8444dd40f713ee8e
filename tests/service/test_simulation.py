"""Thousands of histories of workers that crash, sleep, fail and overtake each other.

Whatever happens, of every id the message with the highest version says what one pass over all
alerts says. To see one history again:
python -m tests.service.test_simulation SEED [exactly_once [n_bundles]].
"""

import random
import sys
import time
from collections import Counter
from types import SimpleNamespace

import numpy as np
import orjson
import pytest
import structlog

from broker_classifier.errors import StartOverError
from broker_classifier.light_curve import LightCurve, light_curve
from broker_classifier.light_curve.selection import Selection
from broker_classifier.service import batch, loop, triage
from broker_classifier.service.point_changes import used_points
from broker_classifier.service.served_bundles import ServedBundle
from broker_classifier.store import ObjectRecord, Standing
from broker_classifier.streams.message import Outgoing
from broker_classifier.surveys.alert import Alert, Decoder
from tests.service.simulated_kafka import PARTITIONS, Rules, World

FAILING_WITHIN = 600
OBJECTS, DAYS, ALERTS = 2, 8, 6
MJD = 60000.0
# The second takes the first days only, so that late points revise the answers of one of them.
BUNDLES = [
    SimpleNamespace(name="long", version="1", selection=Selection(), state_key=1),
    SimpleNamespace(name="short", version="1", selection=Selection(window_days=2.5), state_key=2),
]


def night(rng):
    """Shuffled alerts of a few objects over the partitions, some in two messages."""
    topic = [[] for _ in PARTITIONS]
    for number in range(OBJECTS):
        for day in rng.sample(range(DAYS), ALERTS):
            earlier = [past for past in range(day) if rng.random() < 0.2]
            for _ in range(1 + (rng.random() < 0.2)):
                content = [f"o{number}", 100 * number + day, [*earlier, day]]
                rng.choice(topic).append(orjson.dumps(content))
                earlier = earlier[1:]
    return topic


def curve_of(days):
    return light_curve([MJD + day for day in days], 5000.0, 100.0, "g")


def decoded(values):
    contents = [orjson.loads(value) for value in values]
    return [
        Alert("ztf", name, alert_id, MJD + days[-1], CURVES[tuple(days)])
        for name, alert_id, days in contents
    ]


class Curves(dict[tuple[int, ...], LightCurve]):
    """Light curves by their days, each made once."""

    def __missing__(self, days):
        self[days] = curve_of(days)
        return self[days]


CURVES = Curves()


def classify(curves, bundle, states):
    return [SimpleNamespace(encoder_state=b"", curve=curve) for curve in curves]


def outgoing(answers, bundle, topic, versions, at):
    return [
        Outgoing(
            topic,
            None,
            used_points(task.curve, bundle.selection),
            {
                "id": f"{task.alert_id}:{bundle.name}",
                "version": str(version),
                "again": str(task.is_revision),
            },
        )
        for (task, _), version in zip(answers, versions, strict=True)
    ]


def classify_simply(monkeypatch):
    """Put a classifier in place that says which points it was given."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    monkeypatch.setattr(batch, "classify", classify)
    monkeypatch.setattr(batch, "outgoing", outgoing)
    monkeypatch.setattr(loop, "count_latencies", lambda *_: None)


@pytest.fixture(autouse=True)
def simple_classifier(monkeypatch):
    classify_simply(monkeypatch)


def play(seed, rules, n_bundles=1):
    """Play a history through; return it, and what is wrong with its end."""
    served = {"ztf": [ServedBundle(bundle, "classifications") for bundle in BUNDLES[:n_bundles]]}
    options = {"decoders": {"ztf": Decoder(decoded)}, "bundles": served}
    world = World(seed, rules, night(random.Random(seed)), options)
    clock = SimpleNamespace(time=lambda: world.clock_s, perf_counter=time.perf_counter)
    real, batch.time = batch.time, clock
    try:
        world.play()
    finally:
        batch.time = real
    return world, wrongs(world)


def wrongs(world, *, highest_stands=True):
    """Say which ids are missing or extra, or end with another answer than one pass gives."""
    alerts = decoded([value for partition in world.topic for value in partition])
    merged = {}
    for alert in alerts:
        merged.setdefault(alert.key, LightCurve(alert.curve.points[:0]))
        merged[alert.key] = merged[alert.key].merge(alert.curve)
    right = {
        f"{alert.alert_id}:{served.bundle.name}": used_points(
            merged[alert.key].until(alert.mjd), served.bundle.selection
        )
        for alert in alerts
        for served in world.options["bundles"]["ztf"]
    }
    standing = {}
    for message in world.output:
        version = int(message.headers["version"]) if highest_stands else 0
        if version >= standing.get(message.headers["id"], (0, b""))[0]:
            standing[message.headers["id"]] = version, message.value
    ends = {name: value for name, (_, value) in standing.items()}
    wrong = {name for name in right.keys() | ends.keys() if right.get(name) != ends.get(name)}
    if world.rules.exactly_once:
        firsts = Counter(m.headers["id"] for m in world.output if m.headers["again"] == "False")
        wrong |= {f"{name} twice" for name, n in firsts.items() if n > 1}
    return wrong


@pytest.mark.parametrize(
    ("exactly_once", "n_bundles", "n_histories"),
    [(False, 1, 1000), (True, 1, 1000), (False, 2, 200), (True, 2, 200)],
)
def test_every_history_ends_with_the_answers_of_one_pass(exactly_once, n_bundles, n_histories):
    for seed in range(n_histories):
        _, wrong = play(seed, Rules(exactly_once), n_bundles)
        again = f"python -m tests.service.test_simulation {seed} {exactly_once} {n_bundles}"
        assert not wrong, f"replay: {again}"


def without_compare_and_set(monkeypatch):
    return Rules(compare_and_set=False)


def without_disk(monkeypatch):
    return Rules(disk=False)


def without_answering_a_message_again(monkeypatch):
    real = ObjectRecord.standing
    monkeypatch.setattr(ObjectRecord, "standing", lambda *a: min(real(*a), Standing.DUPLICATE))


def without_revising_again(monkeypatch):
    real = triage._revisions
    monkeypatch.setattr(triage, "_revisions", lambda *a: real(*a[:4], np.inf, a[5]))


def without_working_conflicts_out_again(monkeypatch):
    def stored(service, batch_):
        service.store.put(batch_.records, batch_.expected, 0.0)
        return batch_

    monkeypatch.setattr(loop, "stored", stored)


def without_publishing_before_the_commit(monkeypatch):
    real = loop.store_batch

    def store_batch(service, batch_, stop):
        service.source.commit(batch_.messages)
        return real(service, batch_, stop)

    monkeypatch.setattr(loop, "store_batch", store_batch)


def without_starting_over(monkeypatch):
    real = loop.advance

    def advance(service, messages, before, stop):
        try:
            return real(service, messages, before, stop)
        except StartOverError:
            return real(service, messages, before, stop)

    monkeypatch.setattr(loop, "advance", advance)


@pytest.mark.parametrize(
    "remove",
    [
        without_compare_and_set,
        without_disk,
        without_answering_a_message_again,
        without_revising_again,
        without_working_conflicts_out_again,
        without_publishing_before_the_commit,
        without_starting_over,
    ],
)
def test_without_any_of_the_rules_some_history_ends_wrong(monkeypatch, remove):
    rules = remove(monkeypatch) or Rules()
    assert any(play(seed, rules)[1] for seed in range(FAILING_WITHIN))


def test_if_the_last_message_stood_some_history_would_end_wrong():
    worlds = (play(seed, Rules())[0] for seed in range(FAILING_WITHIN))
    assert any(wrongs(world, highest_stands=False) for world in worlds)


def test_a_message_stands_twice_without_transactions():
    worlds = (play(seed, Rules())[0] for seed in range(FAILING_WITHIN))
    assert any(wrongs(replaced(world)) for world in worlds)


def replaced(world):
    world.rules = Rules(exactly_once=True)
    return world


def test_a_bundle_is_not_asked_again_where_late_points_change_another_ones_answer():
    outputs = [play(seed, Rules(), 2)[0].output for seed in range(20)]
    again = Counter(
        m.headers["id"].partition(":")[2]
        for output in outputs
        for m in output
        if m.headers["again"] == "True"
    )
    assert again["long"] > again["short"] > 0


def test_the_same_seed_is_the_same_history():
    assert play(7, Rules())[0].trace == play(7, Rules())[0].trace


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        classify_simply(patch)
        seed_, exactly_once_, n_bundles_ = (*sys.argv[1:], *["False", "1"][len(sys.argv) - 2 :])
        again, wrong_ids = play(int(seed_), Rules(exactly_once_ == "True"), int(n_bundles_))
    sys.stdout.write("\n".join([*again.trace, f"wrong: {sorted(wrong_ids)}", ""]))
