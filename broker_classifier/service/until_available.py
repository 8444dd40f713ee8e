"""Steps of a command that are tried again while what they need is down."""

import time
from collections.abc import Callable
from typing import TypeVar

from broker_classifier.errors import StoreRestartedError, UnavailableError
from broker_classifier.logs import get_logger

log = get_logger()

Result = TypeVar("Result")


def until_available(step: Callable[[], Result], retry_delay_s: float) -> Result:
    """Do a step, again and again while the store or Kafka is down; Ctrl-C ends the program.

    Parameters
    ----------
    step : callable
        What it may have done before it failed, it does again.
    retry_delay_s : float
    """
    while True:
        try:
            return step()
        except (UnavailableError, StoreRestartedError) as error:
            log.warning("waiting, it is tried again", reason=str(error))
            time.sleep(retry_delay_s)
