"""A signed URL to a recording in the bucket: fetched by plain HTTP, refused when altered or expired, and never in a log."""

import re
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest
from test_attributes import get

from harness import error_of


def fetch(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
        return answer.status, answer.headers, answer.read()


def refused(url):
    with pytest.raises(urllib.error.HTTPError) as caught:
        fetch(url)
    return caught.value.code


def parameters(url):
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))


@pytest.fixture
def moved(acme):
    acme.migrate_all(acme.first.path, acme.voicemail.path)
    return acme


def test_the_url_gives_the_bytes_with_their_type_and_a_name_without_a_number(moved):
    recording = moved.first
    url = moved.tonic("url", recording.path).stdout.strip()
    status, headers, body = fetch(url)
    assert (status, body) == (200, recording.content)
    name = f'filename="{recording.call.start:%Y-%m-%d}_{recording.sid}.wav"'
    assert headers["Content-Type"] == "audio/wav"
    assert headers["Content-Disposition"] == f"inline; {name}"
    assert recording.call.from_.lstrip("+") not in url + str(headers)
    status, headers, body = fetch(url, Range="bytes=100-199")
    assert (status, body) == (206, recording.content[100:200])
    status, headers, body = fetch(moved.tonic("url", "--download", recording.path).stdout.strip())
    assert (headers["Content-Disposition"], body) == (f"attachment; {name}", recording.content)
    with moved.mount() as mount:
        assert fetch(mount.attr(recording.path, "url"))[1]["Content-Disposition"] == f"inline; {name}"


def test_an_altered_url_is_refused(moved):
    url = moved.tonic("url", moved.first.path).stdout.strip()
    assert refused(url.replace(moved.first.sid, moved.voicemail.sid)) == 403
    assert refused(url.replace("X-Amz-Expires=3600", "X-Amz-Expires=7200")) == 403
    assert refused(re.sub(r"filename%3D%22[^%]*", "filename%3D%22other.wav", url)) == 403
    assert fetch(url)[0] == 200


def test_a_url_ends_when_it_says(moved):
    moved.tonic("setting", "set", "url_expires_secs", "1")
    url = moved.tonic("url", moved.first.path).stdout.strip()
    assert parameters(url)["X-Amz-Expires"] == "1"
    time.sleep(2.5)
    assert refused(url) == 403


def test_how_long_is_for_the_user_to_say_up_to_seven_days(moved):
    for text, seconds in (("90", 5400), ("15m", 900), ("12h", 43200), ("7d", 604800)):
        url = moved.tonic.json("url", moved.first.sid, "--expires", text)["url"]
        assert parameters(url)["X-Amz-Expires"] == str(seconds)
    for text in ("0", "8d", "169h", "10081", "-1", "1w", "", "1.5h", "99999999999999999999d"):
        moved.tonic("url", moved.first.sid, "--expires", text, status=2)
    moved.tonic("setting", "set", "url_expires_secs", "604801", status=2)


def test_what_is_only_at_twilio_has_no_url(acme):
    assert "tonicfs migrate" in acme.tonic("url", acme.second.path, status=1).stderr
    acme.tonic("url", "acme/spring", status=1)
    with acme.mount() as mount:
        for path in (acme.second.path, "acme/spring", "acme/spring/calls.csv", "acme"):
            assert error_of(get, mount / path, "user.tonicfs.url") == "ENODATA"


def test_the_attribute_is_a_fresh_url_at_each_read_and_listed_nowhere(moved):
    with moved.mount(before=["-v"]) as mount:
        first = mount.attr(moved.first.path, "url")
        assert fetch(first)[2] == moved.first.content
        assert "user.tonicfs.url" not in mount.attrs(moved.first.path)
        time.sleep(1.1)
        assert mount.attr(moved.first.path, "url") != first
        mount.read(moved.first.path)
        assert "X-Amz-Signature" not in mount.log and parameters(first)["X-Amz-Signature"] not in mount.log
        assert error_of(set_url, mount / moved.first.path) == "EPERM"


def set_url(path):
    import os
    os.setxattr(path, "user.tonicfs.url", b"https://example.com/")


def test_a_read_only_mount_gives_urls_too(moved):
    with moved.mount("-o", "ro") as mount:
        assert fetch(mount.attr(moved.voicemail.path, "url"))[2] == moved.voicemail.content
