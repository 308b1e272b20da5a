"""sync: the catalog shows the recordings that Twilio has, however the listing goes."""

import csv
import io
import os
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from harness import PATIENCE, wait_for
from world import SPRING


def counts(acme):
    """The status, with the number of listed recordings."""
    status = acme.status()
    status["recordings"] = sum(status["states"][state] for state in ("twilio", "uploading", "stored", "s3"))
    return status


def listed(acme):
    with acme.mount() as mount:
        return sorted(name.split("_")[-1].split(".")[0] for name in mount.files())


def sids(recordings):
    return sorted(recording.sid for recording in recordings)


def there(company):
    """The SIDs of what the stand-in has now."""
    return [row["sid"] for row in company.standin.truth(with_hash=False) if not row["deleted_at"]]


def test_the_counts_are_those_of_twilio(acme):
    truth = acme.twilio
    status = counts(acme)
    assert status["recordings"] == len(truth.files())
    assert status["calls"] == len(truth.parent_calls())


def test_the_tree_has_every_recording_once(acme):
    assert listed(acme) == sids(acme.twilio.files())


def test_an_empty_account_is_no_error(empty):
    empty.tonic("sync")
    assert counts(empty)["recordings"] == 0


def test_a_second_sync_finds_nothing_new(acme):
    before = listed(acme)
    acme.tonic("sync")
    assert listed(acme) == before


def test_sync_names_what_it_did_as_json(acme):
    acme.twilio.recording(acme.twilio.call(to=SPRING))
    result = acme.tonic.json("sync", "acme")
    workspace, = result["workspaces"]
    assert workspace["name"] == "acme" and workspace["recordings_new"] == 1


def test_only_the_workspace_asked_for_is_synced(acme):
    other = acme.add_workspace("other")
    other.call_with_recording(to="+15550200001")
    acme.twilio.recording(acme.twilio.call(to=SPRING))
    before = counts(acme)["recordings"]
    acme.tonic("sync", "other")
    assert counts(acme)["recordings"] == before
    acme.tonic("sync")
    assert counts(acme)["recordings"] == before + 1


def test_a_new_recording_is_found_by_the_next_sync(acme):
    new = acme.twilio.recording(acme.twilio.call(to=SPRING))
    acme.tonic("sync")
    assert new.sid in listed(acme)


def test_a_recording_that_is_still_processed_becomes_a_file_when_it_is_completed(acme):
    new = acme.twilio.recording(acme.twilio.call(to=SPRING), status="processing")
    acme.tonic("sync")
    assert new.sid not in listed(acme)
    acme.twilio.change(new, status="completed")
    acme.tonic("sync")
    assert new.sid in listed(acme)


def test_a_call_that_ends_later_gets_its_status_and_duration(acme):
    call = acme.twilio.call(to=SPRING, status="in-progress", duration=None)
    acme.tonic("sync")
    acme.twilio.change(call, status="completed", duration=77)
    acme.tonic("sync")
    with acme.mount() as mount:
        rows = {row["call_sid"]: row for row in csv.DictReader(io.StringIO(mount.read("acme/spring/calls.csv").decode()))}
    assert rows[call.sid]["status"] == "completed" and rows[call.sid]["duration"] == "77"


def test_recordings_that_are_absent_or_failed_are_no_files(acme):
    call = acme.twilio.call(to=SPRING)
    bad = [acme.twilio.recording(call, status=status) for status in ("absent", "in-progress", "paused", "stopped")]
    acme.tonic("sync")
    assert not set(sids(bad)) & set(listed(acme))


def test_a_recording_deleted_in_the_console_leaves_the_tree_and_stays_in_the_call_log(acme):
    gone = acme.twilio.files()[0]
    acme.twilio.delete(gone)
    acme.tonic("sync", "acme", "--full")
    assert gone.sid not in listed(acme)
    with acme.mount() as mount:
        assert gone.call.sid in mount.read(f"acme/{gone.folder}/calls.csv").decode()
    assert counts(acme)["states"]["missing"] == 1


def test_a_recording_that_a_listing_does_not_show_is_asked_for_before_it_is_believed_gone(acme):
    acme.twilio.switch("list_hides", sid=acme.first.sid)
    acme.tonic("sync", "acme", "--full")
    assert listed(acme) == sids(acme.twilio.files())


