"""Making and judging bundles: data, training, calibration, evaluation. Needs the extra `train`."""
