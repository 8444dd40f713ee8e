"""Simulated kilonovae: photometry against closed forms, and what a survey would have seen."""

import numpy as np
import pandas as pd
import pytest

from broker_classifier.errors import DataError
from broker_classifier.light_curve import BANDS
from broker_classifier.light_curve.photometry import flux_from_magnitude
from broker_classifier.training.data.kilonova_spectra import (
    CM_PER_MPC,
    Passband,
    SpectralGrid,
    band_flux,
    flux_at,
    luminosity_distance,
    read_grids,
    read_passbands,
    redshift_at,
)
from broker_classifier.training.data.kilonovae import (
    HELD_OUT_MASS,
    draw_event,
    every_visit_of,
    simulate_kilonovae,
)
from broker_classifier.training.data.labelled_objects import LabelledObject, read_objects
from broker_classifier.training.data.split import TRAIN, split_of
from broker_classifier.training.homogenise.homogenisation import is_from_alerts

LIGHT_ANGSTROM_S = 2.99792458e18
PARSEC_CM = 3.0856776e18


def grid(luminosity, days=(0.0, 5.0, 14.0), wavelength=None, mass=0.05, lanthanides=1e-4):
    wave = np.linspace(1000.0, 25000.0, 2401) if wavelength is None else wavelength
    days = np.array(days)
    return SpectralGrid("g", mass, 0.1, lanthanides, days, wave, luminosity(days, wave))


def box(low, high):
    return Passband(np.linspace(low, high, 400), np.ones(400))


def flat_in_frequency(absolute_magnitude):
    """The luminosity density (erg/s/A) of a source of this AB magnitude in every band."""
    per_hz = 10 ** (-0.4 * (absolute_magnitude + 48.6)) * 4 * np.pi * (10 * PARSEC_CM) ** 2
    return lambda days, wave: np.ones((len(days), 1)) * per_hz * LIGHT_ANGSTROM_S / wave**2


def test_a_flat_spectrum_has_its_magnitude_in_every_band():
    redshift = redshift_at(40.0)
    flux = band_flux(
        grid(flat_in_frequency(-16.0)), redshift, {"g": box(4000, 5500), "z": box(8000, 9000)}
    )
    magnitude = -16.0 + 5 * np.log10(40.0e6 / 10.0) - 2.5 * np.log10(1 + redshift)
    np.testing.assert_allclose(flux, flux_from_magnitude(magnitude), rtol=1e-3)


def test_the_spectrum_is_redshifted_into_the_band():
    def line(days, wave):
        return np.ones((len(days), 1)) * np.exp(-0.5 * ((wave - 6000.0) / 30.0) ** 2)

    flux = band_flux(grid(line), 0.2, {"r": box(5500, 6500), "i": box(7000, 7400)})
    assert (flux[:, 1] > 1e6 * flux[:, 0]).all()


def test_distances_agree_with_astropy():
    cosmology = pytest.importorskip("astropy.cosmology").FlatLambdaCDM(H0=70, Om0=0.3)
    for redshift in (0.01, 0.05, 0.1, 0.2):
        expected = cosmology.luminosity_distance(redshift).value
        assert luminosity_distance(redshift) == pytest.approx(expected, rel=0.01)
        assert redshift_at(luminosity_distance(redshift)) == pytest.approx(redshift)
    assert pytest.approx(CM_PER_MPC / 1e6) == PARSEC_CM


def test_the_decline_goes_on_after_the_grid_and_there_is_nothing_before_it():
    days = np.linspace(0.0, 15.0, 151)
    flux = flux_at(days, 100 * np.exp(-days / 3), np.array([-1.0, 0.0, 6.0, 18.0]))
    np.testing.assert_allclose(flux, [0.0, 100.0, 100 * np.exp(-2), 100 * np.exp(-6)], rtol=1e-3)


def test_what_rises_at_the_end_of_the_grid_is_not_extrapolated_upward():
    days = np.linspace(0.0, 15.0, 151)
    assert flux_at(days, np.exp(days), np.array([20.0])) == pytest.approx(np.exp(15.0))


def test_light_curves_of_detections_only_lend_no_visits():
    def labelled(flux):
        n = len(flux)
        columns = np.arange(n) * 1.0, np.array(flux), np.ones(n), np.ones(n, np.int64)
        return LabelledObject("a", "a", "SNIa", "s", True, *columns)

    whole, detected = labelled([0.0, 9.0, 8.0, 1.0]), labelled([9.0, 8.0, 7.0, 6.0])
    assert every_visit_of([whole, detected]) == [whole]


def test_events_fill_the_volume_and_hold_out_a_mass():
    flat = flat_in_frequency(-16.0)
    grids = [grid(flat, mass=m, lanthanides=x) for m in (0.01, 0.025) for x in (1e-4, 1e-2)]
    random = np.random.default_rng(0)
    for is_for_training in (True, False):
        events = [draw_event(grids, is_for_training, 500.0, (0, 9), random) for _ in range(2000)]
        near = np.mean([luminosity_distance(e.redshift) < 250.0 for e in events])
        assert near == pytest.approx(1 / 8, abs=0.03)
        masses = {g.mass for e in events for g in (grids[e.blue], grids[e.red])}
        assert masses == ({0.01} if is_for_training else {HELD_OUT_MASS})
        assert {grids[e.blue].lanthanides for e in events} == {1e-4}


