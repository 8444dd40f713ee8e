"""Send alert packets from files into a Kafka topic, as fast as it takes them or paced."""

import time
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.errors import OutputUnavailableError
from broker_classifier.progress import Track, untracked
from broker_classifier.streams.alert_files import alert_packets
from broker_classifier.streams.kafka_sink import KafkaSink
from broker_classifier.streams.message import Outgoing

BATCH = 200
PACED_INTERVAL_S = 0.1


def replay(
    settings: KafkaSettings,
    paths: Iterable[Path],
    topic: str,
    rate: float | None = None,
    track: Track = untracked,
    skip: int = 0,
) -> int:
    """Publish every packet of these files, folders and archives; return how many.

    Parameters
    ----------
    settings : KafkaSettings
    topic : str
    rate : float, optional
        Alerts per second; without, as fast as Kafka confirms them.
    track : Track
        Shows how many have gone.
    skip : int
        How many packets are left out at the beginning: an earlier call has sent them.

    Raises
    ------
    DataError
        If a path cannot be read.
    OutputUnavailableError
        If Kafka does not confirm them; it says how to go on.
    """
    sink = KafkaSink(settings)
    packets = islice(track(alert_packets(paths), "alerts"), skip, None)
    size = BATCH if rate is None else max(1, int(rate * PACED_INTERVAL_S))
    started, n_sent = time.monotonic(), 0
    while batch := [packet.value for packet in islice(packets, size)]:
        try:
            if rate is not None:
                time.sleep(max(0.0, started + n_sent / rate - time.monotonic()))
            sink.publish(Outgoing(topic, None, packet) for packet in batch)
        except OutputUnavailableError as error:
            reason = (
                f"{n_sent} alerts were sent, the next {len(batch)} and those after them were not: "
                f"Kafka at {settings.bootstrap_servers} did not confirm them. Go on from there "
                f"with --skip {skip + n_sent}"
            )
            raise OutputUnavailableError(reason) from error
        except KeyboardInterrupt as stopped:
            stopped.add_note(f"stopped: {n_sent} alerts were sent; --skip {skip + n_sent} goes on")
            raise
        n_sent += len(batch)
    return n_sent
