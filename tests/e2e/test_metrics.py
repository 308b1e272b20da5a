"""The counters of a mount: they are right, and they contain no caller."""

import os
import re
import signal

from harness import USER, wait_for


def values(text):
    """{name with labels: number} of Prometheus' text format; every line must be of it."""
    found = {}
    for line in text.splitlines():
        if line.startswith("# "):
            continue
        match = re.fullmatch(r"(\w+(?:\{[^}]*\})?) (\d+(?:\.\d+)?)", line)
        assert match, line
        found[match[1]] = float(match[2])
    return found


def of_mount(mount):
    return values(mount.attr("", "metrics"))


def test_what_was_read_is_counted(acme):
    with acme.mount() as mount:
        before = of_mount(mount)
        assert before["tonicfs_reads_total"] == 0
        mount.read(acme.first.path)
        after = of_mount(mount)
    assert after['tonicfs_media_requests_total{origin="twilio",result="ok"}'] == 1
    assert after['tonicfs_media_bytes_total{origin="twilio"}'] == len(acme.first.content)
    assert after['tonicfs_media_bytes_total{origin="s3"}'] == 0
    assert after["tonicfs_reads_total"] >= 1 and after["tonicfs_reads_failed_total"] == 0
    assert after["tonicfs_read_seconds_count"] == after["tonicfs_reads_total"]
    assert after['tonicfs_media_first_byte_seconds_count{origin="twilio"}'] == 1


def test_the_file_is_written_at_once_and_at_the_end_and_names_nobody(acme):
    path = acme.tonic.folder / "counters.prom"
    with acme.mount("-o", f"metrics={path}") as mount:
        wait_for(path.exists, 10, "the counters")
        mount.read(acme.first.path)
    text = path.read_text()
    assert values(text)["tonicfs_reads_total"] >= 1
    assert not re.search(r"\+?\d{10}|RE[0-9a-f]{32}|CA[0-9a-f]{32}", text)
    assert path.stat().st_mode & 0o777 == 0o644


def test_the_file_leads_to_no_other_by_a_symlink(acme):
    """In a folder that others may write, whatever name they guess."""
    key, path = acme.tonic.key_file, acme.tonic.make_dir("counters") / "counters.prom"
    before = key.read_bytes()
    for name in ("", ".new", ".tmp", ".prom"):
        link = path.with_name(path.name + name)
        link.symlink_to(key)
        USER.own(link)
    with acme.mount("-o", f"metrics={path}"):
        wait_for(lambda: not path.is_symlink() and path.exists(), 10, "the counters")
    assert key.read_bytes() == before and key.stat().st_mode & 0o777 == 0o600
    assert values(path.read_text()) and path.stat().st_mode & 0o777 == 0o644
    assert {item.name for item in path.parent.iterdir()} == {path.name + name for name in ("", ".new", ".tmp", ".prom")}


def test_files_of_a_campaign_read_in_order_are_fetched_ahead(acme):
    acme.migrate_all()
    files = [item for item in acme.twilio.files() if item.folder == acme.first.folder]
    assert len(files) >= 5
    with acme.mount() as mount:
        for recording in files:
            assert mount.sha256(recording.path) == recording.sha256
        counted = of_mount(mount)
    assert counted["tonicfs_ahead_hits_total"] >= 1
    assert counted['tonicfs_media_requests_total{origin="s3",result="ok"}'] == len(files)


def test_status_says_what_each_mount_has_read(acme):
    moved = acme.autumn[0]
    acme.migrate_all(moved.path)
    with acme.mount() as mount, acme.mount() as other:
        mount.read(acme.first.path)
        mount.read(moved.path)
        counted = of_mount(mount)
        mounts = {item["mountpoint"]: item for item in acme.tonic.json("status")["mounts"]}
        text = acme.tonic("status").stdout
    assert mounts.keys() == {str(mount.path), str(other.path)}
    said = mounts[str(mount.path)]
    assert said["answers"] and said["reads_failed"] == 0
    assert said["reads"] == said["answered"]["count"] == counted["tonicfs_reads_total"]
    for origin, recording in (("twilio", acme.first), ("s3", moved)):
        assert said[origin]["requests"]["ok"] == 1 and said[origin]["bytes"] == len(recording.content)
        times = said[origin]["first_byte"]
        assert times["count"] == 1 and times["median_msecs"] == times["p95_msecs"] == times["p99_msecs"] > 0
    assert said["memory"]["bytes"] == counted["tonicfs_memory_bytes"]
    assert said["memory"]["peak_bytes"] == counted["tonicfs_memory_peak_bytes"] > 0
    assert said["memory"]["budget_bytes"] == counted["tonicfs_memory_budget_bytes"] == 256 << 20
    assert mounts[str(other.path)]["reads"] == 0
    assert f"mount {mount.path}\n" in text and "requests to Twilio" in text and "requests to S3" in text


def test_a_mount_that_hangs_does_not_hold_up_status(acme):
    with acme.mount() as mount, acme.mount() as other:
        os.kill(mount.pid, signal.SIGSTOP)
        try:
            # Its output is read to its end, which would not come if the process that asks kept it open.
            result = acme.tonic("--json", "status", timeout=10)
            text = acme.tonic("status", timeout=10).stdout
        finally:
            os.kill(mount.pid, signal.SIGCONT)
        answers = {item["mountpoint"]: item["answers"] for item in result.json["mounts"]}
        assert answers == {str(mount.path): False, str(other.path): True}
        assert f"mount {mount.path}: it does not answer\n" in text
        assert all(item["answers"] for item in acme.tonic.json("status")["mounts"])


def test_status_names_a_dead_mount(acme):
    with acme.mount() as mount:
        mount.kill()
        item, = acme.tonic.json("status")["mounts"]
        assert not item["answers"] and item["reason"]
