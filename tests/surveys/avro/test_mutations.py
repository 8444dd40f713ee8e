"""Broken bytes of every survey end in an alert or an error, and nothing is read past their end.

`python -m tests.bench.fuzz_decode 1000000` does the same for as many as one likes.
"""

import random

import numpy as np
import orjson
import pytest

from broker_classifier.surveys import lsst
from broker_classifier.surveys.avro.projection import Encoded, Projector
from tests.surveys.lsst_packets import parsed
from tests.surveys.mutations import batches, corpora, count_alerts, mutated

N_PACKETS = 6000


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_every_mutated_packet_ends_in_an_alert_or_an_error(number):
    corpus = corpora()[number]
    n_alerts = sum(count_alerts(corpus, batch) for batch in batches(corpus, N_PACKETS, number))
    assert 0 < n_alerts < N_PACKETS


def test_what_stands_behind_a_record_is_never_read():
    rng, messages = random.Random(5), corpora()[2].messages
    bodies = [mutated(rng.choice(messages), messages, rng)[5:] for _ in range(3000)]
    schema = orjson.dumps(parsed())
    zeros, ones = (
        Projector(lsst.LAYOUT).project(
            [Encoded(body + behind, 0, len(body), schema) for body in bodies]
        )
        for behind in (bytes(300), b"\xff" * 300)
    )
    assert {m: str(error) for m, error in zeros.errors.items()} == {
        m: str(error) for m, error in ones.errors.items()
    }
    good = [m for m in range(len(bodies)) if m not in zeros.errors]
    assert len(good) > 100
    np.testing.assert_array_equal(zeros.head[good], ones.head[good])
    np.testing.assert_array_equal(zeros.columns, ones.columns)