def test_a_recording_of_a_child_leg_belongs_to_the_parent_call(acme):
    parent = acme.twilio.call(to=SPRING)
    acme.twilio.call(from_=SPRING, to="+15559990000", parent=parent,
                     direction="outbound-dial")
    recording = acme.twilio.recording(parent)
    acme.tonic("sync")
    with acme.mount() as mount:
        assert recording.path in mount.files()
        rows = mount.read("acme/spring/calls.csv").decode()
    assert len([row for row in csv.DictReader(io.StringIO(rows)) if row["call_sid"] == parent.sid]) == 1
    assert "+15559990000" not in rows, "a child leg is no row of its own"


def test_callers_without_a_number_are_anonymous(acme):
    recordings = [acme.twilio.recording(acme.twilio.call(from_=number, to=SPRING))
                  for hour, number in enumerate(["anonymous", "+266696687", "", "Anonymous"])]
    acme.tonic("sync")
    with acme.mount() as mount:
        names = mount.names("acme/spring")
    for recording in recordings:
        name, = [name for name in names if recording.sid in name]
        assert "_anonymous_" in name


def test_a_caller_with_strange_letters_gets_a_safe_name(acme):
    new = acme.twilio.recording(acme.twilio.call(from_="sip:joe smith@[::1]/../x", to=SPRING))
    acme.tonic("sync")
    with acme.mount() as mount:
        name, = [name for name in mount.names("acme/spring") if new.sid in name]
    assert "_sip-joe-smith----1--..-x_" in name


def test_two_recordings_of_one_call_and_second_are_two_files(acme):
    call = acme.twilio.call(to=SPRING)
    twins = [acme.twilio.recording(call), acme.twilio.recording(call)]
    acme.tonic("sync")
    with acme.mount() as mount:
        for recording in twins:
            assert mount.sha256(recording.path) == recording.sha256


def test_a_conference_without_a_call_is_a_file_of_unassigned(acme):
    conference = acme.twilio.recording(None, source="Conference", start=acme.twilio.next_start())
    acme.tonic("sync")
    with acme.mount() as mount:
        name, = [name for name in mount.names("acme/unassigned") if conference.sid in name]
        assert "_anonymous_" in name


def test_an_interrupted_sync_is_continued(acme):
    acme.twilio.many(60)
    acme.twilio.switch("latency_msecs", 400)
    for pause in (0.3, 0.6, 1.0):
        process = acme.tonic.start("sync", "acme", "--full")
        time.sleep(pause * PATIENCE)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(timeout=5)
    acme.twilio.unswitch()
    acme.tonic("sync")
    assert listed(acme) == sids(acme.twilio.files())


def test_two_syncs_at_once_end_as_one(empty):
    empty.twilio.many(60)
    empty.twilio.switch("latency_msecs", 100)
    processes = [empty.tonic.start("sync") for _ in range(2)]
    for process in processes:
        assert process.wait(timeout=30 * PATIENCE) == 0, process.output.read_text()
    assert listed(empty) == sids(empty.twilio.files())


def test_many_pages_are_listed_to_the_end(bulk):
    bulk.tonic("sync")
    assert bulk.status()["states"]["twilio"] == len(there(bulk))


@pytest.mark.parametrize("name, value", [("page_repeats", 5), ("cursor", "shifting"), ("order", "oldest"),
                                         ("date_upper", "end-of-day"), ("date_offset", "-0530")])
def test_many_pages_are_listed_to_the_end_however_twilio_pages(bulk, name, value):
    bulk.twilio.switch(name, value)
    bulk.tonic("sync")
    assert bulk.status()["states"]["twilio"] == len(there(bulk))


def test_a_list_that_fails_in_the_middle_ends_with_status_3_and_keeps_what_it_has(bulk):
    bulk.twilio.switch("fail_list", 403, after=3)
    result = bulk.tonic("sync", status=3, timeout=100)
    assert "bulk" in result.stderr
    bulk.twilio.unswitch()
    bulk.tonic("sync")
    assert bulk.status()["states"]["twilio"] == len(there(bulk))


@pytest.mark.parametrize("damage", ["cut", "html", "empty", "no-array", "not-object"])
def test_a_page_that_is_no_list_is_an_error_and_not_an_empty_account(acme, damage):
    acme.twilio.switch("page_damage", damage)
    assert acme.tonic("sync", "acme", "--full", status=None, timeout=100).status in (1, 3)
    acme.twilio.unswitch()
    assert listed(acme) == sids(acme.twilio.files())


