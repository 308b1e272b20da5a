"""Twilio's callback for a completed recording: a signed POST. Signed here independently of the project's code."""

import base64
import hashlib
import hmac
import http.client
import re
from urllib.parse import urlencode

PATH = "/twilio/recording"


def sign(token, url, fields):
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def form_of(recording, **changed):
    """The fields of the callback of a recording of world.Twilio."""
    twilio = recording.twilio
    fields = {"AccountSid": twilio.account.sid, "CallSid": recording.call.sid, "RecordingSid": recording.sid,
              "RecordingUrl": f"https://api.twilio.com/2010-04-01/Accounts/{twilio.account.sid}/Recordings/{recording.sid}",
              "RecordingStatus": "completed", "RecordingDuration": "2", "RecordingChannels": str(recording.channels),
              "RecordingStartTime": "Sun, 01 Mar 2026 10:15:00 +0000", "RecordingSource": "DialVerb"}
    fields.update(changed)
    return list(fields.items())


def post(address, fields, *, token=None, url=None, signature=None, path=PATH, method="POST", headers=(), timeout=10):
    """The answer's status. Signed with the token, for the address asked unless a url is given; or with a signature as it is."""
    if token is not None:
        signature = sign(token, url or f"http://{address}{path}", fields)
    connection = http.client.HTTPConnection(address, timeout=timeout)
    try:
        sent = {"Content-Type": "application/x-www-form-urlencoded; charset=UTF-8", **dict(headers)}
        if signature is not None:
            sent["X-Twilio-Signature"] = signature
        connection.request(method, path, urlencode(fields), sent)
        answer = connection.getresponse()
        assert answer.read() == b""
        return answer.status
    finally:
        connection.close()


def send(address, recording, **changed):
    return post(address, form_of(recording, **changed), token=recording.twilio.token)


def address_in(text):
    found = re.search(r"listening on (\S+)", text)
    return found and found[1]
