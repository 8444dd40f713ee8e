"""`poster` and `sweep` from the command line: the report says what the runs say."""

import csv
import json
import re

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from typer.testing import CliRunner

from broker_classifier.cli.main import app
from broker_classifier.training.poster.sample import CLASSES, read_sample
from tests.training.data.plasticc_files import write_plasticc
from tests.training.synthetic import write_data_set

SMALL = ["--per-class", "10", "--test-per-class", "4", "--epochs", "1", "--seeds", "2"]


def run(*arguments):
    ended = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert ended.exit_code == 0, ended.output
    return ended.output


@pytest.fixture(scope="module")
def plasticc(tmp_path_factory):
    return write_plasticc(tmp_path_factory.mktemp("plasticc"), n_per_class=20)


@pytest.fixture(scope="module")
def poster(plasticc, tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    parts = ["--percent", "25", "--protocol", "as-published"]
    run("poster", plasticc, "--output", folder, *SMALL, *parts, "--protocol", "causal")
    return folder


def accuracies(folder, pattern):
    results = [json.loads(path.read_text()) for path in sorted((folder / "runs").glob(pattern))]
    assert len(results) == 2
    return [balanced_accuracy_score(r["target"], r["decided"]) for r in results]


def said(value):
    return f"{value:.3f}".removeprefix("0")


def test_the_table_has_the_mean_and_scatter_of_every_models_runs(poster):
    text = (poster / "report.md").read_text()
    for protocol in ("as-published", "causal"):
        for model in ("attentive_gru", "gru", "resnet", "fcn"):
            of_seeds = accuracies(poster, f"{protocol}-{model}-25-*.json")
            expected = f"{said(np.mean(of_seeds))} ± {said(np.std(of_seeds, ddof=1))}"
            assert f"| {protocol} | {model} | {expected} |" in text


def test_the_answer_is_the_mean_paired_difference_and_names_its_interval(poster):
    text = (poster / "report.md").read_text()
    with_it = np.array(accuracies(poster, "causal-attentive_gru-25-*.json"))
    without = np.array(accuracies(poster, "causal-gru-25-*.json"))
    wanted = rf"\| causal \| 25 % \| \{np.mean(with_it - without):+.3f} ± \d[.]\d+ \|"
    assert re.search(wanted, text)
    answers = re.findall(r"helps the GRU in (\d+) of 2 .* hurts it in (\d+);", text)
    assert len(answers) == 2  # classes, groups
    assert sum(int(helps) for helps, _ in answers) == text.count("| helps |")
    assert sum(int(hurts) for _, hurts in answers) == text.count("| hurts |")


def test_the_confusion_matrices_are_drawn_for_classes_and_groups(poster):
    names = {path.name for path in poster.glob("*.png")}
    assert names == {
        f"confusion-{protocol}-{level}.png"
        for protocol in ("as-published", "causal")
        for level in ("classes", "groups")
    }
    assert all(path.stat().st_size < 200_000 for path in poster.glob("*.png"))


def test_the_report_says_how_many_test_objects_had_been_seen(poster):
    text = (poster / "report.md").read_text()
    (numbers,) = re.findall(r"\| as-published \| 0 \| \d+ \| \d+ \| (\d+) \| (\d+) ", text)
    result = json.loads((poster / "runs" / "as-published-gru-25-0.json").read_text())
    assert [len(result["ids"]), result["n_test_seen"]] == [int(number) for number in numbers]
    assert result["n_test_seen"] > 0
    assert re.search(r"\| causal \| 0 \| \d+ \| \d+ \| \d+ \| 0 \(0 %\) \|", text)


def test_a_second_call_adds_only_what_is_missing(poster, plasticc):
    before = {path: path.stat().st_mtime_ns for path in (poster / "runs").iterdir()}
    chosen = ["--percent", "25", "--protocol", "causal", "--protocol", "disjoint"]
    shown = run("poster", plasticc, "--output", poster, *SMALL, *chosen, "--model", "gru")
    added = {path.name for path in (poster / "runs").iterdir()} - {path.name for path in before}
    assert added == {"disjoint-gru-25-0.json", "disjoint-gru-25-1.json"}
    assert "2/2" in shown
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())


@pytest.fixture(scope="module")
def labelled(tmp_path_factory):
    return write_data_set(tmp_path_factory.mktemp("data") / "made-up", n_objects=150)


def table(folder):
    return list(csv.DictReader((folder / "sweep.csv").read_text().splitlines()))


