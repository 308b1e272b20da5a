"""Twilio's stand-in answers as Twilio is documented to answer, and refuses what Twilio refuses."""

import array
import hashlib
import re
import struct
import xml.etree.ElementTree as ElementTree
from datetime import timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import quote

import pytest

from standin.asker import Asker
from standin.client import StandIn, StandInError

RECORDING_FIELDS = {
    "account_sid", "api_version", "call_sid", "conference_sid", "date_created", "date_updated", "start_time", "duration",
    "sid", "price", "price_unit", "status", "channels", "source", "error_code", "uri", "encryption_details",
    "subresource_uris", "media_url"}
PAGE_FIELDS = {"end", "first_page_uri", "next_page_uri", "page", "page_size", "previous_page_uri", "start", "uri"}
RFC2822 = re.compile(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\Z")


@pytest.fixture(scope="module")
def running():
    with StandIn("small") as standin:
        yield standin
        assert "Traceback" not in standin.log, standin.log


@pytest.fixture
def standin(running):
    running.unswitch()
    running.set_time(0)
    running.clear_ledger()
    return running


@pytest.fixture
def ask(standin):
    return Asker(standin, standin.account)


@pytest.fixture
def recording(standin):
    """A fresh one in two channels."""
    return standin.add_recording(standin.add_call(start="2026-03-01T10:15:00Z")["sid"], secs=3)


@pytest.fixture
def voicemail(standin):
    return standin.add_recording(standin.add_call(start="2026-03-01T10:16:00Z")["sid"], secs=3, channels=1)


def pcm(body):
    """The samples of a WAV, parsed chunk by chunk, with its channels."""
    assert body[:4] == b"RIFF" and body[8:12] == b"WAVE" and struct.unpack_from("<I", body, 4)[0] == len(body) - 8
    at, found = 12, {}
    while at < len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        found[name] = body[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    form, channels, rate, per_sec, block, bits = struct.unpack("<HHIIHH", found[b"fmt "])
    assert (form, rate, bits, block, per_sec) == (1, 8000, 16, 2 * channels, 16000 * channels)
    return channels, array.array("h", found[b"data"])


# Resources

def test_a_recording_has_the_fields_and_types(standin, ask, recording):
    row = ask.get(f"/Recordings/{recording['sid']}.json").json
    assert row.keys() == RECORDING_FIELDS
    assert row["duration"] == "3" and row["price"] == "-0.00250" and row["channels"] == 2 and row["error_code"] is None
    assert row["uri"] == f"/2010-04-01/Accounts/{standin.account.sid}/Recordings/{row['sid']}.json"
    assert row["media_url"] == standin.url + row["uri"].removesuffix(".json")
    assert re.match(r"RE[0-9a-f]{32}\Z", row["sid"]) and re.match(r"CA[0-9a-f]{32}\Z", row["call_sid"])
    for name in ("date_created", "date_updated", "start_time"):
        assert RFC2822.match(row[name])
    assert row["date_created"] == "Sun, 01 Mar 2026 10:15:01 +0000"


def test_what_is_in_progress_has_no_duration_and_no_price(standin, ask):
    sid = standin.add_recording(standin.add_call(status="in-progress")["sid"], status="in-progress")["sid"]
    row = ask.get(f"/Recordings/{sid}.json").json
    assert (row["status"], row["duration"], row["price"]) == ("in-progress", None, None)
    standin.set_status(sid, "completed", secs=9)
    row = ask.get(f"/Recordings/{sid}.json").json
    assert (row["status"], row["duration"]) == ("completed", "9")
    assert abs(len(ask.media(sid).body) - 9 * 32000) < 32000


def test_a_childs_recording_carries_the_parents_sid(standin):
    parent = standin.add_call()
    child = standin.add_call(parent_call_sid=parent["sid"], direction="outbound-dial", to="+15005550123")
    assert standin.add_recording(child["sid"])["call_sid"] == parent["sid"]


def test_the_list_of_a_call_has_a_track_and_lacks_the_media_url(ask, recording):
    row, = ask.get(f"/Calls/{recording['call_sid']}/Recordings.json").json["recordings"]
    assert row.keys() == RECORDING_FIELDS - {"media_url", "subresource_uris"} | {"track"}
    assert isinstance(row["price"], float)
    assert ask.get(f"/Calls/CA{'0' * 32}/Recordings.json").code == 20404


def test_the_demo_has_what_it_promises():
    with StandIn("demo") as demo:
        truth = demo.truth(with_hash=False)
        assert [account.workspace for account in demo.accounts] == ["acme", "globex"]
        assert sum(len(account.campaigns) for account in demo.accounts) == 3
        completed = [row for row in truth if row["status"] == "completed"]
        assert len(completed) >= 300
        assert 220e6 < sum(row["size"] for row in completed) < 290e6
        lengths = sorted(row["secs"] for row in completed if row["secs"])
        assert lengths[0] == 5 and lengths[-1] == 300 and lengths[len(lengths) // 2] < 40
        assert {row["status"] for row in truth} == {"completed", "absent", "in-progress", "processing"}
        assert any(row["secs"] == 0 for row in completed) and any(row["encrypted"] for row in completed)
        assert any(row["channels"] == 2 and row["requested_channels"] == 1 for row in completed)
        assert any(row["source"] == "Conference" for row in completed)
        assert sum(row["source"] == "RecordVerb" for row in completed) > 60
        calls = [call for account in demo.accounts
                 for call in Asker(demo, account).rows("/Calls.json?PageSize=1000", "calls")]
        by_sid = {call["sid"]: call for call in calls}
        wanted = {number for account in demo.accounts for numbers in account.campaigns.values() for number in numbers}
        in_campaigns = [row for row in completed if {by_sid[row["call_sid"]]["to"], by_sid[row["call_sid"]]["from"]} & wanted]
        assert len(in_campaigns) >= 300
        assert {call["from"] for call in calls} >= {"anonymous", "+266696687"}
        assert any(call["parent_call_sid"] for call in calls)
        assert {call["sid"] for call in calls} - {row["call_sid"] for row in truth}, "every call has a recording"
        seconds = [(row["call_sid"], row["date_created"]) for row in truth]
        assert len(set(seconds)) < len(seconds), "no two recordings in one second"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others():
    hashes = []
    for seed in (5, 5, 6):
        with StandIn("small", seed=seed) as standin:
            hashes.append([(row["sid"], row["sha256"]) for row in standin.truth()])
    assert hashes[0] == hashes[1] and not set(hashes[0]) & set(hashes[2])


# Lists

def test_a_page_has_its_fields_and_no_total(ask):
    page = ask.get("/Recordings.json?PageSize=3").json
    assert page.keys() == PAGE_FIELDS | {"recordings"}
    assert (page["start"], page["end"], page["page"], page["page_size"]) == (0, 2, 0, 3)
    assert page["next_page_uri"].startswith("/2010-04-01/") and "PageToken=" in page["next_page_uri"]
    assert page["previous_page_uri"] is None
    second = ask.raw("GET", page["next_page_uri"]).json
    assert (second["start"], second["end"], second["page"]) == (3, 5, 1)
    assert ask.raw("GET", second["previous_page_uri"]).json["recordings"] == page["recordings"]
    assert ask.get("/Recordings.json").json["page_size"] == 50


def test_a_page_is_clamped_to_a_thousand_rows(ask):
    page = ask.get("/Recordings.json?PageSize=100000").json
    assert page["page_size"] == 1000 and page["next_page_uri"] is None


@pytest.mark.parametrize("array", ["recordings", "calls"])
def test_pages_neither_repeat_nor_skip_while_rows_are_deleted_and_added(standin, ask, array):
    path = f"/{array.capitalize()}.json?PageSize=4"
    before = [row["sid"] for row in ask.rows(path, array)]
    page = ask.get(path).json
    first = [row["sid"] for row in page[array]]
    for sid in first[1:]:
        if array == "calls" or standin.truth(sid, with_hash=False)[0]["status"] == "completed":
            standin.console_delete(sid)
    if array == "calls":
        standin.add_call()
    else:
        standin.add_recording(standin.add_call()["sid"], secs=1)
    rest = []
    while page["next_page_uri"]:
        page = ask.raw("GET", page["next_page_uri"]).json
        rest += [row["sid"] for row in page[array]]
    assert first + rest == before


def test_dates_filter_with_both_ends(standin, ask):
    call = standin.add_call(start="2024-05-06T23:59:58Z")
    made = [standin.add_recording(call["sid"], secs=1, start=f"2024-05-0{day}T{time}Z")["sid"]
            for day, time in ((6, "23:59:59"), (7, "00:00:00"), (7, "12:00:00"), (8, "00:00:00"), (8, "00:00:01"))]

    def found(query):
        rows = ask.rows("/Recordings.json?PageSize=1000&" + query, "recordings")
        return [made.index(row["sid"]) for row in rows[::-1] if row["sid"] in made]

    low = "DateCreated%3E=2024-05-07&"
    assert found(low + "DateCreated%3C=2024-05-08") == [1, 2, 3]
    assert found("DateCreated%3E=2024-05-07T00:00:01Z&DateCreated%3C=2024-05-08T00:00:00Z") == [2, 3]
    assert found("DateCreated=2024-05-07") == [1, 2]
    assert found("DateCreated>=2024-05-07&DateCreated<=2024-05-08T00:00:01Z") == [1, 2, 3, 4]
    standin.switch("date_upper", "end-of-day")
    assert found(low + "DateCreated%3C=2024-05-08") == [1, 2, 3, 4]


def test_calls_filter_by_both_their_times(standin, ask):
    sid = standin.add_call(start="2024-06-01T10:00:00Z", duration=600)["sid"]

    def found(query):
        return [row["sid"] for row in ask.rows("/Calls.json?" + query, "calls")] == [sid]

    assert found("StartTime%3E=2024-06-01&StartTime%3C=2024-06-02")
    assert found("EndTime%3E=2024-06-01T10:10:00Z&EndTime%3C=2024-06-01T10:10:00Z")
    assert not found("EndTime%3E=2024-06-01T10:10:01Z&EndTime%3C=2024-06-02")
    assert found("StartTime=2024-06-01&Status=completed&From=%2B15005550100")


def test_recordings_filter_by_call_and_conference(standin, ask, recording):
    rows = ask.rows(f"/Recordings.json?CallSid={recording['call_sid']}", "recordings")
    assert [row["sid"] for row in rows] == [recording["sid"]]
    alone = standin.add_recording(account_sid=standin.account.sid, secs=2)
    assert alone["call_sid"] is None and alone["source"] == "Conference"
    rows = ask.rows(f"/Recordings.json?ConferenceSid={alone['conference_sid']}", "recordings")
    assert [row["sid"] for row in rows] == [alone["sid"]]


@pytest.mark.parametrize("query", [
    "StartTime%3E%3D=2026-03-01", "StartTime%3E=2026-03-01", "DateCreated%3E=01.03.2026", "DateCreated%3E=2026-02-30",
    "DateCreated%3E=2026-03-01T10:00:00%2B01:00", "DateCreated=", "PageSize=0", "PageSize=-1", "PageSize=many", "PageSize=",
    "Page=x", "Page=2", "PageToken=nonsense", "PageToken=PARE" + "0" * 32, "CallSid=CA12", "IncludeSoftDeleted=perhaps",
    "Unknown=1", "PageSize=5&PageSize=6", "%FF=1"])
def test_a_list_refuses_bad_parameters(ask, query):
    answer = ask.get("/Recordings.json?" + query)
    assert answer.status == 400 and answer.json["status"] == 400 and answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("query", ["DateCreated%3E=2026-03-01", "StartTime%3E%3D=2026-03-01", "Status=over", "ParentCallSid=1"])
def test_the_list_of_calls_refuses_what_it_does_not_know(ask, query):
    assert ask.get("/Calls.json?" + query).status == 400


def test_phone_numbers_are_listed_with_their_labels(standin, ask):
    rows = ask.rows("/IncomingPhoneNumbers.json?PageSize=2", "incoming_phone_numbers")
    assert [(row["phone_number"], row["friendly_name"]) for row in rows] == [
        (number["phone_number"], number["friendly_name"]) for number in standin.account.numbers]
    number = standin.account.numbers[0]
    found = ask.rows("/IncomingPhoneNumbers.json?PhoneNumber=" + quote(number["phone_number"]), "incoming_phone_numbers")
    assert [row["sid"] for row in found] == [number["sid"]]
    assert ask.get(f"/IncomingPhoneNumbers/{number['sid']}.json").json["phone_number"] == number["phone_number"]


def test_an_empty_list_is_a_list():
    with StandIn("empty") as standin:
        for name, rows in (("Recordings", "recordings"), ("Calls", "calls")):
            page = Asker(standin, standin.account).get(f"/{name}.json").json
            assert page[rows] == [] and page["next_page_uri"] is None


# Who asks

def test_credentials_are_the_token_or_an_api_keys_secret(standin, ask, recording):
    account, path = standin.account, f"/Recordings/{recording['sid']}.json"
    assert ask.get(path).status == 200
    assert Asker(standin, account, user=account.api_key, secret=account.api_secret).get(path).status == 200
    for user, secret in ((account.sid, "wrong"), (account.api_key, account.auth_token), (account.sid, ""),
                         (standin.accounts[1].sid, standin.accounts[1].auth_token)):
        answer = Asker(standin, account, user=user, secret=secret).get(path)
        assert (answer.status, answer.code) == (401, 20003) and answer.headers["www-authenticate"].startswith("Basic")
    assert ask.get(path, auth=False).code == 20003
    assert ask.get(path, {"Authorization": "Basic !!!"}).code == 20003
    assert ask.get(path, {"Authorization": "Bearer x"}).code == 20003


def test_an_unknown_account_or_path_or_resource_is_404(standin, ask):
    other = f"/2010-04-01/Accounts/AC{'9' * 32}/Recordings.json"
    assert (ask.raw("GET", other).status, ask.raw("GET", other).code) == (404, 20404)
    for path in ("/Recordings/RE123.json", f"/Recordings/RE{'0' * 32}.json", f"/Calls/CA{'0' * 32}.json", "/Nothing.json",
                 f"/IncomingPhoneNumbers/PN{'0' * 32}.json"):
        answer = ask.get(path)
        assert (answer.status, answer.code) == (404, 20404)
    foreign = standin.truth(account=standin.accounts[1].sid, with_hash=False)[0]["sid"]
    assert ask.get(f"/Recordings/{foreign}.json").status == 404


@pytest.mark.parametrize("method,path", [("POST", "/Recordings.json"), ("DELETE", "/Recordings.json"), ("PUT", "/Calls.json"),
                                         ("DELETE", "/IncomingPhoneNumbers.json"), ("PATCH", ".json")])
def test_a_wrong_method_is_405(ask, method, path):
    answer = ask.raw(method, ask.root + path)
    assert (answer.status, answer.code) == (405, 20004)


def test_a_rotated_token_is_the_only_one(standin, ask):
    old = standin.account.auth_token
    standin.set_auth_token(standin.account.sid, "another")
    try:
        assert ask.get("/Calls.json").status == 401
        assert Asker(standin, standin.account).get("/Calls.json").status == 200
    finally:
        standin.set_auth_token(standin.account.sid, old)


# Media

def test_two_channels_are_given_when_they_are_asked_for(standin, ask, recording):
    answer = ask.media(recording["sid"])
    assert answer.status == 200 and answer.headers["content-type"] == "audio/x-wav"
    truth, = standin.truth(recording["sid"])
    assert (len(answer.body), hashlib.sha256(answer.body).hexdigest()) == (truth["size"], truth["sha256"])
    assert answer.body == standin.media(recording["sid"])
    assert answer.headers["etag"] == f'"{hashlib.md5(answer.body).hexdigest()}"'
    channels, samples = pcm(answer.body)
    assert channels == 2 and abs(len(samples) / 2 / 8000 - 3) < 0.5


def test_the_sound_is_audible_and_changes(standin, ask, recording):
    for channel in (0, 1):
        samples = pcm(standin.media(standin.add_recording(recording["call_sid"], secs=20)["sid"]))[1][channel::2]
        loudness = [sum(abs(sample) for sample in samples[at:at + 800]) / 800 for at in range(0, len(samples) - 800, 800)]
        assert max(loudness) > 1000 and min(loudness) < max(loudness) / 10
        assert len(set(loudness)) > len(loudness) * 0.1


def test_a_downmix_is_what_a_bare_get_of_a_conference_gives(standin, ask, recording):
    sid = standin.add_recording(recording["call_sid"], secs=3, conference_sid="CF" + "1" * 32)["sid"]
    channels, mono = pcm(ask.media(sid, "").body)
    _, both = pcm(ask.media(sid).body)
    assert channels == 1 and list(mono) == [(left + right) // 2 for left, right in zip(both[::2], both[1::2])]


def test_a_bare_get_gives_what_was_requested_for_the_recording(standin, ask, recording):
    sid = standin.add_recording(recording["call_sid"], secs=2, requested_channels=1)["sid"]
    assert ask.get(f"/Recordings/{sid}.json").json["channels"] == 1
    assert pcm(ask.media(sid, "").body)[0] == 1 and pcm(ask.media(sid).body)[0] == 2
    assert pcm(ask.media(recording["sid"], "").body)[0] == 2
    assert pcm(ask.media(recording["sid"], "?RequestedChannels=1").body)[0] == 1


def test_two_channels_of_a_mono_recording_are_refused_with_16113(ask, voicemail):
    answer = ask.media(voicemail["sid"])
    assert answer.status == 400 and ElementTree.fromstring(answer.body).find("RestException/Code").text == "16113"
    assert pcm(ask.media(voicemail["sid"], "").body)[0] == 1
    assert ask.media(voicemail["sid"], "?RequestedChannels=3").status == 400


def test_extensions_choose_the_form(ask, recording):
    bare = ask.media(recording["sid"])
    assert ask.media(recording["sid"], extension=".wav").body == bare.body
    mp3 = ask.media(recording["sid"], "", extension=".mp3")
    assert mp3.headers["content-type"] == "audio/mpeg" and mp3.body[:2] == b"\xff\xe3"
    assert abs(len(mp3.body) - 3 * 4000) < 2000
    assert ask.get(f"/Recordings/{recording['sid']}.json").headers["content-type"] == "application/json"


def test_ranges(ask, recording):
    whole = ask.media(recording["sid"])
    size = len(whole.body)
    for header, first, last in (("bytes=0-0", 0, 0), ("bytes=7-12345", 7, 12345), (f"bytes={size - 5}-", size - 5, size - 1),
                                ("bytes=-9", size - 9, size - 1), (f"bytes=100-{size * 2}", 100, size - 1)):
        part = ask.media(recording["sid"], headers={"Range": header})
        assert part.status == 206 and part.body == whole.body[first:last + 1]
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    beyond = ask.media(recording["sid"], headers={"Range": f"bytes={size}-"})
    assert beyond.status == 416 and beyond.headers["content-range"] == f"bytes */{size}"
    assert ask.media(recording["sid"], headers={"Range": "lines=1-2"}).status == 200
    etag = whole.headers["etag"]
    assert ask.media(recording["sid"], headers={"Range": "bytes=0-9", "If-Match": etag}).status == 206
    assert ask.media(recording["sid"], headers={"Range": "bytes=0-9", "If-Match": '"other"'}).status == 412
    assert ask.media(recording["sid"], headers={"Range": "bytes=0-9", "If-Range": '"other"'}).status == 200
    assert ask.media(recording["sid"], headers={"If-None-Match": etag}).status == 304


@pytest.mark.parametrize("header", ["list", "fact", "streaming"])
def test_a_header_may_be_another_one(standin, ask, recording, header):
    sid = standin.add_recording(recording["call_sid"], secs=2, wav_header=header)["sid"]
    body = ask.media(sid).body
    assert len(body) == standin.truth(sid)[0]["size"]
    if header == "streaming":
        assert body[4:8] == b"\xff" * 4 and body[40:44] == b"\xff" * 4
    else:
        assert body.find(b"data") > 36 and pcm(body)[0] == 2
    part = ask.media(sid, headers={"Range": "bytes=30-90"})
    assert part.body == body[30:91]


def test_an_encrypted_recording_is_ciphertext(standin, ask, recording):
    row = standin.add_recording(recording["call_sid"], secs=2, encrypted=True)
    assert row["encryption_details"].keys() == {"encryption_public_key_sid", "encryption_cek", "encryption_iv"}
    body = ask.media(row["sid"]).body
    assert body[:4] != b"RIFF" and len(set(body)) == 256
    assert hashlib.sha256(body).hexdigest() == standin.truth(row["sid"])[0]["sha256"]
    assert ask.media(row["sid"], headers={"Range": "bytes=1001-2000"}).body == body[1001:2001]


def test_a_recording_of_zero_length_is_a_header(standin, ask, recording):
    sid = standin.add_recording(recording["call_sid"], secs=0)["sid"]
    assert pcm(ask.media(sid).body) == (2, array.array("h"))
    assert ask.get(f"/Recordings/{sid}.json").json["duration"] == "0"


def test_a_long_recording_is_given_in_any_part_without_being_made(standin, ask, recording):
    sid = standin.add_recording(recording["call_sid"], secs=60_000)["sid"]  # 1.9 GB
    size = standin.truth(sid, with_hash=False)[0]["size"]
    standin.switch("etag", "none", sid=sid)
    first = ask.media(sid, headers={"Range": f"bytes={size - 5000}-"}).body
    assert len(first) == 5000 and ask.media(sid, headers={"Range": f"bytes={size - 3000}-{size - 2001}"}).body == first[2000:3000]
    with pytest.raises(StandInError):
        standin.add_recording(recording["call_sid"], secs=200_000)


@pytest.mark.parametrize("status", ["in-progress", "paused", "stopped", "absent", "processing"])
def test_only_what_is_completed_has_media_and_can_be_deleted(standin, ask, recording, status):
    sid = standin.add_recording(recording["call_sid"], status=status)["sid"]
    answer = ask.media(sid)
    code = ElementTree.fromstring(answer.body).find("RestException/Code").text
    assert (answer.status, code) == (404, "21501" if status == "processing" else "20404")
    assert ("retry-after" in answer.headers) == (status == "processing")
    refused = ask.delete(f"/Recordings/{sid}.json")
    assert (refused.status, refused.code) == (409, 20409)
    assert standin.truth(sid, with_hash=False)[0]["deleted_at"] is None


def test_errors_of_media_are_xml_and_of_the_rest_json(ask):
    for extension in ("", ".wav", ".mp3"):
        answer = ask.media("RE" + "0" * 32, "", extension=extension)
        error = ElementTree.fromstring(answer.body)
        assert answer.status == 404 and answer.headers["content-type"] == "application/xml"
        assert error.tag == "TwilioResponse" and error.find("RestException/Status").text == "404"
    answer = ask.get(f"/Recordings/RE{'0' * 32}.json")
    assert answer.json == {"code": 20404, "message": answer.json["message"], "status": 404,
                           "more_info": "https://www.twilio.com/docs/errors/20404"}


# Deleting

def test_a_delete_is_done_once_and_its_metadata_stays_forty_days(standin, ask, recording):
    sid = recording["sid"]
    bytes_before = standin.media(sid)
    answer = ask.delete(f"/Recordings/{sid}.json")
    assert (answer.status, answer.body) == (204, b"")
    again = ask.delete(f"/Recordings/{sid}.json")
    assert (again.status, again.code) == (404, 20404)
    assert ask.media(sid).status == 404 and ask.get(f"/Recordings/{sid}.json").status == 404

    def is_listed(query):
        return {row["sid"]: row["status"] for row in ask.rows("/Recordings.json?PageSize=1000" + query, "recordings")}.get(sid)

    assert is_listed("") is None and is_listed("&IncludeSoftDeleted=false") is None
    assert is_listed("&IncludeSoftDeleted=true") == "deleted"
    assert ask.get(f"/Recordings/{sid}.json?IncludeSoftDeleted=true").json["status"] == "deleted"
    truth, = standin.truth(sid)
    assert truth["deleted_by"] == "api" and truth["sha256"] == hashlib.sha256(bytes_before).hexdigest()
    assert standin.media(sid) == bytes_before
    standin.set_time(timedelta(days=41).total_seconds())
    assert is_listed("&IncludeSoftDeleted=true") is None
    assert ask.get(f"/Recordings/{sid}.json?IncludeSoftDeleted=true").status == 404


def test_a_delete_in_the_console_looks_the_same(standin, ask, recording):
    standin.console_delete(recording["sid"])
    assert ask.delete(f"/Recordings/{recording['sid']}.json").code == 20404
    assert standin.truth(recording["sid"])[0]["deleted_by"] == "console"
    with pytest.raises(StandInError):
        standin.console_delete(recording["sid"])


# The stand-in's own

def test_the_ledger_has_every_request_and_no_secret(standin, ask, recording):
    ask.get("/Calls.json?PageSize=1")
    ask.media(recording["sid"], headers={"Range": "bytes=0-9"})
    Asker(standin, standin.account, secret="wrong-secret").delete(f"/Recordings/{recording['sid']}.json")
    entries = standin.ledger()
    assert [(item["operation"], item["method"], item["status"], item["authorization"]) for item in entries] == [
        ("list-calls", "GET", 200, "token"), ("media", "GET", 206, "token"), ("delete-recording", "DELETE", 401, "wrong")]
    assert [item["seq"] for item in entries] == sorted({item["seq"] for item in entries})
    assert entries[1]["range"] == "bytes=0-9" and entries[1]["sid"] == recording["sid"] and entries[1]["body_bytes"] == 10
    assert all(item["end_time"] >= item["time"] and item["outcome"] == "complete" for item in entries)
    assert not {"wrong-secret", standin.account.auth_token} & set(re.findall(r"[\w-]+", str(entries)))
    assert [item["seq"] for item in standin.ledger(method="DELETE")] == [entries[2]["seq"]]
    assert standin.ledger(since=entries[1]["seq"]) == entries[2:]
    assert standin.counters()["by_operation"]["delete-recording"] >= 1


def test_state_outlives_the_process(tmp_path):
    with StandIn("small", state=tmp_path) as standin:
        sids = [row["sid"] for row in standin.truth(with_hash=False) if row["status"] == "completed"]
        ask = Asker(standin, standin.account)
        assert ask.delete(f"/Recordings/{sids[0]}.json").status == 204
        added = standin.add_recording(standin.add_call()["sid"], secs=4)["sid"]
        standin.set_status(added, "processing")
        before = standin.truth()
    with StandIn("small", state=tmp_path) as standin:
        assert standin.truth() == before
        assert Asker(standin, standin.account).get(f"/Recordings/{added}.json").json["status"] == "processing"
    with pytest.raises(StandInError, match="another scenario"):
        StandIn("small", seed=9, state=tmp_path).start()


def test_dates_are_moments_whatever_their_offset(standin, ask, recording):
    before = ask.get(f"/Recordings/{recording['sid']}.json").json
    standin.switch("date_offset", "+0200")
    after = ask.get(f"/Recordings/{recording['sid']}.json").json
    assert after["date_created"].endswith("12:15:01 +0200")
    for name in ("date_created", "date_updated", "start_time"):
        assert parsedate_to_datetime(after[name]) == parsedate_to_datetime(before[name])


def test_a_bulk_table_is_like_any_other():
    with StandIn("bulk:30000") as standin:
        ask = Asker(standin, standin.account)
        rows = ask.rows("/Recordings.json?PageSize=1000", "recordings")
        calls = {row["sid"]: row for row in ask.rows("/Calls.json?PageSize=1000", "calls")}
        assert len(rows) == len({row["sid"] for row in rows}) == len(calls) == 30000
        moments = [parsedate_to_datetime(row["date_created"]).timestamp() for row in rows]
        assert moments == sorted(moments, reverse=True)
        for row in rows[::3000]:
            assert ask.get(f"/Recordings/{row['sid']}.json").json == row
            assert ask.get(f"/Calls/{row['call_sid']}.json").json == calls[row["call_sid"]]
            assert ask.rows(f"/Recordings.json?CallSid={row['call_sid']}", "recordings") == [row]
            assert len(ask.media(row["sid"]).body) == standin.truth(row["sid"])[0]["size"]
        low, high = rows[20000]["date_created"], rows[10000]["date_created"]
        iso = [quote(parsedate_to_datetime(text).strftime("%Y-%m-%dT%H:%M:%SZ")) for text in (low, high)]
        part = ask.rows(f"/Recordings.json?PageSize=1000&DateCreated%3E={iso[0]}&DateCreated%3C={iso[1]}", "recordings")
        assert part == rows[10000:20001]
        # What is changed in it, and what is added to it
        first = ask.get("/Recordings.json?PageSize=1000").json
        for row in rows[500:520] + rows[1500:1520]:
            assert ask.delete(f"/Recordings/{row['sid']}.json").status == 204
        standin.set_status(rows[1600]["sid"], "processing")
        second = ask.raw("GET", first["next_page_uri"]).json["recordings"]
        assert [row["sid"] for row in second] == [row["sid"] for row in rows[1000:1500] + rows[1520:2020]]
        assert next(row for row in second if row["sid"] == rows[1600]["sid"])["status"] == "processing"
        added = standin.add_recording(standin.add_call()["sid"], secs=1)
        again = ask.rows("/Recordings.json?PageSize=1000", "recordings")
        assert len(again) == 30000 - 40 + 1 and again[0]["sid"] == added["sid"]
        with_deleted = ask.rows("/Recordings.json?PageSize=1000&IncludeSoftDeleted=true", "recordings")
        assert len(with_deleted) == 30001
        to = standin.account.numbers[0]["phone_number"]
        found = ask.rows(f"/Calls.json?PageSize=1000&To={quote(to)}&StartTime%3C={iso[1]}", "calls")
        moment = parsedate_to_datetime(high)
        assert {row["sid"] for row in found} == {
            sid for sid, row in calls.items() if row["to"] == to and parsedate_to_datetime(row["start_time"]) <= moment}
        assert ask.get(f"/Recordings/RE{'7' * 32}.json").status == 404
