"""Sends the feed at a rate, as far as the workers keep up."""

import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaError, Message, Producer

from tests.soak.feed import packet

TICK_S = 0.05
FLUSH_S = 120.0


class Sender:
    """A thread that sends alert after alert.

    Parameters
    ----------
    servers, topic : str
    rate : float
        Alerts a second.
    may_send : callable
        Asked with the number of alerts sent, before more are.
    """

    def __init__(
        self, servers: str, topic: str, rate: float, may_send: Callable[[int], bool]
    ) -> None:
        self._topic, self._rate, self._may_send = topic, rate, may_send
        self._failures: list[str] = []
        self._end = threading.Event()
        self._producer = Producer(
            {
                "bootstrap.servers": servers,
                "enable.idempotence": True,
                "linger.ms": 5,
                "delivery.timeout.ms": 600_000,
                "topic.metadata.refresh.interval.ms": 5_000,
                "queue.buffering.max.kbytes": 65_536,
                "delivery.report.only.error": True,
                "on_delivery": self._note,
                "log_level": 0,
            }
        )
        self.n_sent = 0
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._thread.start()

    def _note(self, error: KafkaError | None, _: Message) -> None:
        if error is not None:
            self._failures.append(error.str())

    def _send(self) -> None:
        """Send what is due each tick; what cannot be sent then is left to a later time."""
        next_tick, due = time.monotonic(), 0.0
        while not self._end.is_set():
            next_tick = max(next_tick + TICK_S, time.monotonic())
            due = due % 1 + (self._rate * TICK_S if self._may_send(self.n_sent) else 0.0)
            for _ in range(int(due)):
                try:
                    self._producer.produce(self._topic, packet(self.n_sent))
                except BufferError:
                    break
                self.n_sent += 1
            self._producer.poll(0)
            self._end.wait(max(0.0, next_tick - time.monotonic()))

    def stop(self) -> int:
        """End, and return how many alerts Kafka has."""
        self._end.set()
        self._thread.join()
        n_unsent = self._producer.flush(FLUSH_S)
        assert n_unsent == 0, f"{n_unsent} alerts never reached Kafka"
        assert self._failures == []
        return self.n_sent
