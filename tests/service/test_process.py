import gc
import subprocess
import sys

from broker_classifier.service.process import leave_out_of_collections

FAULTS_OF_A_STREAM = """
import resource, sys
from broker_classifier.service.process import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def batch():
    return [bytes(60_000) for _ in range(500)]
batch()
before = faults()
for _ in range(10):
    batch()
print(faults() - before)
"""


def page_faults(how):
    command = [sys.executable, "-c", FAULTS_OF_A_STREAM, how]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def test_memory_that_is_freed_is_used_again_without_the_kernel():
    assert page_faults("keep") < page_faults("give back") / 10


def test_what_was_loaded_is_left_out_of_collections():
    try:
        leave_out_of_collections()
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()
