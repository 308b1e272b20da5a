"""kill -9 at every named step of a transfer: nothing is lost, and a new start ends in the state of an undisturbed run."""

import pytest

from harness import PATIENCE

# A point, and which pass of it.
SMALL = [(point, nth) for point in ("after-claim", "after-head", "after-download", "after-put", "after-verify",
                                    "after-stored", "after-mark-sent", "after-delete", "after-cleanup") for nth in (1, 2)]
# Passed by a recording of several parts only, or once or more.
LARGE = [("after-upload-create", 1), ("after-part", 1), ("after-part", 2), ("before-complete", 1), ("after-complete", 1)]


def kill_and_go_on(case, point, nth):
    process = case.start(f"{point}:kill:{nth}")
    status = process.wait(timeout=30 * PATIENCE)
    assert status == -9, f"the point was not passed:\n{process.output.read_text()}"
    case.check()
    case.finish()


@pytest.mark.parametrize("point, nth", SMALL)
def test_a_kill_at_a_step_loses_nothing_and_leaves_nothing(case, point, nth):
    case.record(1, 1, 2)
    kill_and_go_on(case, point, nth)


@pytest.mark.parametrize("point, nth", LARGE)
def test_a_kill_in_a_large_recording_loses_nothing_and_leaves_nothing(case, point, nth):
    case.large()
    kill_and_go_on(case, point, nth)
