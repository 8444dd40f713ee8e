"""A bomb is an error of its message that says why; its neighbours are read, and memory is flat."""

import pickle
import subprocess
import sys

import pytest

from broker_classifier.errors import MessageError
from broker_classifier.surveys import Alert
from tests.surveys.bombs import GOOD, bombs, decoders

BOMBS = {bomb.name: bomb for bomb in bombs()}
MOST_MB = 150.0


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_an_error_that_says_why_and_its_neighbours_are_read(name):
    bomb = BOMBS[name]
    decode = decoders()[bomb.survey]
    neighbours = [GOOD, GOOD] if bomb.survey == "ztf" else []
    first, *others = decode([bomb.message, *neighbours])
    assert isinstance(first, MessageError)
    assert bomb.reason in str(first)
    assert all(isinstance(other, Alert) for other in others)


def test_memory_stays_flat_over_all_bombs(tmp_path):
    file = tmp_path / "bombs"
    file.write_bytes(pickle.dumps([(bomb.survey, bomb.message) for bomb in BOMBS.values()]))
    command = [sys.executable, "-m", "tests.surveys.bombs", str(file)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    before, after = map(float, done.stdout.split())
    assert after - before < MOST_MB
