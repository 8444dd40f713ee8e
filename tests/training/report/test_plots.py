"""What a plot says in words: names, numbers, axes. The oracle is `metrics.json`."""

import copy
import json
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.cuts import FULL, MAIN_CUTS, figures_by_cut
from broker_classifier.training.judge.groups import group_names
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.report.plots.accuracy import accuracy_figure
from broker_classifier.training.report.plots.attention import attention_figure
from broker_classifier.training.report.plots.confusion import all_cuts_figure, confusion_figure
from broker_classifier.training.report.plots.examples import decided_groups, examples_figure
from broker_classifier.training.report.plots.roc import precision_recall_figure, roc_figure
from tests.bundles import small_bundle
from tests.kafka_sources import TOP
from tests.training.test_explain import flare


@pytest.fixture(scope="module")
def metrics():
    return json.loads((TOP / "models" / "ztf-transients" / "metrics.json").read_text())


def ticks(axis):
    return [text.get_text() for text in axis.get_yticklabels()]


def test_every_row_of_a_matrix_has_its_number_of_objects(metrics):
    detections, days = metrics["by_detections"], metrics["by_days"]
    cuts = (detections["3"], detections["10"], days["10"], metrics["full"])
    axes = confusion_figure(metrics).axes
    for axis, figures in zip(axes, [c["grouped"] for c in cuts] + list(cuts), strict=True):
        n = [int(label.split()[-1]) for label in ticks(axis)]
        assert n == [sum(row) for row in figures["confusion"]]
        assert sum(n) == figures["n"]


def test_a_group_is_spelled_out_in_its_row_and_its_column(metrics):
    first = confusion_figure(metrics).axes[0]
    assert [label.split()[0] for label in ticks(first)] == metrics["groups"]
    assert [text.get_text() for text in first.get_xticklabels()] == metrics["groups"]


def test_a_group_is_called_only_by_the_classes_that_the_bundle_has():
    metrics = json.loads((TOP / "models" / "spcc" / "metrics.json").read_text())
    for figure in (confusion_figure(metrics), all_cuts_figure(metrics, "grouped")):
        labels = [label.split()[0] for label in ticks(figure.axes[0])]
        assert labels == metrics["classes"] == ["SNIa", "SNII", "SNIbc"]


