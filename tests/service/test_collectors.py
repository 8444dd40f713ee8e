from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from broker_classifier.service.collectors import BatchHistogram, CountsCollector

BOUNDS = (0.5, 1.0, 10.0)
BATCHES = st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 0.75, 1.0, 2.5, 10.0, 99.0])))


def exposed(registry):
    lines = generate_latest(registry).decode().splitlines()
    return [line for line in lines if "_created" not in line]


@given(BATCHES)
def test_a_histogram_of_batches_is_the_clients_own(batches):
    registry, expected = CollectorRegistry(), CollectorRegistry()
    batched, plain = (
        BatchHistogram("h", "text", BOUNDS),
        Histogram("h", "text", buckets=BOUNDS, registry=expected),
    )
    registry.register(batched)
    for batch in batches:
        batched.observe(batch)
        for value in batch:
            plain.observe(value)
    assert exposed(registry) == exposed(expected)


def test_counts_are_collected_as_they_are_at_the_time():
    registry, counts = CollectorRegistry(), Counter()
    registry.register(CountsCollector("n", "text", "survey", counts))
    assert registry.get_sample_value("n_total", {"survey": "lsst"}) is None
    counts["lsst"] += 3
    assert registry.get_sample_value("n_total", {"survey": "lsst"}) == 3
