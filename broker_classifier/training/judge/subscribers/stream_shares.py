"""How often each class comes in a survey's public stream, after the rules of `surveys/source`.

A training set has its classes as people chose what to type and to keep. Who subscribes to a class
meets the stream's proportions: one wrong answer in a hundred about something common outnumbers
right ones about something rare.

The supernovae are in the proportions of the spectroscopically typed objects of ZTF's alerts, most
of which come from its magnitude-limited Bright Transient Survey (BTS): 75 % are SNIa with their
kinds. (At least 67 % were in the first nine months of BTS: 512 of 761, Fremling et al. 2020, ApJ
895, 32.) The rest is set beside the almost 4000 supernovae of BTS in ZTF's first phase: 78 SLSN-I
(Chen et al. 2023, ApJ 943, 41) and 30 TDE (Hammerstein et al. 2023, ApJ 942, 9). No kilonova has
been found in ZTF's stream without a trigger; one in 3000 is what that allows. A third is AGN: 13 of
38 public alerts that the rules left were called so (`docs/how/whole-stream.md`). That share is the
least known. For LSST there is no count yet; its stream goes deeper and has more AGN.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BTS_SUPERNOVAE = 4000
TYPED_SUPERNOVAE = {
    "SNIa": 4346,
    "SNIa-91bg": 39,
    "SNIax": 17,
    "SNII": 908,
    "SNIIn": 168,
    "SNIbc": 385,
}
BESIDE_SUPERNOVAE = {"SLSN-I": 78, "TDE": 30, "KN": 4000 / 3000}
AGN_SHARE = 1 / 3
KIND_OF = {"SNIa-91bg": "SNIa", "SNIax": "SNIa", "SNIIn": "SNII"}
"""Which class has the objects of a class that a bundle does not have."""


def stream_shares(classes: Sequence[str]) -> NDArray[np.float64] | None:
    """Give the share of each class in the stream of these classes, shape (K,).

    None if one of the classes is none whose share is known, or if there is only one.

    Examples
    --------
    >>> stream_shares(("SNIa", "SNII", "SNIbc")).round(3).tolist()
    [0.751, 0.184, 0.066]
    >>> stream_shares(("SNIa", "Mira")) is None
    True
    """
    numbers = _numbers()
    if not set(classes) <= set(numbers) or len(classes) < 2:
        return None
    for kind, whole in KIND_OF.items():
        if kind not in classes:
            numbers[whole] += numbers.pop(kind)
    shares = np.array([numbers[name] for name in classes])
    return np.asarray(shares / shares.sum())


def _numbers() -> dict[str, float]:
    to_bts = BTS_SUPERNOVAE / sum(TYPED_SUPERNOVAE.values())
    numbers = {name: n * to_bts for name, n in TYPED_SUPERNOVAE.items()} | BESIDE_SUPERNOVAE
    return numbers | {"AGN": sum(numbers.values()) * AGN_SHARE / (1 - AGN_SHARE)}