def boxes(figure):
    """Where the titles of the panels are drawn, in pixels, row by row."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    rows = {}
    for axis in figure.axes:
        if axis.get_visible():
            box = axis.title.get_window_extent(renderer)
            rows.setdefault(round(box.y0), []).append(box)
    return [box for row in rows.values() for box in sorted(row, key=lambda b: b.x0)]


@pytest.mark.parametrize("n_classes", [2, 9])
def test_titles_of_matrices_neither_overlap_nor_leave_the_picture(metrics, n_classes):
    few = with_classes(metrics, n_classes)
    for figure in (
        confusion_figure(few),
        all_cuts_figure(few, None),
        all_cuts_figure(few, "grouped"),
    ):
        titles = boxes(figure)
        for title in titles:
            assert 0 <= title.x0 < title.x1 <= figure.bbox.width
            assert 0 <= title.y0 < title.y1 <= figure.bbox.height
        for left, right in pairwise(titles):
            assert not left.overlaps(right)


def with_classes(metrics, n):
    """Give metrics of the first classes only, each a group of its own if there are few."""
    few = copy.deepcopy(metrics)
    few["classes"] = [metrics["classes"][k] for k in ((0, 3) if n == 2 else range(n))]
    few["groups"] = group_names(few["classes"])
    for figures in figures_by_cut(few).values():
        for at_level, names in ((figures, "classes"), (figures["grouped"], "groups")):
            size = len(few[names])
            at_level["confusion"] = [row[:size] for row in at_level["confusion"][:size]]
    return few


def test_the_whole_time_is_drawn_apart_only_where_it_is_not_the_whole_light_curve(metrics):
    def titles(of):
        return [axis.get_title().split("\n")[0] for axis in all_cuts_figure(of, None).axes]

    assert "100 % of the time span" not in titles(metrics)
    assert "whole light curve" in titles(metrics)
    other = copy.deepcopy(metrics)
    other["by_fraction"]["1.0"]["confusion"][0][0] += 1
    assert "100 % of the time span" in titles(other)


def test_a_level_has_one_colour_and_each_panel_one_figure(metrics):
    figure = accuracy_figure(metrics)
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == [f"{len(metrics[level])} {level}" for level in ("groups", "classes")]
    colours = {}
    for axis, name in zip(
        figure.axes[::2], ("balanced_accuracy", "macro_f1", "accuracy", "ece"), strict=True
    ):
        for line in axis.lines:
            if line.get_label() in named:
                colours.setdefault(line.get_label(), set()).add(line.get_color())
                cuts = metrics["by_detections"].values()
                level = [c["grouped"] if "groups" in line.get_label() else c for c in cuts]
                assert line.get_ydata().tolist() == [c[name] for c in level]
    assert [len(colours[label]) for label in named] == [1, 1]
    assert colours[named[0]] != colours[named[1]]


def test_groups_that_are_the_classes_are_drawn_once(metrics):
    alone = ["SNIa", *metrics["groups"][1:]]  # a class may be called otherwise than its group
    figure = accuracy_figure({**metrics, "classes": alone})
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["6 classes"]


def test_curves_are_named_once_and_their_areas_stand_below_each_panel(metrics):
    generator, n = np.random.default_rng(0), len(metrics["classes"])
    target = generator.integers(0, n, 200)
    at_cut = Predictions((), target, generator.dirichlet(np.ones(n), 200), np.full((200, n), 1 / n))
    predictions = dict.fromkeys(MAIN_CUTS, at_cut)
    for draw, title, area, axes in (
        (roc_figure, "area under the curve", "roc_auc", ("false positive", "true positive")),
        (precision_recall_figure, "average precision", "average_precision", ("recall", "prec")),
    ):
        figure = draw(metrics, predictions)
        (legend,) = figure.legends
        assert legend.get_title().get_text() == f"below each panel: {title} (95 % interval)"
        named = [text.get_text() for text in legend.get_texts()]
        assert named == [*(cut.title for cut in MAIN_CUTS), "a guess"]
        assert all(axis.get_legend() is None for axis in figure.axes)
        low, high = metrics["full"][f"{area}_95"]["SNIa"]
        below = figure.axes[0].texts[-1]
        assert below.get_text() == f"{metrics['full'][area]['SNIa']:.2f} ({low:.2f}-{high:.2f})"
        assert below.get_color() == figure.axes[0].lines[-1].get_color()
        assert figure.get_supxlabel().startswith(axes[0])
        assert figure.get_supylabel().startswith(axes[1])
        assert all(axis.xaxis.get_tick_params()["labelbottom"] for axis in figure.axes[:n])


def test_the_attention_says_of_which_objects_it_is(metrics):
    assert attention_figure(metrics).get_suptitle() == "whole light curves of 5 points or more"


def test_an_example_says_what_is_decided_under_equal_priors(tmp_path):
    bundle = small_bundle(tmp_path, seed=4)
    prior = np.array(bundle.description.calibration.prior)
    rows = np.array([prior, prior])
    rows[1, -1] *= 1.5  # the only one above its prior
    rows /= rows.sum(axis=1, keepdims=True)
    last = len(bundle.classes) - 1
    examples = tuple(Example(name, "s", last, 1.0, (flare(),)) for name in ("x", "y"))
    full = Predictions(examples, np.array([last, last]), rows, np.array([prior] * 2))
    decided = decided_groups(full, bundle)["y"]
    assert decided == bundle.classes[-1]
    only = Predictions(examples[1:], np.array([last]), rows[1:], prior[None])
    title = examples_figure({FULL: only}, bundle).axes[0].get_title()
    assert title.endswith(f"decided {decided}")
    assert f"P({bundle.classes[-1]}) = " in title
