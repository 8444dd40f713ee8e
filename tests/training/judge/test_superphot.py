from types import SimpleNamespace

import numpy as np
import pytest

from broker_classifier.training.homogenise.examples import Example
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.superphot import superphot_figures, superphot_group

CLASSES = ("SNIa", "SNIa-91bg", "SNII", "SNIbc", "SLSN-I", "AGN")


def bundle_of(classes):
    even = tuple(1 / len(classes) for _ in classes)
    description = SimpleNamespace(calibration=SimpleNamespace(prior=even))
    return SimpleNamespace(classes=classes, description=description)


def predictions(raw_types, probabilities):
    examples = tuple(
        Example(str(i), "s", 0, 1.0, (), object_id=str(i), raw_type=raw_type)
        for i, raw_type in enumerate(raw_types)
    )
    target = np.zeros(len(examples), dtype=np.int64)
    values = np.array(probabilities, dtype=float)
    return Predictions(examples, target, values, np.full(values.shape, 1 / values.shape[1]))


@pytest.mark.parametrize(
    ("raw_type", "group"),
    [
        ("SN Ia", "SNIa"),
        ("SN Ia-91bg-like", "SNIa"),
        ("SN Ia-91T", "SNIa"),
        ("SN IIP", "SNII"),
        ("SN IIn", "SNIIn"),
        ("SLSN-I (Gomez+24 Silver)", "SLSN-I"),
        ("SN Ic-BL", "SNIbc"),
        ("SN IIb", None),
        ("SN Ibn", None),
        ("SN Iax[02cx-like]", None),
        ("SLSN-II", None),
        ("TDE (Yao+23 sample)", None),
    ],
)
def test_types_are_grouped_as_superphot_groups_them(raw_type, group):
    assert superphot_group(raw_type) == group


def test_classes_outside_the_groups_do_not_compete():
    mostly_agn = [0.1, 0.05, 0.2, 0.02, 0.01, 0.62]
    figures = superphot_figures(predictions(["SN II"], [mostly_agn]), bundle_of(CLASSES))
    assert (figures["n"], figures["accuracy"]) == (1, 1.0)


def test_a_group_without_a_class_is_never_found_and_joined_with_snii_beside():
    probabilities = [[0.9, 0, 0.1, 0, 0, 0], [0, 0, 1, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
    raw_types = ["SN Ia", "SN II", "SN IIn"]
    figures = superphot_figures(predictions(raw_types, probabilities), bundle_of(CLASSES))
    assert figures["never_said"] == ["SNIIn"]
    assert figures["macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3, abs=1e-4)
    assert figures["four_groups"]["macro_f1"] == 1.0


def test_a_bundle_with_the_class_is_judged_on_it():
    classes = ("SNIa", "SNII", "SNIIn", "SNIbc", "SLSN-I")
    figures = superphot_figures(predictions(["SN IIn"], [[0, 0, 1, 0, 0]]), bundle_of(classes))
    assert (figures["never_said"], figures["accuracy"]) == ([], 1.0)
    assert "four_groups" not in figures


def test_objects_of_other_types_are_counted_and_left_out():
    probabilities = [[1, 0, 0, 0, 0, 0]] * 3
    figures = superphot_figures(
        predictions(["SN Ia", "SN IIb", ""], probabilities), bundle_of(CLASSES)
    )
    assert (figures["n"], figures["left_out"]) == (1, {"": 1, "SN IIb": 1})


def test_without_spectroscopic_types_there_are_no_figures():
    assert superphot_figures(predictions([""], [[1, 0, 0, 0, 0, 0]]), bundle_of(CLASSES)) is None
