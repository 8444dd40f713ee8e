"""Run the program as `python -m broker_classifier.cli`."""

from broker_classifier.cli.main import main

main()
