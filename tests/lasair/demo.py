"""`make demo LASAIR=1`: the demo, and a Lasair on this machine that has its objects annotated."""

import sys

from broker_classifier.cli.main import app
from broker_classifier.demo.annotations import SURVEY, TOKEN, TOPIC
from tests.lasair.fake_lasair import FakeLasair, served


def main(arguments: list[str]) -> None:
    """Run the demo with the program's own options."""
    lasair = FakeLasair(SURVEY, calls_per_hour=10_000)
    lasair.add_annotator(TOPIC, TOKEN)
    with served(lasair):
        app(["demo", "--lasair", lasair.url, *arguments])


if __name__ == "__main__":
    main(sys.argv[1:])
