"""Classes and bands are told apart by every eye: distances in OKLab, colour blindness simulated."""

from itertools import combinations, product

import numpy as np
import pytest

from broker_classifier.model.band_colours import BAND_COLOURS, BAND_SHAPES
from broker_classifier.model.class_colours import COLOURS

# Machado, Oliveira & Fernandes (2009), severity 1, on linear sRGB.
EYES = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
# Ottosson (2020), "A perceptual color space for image processing".
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def seen(colour: str, eye: str) -> np.ndarray:
    """A colour's place in OKLab, as some eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(TO_LAB @ np.cbrt(TO_LMS @ np.clip(EYES[eye] @ linear, 0, 1)))


def distance(a: str, b: str, eye: str) -> float:
    return float(np.linalg.norm(seen(a, eye) - seen(b, eye)))


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("palette", [COLOURS, BAND_COLOURS], ids=["classes", "bands"])
def test_every_eye_tells_any_two_of_a_palette_apart(palette, eye):
    closest = min(combinations(palette.values(), 2), key=lambda pair: distance(*pair, eye))
    assert distance(*closest, eye) > 0.08, closest


def test_no_band_looks_like_a_class():
    pairs = product(COLOURS.values(), BAND_COLOURS.values())
    assert min(distance(a, b, "usual") for a, b in pairs) > 0.08


def test_a_band_has_a_shape_of_its_own():
    assert len(set(BAND_SHAPES.values())) == len(BAND_COLOURS)
