"""What a process does while there is nothing to do, from /proc: wakeups of its threads, and its memory."""

import collections
import time
from pathlib import Path


def fields_of(path):
    return dict(line.split(":", 1) for line in path.read_text(encoding="utf-8").splitlines() if ":" in line)


def switches_of(pid):
    """Voluntary context switches of each thread: {thread id: (name, count)}. A thread sleeps once for each of its wakeups."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            fields = fields_of(task / "status")
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        found[int(task.name)] = (fields["Name"].strip(), int(fields["voluntary_ctxt_switches"]))
    return found


def memory_mb_of(pid, field):
    return int(fields_of(Path(f"/proc/{pid}/status"))[field].split()[0]) / 1000


class Idle:
    """The threads of a process over some seconds. `threads` is the largest number seen at either end."""

    def __init__(self, pid, secs):
        before = switches_of(pid)
        begin = time.monotonic()
        time.sleep(secs)
        after = switches_of(pid)
        self.secs = time.monotonic() - begin
        self.threads = max(len(before), len(after))
        self.wakeups = collections.Counter()  # by the thread's name
        self.names = collections.Counter(name for name, _ in after.values())
        for thread, (name, count) in after.items():
            self.wakeups[name] += count - before.get(thread, (name, 0))[1]

    @property
    def wakeups_per_sec(self):
        return self.wakeups.total() / self.secs

    def table(self):
        """A line per name of a thread, the most wakeups first."""
        return [f"{name:16} {self.names[name]:3} thread(s) {count / self.secs:6.2f} wakeups/s"
                for name, count in self.wakeups.most_common()]
