"""Which objects train, validate and test: a function of the object's id alone.

Anybody can redo the split of any bundle with these ten lines; new data never move an old object.
"""

import hashlib

SALT = "broker-classifier 2026"
TRAIN, VALIDATION, TEST = "train", "validation", "test"
_FIRST_HUNDREDTHS = ((80, TRAIN), (90, VALIDATION), (100, TEST))


def split_of(canonical_id: str) -> str:
    """Assign an object to "train" (80 %), "validation" (10 %) or "test" (10 %).

    >>> split_of("AT2018hco") in ("train", "validation", "test")
    True
    """
    digest = hashlib.sha256(f"{SALT}/{canonical_id}".encode()).digest()
    hundredth = int.from_bytes(digest[:8], "big") % 100
    return next(name for bound, name in _FIRST_HUNDREDTHS if hundredth < bound)