def test_a_busy_twilio_is_asked_again(empty):
    empty.twilio.call_with_recording(to=SPRING)
    empty.twilio.switch("fail_list", 429, count=3)
    empty.tonic("sync")
    assert listed(empty) == sids(empty.twilio.files())


def test_rejected_credentials_are_named_and_the_token_is_not(empty):
    empty.tonic("workspace", "set", "acme", "--secret-file", "-", stdin="wrongtoken\n")
    result = empty.tonic("sync", status=1)
    assert "acme" in result.stderr and "wrongtoken" not in result.stderr
    assert "credential" in result.stderr.lower() or "rejected" in result.stderr.lower()


def test_a_new_token_is_used_after_it_was_set(empty):
    empty.tonic("workspace", "set", "acme", "--secret-file", "-", stdin="wrongtoken\n")
    empty.tonic("sync", status=1)
    empty.tonic("workspace", "set", "acme", "--secret-file", "-", stdin=empty.twilio.token + "\n")
    empty.tonic("sync")


def test_an_unreachable_twilio_is_an_error_within_the_deadline(empty):
    empty.twilio.stop()
    began = time.monotonic()
    result = empty.tonic("sync", status=1, timeout=80)
    assert time.monotonic() - began < 75 * PATIENCE and "acme" in result.stderr


def test_null_fields_and_unknown_values_are_tolerated(empty):
    recording = empty.twilio.call_with_recording(to=SPRING)
    empty.twilio.switch("extra_fields")
    empty.twilio.switch("unknown_values")
    empty.twilio.switch("null_fields", ["price", "duration", "start_time", "conference_sid", "error_code", "caller_name",
                                        "phone_number_sid", "answered_by", "media_url", "date_updated"])
    empty.tonic("sync")
    assert listed(empty) == [recording.sid]


def test_a_mount_syncs_by_itself(empty):
    recording = empty.twilio.call_with_recording(to=SPRING)
    with empty.mount() as mount:
        wait_for(lambda: recording.path in mount.files(), 15, "the recording, without any sync by hand")


@pytest.mark.parametrize("skew_secs", [3600, -3600], ids=["an hour ahead", "an hour behind"])
def test_a_clock_that_is_off_by_an_hour_hides_no_call(acme, skew_secs):
    """Twilio's clock against ours; what is new is what is new by Twilio's."""
    acme.twilio.switch("clock_skew_secs", skew_secs)
    acme.tonic("sync")
    new = acme.twilio.call_with_recording(start=acme.twilio.next_start() + timedelta(seconds=skew_secs))
    acme.tonic("sync")
    assert new.sid in listed(acme)


def test_pages_that_change_while_they_are_listed_end_right_with_the_next_full_sync(bulk):
    """Rows go and come at the top while the list is read, and the cursor counts from there."""
    bulk.twilio.switch("cursor", "shifting")
    bulk.twilio.switch("latency_msecs", 150)
    process = bulk.tonic.start("sync")
    before = there(bulk)
    new = []
    for number in range(20):
        bulk.standin.console_delete(before[-1 - number])
        new.append(bulk.twilio.call_with_recording(start=datetime.now(UTC)).sid)
    assert process.wait(timeout=40 * PATIENCE) in (0, 3), process.output.read_text()
    bulk.twilio.unswitch()
    bulk.tonic("sync", "--full")
    assert listed(bulk) == sorted([*before[:-20], *new])


def test_a_caller_s_number_that_is_too_long_is_cut_and_hides_nothing(empty):
    """Whoever calls by SIP chooses what stands there: the call stays, and the list counts as read."""
    call = empty.twilio.call_with_recording(from_="sip:" + "5" * 100_000)
    other = empty.twilio.call_with_recording()
    result = empty.tonic("sync", status=3)
    assert "256 bytes" in result.stderr
    with empty.mount("-o", "names=sid") as mount:
        assert len(mount.attr(f"acme/{other.folder}/{names_of(mount, call)}", "recording_sid")) == 34
    assert empty.tonic.json("status", "acme")["workspaces"][0]["last_poll"]


def names_of(mount, recording):
    name, = [name for name in mount.names(f"acme/{recording.folder}") if recording.sid in name]
    return name.rpartition("/")[2]
