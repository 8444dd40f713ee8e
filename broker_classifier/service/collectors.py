"""What Prometheus collects and its client has no quick way to count: many values at once."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class BatchHistogram(Collector):
    """A histogram that takes a batch of values in one call.

    Parameters
    ----------
    name, text : str
    bounds : sequence of float
        Upper bounds of its buckets, ascending; one without a bound is added.
    """

    def __init__(self, name: str, text: str, bounds: Sequence[float]) -> None:
        self._name, self._text = name, text
        self._bounds = np.array([*bounds, np.inf])
        self._counts = np.zeros(len(self._bounds), dtype=np.int64)
        self._sum = 0.0

    def observe(self, values: ArrayLike) -> None:
        """Count values, shape (n,); each in the first bucket whose bound is not below it."""
        array = np.asarray(values, dtype=np.float64)
        places = np.searchsorted(self._bounds, array, side="left")
        counts = self._counts + np.bincount(places, minlength=len(self._bounds))
        self._counts, self._sum = counts, self._sum + float(array.sum())

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """Give Prometheus the histogram so far."""
        names = map(floatToGoString, self._bounds.tolist())
        buckets = list(zip(names, np.cumsum(self._counts).tolist(), strict=True))
        yield HistogramMetricFamily(self._name, self._text, buckets=buckets, sum_value=self._sum)


class CountsCollector(Collector):
    """A counter whose values somebody else keeps.

    Parameters
    ----------
    name, text, label : str
    counts : mapping of str to int
        Value of the label to count; read anew at every collection.
    """

    def __init__(self, name: str, text: str, label: str, counts: Mapping[str, int]) -> None:
        self._name, self._text, self._label = name, text, label
        self._counts = counts

    def collect(self) -> Iterable[CounterMetricFamily]:
        """Give Prometheus the counts as they are."""
        family = CounterMetricFamily(self._name, self._text, labels=[self._label])
        for value, count in dict(self._counts).items():
            family.add_metric([value], count)
        yield family
