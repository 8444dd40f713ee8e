"""Open everything that the demo needs, play it, prove that nothing is missing, show the page."""

import os
import sys
import tempfile
import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from rich.console import Console
from rich.live import Live

from broker_classifier.config.kafka import KafkaSettings
from broker_classifier.demo.alerts import DemoAlert, real_alerts, simulated_alerts
from broker_classifier.demo.annotations import (
    annotated_view,
    running_annotator,
    wait_for_the_last,
)
from broker_classifier.demo.ledger import Check, declined_line, proof
from broker_classifier.demo.page import write_page
from broker_classifier.demo.page_process import running_page
from broker_classifier.demo.play import ALERT_TOPIC, Playing, View, play, wait_until_ready
from broker_classifier.demo.screen import LiveView, PlainView
from broker_classifier.demo.service_process import running_service
from broker_classifier.demo.simulate.night import N_NIGHTS
from broker_classifier.streams.embedded_kafka import embedded_kafka

PARTITIONS = 4
PAGE = "index.html"
_POLL_S = 0.05


def run_demo(
    alerts: Path | None = None,
    n_objects: int = 40,
    seed: int = 1,
    output: Path = Path("demo-night"),
    seconds: float = 60.0,
    lasair: str | None = None,
) -> int:
    """Run embedded Kafka, the real service, a replayer and a subscriber; show and check them.

    Parameters
    ----------
    alerts : Path, optional
        Real packets (a file, a folder, an archive) instead of simulated ones.
    n_objects, seed : int
        Size and seed of the simulated sky.
    output : Path
        Folder of the page that is written at the end.
    seconds : float
        How long the alerts are spread over.
    lasair : str, optional
        Address of a Lasair that knows the demo's annotator, such as that of the tests; the objects
        are annotated there.

    Returns
    -------
    int
        Exit code: 0 if every alert sent is accounted for, else 1.

    Raises
    ------
    SetupError
        If something cannot be started.
    """
    console, started = Console(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="broker-classifier-demo-") as folder:
        playing = Playing([], started)
        topics = {ALERT_TOPIC: PARTITIONS, "classifications": PARTITIONS, "dead-letters": 1}
        with (
            console.status("Kafka and the service start") as starting,
            embedded_kafka(topics) as kafka,
            running_service(kafka.bootstrap_servers, [ALERT_TOPIC], Path(folder)) as service,
            running_annotator(kafka.bootstrap_servers, lasair, Path(folder)) as outbox,
        ):
            playing.alerts = chosen_alerts(alerts, n_objects, seed)
            subscriber = subscriber_settings(kafka.bootstrap_servers)
            title = _title(alerts, len(playing.alerts), n_objects)
            starting.stop()
            with view(console, title) as shown, ExitStack() as stack:
                wait_until_ready(playing, service, shown)
                live = running_page(kafka.bootstrap_servers, Path(folder), service.address)
                playing.page = opened_once(stack.enter_context(live).address)
                play(playing, subscriber, service, annotated_view(shown, console, outbox), seconds)
                stay = stack.pop_all()
            with stay:
                wait_for_the_last(outbox, console)
                checks = proof(playing.ledger, len(playing.alerts))
                page = write_page(output / PAGE, playing.ledger, checks, title)
                report(console, playing, checks, page)
                if has_screen() and playing.page():
                    console.input("The live page ends with this program. Press Enter to end it. ")
    return 0 if all(check.holds for check in checks) else 1


def subscriber_settings(bootstrap_servers: str) -> KafkaSettings:
    """Return how the demo sends alerts and reads answers."""
    return KafkaSettings(
        bootstrap_servers=bootstrap_servers,
        group_id="demo-subscriber",
        poll_timeout_s=_POLL_S,
        client={"log_level": 0},  # a demo that is interrupted ends without Kafka's protest
    )


def chosen_alerts(path: Path | None, n_objects: int, seed: int) -> list[DemoAlert]:
    """Read the alerts to send, or simulate them."""
    return real_alerts(path) if path else simulated_alerts(n_objects, seed)


@contextmanager
def view(console: Console, title: str) -> Iterator[View]:
    """Show a live screen in a terminal, plain lines elsewhere."""
    if not console.is_terminal:
        yield PlainView(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield LiveView(console, live, title)


def report(console: Console, playing: Playing, checks: list[Check], page: Path) -> None:
    """Write the summary and the proof."""
    ledger = playing.ledger
    if playing.first_answer_s is not None:
        console.print(
            f"\nFirst probability after {playing.first_answer_s:.1f} s; "
            f"{len(ledger.answers)} of {len(ledger.sent)} alerts classified; "
            f"from alert to answer {ledger.latency_s(50) * 1000:.0f} ms in the median, "
            f"{ledger.latency_s(99) * 1000:.0f} ms or less for 99 %."
        )
    if ledger.declined:
        console.print(declined_line(ledger.declined), highlight=False)
    for check in checks:
        mark = "[bold green]✓[/]" if check.holds else "[bold red]✗[/]"
        console.print(f"{mark} {check.statement} [dim]({check.numbers})[/]", highlight=False)
    is_whole = all(check.holds for check in checks)
    verdict = "[bold green]Nothing is missing." if is_whole else "[bold red]Alerts are missing."
    console.print(verdict)
    console.print(f"Every object's light curve and probabilities: {page}", soft_wrap=True)


def opened_once(address: Callable[[], str | None]) -> Callable[[], str | None]:
    """Tell the live page's address, and open it as soon as it has one, where someone sits."""
    opened: list[str] = []

    def tell() -> str | None:
        where = address()
        if where and not opened:
            opened.append(where)
            if has_screen():
                webbrowser.open(where)
        return where

    return tell


def has_screen() -> bool:
    """Tell whether someone sits at this machine, with a browser before them."""
    has_display = sys.platform == "darwin" or bool(os.environ.get("DISPLAY"))
    is_remote = "SSH_CONNECTION" in os.environ
    return has_display and not is_remote and sys.stdin.isatty() and sys.stdout.isatty()


def _title(alerts: Path | None, n_alerts: int, n_objects: int) -> str:
    if alerts:
        return f"{n_alerts} alerts of {alerts.name}"
    return f"{N_NIGHTS} nights of {n_objects} simulated objects"
