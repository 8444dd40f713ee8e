"""The networks.

A streaming network takes one step a point and predicts at each. A grid network, one of the
poster's four, takes a light curve resampled to a grid and predicts once: `forward` gives the
logits, (B, n_classes), and the attention of each hop to each cell, (B, hops, L), or None where it
has no attention. Boosted trees take a row of features for every answer. A blend takes what other
bundles, its members, say.
"""

from broker_classifier.model.networks.attentive_gru import AttentiveGRU
from broker_classifier.model.networks.blend import Blend
from broker_classifier.model.networks.fcn import FCN
from broker_classifier.model.networks.gru import GRU
from broker_classifier.model.networks.resnet import ResNet
from broker_classifier.model.networks.streaming_attentive_gru import StreamingAttentiveGRU
from broker_classifier.model.trees.boosted_trees import BoostedTrees

GridNetwork = AttentiveGRU | GRU | FCN | ResNet
Network = StreamingAttentiveGRU | GridNetwork | BoostedTrees | Blend
