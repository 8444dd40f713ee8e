"""What is due now and then between two batches: counting objects, forgetting old ones."""

import math
import time

from broker_classifier.errors import StoreUnavailableError
from broker_classifier.logs import get_logger
from broker_classifier.service.street import Service
from broker_classifier.store.port import Pruned

PRUNED_AT_ONCE = 1000  # objects: 2 ms between two batches
COUNTED_EVERY_S, TOLD_EVERY_S = 1.0, 60.0
KEPT_SHARE = 0.5  # of the objects, from one count to the next: fewer do not expire so fast

log = get_logger()


class HouseKeeping:
    """Counts the objects of a service's store, and prunes it.

    Parameters
    ----------
    service : Service
    """

    def __init__(self, service: Service) -> None:
        self._service, self._n_objects, self._n_told = service, 0, 0
        self._next_word = 0.0
        self._next_count = time.monotonic()
        self._next_prune = self._next_count if math.isfinite(service.retention_s) else math.inf

    def keep(self) -> None:
        """Do what is due; put it off while the store is down."""
        now, service = time.monotonic(), self._service
        try:
            if now >= self._next_prune:
                pruned = prune(service)
                self._n_objects = max(0, self._n_objects - pruned.n_forgotten)
                if pruned.is_end:
                    self._next_prune = now + service.prune_interval_s
            if now >= self._next_count:
                self._next_count = now + COUNTED_EVERY_S
                self._count()
            if now >= self._next_word and self._tell_of_begun():
                self._next_word = now + TOLD_EVERY_S
        except StoreUnavailableError as error:
            log.error("pruning is put off", reason=str(error))
            self._next_prune = max(self._next_prune, now + service.prune_interval_s)
            self._next_count = now + COUNTED_EVERY_S

    def _tell_of_begun(self) -> bool:
        """Log how many objects have begun anew since that was last logged; say whether any has."""
        n_begun = self._service.metrics.n_begun_anew - self._n_told
        if n_begun:
            log.info("objects begun anew from the histories of packets", objects=n_begun)
        self._n_told += n_begun
        return n_begun > 0

    def _count(self) -> None:
        """Count the objects; where most are gone, the store has lost them."""
        n_before, n_now = self._n_objects, len(self._service.store)
        self._n_objects = n_now
        self._service.metrics.count_objects(n_now)
        if n_now < n_before * KEPT_SHARE:
            log.error(
                "the store has lost objects; they begin anew with what packets bring, and "
                "`broker-classifier rebuild` brings the rest",
                before=n_before,
                now=n_now,
            )
            self._service.metrics.count_loss(n_before, n_now)


def prune(service: Service) -> Pruned:
    """Forget objects past their retention time, a part of the way through all."""
    pruned = service.store.prune(time.time() - service.retention_s, PRUNED_AT_ONCE)
    service.metrics.count_pruned(pruned.n_forgotten)
    return pruned
