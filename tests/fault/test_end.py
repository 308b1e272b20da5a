"""The end of a mount when one of its steps hangs: the log names it, the process ends anyway, and nothing is lost."""

import signal

import pytest

from harness import PATIENCE, wait_for

# As service/ending.h has them: in the file system, beside it, and after both.
STEPS = ["reads of the mount", "the unmount", "synchronisations", "migrations in flight", "the catalog"]


@pytest.mark.parametrize("step", STEPS)
def test_a_step_of_the_end_that_hangs_is_named_and_given_up(case, started, step):
    case.record(1, 2)
    path = case.tonic.make_dir("mount")
    case.tonic.env["TONICFS_FAULT"] = f"{step}:sleep-600000"
    process = case.tonic.start("mount", path, "-f")
    del case.tonic.env["TONICFS_FAULT"]
    started.append(process)
    wait_for(lambda: "is mounted" in process.output.read_text(), what="the mount")
    case.tonic("migrate", "acme")
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=20 * PATIENCE) == 1
    log = process.output.read_text()
    assert f"shutting down: waiting for {step}\n" in log
    assert f"shutting down: gave up waiting for {step} " in log
    # What it leaves is a dead mount at most, which the next one takes away.
    with case.tonic.mount(path=path) as mount:
        assert mount.files()
    case.finish()


def test_an_end_without_trouble_says_nothing_of_it(case):
    case.record(1)
    with case.tonic.mount() as mount:
        pass
    assert "waiting" not in mount.log
