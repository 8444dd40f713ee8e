"""What is due now and then between two batches: counting objects, forgetting old ones."""

import math
import time

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.service.street import Service

PRUNED_AT_ONCE = 1000  # objects: 2 ms between two batches
COUNTED_EVERY_S = 1.0

log = get_logger()


class HouseKeeping:
    """Counts the objects of a service's store, and prunes it.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._next_count = time.monotonic()
        self._next_prune = self._next_count if math.isfinite(service.retention_s) else math.inf

    def keep(self) -> None:
        """Do what is due; put it off while the store is down."""
        now, service = time.monotonic(), self._service
        try:
            if now >= self._next_prune and prune(service):
                self._next_prune = now + service.prune_interval_s
            if now >= self._next_count:
                self._next_count = now + COUNTED_EVERY_S
                service.metrics.count_objects(len(service.store))
        except StoreUnavailableError as error:
            log.error("pruning is put off", reason=str(error))
            self._next_prune = max(self._next_prune, now + service.prune_interval_s)
            self._next_count = now + COUNTED_EVERY_S


def prune(service: Service) -> bool:
    """Forget objects past their retention time, a part of the way through all.

    Returns
    -------
    bool
        Whether that was the end of the way.
    """
    pruned = service.store.prune(time.time() - service.retention_s, PRUNED_AT_ONCE)
    service.metrics.count_pruned(pruned.n_forgotten)
    return pruned.is_end
