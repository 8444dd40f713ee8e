import numpy as np

from broker_classifier.training.judge.groups import group_labels, group_names, grouped

CLASSES = ("SNIa", "SNIax", "AGN", "TDE")
PRIOR = np.array([0.6, 0.1, 0.2, 0.1])


def test_groups_add_the_probabilities_and_priors_of_their_classes():
    random = np.random.default_rng(3)
    target = random.choice(4, 400)
    probabilities = random.dirichlet([2, 1, 1, 0.5], 400)
    group, joint, prior, names = grouped(target, probabilities, PRIOR, CLASSES)
    assert names == ["SNIa+91bg+Iax", "AGN", "TDE"]
    np.testing.assert_allclose(joint[:, 0], probabilities[:, 0] + probabilities[:, 1])
    np.testing.assert_allclose(prior, [0.7, 0.2, 0.1])
    assert (group == np.array([0, 0, 1, 2])[target]).all()


def test_a_class_outside_all_groups_is_a_group_of_its_own():
    assert group_names(("KN", "SNIIn", "SNII")) == ["KN", "SNII"]


def test_a_label_names_only_classes_that_there_are():
    assert group_labels(CLASSES) == ["SNIa+Iax", "AGN", "TDE"]
    assert group_labels(("SNIa", "SNII", "SNIbc")) == ["SNIa", "SNII", "SNIbc"]
    every = ("SNIa", "SNIa-91bg", "SNIax", "SNII", "SNIIn", "KN")
    assert group_labels(every) == ["SNIa+91bg+Iax", "SNII", "KN"] == group_names(every)
