"""A store read beside the service that writes it, by real processes."""

import subprocess
import sys
from contextlib import closing

from broker_classifier.store import StoreBeside
from tests.stores import read_beside

WRITER = """
import sys
from pathlib import Path
from broker_classifier.light_curve import light_curve
from broker_classifier.store import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]))
for i in range(10**6):
    curve = light_curve([float(i)], 100.0, 10.0, "g")
    names = [f"{i % 2} {n}" for n in range(100)]
    before = store.read(names)
    versions = {name: record.version for name, record in zip(names, before)}
    record = before[0].followed_by(
        before[0].curve.merge(curve), [(i, float(i), False, 1)], {}, 0.0, 0.0
    )
    store.put(dict.fromkeys(names, record), versions, 0.0)
    print(i, flush=True)
"""


def test_a_store_is_read_undamaged_beside_its_writer(tmp_path):
    names = [f"{i} {n}" for i in (0, 1) for n in range(100)]
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        while int(writer.stdout.readline()) < 3:
            pass
        readings = [read_beside(tmp_path, names) for _ in range(50)]
        with closing(StoreBeside(tmp_path)) as store:
            walks = [list(store.names()) for _ in range(5)]
        writer.kill()
    assert walks == [sorted(names)] * 5
    for records in readings:
        for name, record in zip(names, records, strict=True):
            ids = record.answered["alert_id"].tolist()
            assert ids == list(range(int(name[0]), ids[-1] + 1, 2))
            assert record.curve.mjd.tolist() == ids
    assert len(readings[-1][0].answered) > len(readings[0][0].answered)


GROWER = """
import sys
from pathlib import Path
from broker_classifier.light_curve import light_curve
from broker_classifier.store import EmbeddedStore, ObjectRecord, answered
store = EmbeddedStore(Path(sys.argv[1]))
curve = light_curve([float(i) for i in range(80)], 100.0, 10.0, "g" * 80)
for i in range(200):
    names = [f"{i} {n}" for n in range(400)]
    record = ObjectRecord(curve, answered([]), version=1)
    store.put(dict.fromkeys(names, record), dict.fromkeys(names, 0), 0.0)
    print(i, flush=True)
"""


def test_a_store_is_read_while_its_file_grows(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", GROWER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        while int(writer.stdout.readline()) < 50:
            pass
        before = (tmp_path / "data.mdb").stat().st_blocks
        readings = [read_beside(tmp_path, ["0 0", "49 399"]) for _ in range(300)]
        grown = (tmp_path / "data.mdb").stat().st_blocks - before
        writer.kill()
    assert grown > 0
    assert {len(record.curve) for records in readings for record in records} == {80}
