"""Steps of a command that are tried again while what they need is down."""

import time
from collections.abc import Callable
from typing import TypeVar

from broker_classifier.errors import StoreRestartedError, UnavailableError
from broker_classifier.logs import WaitingLog

Result = TypeVar("Result")


def until_available(step: Callable[[], Result], retry_delay_s: float) -> Result:
    """Do a step, again and again while the store or Kafka is down; Ctrl-C ends the program.

    Parameters
    ----------
    step : callable
        What it may have done before it failed, it does again.
    retry_delay_s : float
    """
    waiting = WaitingLog("the command")
    while True:
        try:
            result = step()
        except (UnavailableError, StoreRestartedError) as error:
            waiting.note(str(error))
            time.sleep(retry_delay_s)
        else:
            waiting.note("")
            return result
