"""Random sequences of faults. FAULT_SEED: the first one's number, FAULT_COUNT: how many; each is the next number, and
can be played again alone: make soak SEED=that COUNT=1."""

import os

import pytest
from conftest import HURRY, prepare

from harness import PATIENCE
from sequence import plan, play

SEED = int(os.environ.get("FAULT_SEED", "1"))
COUNT = int(os.environ.get("FAULT_COUNT", "200"))
CHUNK = 10  # sequences in one catalog


@pytest.mark.timeout(20 * CHUNK * PATIENCE)
@pytest.mark.parametrize("first", range(SEED, SEED + COUNT, CHUNK))
def test_nothing_is_lost_and_everything_arrives(case, first):
    plans = [plan(seed) for seed in range(first, min(first + CHUNK, SEED + COUNT))]
    prepare(case.tonic, 3 * HURRY)
    made = [[case.twilio.call_with_recording(duration=secs) for secs in steps.durations] for steps in plans]
    case.tonic("sync")
    for steps, recordings in zip(plans, made, strict=True):
        try:
            play(case, steps, recordings)
        except Exception as error:
            raise AssertionError(f"{error}\n{steps}") from error
        except BaseException:  # pytest's own
            print(steps)
            raise
