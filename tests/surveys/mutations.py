"""Alerts of every survey, and the many ways of breaking their bytes; seeded."""

import random
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import orjson

from broker_classifier.errors import MessageError
from broker_classifier.surveys import Alert, BatchDecoder, elasticc, lsst, ztf
from broker_classifier.surveys.avro.container import open_container
from broker_classifier.surveys.avro.projection import Encoded, Projector
from tests.surveys import test_elasticc as elasticc_packets
from tests.surveys.avro_schemas import written
from tests.surveys.lsst_packets import forced, framed, packet, parsed, source
from tests.ztf_packets import SCHEMA as ZTF_SCHEMA
from tests.ztf_packets import alert, container, measurement

EXTREMES = [
    b"\xff" * 9 + b"\x01",  # the smallest 64-bit integer
    b"\xfe" + b"\xff" * 8 + b"\x01",  # the largest
    b"\xff" * 11,  # longer than any
    b"\xfe\xff\xff\xff\x0f",
    b"\x00",
    b"\x01",
    b"\x80\x00",
    b"\xff\xff\xff\xff",
]


class Corpus(NamedTuple):
    """Messages of one survey that its decoder reads."""

    decode: BatchDecoder
    messages: list[bytes]


class OneSchema:
    def __init__(self, schema: bytes) -> None:
        self.known = schema

    def schema(self, _: int) -> bytes:
        return self.known


def corpora() -> list[Corpus]:
    past = [measurement(60000.0 + day, mag=None if day % 3 else 18.0) for day in range(20)]
    fluxes = {"forcediffimflux": 9.0, "forcediffimfluxunc": 1.0, "magzpsci": 26.3}
    points = [{"jd": 2460000.0 + day, "fid": 1} | fluxes for day in range(9)]
    new = measurement(60050.0)
    ztf_messages = [
        container(alert("ZTF1", [new])),
        container(alert("ZTF2", [*past, new], fp_hists=points)),
        container(alert("ZTF3", [*past, new]), codec="deflate"),
        container(alert("ZTF4", [*past, new]), alert("ZTF5", [new])),
    ]
    sources = [source(61000.0 - day, "ugrizy"[day % 6]) for day in range(12)]
    late = [forced(61000.0 - day) for day in range(12)]
    lsst_messages = [framed(packet(source(61001.0), *past)) for past in ([], [sources, late])]
    elasticc_messages = [
        written(elasticc_packets.SCHEMA, elasticc_packets.packet(elasticc_packets.source(6.0), p))
        for p in (None, [elasticc_packets.source(float(i)) for i in range(5)])
    ]
    schema, projector = orjson.dumps(ZTF_SCHEMA), Projector(ztf.LAYOUT)

    def decode_ztf_records(bodies: Sequence[bytes]) -> list[Alert | MessageError]:
        return ztf.alerts(projector.project([Encoded(b, 0, len(b), schema) for b in bodies]))

    records = [next(open_container(message).blocks())[1] for message in ztf_messages[:2]]
    return [
        Corpus(ztf.decoder().full, ztf_messages),
        Corpus(decode_ztf_records, records),
        Corpus(lsst.decoder(OneSchema(orjson.dumps(parsed()))).full, lsst_messages),
        Corpus(elasticc.decoder(orjson.dumps(elasticc_packets.SCHEMA)).full, elasticc_messages),
    ]


def mutated(message: bytes, messages: list[bytes], rng: random.Random) -> bytes:
    """Break a message in one to four places."""
    broken = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        begin, other = rng.randrange(len(broken) + 1), rng.randrange(len(broken) + 1)
        end = min(len(broken), max(begin, other), begin + rng.choice([1, 8, 200]))
        donor, start = rng.choice(messages), rng.randrange(len(message))
        extreme = rng.choice(EXTREMES)
        replacements = [
            (end, b""),
            (len(broken), b""),
            (begin, extreme),
            (begin + len(extreme), extreme),
            (end, rng.randbytes(end - begin)),
            (end, donor[start : start + rng.choice([2, 50, 400])]),
            (begin + 1, bytes([rng.randrange(256)])),
            (begin + 1, bytes([rng.randrange(6)])),
        ]
        stop, replacement = rng.choice(replacements)
        broken[begin:stop] = replacement
    return bytes(broken)


def batches(corpus: Corpus, n: int, seed: int, size: int = 500) -> Iterator[list[bytes]]:
    """Yield n mutated messages of a corpus in batches."""
    rng = random.Random(seed)
    for begin in range(0, n, size):
        yield [
            mutated(rng.choice(corpus.messages), corpus.messages, rng)
            for _ in range(min(size, n - begin))
        ]


def count_alerts(corpus: Corpus, batch: list[bytes]) -> int:
    """Decode a batch; assert that each ends in an alert that holds together, or an error."""
    results = corpus.decode(batch)
    assert len(results) == len(batch)
    alerts = [result for result in results if isinstance(result, Alert)]
    assert all(isinstance(result, Alert | MessageError) for result in results)
    for result in alerts:
        mjd = result.curve.mjd
        assert np.isfinite(result.mjd)
        assert np.all(mjd[1:] >= mjd[:-1])
        assert np.all(result.curve.band < 6)
        assert np.all(np.isfinite(result.curve.psf_flux_err))
    return len(alerts)
