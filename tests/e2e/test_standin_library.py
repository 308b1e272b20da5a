"""Twilio's own client library lists, pages, fetches and deletes at the stand-in, as it does at Twilio."""

import json
import os
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from callbacks import sign

from standin.client import StandIn

ROOT = Path(__file__).resolve().parents[2]
MODULES = ROOT / "build" / "npm"


@pytest.fixture(scope="module")
def node():
    """A process with the library, which is installed when it is not there."""
    assert shutil.which("node"), "node is not installed"
    installed = subprocess.run([ROOT / "tests" / "npm" / "install.sh", MODULES], capture_output=True, text=True,
                               timeout=240, check=False)
    assert installed.returncode == 0, installed.stderr
    with subprocess.Popen(["node", ROOT / "tests" / "npm" / "library.js"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, "NODE_PATH": str(MODULES / "node_modules")}) as process:
        yield process
        process.stdin.close()
        assert process.wait(timeout=10) == 0


class Library:
    def __init__(self, node, standin):
        self.node, self.standin, self.account = node, standin, standin.account
        self.user, self.secret = self.account.sid, self.account.auth_token

    def ask(self, step, *arguments):
        self.node.stdin.write(json.dumps({
            "base": self.standin.url, "account": self.account.sid, "user": self.user, "secret": self.secret, "step": step,
            "arguments": arguments}) + "\n")
        self.node.stdin.flush()
        return json.loads(self.node.stdout.readline())

    def __call__(self, step, *arguments):
        answer = self.ask(step, *arguments)
        assert "error" not in answer, answer
        return answer["result"]


@pytest.fixture(scope="module")
def small():
    with StandIn("small") as standin:
        yield standin


@pytest.fixture
def twilio(node, small):
    small.unswitch()
    small.clear_ledger()
    return Library(node, small)


