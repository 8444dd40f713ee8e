"""A simulated season: repeatable, in time order, and its packets are what ZTF's are."""

import io
from collections import Counter
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pytest

from broker_classifier.demo.simulate.night import (
    MIX,
    Packet,
    simulate_night,
    simulate_objects,
    write_night,
)
from broker_classifier.light_curve import BANDS, Kind
from tests.ztf_packets import decode


@pytest.fixture(scope="module")
def packets() -> list[Packet]:
    return list(simulate_night(16, seed=3))


def record(packet: Packet) -> dict[str, Any]:
    (only,) = fastavro.reader(io.BytesIO(packet.message))
    assert isinstance(only, dict)
    return only


def test_the_same_seed_gives_the_same_bytes(packets: list[Packet]) -> None:
    assert list(simulate_night(16, seed=3)) == packets


def test_another_seed_gives_other_alerts(packets: list[Packet]) -> None:
    other = {packet.message for packet in simulate_night(16, seed=4)}
    assert other.isdisjoint(packet.message for packet in packets)


def test_alerts_come_in_time_order_with_ids_of_their_own(packets: list[Packet]) -> None:
    assert (np.diff([packet.mjd for packet in packets]) >= 0).all()
    assert len({packet.alert_id for packet in packets}) == len(packets)


def test_sixteen_objects_cover_every_class_and_send_five_alerts_each(
    packets: list[Packet],
) -> None:
    alerts_of = Counter(packet.object_id for packet in packets)
    assert len(alerts_of) == 16
    assert min(alerts_of.values()) >= 5
    assert {packet.label for packet in packets} == MIX.keys()


@pytest.mark.parametrize("n_objects", [1, 7, 8, 50, 300])
def test_as_many_objects_as_asked_for(n_objects: int) -> None:
    assert len(simulate_objects(n_objects)) == n_objects


def test_the_truth_stays_out_of_the_packet(packets: list[Packet]) -> None:
    assert not any(packet.label.encode() in packet.message for packet in packets)


def test_the_survey_decodes_what_the_simulation_wrote(packets: list[Packet]) -> None:
    for packet in packets:
        alert = decode(packet.message)
        assert alert.decline is None
        assert (alert.object_id, alert.alert_id) == (packet.object_id, packet.alert_id)
        assert alert.mjd == pytest.approx(packet.mjd, abs=1e-6)


def test_fluxes_and_limits_survive_the_packet_to_its_precision() -> None:
    simulated = simulate_objects(1, seed=3)[0]
    last = list(simulate_night(1, seed=3))[-1]
    seen, curve = simulated.photometry, decode(last.message).curve
    at = np.searchsorted(seen.exposures.mjd, curve.mjd - 1e-6)
    measured = curve.kind != Kind.UPPER_LIMIT
    assert curve.psf_flux[measured] == pytest.approx(seen.flux[at[measured]], rel=1e-4)
    limit = 10 ** ((31.4 - seen.exposures.limit_mag[at[~measured]]) / 2.5)
    assert 5 * curve.psf_flux_err[~measured] == pytest.approx(limit, rel=1e-4)
    assert [BANDS[band] for band in curve.band] == seen.exposures.band[at].tolist()


def test_history_reaches_back_thirty_days_and_has_limits_with_null_candid(
    packets: list[Packet],
) -> None:
    for packet in packets[::10]:
        jd = record(packet)["candidate"]["jd"]
        past = record(packet)["prv_candidates"] or []
        assert all(jd - 30 < entry["jd"] < jd for entry in past)
        assert all((entry["candid"] is None) == (entry["magpsf"] is None) for entry in past)
    assert any(e["candid"] is None for p in packets for e in record(p)["prv_candidates"] or [])


def test_an_exposure_is_the_same_fact_in_every_packet(packets: list[Packet]) -> None:
    curves = [decode(p.message).curve for p in packets if p.object_id == packets[0].object_id]
    united = curves[0].merge(*curves[1:])
    keys = set(zip(united.mjd, united.band, united.kind, strict=True))
    facts = {bytes(point) for curve in curves for point in curve.points}
    assert len(facts) == len(keys) == len(united)


def test_some_alerts_are_negative_subtractions() -> None:
    signs = Counter(record(p)["candidate"]["isdiffpos"] for p in simulate_night(60, seed=1))
    assert signs["f"] > 0
    assert signs["t"] > 5 * signs["f"]


def test_a_night_is_written_one_file_an_alert(tmp_path: Path, packets: list[Packet]) -> None:
    written = write_night(tmp_path / "night", 16, seed=3)
    files = {path.name: path.read_bytes() for path in (tmp_path / "night").iterdir()}
    assert files == {f"{packet.alert_id}.avro": packet.message for packet in packets}
    assert written == packets
