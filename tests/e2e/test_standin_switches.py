"""Every switch of Twilio's stand-in does what its name says, and no more often than it was told."""

import base64
import hashlib
import http.client
import json
import re
import struct
import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from standin.asker import Asker
from standin.client import StandIn, StandInError

README = Path(__file__).resolve().parents[1] / "standin" / "README.md"


@pytest.fixture(scope="module")
def running():
    with StandIn("empty") as standin:
        yield standin
        assert "Traceback" not in standin.log and "ERROR" not in standin.log, standin.log


@pytest.fixture
def standin(running):
    running.unswitch()
    running.clear_ledger()
    return running


@pytest.fixture
def ask(standin):
    return Asker(standin, standin.account)


@pytest.fixture
def sid(standin):
    return standin.add_recording(standin.add_call()["sid"], secs=3)["sid"]


def last(standin):
    return standin.ledger()[-1]


def channels_of(answer):
    return struct.unpack_from("<H", answer.body, 22)[0]


# Switches themselves

def test_a_switch_acts_so_often_and_after_so_many_chances(standin, ask, sid):
    standin.switch("fail_media", 500, count=2, after=1)
    assert [ask.media(sid).status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert [entry["switches"] for entry in standin.ledger()] == [[], ["fail_media"], ["fail_media"], [], []]


def test_a_switch_for_one_sid_goes_before_the_one_for_all(standin, ask, sid):
    other = standin.add_recording(standin.add_call()["sid"], secs=1)["sid"]
    standin.switch("fail_media", 500)
    standin.switch("fail_media", 503, sid=sid)
    assert (ask.media(sid).status, ask.media(other).status) == (503, 500)
    standin.unswitch("fail_media", sid)
    assert (ask.media(sid).status, ask.media(other).status) == (500, 500)
    standin.unswitch()
    assert ask.media(sid).status == 200


@pytest.mark.parametrize("name,value", [
    ("no_such", True), ("head", "perhaps"), ("reset_after", -1), ("reset_after", "much"), ("etag", "sha1"), ("fail_any", 200),
    ("fail_any", "x:1"), ("null_fields", 5), ("page_damage", "total")])
def test_a_wrong_switch_is_refused(standin, name, value):
    with pytest.raises(StandInError):
        standin.switch(name, value)
    assert standin.switches()["set"] == []


def test_switches_can_be_given_at_the_start():
    with StandIn("empty", switches={"fail_list": "429:7", "head": False}) as standin:
        answer = Asker(standin, standin.account).get("/Calls.json")
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    with pytest.raises(StandInError, match="no such switch"):
        StandIn("empty", switches={"nonsense": 1}).start()


def test_every_switch_is_in_the_readme(standin):
    text = README.read_text(encoding="utf-8").partition("## Switches")[2].partition("\n## ")[0]
    written = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
    assert standin.switches()["registry"].keys() == written


# What is unproven

def test_head(standin, ask, sid):
    target = f"{ask.root}/Recordings/{sid}?RequestedChannels=2"
    answer = ask.raw("HEAD", target)
    assert answer.status == 200 and answer.body == b""
    assert int(answer.headers["content-length"]) == standin.truth(sid)[0]["size"]
    standin.switch("head", False)
    assert ask.raw("HEAD", target).status == 405


def test_range_ignored(standin, ask, sid):
    standin.switch("range", "ignored")
    answer = ask.media(sid, headers={"Range": "bytes=5-9"})
    assert answer.status == 200 and len(answer.body) == standin.truth(sid)[0]["size"]
    assert "accept-ranges" not in answer.headers


def test_etag(standin, ask, sid):
    found = {}
    for kind in ("md5", "opaque", "weak", "none"):
        standin.switch("etag", kind)
        found[kind] = ask.media(sid).headers.get("etag")
    digest = hashlib.md5(standin.media(sid)).hexdigest()
    assert found["md5"] == f'"{digest}"' and found["weak"] == f'W/"{digest}"' and found["none"] is None
    assert digest not in found["opaque"]


@pytest.mark.parametrize("kind", ["chunked", "close"])
def test_length(standin, ask, sid, kind):
    standin.switch("length", kind)
    answer = ask.media(sid)
    assert answer.body == standin.media(sid) and "content-length" not in answer.headers
    assert (answer.headers.get("transfer-encoding") == "chunked") == (kind == "chunked")
    part = ask.media(sid, headers={"Range": "bytes=10-1009"})
    assert part.status == 206 and part.body == answer.body[10:1010]


def test_cursor_shifting_skips_rows_when_others_are_deleted(ask, standin):
    call = standin.add_call()["sid"]
    made = [standin.add_recording(call, secs=1, start=1_600_000_000 + at)["sid"] for at in range(10)]
    for kind in ("shifting", "stable"):
        standin.switch("cursor", kind)
        page = ask.get(f"/Recordings.json?PageSize=2&CallSid={call}").json
        gone = page["recordings"][0]["sid"]
        standin.console_delete(gone)
        made.remove(gone)
        rest = ask.raw("GET", page["next_page_uri"]).json["recordings"]
        newest_left = made[::-1]
        assert [row["sid"] for row in rest] == (newest_left[2:4] if kind == "shifting" else newest_left[1:3])


def test_order_oldest(standin, ask):
    call = standin.add_call()["sid"]
    made = [standin.add_recording(call, secs=1, start=1_600_000_000 + at)["sid"] for at in range(5)]
    assert [row["sid"] for row in ask.rows(f"/Recordings.json?PageSize=2&CallSid={call}", "recordings")] == made[::-1]
    standin.switch("order", "oldest")
    assert [row["sid"] for row in ask.rows(f"/Recordings.json?PageSize=2&CallSid={call}", "recordings")] == made


def test_channels_says_one_where_two_are_stored(standin, ask, sid):
    standin.switch("channels_says_one")
    assert ask.get(f"/Recordings/{sid}.json").json["channels"] == 1
    assert channels_of(ask.media(sid, "")) == 1 and channels_of(ask.media(sid)) == 2


def test_bare_get(standin, ask, sid):
    for kind, channels in (("requested", 2), ("downmix", 1), ("stored", 2)):
        standin.switch("bare_get", kind)
        assert channels_of(ask.media(sid, "")) == channels and channels_of(ask.media(sid)) == 2
    conference = standin.add_recording(account_sid=standin.account.sid, secs=2)["sid"]
    assert channels_of(ask.media(conference, "")) == 2
    standin.unswitch()
    assert channels_of(ask.media(conference, "")) == 1


def test_extra_null_and_unknown(standin, ask, sid):
    standin.switch("extra_fields")
    standin.switch("unknown_values")
    standin.switch("null_fields", "price,duration,channels")
    row = ask.get(f"/Recordings/{sid}.json").json
    assert row["x_future_object"] and row["source"] == "TomorrowVerb"
    assert (row["price"], row["duration"], row["channels"], row["status"]) == (None, None, None, "completed")


def test_the_price_in_a_calls_list_is_a_number_or_a_text(standin, ask, sid):
    call = ask.get(f"/Recordings/{sid}.json").json["call_sid"]
    for kind, value in (("number", -0.0025), ("string", "-0.00250")):
        standin.switch("call_price", kind)
        assert ask.get(f"/Calls/{call}/Recordings.json").json["recordings"][0]["price"] == value


def test_statuses_that_nobody_knows(standin, ask, sid):
    standin.set_status(sid, "processing")
    standin.switch("processing_status", 425)
    standin.switch("refuse_delete_status", 400)
    assert (ask.media(sid).status, ask.delete(f"/Recordings/{sid}.json").status) == (425, 400)


def test_media_without_credentials(standin, ask, sid):
    path = f"/Recordings/{sid}?RequestedChannels=2"
    assert ask.get(path, auth=False).status == 401
    standin.switch("media_auth", False)
    assert ask.get(path, auth=False).status == 200 and ask.get(f"/Recordings/{sid}.json", auth=False).status == 401


# Failing answers

@pytest.mark.parametrize("operation", ["any", "media", "list", "fetch", "delete"])
def test_fail(standin, ask, sid, operation):
    requests = {"media": lambda: ask.media(sid), "list": lambda: ask.get("/Recordings.json"),
                "fetch": lambda: ask.get(f"/Recordings/{sid}.json"), "delete": lambda: ask.delete(f"/Recordings/{sid}.json")}
    standin.switch(f"fail_{operation}", [429, 3])
    for name, request in requests.items():
        if operation in (name, "any"):
            answer = request()
            assert (answer.status, answer.headers["retry-after"]) == (429, "3")
        elif name != "delete":
            assert request().status == 200
    assert standin.truth(sid, with_hash=False)[0]["deleted_at"] is None
    standin.switch(f"fail_{operation}", 429)
    assert "retry-after" not in requests[operation if operation != "any" else "list"]().headers


def test_too_many_requests_at_a_time_are_429(standin, ask, sid):
    standin.switch("max_concurrency", 2)
    standin.switch("max_concurrency_retry_after", 1)
    standin.switch("latency_msecs", 300)
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask.get(f"/Recordings/{sid}.json"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = [answer.status for answer in answers]
    assert 429 in statuses and all(status in (200, 429) for status in statuses)
    standin.switch("latency_msecs", 0)
    assert ask.get(f"/Recordings/{sid}.json").status == 200


def test_a_refused_connection_answers_nothing(standin, ask, sid):
    standin.switch("refuse_connection", count=1)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        ask.get("/Calls.json")
    assert last(standin)["status"] is None and last(standin)["outcome"] == "closed"
    assert ask.get("/Calls.json").status == 200


# Media

def test_404_for_the_first_requests_of_each_recording(standin, ask, sid):
    other = standin.add_recording(standin.add_call()["sid"], secs=1)["sid"]
    standin.switch("media_404_first", 2)
    assert [ask.media(sid).status for _ in range(3)] == [404, 404, 200]
    assert [ask.media(other).status for _ in range(3)] == [404, 404, 200]


@pytest.mark.parametrize("name,outcome", [("reset_after", "reset"), ("truncate_after", "truncated")])
@pytest.mark.parametrize("length", ["content-length", "chunked"])
def test_a_download_that_ends_early(standin, ask, sid, name, outcome, length):
    standin.switch("length", length)
    standin.switch(name, 20_000, count=1)
    answer = ask.media(sid)
    assert answer.status == 200 and not answer.whole
    if name == "truncate_after":
        assert answer.body == standin.media(sid)[:20_000]
    entry = last(standin)
    assert (entry["outcome"], entry["body_bytes"], entry["status"]) == (outcome, 20_000, 200) and name in entry["switches"]
    assert ask.media(sid).body == standin.media(sid)


def test_a_short_answer_does_not_use_up_a_reset_further_on(standin, ask, sid):
    standin.switch("reset_after", 20_000, count=1)
    assert ask.media(sid, headers={"Range": "bytes=0-99"}).whole
    assert not ask.media(sid).whole


def test_a_stall_lasts_until_the_client_goes(standin, ask, sid):
    standin.switch("stall_after", 1000, count=1)
    connection = http.client.HTTPConnection(urlsplit(standin.url).netloc, timeout=1)
    connection.request("GET", f"{ask.root}/Recordings/{sid}?RequestedChannels=2", headers={"Authorization": authorization(ask)})
    answer = connection.getresponse()
    assert answer.read(1000) == standin.media(sid)[:1000]
    with pytest.raises(TimeoutError):
        answer.read(1)
    assert last(standin)["outcome"] == "stalled" and last(standin)["end_time"] is None
    connection.close()
    answer.close()
    end = time.monotonic() + 5
    while last(standin)["end_time"] is None and time.monotonic() < end:
        time.sleep(0.05)
    assert last(standin)["end_time"] is not None


def authorization(ask):
    return "Basic " + base64.b64encode(f"{ask.user}:{ask.secret}".encode()).decode()


def test_short_empty_and_flipped_bodies(standin, ask, sid):
    content = standin.media(sid)
    standin.switch("short_body", 100, count=1)
    answer = ask.media(sid)
    assert answer.whole and answer.body == content[:-100]
    standin.switch("empty_body", count=1)
    answer = ask.media(sid)
    assert answer.status == 200 and answer.body == b"" and answer.whole
    standin.switch("told_bytes", 1 << 46, count=1)
    answer = ask.media(sid, headers={"Range": "bytes=20-30"})
    assert answer.headers["content-range"] == f"bytes 20-30/{1 << 46}" and answer.body == content[20:31]
    for offset in (12345, -1, 0):
        standin.switch("flip_byte", offset, count=1)
        assert ask.media(sid, headers={"Range": "bytes=20-30"}).body == content[20:31]
        answer = ask.media(sid)
        wrong = [at for at, (is_, was) in enumerate(zip(answer.body, content)) if is_ != was]
        assert wrong == [offset % len(content)] and len(answer.body) == len(content)
        assert answer.headers["etag"] == f'"{hashlib.md5(content).hexdigest()}"'
    assert ask.media(sid).body == content


@pytest.mark.parametrize("page,start", [("xml", b"<?xml"), ("html", b"<!DOCTYPE"), ("json", b"{")])
def test_an_error_page_with_status_200(standin, ask, sid, page, start):
    standin.switch("error_page_200", page)
    answer = ask.media(sid)
    assert answer.status == 200 and answer.body.startswith(start) and page in answer.headers["content-type"]
    standin.switch("error_page_as_audio")
    assert ask.media(sid).headers["content-type"] == "audio/x-wav"


def test_content_type_downmix_header_and_other_bytes(standin, ask, sid):
    content = standin.media(sid)
    standin.switch("content_type", "application/octet-stream", count=1)
    assert ask.media(sid).headers["content-type"] == "application/octet-stream"
    standin.switch("downmix_always", count=1)
    answer = ask.media(sid)
    assert answer.status == 200 and channels_of(answer) == 1
    standin.switch("wav_header", "list", count=1)
    assert b"LIST" in ask.media(sid).body[:60]
    standin.switch("other_bytes", 1, count=1)
    answer = ask.media(sid)
    assert len(answer.body) == len(content) and answer.body[44:] != content[44:]
    assert ask.media(sid).body == content


def test_waiting(standin, ask, sid):
    def secs(request):
        began = time.monotonic()
        assert request().status in (200, 206)
        return time.monotonic() - began

    standin.switch("first_byte_msecs", 400)
    assert secs(lambda: ask.media(sid)) >= 0.4
    assert ask.get(f"/Recordings/{sid}.json").status == 200 and "first_byte_msecs" not in last(standin)["switches"]
    standin.unswitch()
    standin.switch("latency_msecs", 300)
    assert secs(lambda: ask.get(f"/Recordings/{sid}.json")) >= 0.3
    standin.unswitch()
    standin.switch("bytes_per_sec", 40_000)
    assert secs(lambda: ask.media(sid, headers={"Range": "bytes=0-19999"})) >= 0.4


@pytest.mark.parametrize("where", ["same", "other", "loop"])
def test_redirects(standin, ask, sid, where):
    standin.switch("redirect_media", where)
    answer = ask.media(sid)
    place = answer.headers["location"]
    assert answer.status == 307 and place.startswith("http://localhost:") == (where == "other")
    if where == "loop":
        assert place == f"{ask.root}/Recordings/{sid}?RequestedChannels=2"
        return
    target = urlsplit(place)
    followed = ask.raw("GET", f"{target.path}?{target.query}", auth=False)
    assert followed.status == 200 and followed.body == standin.media(sid)
    assert last(standin)["operation"] == "storage" and last(standin)["authorization"] == "none"
    ask.raw("GET", f"{target.path}?{target.query}")
    assert last(standin)["authorization"] == "token"  # a client that gives its secret away is seen


def test_external_storage(standin, ask, sid):
    standin.switch("external_media", sid=sid)
    row = ask.get(f"/Recordings/{sid}.json").json
    assert row["media_url"].startswith("https://customer-recordings.s3.") and row["status"] == "completed"
    assert ask.media(sid).status == 404
    assert ask.delete(f"/Recordings/{sid}.json").status == 204


# Lists

@pytest.fixture
def page(standin, ask):
    """Two pages of three of one call's recordings, and what is in them."""
    call = standin.add_call()["sid"]
    made = [standin.add_recording(call, secs=1, start=1_600_000_000 - at)["sid"] for at in range(6)]

    def pages():
        found, target = [], f"{ask.root}/Recordings.json?PageSize=3&CallSid={call}"
        while target and len(found) < 5:
            content = ask.raw("GET", target).json
            found.append([made.index(row["sid"]) for row in content["recordings"]])
            target = content["next_page_uri"]
        return found
    return pages


def test_pages_that_change_while_they_are_listed(standin, page):
    assert page() == [[0, 1, 2], [3, 4, 5]]
    standin.switch("page_repeats", 1)
    assert page() == [[0, 1, 2], [2, 3, 4], [4, 5]]
    standin.unswitch()
    standin.switch("page_drops", 1)
    assert page() == [[0, 1, 2], [4, 5]]
    standin.unswitch()
    standin.switch("page_loops", after=1)
    assert page() == [[0, 1, 2], [3, 4, 5], [3, 4, 5], [3, 4, 5], [3, 4, 5]]


def test_a_hidden_recording_can_be_fetched(standin, ask, sid):
    standin.switch("list_hides", sid=sid)
    assert sid not in {row["sid"] for row in ask.rows("/Recordings.json?PageSize=1000", "recordings")}
    assert ask.get(f"/Recordings/{sid}.json").status == 200


def test_the_next_page_may_be_elsewhere(standin, ask, page):
    page()
    standin.switch("page_other_host", "evil.example")
    assert ask.get("/Recordings.json?PageSize=1").json["next_page_uri"].startswith("http://evil.example/2010-04-01/")


@pytest.mark.parametrize("damage", ["cut", "html", "empty", "no-array", "not-object"])
def test_a_page_that_is_no_list(standin, ask, sid, damage):
    standin.switch("page_damage", damage, count=1)
    answer = ask.get("/Recordings.json")
    assert answer.status == 200
    try:
        content = json.loads(answer.body)
    except ValueError:
        content = None
    assert (content is None) == (damage in ("cut", "html", "empty"))
    assert not isinstance(content, dict) or "recordings" not in content
    assert "recordings" in ask.get("/Recordings.json").json


# Deletes

@pytest.mark.parametrize("trick,status,is_deleted", [("lost", None, True), ("lost-before", None, False), ("500-after", 500, True),
                                                     ("twice", 404, True)])
def test_delete_answer(standin, ask, sid, trick, status, is_deleted):
    standin.switch("delete_answer", trick, sid=sid, count=1)
    if status is None:
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            ask.delete(f"/Recordings/{sid}.json")
    else:
        assert ask.delete(f"/Recordings/{sid}.json").status == status
    assert (standin.truth(sid, with_hash=False)[0]["deleted_at"] is not None) == is_deleted
    assert last(standin)["status"] == status and last(standin)["switches"] == ["delete_answer"]
    assert ask.delete(f"/Recordings/{sid}.json").status == (404 if is_deleted else 204)


# Connections and clocks

def test_a_connection_that_is_closed_unannounced(standin, ask, sid):
    standin.switch("close_after_answer", count=1)
    connection = http.client.HTTPConnection(urlsplit(standin.url).netloc, timeout=5)
    headers = {"Authorization": authorization(ask)}
    connection.request("GET", f"{ask.root}/Recordings/{sid}.json", headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200 and "close" not in answer.headers.get("Connection", "") and answer.read()
    time.sleep(0.2)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.sock.sendall(b"")
        connection.request("GET", f"{ask.root}/Recordings/{sid}.json", headers=headers)
        connection.getresponse()
    connection.close()


def test_a_clock_that_is_wrong(standin, ask, sid):
    for skew in (3600, -7200):
        standin.switch("clock_skew_secs", skew)
        for answer in (ask.get("/Calls.json"), ask.media(sid)):
            ahead = parsedate_to_datetime(answer.headers["date"]) - datetime.now(UTC)
            assert abs(ahead.total_seconds() - skew) < 5
