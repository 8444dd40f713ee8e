"""Runs are kept one by one, never done twice, and never mixed with runs of another kind."""

import numpy as np
import pytest
import torch

from broker_classifier.errors import ConfigError
from broker_classifier.light_curve import light_curve
from broker_classifier.model.grid_input import Grid
from broker_classifier.training.poster import runs as module
from broker_classifier.training.poster.protocol import PERCENTS, PROTOCOLS
from broker_classifier.training.poster.runs import MODELS, Run, Settings, do_runs, prepare_folder
from broker_classifier.training.poster.sample import Sample

SETTINGS = Settings(
    per_class=20, test_per_class=10, epochs=1, batch=10, grid=Grid(length=48, flux_unit_njy=1e4)
)


@pytest.fixture(scope="module")
def sample():
    random = np.random.default_rng(0)
    curves, target = [], np.arange(150) % 2
    for k in target:
        mjd = np.sort(random.uniform(0, 100, 20))
        flux = 1e4 * (1 + k * mjd / 20) + random.normal(0, 500, 20)
        curves.append(light_curve(mjd, flux, 500.0, "gr" * 10))
    ids = np.array([f"object {i}" for i in range(150)])
    return Sample(("SNIa", "SNII"), ("g", "r"), ids, target, curves)


def test_results_are_kept_and_not_done_again(sample, tmp_path):
    prepare_folder(tmp_path, SETTINGS, sample)
    lines = []
    first = do_runs([Run("causal", "gru", 25, 0)], sample, SETTINGS, tmp_path, lines.append)
    more = [Run("causal", "gru", 25, 0), Run("causal", "fcn", 50, 0)]
    second = do_runs(more, sample, SETTINGS, tmp_path, lines.append)
    assert len(lines) == 2
    assert second[more[0]] == first[more[0]]


def test_an_interruption_loses_only_the_run_it_interrupts(sample, tmp_path, monkeypatch):
    prepare_folder(tmp_path, SETTINGS, sample)
    runs = [Run("disjoint", "gru", 25, seed) for seed in range(3)]
    fit = module.fit

    def interrupted(*parts, seed, **settings):
        if seed == 1:
            raise KeyboardInterrupt
        return fit(*parts, seed=seed, **settings)

    monkeypatch.setattr(module, "fit", interrupted)
    with pytest.raises(KeyboardInterrupt):
        do_runs(runs, sample, SETTINGS, tmp_path, lambda line: None)
    monkeypatch.setattr(module, "fit", fit)
    lines = []
    assert set(do_runs(runs, sample, SETTINGS, tmp_path, lines.append)) == set(runs)
    assert len(lines) == 2


def test_a_folder_with_other_settings_is_refused(sample, tmp_path):
    prepare_folder(tmp_path, SETTINGS, sample)
    prepare_folder(tmp_path, SETTINGS, sample)
    other = SETTINGS.model_copy(update={"epochs": 2})
    with pytest.raises(ConfigError, match="other settings"):
        prepare_folder(tmp_path, other, sample)


def test_the_whole_light_curve_is_run_once_for_disjoint_and_causal(sample, tmp_path):
    prepare_folder(tmp_path, SETTINGS, sample)
    runs = [Run(protocol, "gru", 100, 0) for protocol in ("disjoint", "causal")]
    lines = []
    results = do_runs(runs, sample, SETTINGS, tmp_path, lines.append)
    assert len(lines) == 1
    assert results[runs[0]] == results[runs[1]]


def test_a_run_is_called_by_the_protocol_that_was_asked_for(sample, tmp_path):
    prepare_folder(tmp_path, SETTINGS, sample)
    lines = []
    do_runs([Run("causal", "gru", 100, 0)], sample, SETTINGS, tmp_path, lines.append)
    assert lines[0].startswith("1/1 causal, gru, 100 %, seed 0: ")


def test_every_combination_has_a_file_of_its_own():
    runs = {
        Run(protocol, model, percent, seed, config).stored_as()
        for protocol in PROTOCOLS
        for model in MODELS
        for percent in PERCENTS
        for seed in (1, 11)
        for config in ((), (("attention", 5), ("hops", 1)), (("attention", 5), ("hops", 11)))
    }
    assert len({run.file_name() for run in runs}) == len(runs)


def test_gru_and_attentive_gru_of_a_seed_begin_with_the_same_trunk(sample):
    plain, attentive = (
        module._network(Run("causal", name, 25, 7), sample, SETTINGS).trunk.state_dict()
        for name in ("gru", "attentive_gru")
    )
    assert plain.keys() == attentive.keys()
    for name, weights in plain.items():
        torch.testing.assert_close(weights, attentive[name], rtol=0, atol=0)


def test_models_of_a_seed_are_tested_on_the_same_objects(sample, tmp_path):
    prepare_folder(tmp_path, SETTINGS, sample)
    runs = [Run("as-published", model, 50, 0) for model in MODELS]
    results = do_runs(runs, sample, SETTINGS, tmp_path, lambda line: None)
    assert len({tuple(r.ids) for r in results.values()}) == 1
    index = {name: k for name, k in zip(sample.ids.tolist(), sample.target.tolist(), strict=True)}
    for result in results.values():
        assert result.target == [index[name] for name in result.ids]
