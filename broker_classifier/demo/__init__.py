"""The whole service on a simulated season of alerts, live in the terminal: `make demo`."""

from broker_classifier.demo.run import run_demo

__all__ = ["run_demo"]
