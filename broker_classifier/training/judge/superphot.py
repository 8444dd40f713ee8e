"""The five classes of Superphot+ (de Soto et al. 2024), to compare figures with the published ones.

They go by spectroscopic type: SNIa with 91T and 91bg, SNII, SNIIn, SLSN-I, and SNIbc without IIb
and Ibn. Objects of other types are left out, and so are a bundle's probabilities for other classes.
"""

from collections import Counter
from typing import Any

import numpy as np

from broker_classifier.model.bundle import Bundle
from broker_classifier.training.data.spectroscopic_types import plain_type
from broker_classifier.training.judge.predictions import Predictions
from broker_classifier.training.judge.scores import metrics_at_a_cut

TYPES_OF_GROUP = {
    "SNIa": ("Ia", "Ia-norm", "Ia-91T", "Ia-91bg"),
    "SNII": ("II", "IIP", "IIL"),
    "SNIIn": ("IIn",),
    "SLSN-I": ("SLSN-I",),
    "SNIbc": ("Ib", "Ic", "Ibc", "Ib/c", "Ic-BL", "Ib-Ca-rich"),
}
CLASSES_OF_GROUP = {
    "SNIa": ("SNIa", "SNIa-91bg"),
    "SNII": ("SNII",),
    "SNIIn": ("SNIIn",),
    "SLSN-I": ("SLSN-I",),
    "SNIbc": ("SNIbc",),
}
_GROUP_OF = {raw_type: group for group, types in TYPES_OF_GROUP.items() for raw_type in types}


def superphot_group(raw_type: str) -> str | None:
    """Find the group of a spectroscopic type, however it is spelt; None outside all.

    >>> superphot_group("SN Ia 91T-like"), superphot_group("SLSN-I (Gomez+24 Gold)")
    ('SNIa', 'SLSN-I')
    >>> superphot_group("SN IIb") is None
    True
    """
    return _GROUP_OF.get(plain_type(raw_type))


def superphot_figures(predictions: Predictions, bundle: Bundle) -> dict[str, Any] | None:
    """Compute the figures of the five groups; None if no object has a spectroscopic type.

    Returns
    -------
    dict
        As `metrics_at_a_cut`, with `left_out`, objects by type, and `never_said`, the groups that
        the bundle has no class for. If that is SNIIn alone, `four_groups` joins it with SNII.
    """
    raw_types = [e.raw_type for e in predictions.examples]
    if not any(raw_types):
        return None
    group_of = np.array([superphot_group(raw_type) or "" for raw_type in raw_types])
    left_out = Counter(t for t, group in zip(raw_types, group_of, strict=True) if not group)
    never_said = [
        g for g, names in CLASSES_OF_GROUP.items() if not set(names) & set(bundle.classes)
    ]
    figures = {
        "groups": list(CLASSES_OF_GROUP),
        "left_out": dict(sorted(left_out.items())),
        "never_said": never_said,
        **_figures(group_of, predictions, bundle, CLASSES_OF_GROUP),
    }
    if never_said == ["SNIIn"]:
        four = {group: names for group, names in CLASSES_OF_GROUP.items() if group != "SNIIn"}
        joined = np.where(group_of == "SNIIn", "SNII", group_of)
        figures["four_groups"] = _figures(joined, predictions, bundle, four)
    return figures


def _figures(
    group_of: np.ndarray[Any, Any],
    predictions: Predictions,
    bundle: Bundle,
    classes: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    is_member = np.array(
        [[name in names for name in bundle.classes] for names in classes.values()], dtype=float
    )
    groups = list(classes)
    is_judged = np.isin(group_of, groups)
    if not is_judged.any():
        return {"n": 0}
    target = np.array([groups.index(group) for group in group_of[is_judged]])
    joint = predictions.probabilities[is_judged] @ is_member.T
    joint /= np.maximum(joint.sum(axis=1, keepdims=True), 1e-12)
    prior = predictions.prior[is_judged] @ is_member.T
    return metrics_at_a_cut(target, joint, np.where(prior > 0, prior, 1.0), groups)
