"""Faults of the delete at Twilio: the migration stands, and the delete is retried."""

import pytest

from harness import PATIENCE, wait_for


@pytest.mark.parametrize("name, value, answers", [
    ("fail_delete", 500, [500, 500, 204]), ("fail_delete", 401, [401, 401, 204]), ("fail_delete", 429, [429, 429, 204]),
    ("delete_answer", "lost", [None, 404]), ("delete_answer", "lost-before", [None, None, 204]),
    ("delete_answer", "500-after", [500, 404]), ("delete_answer", "twice", [404])],
    ids=lambda value: str(value) if not isinstance(value, list) else "")
def test_twilios_delete(case, name, value, answers):
    recording, _ = case.record(1, 1)
    case.twilio.switch(name, value, sid=recording.sid, count=2)
    case.migrate()
    case.finish()
    assert case.deletes(recording) == answers


def test_a_delete_that_is_refused_for_long_stays_in_the_status_and_is_no_failure(case):
    recording = case.record(1)
    case.twilio.switch("fail_delete", 401)
    process = case.start()
    wait_for(lambda: len(case.deletes(recording)) > 2, 20, "some tries")
    case.stop(process)
    status = case.company.status()
    assert status["twilio_deletes_queued"] == 1 and status["states"]["stored"] == 1
    assert status["migrate"]["failed"] == 0
    assert case.twilio.is_there(recording) and recording.key in case.company.keys()
    case.check()
    case.finish()


def test_an_object_that_is_gone_before_the_delete_is_migrated_anew(case):
    """Somebody empties the bucket between the verification and the delete: Twilio's copy is the last."""
    recording = case.record(1)
    process = case.start("after-mark-sent:kill")
    process.wait(timeout=30 * PATIENCE)
    case.company.s3.client.delete_object(Bucket=case.company.bucket, Key=recording.key)
    case.migrate()
    assert case.twilio.is_there(recording) and case.company.status()["states"]["twilio"] == 1
    case.finish()


def test_an_object_that_was_replaced_before_the_delete_keeps_twilios_copy(case):
    recording = case.record(1)
    process = case.start("after-mark-sent:kill")
    process.wait(timeout=30 * PATIENCE)
    case.company.s3.client.put_object(Bucket=case.company.bucket, Key=recording.key, Body=b"somebody else's")
    process = case.start()
    wait_for(lambda: case.company.status()["problems"], 20, "the reason")
    case.stop(process)
    assert case.twilio.is_there(recording)


def test_a_page_instead_of_the_object_s_head_does_not_end_the_delete(case):
    recording = case.record(1)
    process = case.start("after-mark-sent:kill")
    process.wait(timeout=30 * PATIENCE)
    case.proxy.misbehave("page-200", op="head", key=recording.key, count=2)
    case.migrate()
    assert not case.twilio.is_there(recording)
    case.finish()
