"""Which objects train, validate and test: a function of the object's id and the fold alone.

Anybody can redo the split of any bundle with these ten lines; new data never move an old object.
"""

import hashlib

SALT = "broker-classifier 2026"
TRAIN, VALIDATION, TEST = "train", "validation", "test"
N_FOLDS = 10
_FIRST_HUNDREDTHS = ((80, TRAIN), (90, VALIDATION), (100, TEST))


def split_of(canonical_id: str, fold: int = 0) -> str:
    """Assign an object to "train" (80 %), "validation" (10 %) or "test" (10 %).

    A bundle is of fold 0 unless it says another. In each of the `N_FOLDS` folds others are tested,
    and every object is in one of them.

    >>> split_of("AT2018hco") in ("train", "validation", "test")
    True
    >>> sorted(split_of("AT2018hco", fold) for fold in range(10))[:3]
    ['test', 'train', 'train']
    """
    digest = hashlib.sha256(f"{SALT}/{canonical_id}".encode()).digest()
    hundredth = (int.from_bytes(digest[:8], "big") + 100 // N_FOLDS * fold) % 100
    return next(name for bound, name in _FIRST_HUNDREDTHS if hundredth < bound)
