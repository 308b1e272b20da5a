"""user.tonicfs.why: the reason why a recording cannot be read, while reading fails, and the same in status."""

import json
import os
import re

from harness import call, error_of, read_all

WHY = "user.tonicfs.why"
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
SECRET = re.compile(r"\+?1555\d{7}|CA[0-9a-f]{32}|X-Amz|https?://")  # numbers, calls, signed URLs


def why_error(mount, recording):
    return error_of(os.getxattr, mount / recording, WHY)


def drop(acme, recording):
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=recording.key)


def put(acme, recording):
    acme.s3.client.put_object(Bucket=acme.bucket, Key=recording.key, Body=recording.content)


def test_what_a_read_has_met_is_told_until_it_can_be_read(acme):
    acme.migrate_all(acme.first.path)
    metrics = acme.tonic.folder / "counters.prom"
    with acme.mount("-o", f"names=sid,metrics={metrics}") as mount:
        path, = [name for name in mount.files() if acme.first.sid in name]
        for name in (path, "acme/spring", "acme/spring/calls.csv"):
            assert why_error(mount, name) == "ENODATA" and WHY not in mount.attrs(name)
        item, = acme.tonic.json("status")["mounts"]
        assert item["last_failure"] is None and "last failure" not in acme.tonic("status").stdout

        drop(acme, acme.first)
        assert error_of(read_all, mount / path, timeout=65) == "EIO"
        why = mount.attr(path, "why")
        assert re.fullmatch(TIME + r": read from S3 failed: Input/output error: .*'tonicfs verify'.*", why)
        assert WHY in mount.attrs(path) and why.partition(": ")[2] in mount.log

        item, = acme.tonic.json("status")["mounts"]
        last = item["last_failure"]
        assert (last["recording_sid"], f'{last["time"]}: {last["why"]}') == (acme.first.sid, why)
        line, = [line for line in acme.tonic("status").stdout.splitlines() if "last failure" in line]
        assert line == f'  last failure {last["time"]}: {acme.first.sid}: {last["why"]}'
        assert not SECRET.search(why + json.dumps(item) + line)

        put(acme, acme.first)
        assert call(read_all, mount / path) == acme.first.content
        assert why_error(mount, path) == "ENODATA" and WHY not in mount.attrs(path)
        item, = acme.tonic.json("status")["mounts"]
        assert item["last_failure"] == last  # it says when; the counter of failed reads stands beside it
    public = metrics.read_text()
    assert "tonicfs_reads_failed_total" in public and acme.first.sid not in public


def test_what_another_catalog_has_probably_moved_is_told_so(acme):
    acme.tonic("sync", "--sizes")  # else the mount learns, while it looks for a size, that it is gone
    acme.set("poll=off")
    acme.twilio.delete(acme.first)
    with acme.mount() as mount:
        assert error_of(read_all, mount / acme.first.path, timeout=65) == "EIO"
        why = mount.attr(acme.first.path, "why")
        assert re.match(TIME + ": read from Twilio failed: ", why) and not SECRET.search(why)
        assert "another bucket or prefix" in why and "tonicfs sync --full" in why
        assert why_error(mount, acme.second.path) == "ENODATA"
    acme.tonic("sync", "--full")
    assert "another bucket or prefix" in acme.tonic("status", acme.first.sid).stdout
    item, = acme.tonic.json("status", acme.first.sid)["paths"]
    assert item["why"].startswith("deleted at Twilio") and acme.tonic.json("status", acme.second.sid)["paths"][0]["why"] is None