@pytest.fixture(scope="module")
def swept(labelled, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    grid = ["--d-a", "4", "--d-a", "8", "--r", "1", "--r", "2", "--percent", "25"]
    run("sweep", labelled, "--output", folder, *SMALL, *grid)
    return folder


def test_a_sweep_has_a_row_for_every_width_hops_and_seed_and_for_the_gru(swept):
    rows = table(swept)
    runs = {(int(r["d_a"]), int(r["r"]), int(r["seed"])) for r in rows}
    tried = [(0, 0), (4, 1), (4, 2), (8, 1), (8, 2)]
    assert runs == {(*size, seed) for size in tried for seed in (0, 1)}
    for row in rows:
        width, r, seed = row["d_a"], row["r"], row["seed"]
        name = f"attentive_gru-attention{width}-hops{r}" if width != "0" else "gru"
        result = json.loads((swept / "runs" / f"causal-{name}-25-{seed}.json").read_text())
        expected = balanced_accuracy_score(result["target"], result["decided"])
        assert float(row["balanced_accuracy"]) == pytest.approx(expected, abs=5e-5)


def test_a_sweeps_networks_have_the_width_and_hops_of_their_row(swept):
    rows = {(int(r["d_a"]), int(r["r"])): int(r["parameters"]) for r in table(swept)}
    # W1 is d_a x 100, w2 is r x d_a, the output 3 x 100 r and 3; the GRU's output 3 x 100 and 3
    for (width, r), n_parameters in rows.items():
        if width:
            expected = rows[0, 0] + 100 * width + r * width + 300 * (r - 1)
            assert n_parameters == expected


def test_a_sweep_chooses_on_validation_and_draws_a_plot(swept):
    rows = table(swept)
    means = {
        size: np.mean([float(r["validation_accuracy"]) for r in rows if (r["d_a"], r["r"]) == size])
        for size in {(r["d_a"], r["r"]) for r in rows} - {("0", "0")}
    }
    text = (swept / "sweep.md").read_text()
    (chosen,) = re.findall(r"Best on the validation objects: d_a = (\d+), r = (\d+)", text)
    assert means[chosen] == pytest.approx(max(means.values()), abs=1e-4)
    assert 0 < (swept / "sweep.png").stat().st_size < 200_000


def test_a_wrong_choice_is_named(labelled, tmp_path):
    for option, value in (("--model", "cnn"), ("--protocol", "leaky"), ("--percent", "33")):
        wrong = ["poster", str(labelled), "--output", str(tmp_path), option, value]
        ended = CliRunner().invoke(app, wrong)
        assert ended.exit_code == 2
        assert value in ended.output


def test_a_flux_unit_is_above_zero(labelled, tmp_path):
    wrong = ["poster", str(labelled), "--output", str(tmp_path), "--flux-unit", "-1"]
    ended = CliRunner().invoke(app, wrong)
    assert ended.exit_code == 2
    assert "--flux-unit" in ended.output


def test_a_folder_of_one_class_is_refused(labelled, tmp_path):
    for path in labelled.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (tmp_path / "objects.csv").read_text().splitlines()
    kept = [line for line in lines if "SNII," in line or line.startswith("object_id")]
    (tmp_path / "objects.csv").write_text("\n".join(kept) + "\n")
    ended = CliRunner().invoke(app, ["poster", str(tmp_path), "--output", str(tmp_path / "o")])
    assert ended.exit_code == 2
    assert "two are needed" in ended.output


def test_a_sample_has_every_point_and_only_the_posters_classes(labelled):
    sample = read_sample(labelled, at_most=9)
    assert sample.classes == ("SNIa", "SNII", "AGN")
    assert set(sample.classes) < set(CLASSES)
    assert sample.bands == ("g", "r")
    assert sum(sample.counts().values()) == len(sample.curves)
    labels = [sample.classes[k] for k in sample.target]
    assert all(name.startswith(label) for name, label in zip(sample.ids, labels, strict=True))
    agn = [c for c, label in zip(sample.curves, labels, strict=True) if label == "AGN"]
    assert {len(c) for c in agn} == {90}


def test_a_sample_can_be_what_alerts_would_show(labelled):
    from broker_classifier.model.bundle import read_bundle
    from tests.test_layout import TOP

    bundle = TOP / "models" / "ztf-transients"
    sample = read_sample(labelled, at_most=9, alerts_of=bundle)
    selection = read_bundle(bundle).selection
    for curve in sample.curves:
        assert curve.mjd[-1] - curve.mjd[0] <= selection.window_days
        assert (curve.psf_flux > 0).all()
