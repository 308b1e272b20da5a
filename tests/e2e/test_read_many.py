"""Many readers at once: with little memory, and with a stuck file, the other readers neither wait nor fail."""

import hashlib
import os
import signal
import threading
import time

from test_metrics import of_mount

from harness import Background, call, is_running, read_all, wait_for

BUDGET = 4 << 20
WORKERS_BYTES = 10 * 128 * 1024  # answers from memory on their way to the kernel, one for each thread that serves it


def hash_at_once(paths):
    """{path: sha256 or error}; every file is open, and then all are read at once, a part at a time."""
    barrier, found = threading.Barrier(len(paths)), {}

    def work(path):
        try:
            digest = hashlib.sha256()
            with open(path, "rb", buffering=0) as file:
                barrier.wait(60)
                while part := file.read(40_000):
                    digest.update(part)
            found[path] = digest.hexdigest()
        except Exception as error:  # compared with what was wanted
            found[path] = repr(error)
    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_hundreds_of_files_are_read_at_once_with_little_memory(acme):
    recordings = [acme.twilio.call_with_recording(duration=4) for _ in range(300)]
    acme.tonic("sync")
    acme.tonic.setting("read_budget_bytes", BUDGET)
    with acme.mount() as mount:
        wanted = {str(mount / recording.path): recording.sha256 for recording in recordings}
        assert call(hash_at_once, list(wanted), timeout=90) == wanted
        counted = of_mount(mount)
    assert counted["tonicfs_reads_failed_total"] == 0
    assert BUDGET / 4 < counted["tonicfs_memory_peak_bytes"] <= BUDGET + WORKERS_BYTES


def test_dozens_of_readers_of_a_stuck_file_hold_up_nobody_and_can_be_killed(acme):
    recordings = [acme.twilio.call_with_recording(duration=4) for _ in range(40)]
    acme.tonic("sync")
    acme.tonic.setting("read_budget_bytes", BUDGET)
    with acme.mount() as mount:
        wanted = {str(mount / recording.path): recording.sha256 for recording in recordings}
        acme.twilio.switch("stall_after", 50_000, sid=acme.long.sid)
        stuck = [Background(read_all, mount / acme.long.path) for _ in range(24)]
        wait_for(lambda: [entry for entry in acme.twilio.ledger(sid=acme.long.sid) if entry["operation"] == "media"],
                 10, "the stuck request")
        time.sleep(0.5)
        assert call(hash_at_once, list(wanted), timeout=20) == wanted
        assert all(is_running(reader.child) for reader in stuck)
        for reader in stuck:
            os.kill(reader.child, signal.SIGKILL)
        wait_for(lambda: not any(is_running(reader.child) for reader in stuck), 3, "the end of who was killed")
        for reader in stuck:
            reader.kill()
        assert of_mount(mount)["tonicfs_reads_waiting"] == 0
