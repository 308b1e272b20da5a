"""A random sequence of faults, drawn from one number: recordings, the faults of each, the fate of
the process. Whatever it is, nothing is lost on the way, and when all is well again everything arrives.
"""

import os
import random
import signal
import subprocess
from dataclasses import dataclass

from harness import PATIENCE, wait_for
from proof import check

KILL_STEPS = ("after-claim", "after-head", "after-download", "after-put", "after-verify", "after-stored", "after-mark-sent",
              "after-delete", "after-cleanup", "after-upload-create", "after-part", "before-complete", "after-complete")
SMALL_OPS, LARGE_OPS = ("put", "head"), ("create", "part", "complete", "abort", "list-uploads", "head")
FAST = ("reset", "reset-in-body", "slow-down", "too-many", "internal-error", "bad-gateway", "store-full", "quota", "denied",
        "expired-token", "page-200", "error-200", "not-found", "swallow", "lose-answer", "truncate-answer", "reset-answer",
        "flip-request", "flip-answer")
SLOW = ("stall", "stall-answer")  # each waits for a deadline
LARGE_SECS = 280  # two parts
ROUND_SECS = 2
ROUNDS = 3


@dataclass
class Plan:
    seed: int
    durations: list
    twilio: list  # (index, switch, value, count, after)
    store: list   # (index, misbehaviour, operation, count, after)
    rounds: list  # (what becomes of the process, step)
    readback: bool

    def __str__(self):
        return (f"SEED={self.seed} COUNT=1\n  recordings of {self.durations} s{', read back' if self.readback else ''}"
                f"\n  Twilio {self.twilio}\n  S3 {self.store}\n  process {self.rounds}")


def twilio_fault(dice, secs):
    at = dice.randrange(secs * 32_000)
    return dice.choice([
        ("reset_after", at), ("truncate_after", at), ("short_body", dice.randint(1, 40_000)), ("flip_byte", at),
        ("empty_body", True), ("error_page_200", dice.choice(["xml", "html", "json"])), ("downmix_always", True),
        ("fail_media", dice.choice([500, 503, 429, 403, 404, 409])), ("media_404_first", dice.randint(1, 3)),
        ("first_byte_msecs", 30), ("close_after_answer", True), ("content_type", "text/plain"),
        ("fail_delete", dice.choice([500, 401, 403, 429, 503])),
        ("delete_answer", dice.choice(["lost", "lost-before", "500-after", "twice"]))])


def process_fate(dice):
    fate = dice.choices(["runs", "kill", "exit", "sleep-60", "stop", "two", "killed-late", "interrupted"],
                        [40, 25, 5, 5, 8, 10, 4, 3])[0]
    if fate in ("kill", "exit", "sleep-60"):
        return fate, f"{dice.choice(KILL_STEPS)}:{fate}:{dice.choice([1, 1, 2, 3])}"
    if fate == "stop":
        return fate, f"{dice.choice(KILL_STEPS)}:stop"
    return fate, dice.random()


def plan(seed):
    dice = random.Random(seed)
    durations = [LARGE_SECS if dice.random() < 0.04 else dice.choice([1, 1, 1, 2, 3]) for _ in range(dice.randint(1, 3))]
    numbers = range(len(durations))
    twilio, store = [], []
    for _ in range(dice.randint(0, 3)):
        index = dice.choice(numbers)
        switch, value = twilio_fault(dice, durations[index])
        twilio.append((index, switch, value, dice.randint(1, 3), dice.choice([0, 0, 0, 1])))
    for _ in range(dice.randint(0, 3)):
        index = dice.choice(numbers)
        name = dice.choice(SLOW) if dice.random() < 0.03 else dice.choice(FAST)
        op = dice.choice(LARGE_OPS if durations[index] == LARGE_SECS else SMALL_OPS)
        store.append((index, name, op, dice.randint(1, 2), dice.choice([0, 0, 0, 1, 2])))
    return Plan(seed, durations, twilio, store, [process_fate(dice) for _ in range(dice.choice([1, 1, 2, ROUNDS]))],
                dice.random() < 0.08)


def play(case, steps, recordings):
    """The recordings are known to the catalog, and as long as the plan says."""
    case.paths = [recording.sid for recording in recordings]
    case.proxy.forget()
    if steps.readback:
        case.tonic("workspace", "set", "acme", "verify=readback")
    for index, switch, value, count, after in steps.twilio:
        if switch == "error_page_200":
            case.twilio.switch("error_page_as_audio", True, sid=recordings[index].sid)
        case.twilio.switch(switch, value, sid=recordings[index].sid, count=count, after=after)
    for index, name, op, count, after in steps.store:
        case.proxy.misbehave(name, op=op, key=recordings[index].sid, count=count, after=after)
    for fate, detail in steps.rounds:
        one_round(case, fate, detail)
        check(case.company, case.proxy, recordings, at_end=False)
    case.proxy.behave()
    case.twilio.unswitch()
    if steps.readback:
        case.tonic("workspace", "set", "acme", "verify=checksum")
    case.migrate()
    check(case.company, case.proxy, recordings, at_end=True)


def one_round(case, fate, detail):
    processes = [case.start(detail if isinstance(detail, str) else None)]
    try:
        if fate == "two":
            processes.append(case.start())
        if fate == "stop":
            processes += stopped(case, processes[0])
        for process in processes:
            end(process, fate, detail)
    finally:
        for process in processes:
            if process.poll() is None:
                os.kill(process.pid, signal.SIGCONT)
                process.kill()
                process.wait(timeout=10 * PATIENCE)


def stopped(case, slow):
    """Where it passes the step another takes its work over; then it goes on."""
    def stands():
        if slow.poll() is not None:
            return "ended"
        with open(f"/proc/{slow.pid}/stat", encoding="ascii") as file:
            return "stopped" if file.read().rpartition(")")[2].split()[0] == "T" else ""
    try:
        how = wait_for(stands, ROUND_SECS, "the step")
    except BaseException as error:  # pytest's failure is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return []
    if how == "ended":
        return []
    other = case.start()
    finish(other)
    os.kill(slow.pid, signal.SIGCONT)
    return [other]


def end(process, fate, detail):
    if fate == "killed-late":
        try:
            process.wait(timeout=0.3 * detail * PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    elif fate == "interrupted":
        try:
            process.wait(timeout=0.3 * detail * PATIENCE)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)
    finish(process)
    said = process.output.read_text()
    assert "Sanitizer" not in said and "runtime error:" not in said, said


def finish(process):
    """What would go on for ever under a fault that lasts is killed."""
    try:
        process.wait(timeout=ROUND_SECS * PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(timeout=10 * PATIENCE)