def write_templates(folder):
    """A flat spectrum of magnitude -18 that fades, under the names of the real files."""
    (folder / "kasen2017").mkdir(parents=True)
    days, wave = np.arange(-1.95, 15.0, 0.5), np.linspace(1000.0, 25000.0, 300)
    luminosity = flat_in_frequency(-18.0)(days, wave) * np.exp(-days / 3)[:, None]
    luminosity[days < 0] = 1e20
    for mass in ("0.010", "0.025"):
        for lanthanides in ("1e-2.0", "1e-4.0"):
            np.savez(
                folder / "kasen2017" / f"knova_d1_n10_m{mass}_vk0.10_fd1.0_Xlan{lanthanides}.npz",
                time_day=days,
                wave_A=wave,
                log10_Llam_erg_s_A=np.log10(luminosity),
            )
    ztf = folder / "sncosmo" / "bandpasses" / "ztf"
    ztf.mkdir(parents=True)
    for name in "gRI":
        (ztf / f"P48_{name}.dat").write_text("# wavelength[AA] throughput\n5000 0.5\n6000 0.5\n")
    return folder


def write_visits(folder):
    """Two nights out of three for 400 days, in g, r and z, empty sky of 500 nJy noise."""
    folder.mkdir()
    mjd = np.repeat(59000.0 + np.array([n for n in range(400) if n % 3]), 3)
    band = np.tile(["g", "r", "z"], len(mjd) // 3)
    flux = np.random.default_rng(0).normal(0, 500.0, len(mjd))
    columns = {"object_id": "a", "mjd": mjd, "band": band, "flux_njy": flux, "flux_err_njy": 500.0}
    pd.DataFrame(columns).to_parquet(folder / "photometry.parquet")
    (folder / "objects.csv").write_text("object_id,label\na,AGN\n")
    return folder


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kilonovae")
    templates, visits = write_templates(folder / "templates"), write_visits(folder / "visits")
    return simulate_kilonovae(templates, visits, "ztf", folder / "simulated", n_events=60)


def test_a_simulated_folder_is_read_like_any_other(simulated):
    objects = read_objects(simulated, ["KN"])
    assert len(objects) == 60
    assert {o.source for o in objects} == {"kilonovae-ztf"}
    for alert_sources in ((), ("kilonovae-ztf",)):  # a recipe says which they are
        is_alert = {is_from_alerts(o, alert_sources) for o in objects}
        assert is_alert == {bool(alert_sources)}
    assert {BANDS[b] for o in objects for b in o.band} == {"g", "r"}  # ZTF has no z


def test_every_event_is_detected_twice_and_only_after_its_merger(simulated):
    table = pd.read_csv(simulated / "objects.csv").set_index("object_id")
    before = []
    for kilonova in read_objects(simulated, ["KN"]):
        assert (kilonova.flux >= 5 * kilonova.flux_err).sum() >= 2
        age = kilonova.mjd - table.loc[kilonova.object_id, "merger_mjd"]
        assert -30 <= age.min() <= age.max() <= 45
        before.append(kilonova.flux[age < 0] / 500.0)
    pulls = np.concatenate(before)
    assert (pulls.mean(), pulls.std()) == pytest.approx((0.0, 1.0), abs=0.1)


def test_no_ejecta_of_the_test_events_train(simulated):
    table = pd.read_csv(simulated / "objects.csv")
    is_train = np.array([split_of(name) == TRAIN for name in table["object_id"]])
    held_out = table["raw_type"].str.count("m0.025").to_numpy()
    assert is_train.any()
    np.testing.assert_array_equal(held_out, np.where(is_train, 0, 2))


def test_the_same_seed_simulates_the_same(simulated, tmp_path):
    folder = simulated.parent
    again = simulate_kilonovae(folder / "templates", folder / "visits", "ztf", tmp_path, 5)
    first = pd.read_csv(simulated / "objects.csv").head(5)
    pd.testing.assert_frame_equal(pd.read_csv(again / "objects.csv"), first)


def test_visits_too_shallow_for_any_kilonova_are_refused(simulated, tmp_path):
    visits = write_visits(tmp_path / "visits")
    table = pd.read_parquet(visits / "photometry.parquet")
    table.assign(flux_err_njy=1e9).to_parquet(visits / "photometry.parquet")
    with pytest.raises(DataError, match="denser or deeper"):
        simulate_kilonovae(simulated.parent / "templates", visits, "ztf", tmp_path / "out", 1)


def test_spectra_of_one_mass_are_refused(simulated, tmp_path):
    templates = write_templates(tmp_path / "templates")
    for path in (templates / "kasen2017").glob("*m0.010*"):
        path.unlink()
    with pytest.raises(DataError, match=r"a mass of 0\.025 and another one"):
        simulate_kilonovae(templates, simulated.parent / "visits", "ztf", tmp_path / "out", 1)


@pytest.mark.parametrize("survey", ["ztf", "lsst"])
def test_missing_templates_are_named(tmp_path, survey):
    with pytest.raises(DataError, match=r"knova_\*.npz"):
        read_grids(tmp_path)
    with pytest.raises(DataError, match=r"\.dat cannot be read"):
        read_passbands(tmp_path, survey)


@pytest.mark.data
def test_a_model_like_gw170817s_is_as_bright_as_it_was(shared_data):
    """AT2017gfo's r was near 17.5 a day after the merger and near 19.5 after 3.5, and redder."""
    templates = shared_data / "templates"
    grids = {g.name: g for g in read_grids(templates)}
    passbands = read_passbands(templates, "lsst")
    blue = grids["knova_d1_n10_m0.025_vk0.30_fd1.0_Xlan1e-4.0"]
    flux = band_flux(blue, redshift_at(40.7), passbands)
    magnitude = 31.4 - 2.5 * np.log10(flux)  # of nJy
    at = [int(np.abs(blue.days - day).argmin()) for day in (1.0, 3.5)]
    g, r = (magnitude[at, "ugrizy".index(band)] for band in "gr")
    np.testing.assert_allclose(r, [17.5, 19.5], atol=0.5)
    assert g[1] - r[1] > g[0] - r[0] + 0.1
