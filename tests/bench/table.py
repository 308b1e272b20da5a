"""A row of the table of reading: a limit and several file systems, in medians, and whether the goal is met."""

import statistics
from dataclasses import dataclass, field

from bench import missed, note

SLOW_SECS = 20  # a peer that takes longer is not run again
WIDTH = 13


@dataclass
class Cost:
    cpu_secs: float = 0
    size_bytes: int = 0  # that were read for it
    peak_mb: float = 0


@dataclass
class Row:
    """Seconds of all runs. goal: ("at least", a share of the limit's speed) or ("at most", times as long as it)."""

    name: str
    title: str
    unit: str  # that it is shown in: s, ms or MB/s
    goal: tuple[str, float]
    size_bytes: int  # of a run
    limit: list[float] = field(default_factory=list)
    runs: dict[str, list[float]] = field(default_factory=dict)
    costs: dict[str, Cost] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def is_done_with(self, system):
        runs = self.runs.get(system, ())
        return system in self.failures or (system != "tonicfs" and len(runs) > 0 and max(runs) > SLOW_SECS)

    def took(self, system, secs):
        self.runs.setdefault(system, []).append(secs)

    def cost(self, system, cost, size_bytes):
        """cost: of a mount, in which so much was read."""
        sum_ = self.costs.setdefault(system, Cost())
        sum_.cpu_secs += cost[0]
        sum_.size_bytes += size_bytes
        sum_.peak_mb = max(sum_.peak_mb, cost[1])

    def fails(self, system, why):
        self.failures[system] = why
        note(f"row {self.name}: {system} failed: {why}")

    def ratio(self):
        ours, limit = statistics.median(self.runs["tonicfs"]), statistics.median(self.limit)
        return limit / ours if self.goal[0] == "at least" else ours / limit

    def is_kept(self):
        ratio = self.ratio()
        return ratio >= self.goal[1] if self.goal[0] == "at least" else ratio <= self.goal[1]

    def show(self, secs):
        if not secs:
            return "-"
        value = statistics.median(secs)
        if self.unit == "MB/s":
            return f"{self.size_bytes / value / 1e6:.0f} MB/s"
        return f"{value * 1000:.1f} ms" if self.unit == "ms" else f"{value:.2f} s"


def print_head(systems):
    columns = "".join(f"{name:>{WIDTH}}" for name in ("limit", *systems))
    print(f"{'row':<56}{columns}{'ratio':>9}  goal", flush=True)


def print_row(row, systems):
    cells = [row.show(row.limit)]
    cells += ["failed" if name in row.failures else row.show(row.runs.get(name)) for name in systems]
    if "tonicfs" in row.failures:
        judgement = f"{'-':>9}  MISSED"
        missed.append(row.title)
    else:
        is_kept = row.is_kept()
        judgement = f"{row.ratio():>9.2f}  {row.goal[0]} {row.goal[1]:g}: {'ok' if is_kept else 'MISSED'}"
        if not is_kept:
            missed.append(row.title)
    print(f"{row.name + ' ' + row.title:<56}{''.join(f'{cell:>{WIDTH}}' for cell in cells)}{judgement}", flush=True)


def print_costs(rows, systems):
    print(f"\n{'CPU seconds per GB read, peak memory in MB':<56}{'':>{WIDTH}}{''.join(f'{name:>{WIDTH}}' for name in systems)}")
    for row in rows:
        cells = []
        for name in systems:
            cost = row.costs.get(name)
            cells.append(f"{cost.cpu_secs * 1e9 / cost.size_bytes:.2f}, {cost.peak_mb:.0f}" if cost else "-")
        print(f"{row.name + ' ' + row.title:<56}{'':>{WIDTH}}{''.join(f'{cell:>{WIDTH}}' for cell in cells)}", flush=True)
