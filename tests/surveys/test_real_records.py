"""Every real packet of the development data, projected against fastavro, value for value."""

import io
from collections import Counter

import fastavro
import numpy as np
import pytest

from broker_classifier.surveys import elasticc, lsst, ztf
from broker_classifier.surveys.avro.container import open_container
from broker_classifier.surveys.avro.project_decoded import project_decoded
from broker_classifier.surveys.avro.projection import Encoded, Projector
from tests.surveys.avro.test_projection import at, expected_cell, expected_rows, head_of, rows_of

pytestmark = pytest.mark.data
LAYOUTS = {"ztf": ztf.LAYOUT, "elasticc": elasticc.LAYOUT, "lsst": lsst.LAYOUT}


@pytest.fixture(scope="module", params=LAYOUTS)
def packets(request, shared_data):
    """A layout, and the records of all files that it is for."""
    files = sorted((shared_data / "alerts").glob(f"{request.param}*/**/*.avro"))
    encoded = []
    for file in files:
        container = open_container(file.read_bytes())
        encoded += [Encoded(body, 0, len(body), container.schema) for _, body in container.blocks()]
    records = [
        record for file in files for record in fastavro.reader(io.BytesIO(file.read_bytes()))
    ]
    assert len(encoded) == len(records) > 4
    return LAYOUTS[request.param], encoded, records


def test_every_value_of_every_packet_is_fastavros(packets):
    layout, encoded, records = packets
    fallbacks = Counter()
    result = Projector(layout, fallbacks).project(encoded)
    assert (result.errors, fallbacks) == ({}, {})
    rows = list(rows_of(result, layout))
    for m, record in enumerate(records):
        own = [row for row, owner in zip(rows, result.owner[0], strict=True) if owner == m]
        assert repr(sorted(own, key=lambda r: r[0])) == repr(list(expected_rows(record, layout)))
        wanted = [expected_cell(at(record, c.path), c.cell) for c in layout.head]
        np.testing.assert_equal(head_of(result, m, layout), wanted)


def test_the_slow_way_reads_the_same(packets):
    layout, encoded, records = packets
    fast, slow = Projector(layout).project(encoded), project_decoded(records, layout)
    assert fast.texts == slow.texts
    texts = layout.texts()
    np.testing.assert_array_equal(
        np.delete(fast.head, texts, axis=1), np.delete(slow.head, texts, axis=1)
    )
    for result in (fast, slow):
        order = np.lexsort((*result.columns[::-1], result.owner[1], result.owner[0]))
        result.columns[:], result.owner[:] = result.columns[:, order], result.owner[:, order]
    np.testing.assert_array_equal(fast.owner, slow.owner)
    np.testing.assert_array_equal(fast.columns, slow.columns)
