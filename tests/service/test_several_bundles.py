"""Several bundles for a survey: each answers as it would alone, and an alert is counted once."""

import random
import threading
from collections import Counter
from dataclasses import replace

import pytest

from broker_classifier.light_curve.selection import Selection
from broker_classifier.service.loop import run
from broker_classifier.service.served_bundles import ServedBundle
from broker_classifier.store import MemoryStore
from tests.bundles import small_bundle
from tests.streets import BUNDLE, ListSink, ListSource, Topic, contents, standing, street, totals
from tests.ztf_packets import alert, container, flare, measurement

NEGATIVE = [container(alert("Z", [measurement(60000.0 + day, isdiffpos="f")])) for day in range(3)]
NIGHT = [packet for name in ("ZTF1", "ZTF2") for packet in flare(name, n=14)] + NEGATIVE
SHADOW = "classifications-shadow"


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A bundle that takes negative detections, too, and only the first days."""
    bundle = small_bundle(tmp_path_factory.mktemp("bundle"))
    selection = Selection(positive_only=False, window_days=20.0)
    return replace(
        bundle, description=bundle.description.model_copy(update={"selection": selection})
    )


def walked(packets, bundles, store=None, batch_size=5, topic="ztf_test", declined_topic=None):
    """Answer alerts with bundles, each given with its topic."""
    served = {"ztf": [ServedBundle(bundle, to) for bundle, to in bundles]}
    source, sink = ListSource(Topic(packets, topic), batch_size), ListSink()
    options = {"bundles": served, "declined_topic": declined_topic}
    opened = street(source, sink, MemoryStore() if store is None else store, **options)
    run(opened, threading.Event())
    return opened, sink


def of_bundle(messages, bundle):
    return [message for message in messages if message.headers["model"] == bundle.name]


def both(other, to=("classifications", "classifications")):
    return list(zip((BUNDLE, other), to, strict=True))


@pytest.mark.parametrize("batch_size", [1, 5, 500])
@pytest.mark.parametrize("seed", [None, 0, 1])
def test_each_bundle_says_what_it_says_alone_and_revises_when_it_would_alone(
    other, seed, batch_size
):
    packets = NIGHT if seed is None else random.Random(seed).sample(NIGHT, len(NIGHT))
    _, sink = walked(packets, both(other), batch_size=batch_size)
    for bundle, to in both(other):
        _, alone = walked(packets, [(bundle, to)], batch_size=batch_size)
        together = of_bundle(sink.sent, bundle)
        assert standing(together) == standing(alone.sent)
        assert count_of(together) == count_of(alone.sent)


def count_of(messages):
    return Counter((message.headers["id"], message.headers["revised"]) for message in messages)


def test_an_alert_is_counted_once_and_the_answers_of_each_bundle_beside_it(other):
    opened, sink = walked(NIGHT * 2, both(other, ("classifications", SHADOW)), topic="one")
    n = len(NIGHT)
    assert opened.metrics.totals() == totals(received=2 * n, classified=n, duplicate=n)
    for bundle, topic, n_messages in ((BUNDLE, "classifications", n - 3), (other, SHADOW, n)):
        labels = {"bundle": f"{bundle.name}:{bundle.version}", "topic": topic, "revised": "false"}
        counted = opened.metrics.registry.get_sample_value("broker_answers_total", labels)
        assert counted == len(sink.to(topic)) == n_messages


def test_revised_answers_add_up_with_the_messages_of_each_bundle(other):
    opened, sink = walked(NIGHT[::-1], both(other))
    counts = Counter((m.headers["model"], m.headers["revised"]) for m in sink.sent)
    value = opened.metrics.registry.get_sample_value
    for bundle, topic in both(other):
        for revised in ("true", "false"):
            label = f"{bundle.name}:{bundle.version}"
            labels = {"bundle": label, "topic": topic, "revised": revised}
            assert value("broker_answers_total", labels) == counts[bundle.name, revised] > 0
    n_revised = sum(n for (_, revised), n in counts.items() if revised == "true")
    assert value("broker_revisions_total") == n_revised


def test_an_alert_that_no_bundle_can_use_is_declined_once_with_the_reason_of_each(other):
    taken = other.description.selection.model_copy(update={"bands": ("i",)})
    blind = replace(other, description=other.description.model_copy(update={"selection": taken}))
    opened, sink = walked(NEGATIVE[:1], both(blind), declined_topic="declined")
    assert opened.metrics.totals() == totals(received=1, declined=1)
    assert opened.metrics.reasons() == {"no_usable_points": 1}
    [told] = contents(sink.to("declined"))
    assert told["sentence"].count("can use no point") == 2


def test_a_bundle_in_shadow_is_heard_in_its_own_topic_alone(other):
    _, sink = walked(NIGHT, both(other, ("classifications", SHADOW)))
    assert {m.headers["model"] for m in sink.to("classifications")} == {BUNDLE.name}
    assert {m.headers["model"] for m in sink.to(SHADOW)} == {other.name}


def test_each_bundle_keeps_its_own_state_and_one_that_left_keeps_none(other):
    store, packets = MemoryStore(), flare("ZTF1", n=14)
    walked(packets[:13], both(other), store)
    alone = {}
    for bundle, to in both(other):
        own = MemoryStore()
        walked(packets[:13], [(bundle, to)], own)
        alone |= own.read(["ztf:ZTF1"])[0].encoder_states
    kept = store.read(["ztf:ZTF1"])[0].encoder_states
    assert kept == alone
    assert kept.keys() == {BUNDLE.state_key, other.state_key}
    walked(packets[13:], [(BUNDLE, "classifications")], store)
    assert store.read(["ztf:ZTF1"])[0].encoder_states.keys() == {BUNDLE.state_key}