@pytest.mark.timeout(300)  # the first one installs the library
def test_lists_every_recording_with_the_types_that_it_expects(twilio):
    rows = {row["sid"]: row for row in twilio("list-recordings", {"pageSize": 7})}
    truth = {row["sid"]: row for row in twilio.standin.truth(account=twilio.account.sid, with_hash=False)
             if row["deleted_at"] is None}
    assert rows.keys() == truth.keys()
    for sid, row in rows.items():
        assert row["dateCreated"]["date"] == truth[sid]["date_created"]
        assert row["channels"] == truth[sid]["requested_channels"] and row["source"] == truth[sid]["source"]
        assert row["status"] == truth[sid]["status"] and row["accountSid"] == twilio.account.sid
        if row["status"] == "completed":
            assert row["duration"] == str(truth[sid]["secs"]) and isinstance(row["price"], str)
        assert (row["encryptionDetails"] is not None) == truth[sid]["encrypted"]
    assert {row["status"] for row in rows.values()} == {"completed", "in-progress", "processing", "absent"}
    pages = [entry for entry in twilio.standin.ledger() if entry["operation"] == "list-recordings"]
    assert len(pages) == -(-len(truth) // 7) and all(entry["status"] == 200 for entry in pages)
    assert all("PageToken" in entry["query"] for entry in pages[1:])


def test_asks_for_more_than_a_page_holds(twilio):
    assert len(twilio("list-recordings", {"pageSize": 5000})) > 25
    entry, = twilio.standin.ledger()
    assert "PageSize=5000" in entry["query"]


@pytest.mark.parametrize("what", ["recordings", "calls", "incomingPhoneNumbers"])
def test_goes_through_the_pages_forward_and_back(twilio, what):
    answer = twilio("pages", what, 3)
    assert all(len(page) == 3 for page in answer["forward"][:-1])
    assert answer["back"] == answer["forward"][::-1]
    listed = [sid for page in answer["forward"] for sid in page]
    assert len(set(listed)) == len(listed)


def test_filters_recordings_by_the_day_they_were_made(twilio):
    every = twilio("list-recordings")
    moments = sorted(row["dateCreated"]["date"] for row in every)
    low, high = moments[len(moments) // 3], moments[2 * len(moments) // 3]
    iso = [datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (low, high)]
    found = twilio("list-recordings", {"dateCreatedAfter": iso[0], "dateCreatedBefore": iso[1]})
    assert {row["sid"] for row in found} == {row["sid"] for row in every if low <= row["dateCreated"]["date"] <= high}
    assert 0 < len(found) < len(every)


def test_filters_calls_by_start_number_status_and_parent(twilio):
    every = twilio("list-calls")
    moments = sorted(row["startTime"]["date"] for row in every)
    middle = datetime.fromtimestamp(moments[len(moments) // 2], UTC)
    later = twilio("list-calls", {"startTimeAfter": middle.strftime("%Y-%m-%dT%H:%M:%SZ")})
    assert {row["sid"] for row in later} == {row["sid"] for row in every if row["startTime"]["date"] >= middle.timestamp()}
    day = (middle + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    earlier = twilio("list-calls", {"startTimeBefore": day})
    assert earlier and all(row["startTime"]["date"] <= middle.timestamp() + 86400 for row in earlier)
    number = twilio.account.numbers[0]["phone_number"]
    assert {row["sid"] for row in twilio("list-calls", {"to": number})} == {row["sid"] for row in every if row["to"] == number}
    assert [row["status"] for row in twilio("list-calls", {"status": "in-progress"})] == ["in-progress"]
    parent = next(row for row in every if not row["parentCallSid"])
    leg = twilio.standin.add_call(parent_call_sid=parent["sid"], direction="outbound-dial", to="+14155550999")
    assert [row["sid"] for row in twilio("list-calls", {"parentCallSid": parent["sid"]})] == [leg["sid"]]


def test_fetches_what_it_listed(twilio):
    row = twilio("list-recordings", {"limit": 5})[-1]
    assert twilio("fetch-recording", row["sid"])["answer"] == row
    call = twilio("fetch-call", row["callSid"])["answer"]
    assert call["sid"] == row["callSid"] and call["direction"] in ("inbound", "outbound-api")
    numbers = twilio("list-numbers")
    assert {item["phoneNumber"] for item in numbers} == {item["phone_number"] for item in twilio.account.numbers}
    assert call["phoneNumberSid"] in {item["sid"] for item in numbers}
    assert twilio("fetch-account")["answer"]["status"] == "active"


def test_lists_the_recordings_of_a_call(twilio):
    call = twilio.standin.add_call(start="2026-03-01T10:00:00Z")
    made = [twilio.standin.add_recording(call["sid"], channels=channels)["sid"] for channels in (2, 1)]
    rows = twilio("list-call-recordings", call["sid"])
    assert {row["sid"] for row in rows} == set(made)
    assert {row["track"] for row in rows} == {"both"} and not any("mediaUrl" in row for row in rows)


def test_deletes_a_recording_once(twilio):
    row = next(row for row in twilio("list-recordings") if row["status"] == "completed")
    assert twilio("remove-recording", row["sid"]) == {"answer": True}
    again = twilio("remove-recording", row["sid"])
    assert (again["status"], again["code"]) == (404, 20404)
    assert twilio("fetch-recording", row["sid"])["code"] == 20404
    assert twilio("fetch-recording-with-deleted", row["sid"])["answer"]["status"] == "deleted"
    assert row["sid"] not in {item["sid"] for item in twilio("list-recordings")}
    assert row["sid"] in {item["sid"] for item in twilio("list-recordings", {"includeSoftDeleted": True})}
    truth, = twilio.standin.truth(row["sid"])
    assert truth["deleted_by"] == "api" and truth["sha256"]


def test_lists_everything_and_then_deletes_it(node):
    with StandIn("small", seed=2) as standin:
        delete_everything(Library(node, standin))


def delete_everything(twilio):
    before = {row["sid"]: row["status"] for row in twilio("list-recordings")}
    for answer in twilio("delete-all", {"pageSize": 5}):
        if before[answer["sid"]] == "completed":
            assert answer["answer"] is True
        else:
            assert answer["status"] == 409
    left = twilio("list-recordings")
    assert left and {row["status"] for row in left} == {"in-progress", "processing", "absent"}


def test_deletes_the_row_of_a_call(twilio):
    call = twilio.standin.add_call()
    assert twilio("remove-call", call["sid"]) == {"answer": True}
    assert twilio("fetch-call", call["sid"])["code"] == 20404


def test_takes_an_api_key_and_is_refused_with_a_wrong_secret(twilio):
    twilio.user, twilio.secret = twilio.account.api_key, twilio.account.api_secret
    assert twilio("list-numbers")
    twilio.secret = "wrong"
    assert twilio.ask("list-numbers")["error"].startswith("401 20003 Authenticate")
    assert [entry["authorization"] for entry in twilio.standin.ledger()] == ["api-key", "wrong"]


def test_is_told_of_too_many_requests(twilio):
    twilio.standin.switch("fail_fetch", "429:3", count=1)
    sid = twilio.standin.truth(with_hash=False)[0]["sid"]
    answer = twilio("fetch-recording", sid)
    assert (answer["status"], answer["code"]) == (429, 20429)
    assert twilio("fetch-recording", sid)["answer"]["sid"] == sid


def test_reads_dates_with_another_offset_and_bears_unknown_fields(twilio):
    row = twilio("list-recordings")[0]
    for name, value in (("date_offset", "+0200"), ("extra_fields", True), ("unknown_values", True)):
        twilio.standin.switch(name, value)
    again = twilio("list-recordings")[0]
    assert again["sid"] == row["sid"] and again["dateCreated"] == row["dateCreated"]
    assert again["source"] == "TomorrowVerb"


def test_signs_callbacks_as_the_tests_do(twilio):
    """So that what the callback server takes is what Twilio sends."""
    for url, fields in (("https://a.example/twilio/recording", {"RecordingSid": "RE1", "AccountSid": "AC1", "ErrorCode": ""}),
                        ("http://a.example:8080/twilio/recording?a=1&b=%20", {"b": "é +&=%", "B": "1", "a": "x"}),
                        ("https://a.example/", {"same": ["2", "1", "2"], "other": "3"}),
                        ("https://a.example/", {})):
        pairs = [(name, item) for name, value in fields.items() for item in (value if isinstance(value, list) else [value])]
        assert twilio("sign", "a token", url, fields) == sign("a token", url, pairs)
