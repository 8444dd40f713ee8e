"""Used points of light curves to the logits of boosted trees."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from broker_classifier.light_curve import CurveBatch
from broker_classifier.model.encoder import Encoded
from broker_classifier.model.trees.boosted_trees import BoostedTrees
from broker_classifier.model.trees.prefix_features import Features


class TreeEncoder:
    """Boosted trees with the preparation of their input.

    The features of a light curve are computed anew for every answer, in some microseconds: nothing
    is kept between detections.

    Parameters
    ----------
    network : BoostedTrees
    bands : sequence of str
        Letters of the bundle's bands.
    settings : Features
    """

    hears_silence = True

    def __init__(self, network: BoostedTrees, bands: Sequence[str], settings: Features) -> None:
        self._network, self._bands, self._settings = network, bands, settings

    def encode(
        self,
        batch: CurveBatch,
        encoder_states: Sequence[bytes] | None = None,
        silence_days: NDArray[np.float64] | None = None,
    ) -> Encoded:
        """Do what `Encoder.encode` says; the states are all b""."""
        features = self._settings.build(batch, self._bands, silence_days)[:, 0]
        return Encoded(self._network.run(features), None, [b""] * len(batch))
