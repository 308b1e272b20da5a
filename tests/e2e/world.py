"""A small company: its calls at the stand-in, its workspace in a catalog, its bucket.

What a file must be called, where it must be, and what its object's key must be is worked out here again, from the
project's description and not by its code.
"""

import contextlib
import hashlib
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from harness import Tonic, wait_for

START = datetime(2026, 3, 1, 10, 15, 0, tzinfo=UTC)
SPRING, AUTUMN, NOBODYS = "+15550100001", "+15550100002", "+15550100099"
CAMPAIGNS = {"spring": SPRING, "autumn": AUTUMN}
PREFIX = "phone/"


class Call:
    def __init__(self, row, start, from_, to, direction, duration, parent):
        self.sid, self.start, self.from_, self.to = row["sid"], start, from_, to
        self.direction, self.duration, self.parent = direction, duration, parent

    @property
    def folder(self):
        tracking = self.from_ if self.direction.startswith("outbound") else self.to
        return {number: name for name, number in CAMPAIGNS.items()}.get(tracking, "unassigned")

    @property
    def party(self):
        other = self.to if self.direction.startswith("outbound") else self.from_
        if not re.search(r"[0-9]", other) or other in ("+266696687",):
            return "anonymous"
        return re.sub(r"[^A-Za-z0-9+._-]", "-", other)


class Recording:
    def __init__(self, twilio, row, call, channels, status, encrypted):
        self.twilio, self.row, self.call = twilio, row, call
        self.sid, self.channels, self.status, self.encrypted = row["sid"], channels, status, encrypted
        self.gone = False
        self._content = None

    @property
    def content(self):
        if self._content is None:
            self._content = self.twilio.standin.media(self.sid)
        return self._content

    @property
    def sha256(self):
        return hashlib.sha256(self.content).hexdigest()

    @property
    def is_voicemail(self):
        return self.row["source"] == "RecordVerb"

    @property
    def suffix(self):
        return ".wav.encrypted" if self.encrypted else ".wav"

    @property
    def folder(self):
        return self.call.folder

    @property
    def name(self):
        kind = ".voicemail" if self.is_voicemail else ""
        return f"{self.call.start:%Y-%m-%dT%H-%M-%SZ}_{self.call.party}_{self.sid}{kind}{self.suffix}"

    @property
    def path(self):
        return f"{self.twilio.workspace}/{self.folder}/{self.name}"

    @property
    def key(self):
        created = parsedate_to_datetime(self.row["date_created"]).astimezone(UTC)
        return f"{PREFIX}recordings/{self.twilio.account.sid}/{created:%Y/%m/%d}/{self.sid}{self.suffix}"


class Twilio:
    """One account at the stand-in, and what was put into it."""

    def __init__(self, standin, account, workspace):
        self.standin, self.account, self.workspace = standin, account, workspace
        self.calls, self.recordings = [], []
        self.number = 0
        self.is_synced = False

    @property
    def token(self):
        return self.account.auth_token

    def next_start(self):
        """Until the first sync a minute after the other on START's day, afterwards a few minutes ago."""
        self.number += 1
        if not self.is_synced:
            return START + timedelta(minutes=self.number)
        now = datetime.now(UTC).replace(microsecond=0)
        return now - timedelta(minutes=20) + timedelta(seconds=self.number)

    def call(self, *, to=SPRING, from_="+15559990001", start=None, duration=60, direction="inbound", status="completed",
             parent=None):
        start = start or self.next_start()
        row = self.standin.add_call(self.account.sid, to=to, from_=from_, direction=direction, status=status, start=start,
                                    duration=duration, parent_call_sid=parent.sid if parent else None)
        call = Call(row, start, from_, to, direction, duration, parent)
        self.calls.append(call)
        return call

    def recording(self, call, *, status="completed", duration=2, channels=2, source=None, encrypted=False, start=None,
                  **fields):
        row = self.standin.add_recording(call.sid if call else None, account_sid=self.account.sid, status=status,
                                         secs=duration, channels=channels, source=source, encrypted=encrypted, start=start,
                                         **fields)
        if call is None:
            call = Call({"sid": ""}, start, "", "", "inbound", duration, None)
        recording = Recording(self, row, call, channels, status, encrypted)
        self.recordings.append(recording)
        return recording

    def many(self, number, **call):
        return [self.call_with_recording(start=START + timedelta(minutes=minute), duration=1, **call) for minute in range(number)]

    def call_with_recording(self, *, duration=2, channels=2, source=None, **call):
        return self.recording(self.call(duration=duration, **call), duration=duration, channels=channels, source=source)

    def change(self, thing, status, **fields):
        self.standin.set_status(thing.sid, status, **fields)
        thing.status = status

    def delete(self, recording):
        assert recording.content is not None  # fetched now, to be compared with later
        recording.gone = True
        self.standin.console_delete(recording.sid)

    def files(self):
        return sorted((recording for recording in self.recordings
                       if recording.status == "completed" and not recording.gone), key=lambda item: item.path)

    def parent_calls(self):
        return [call for call in self.calls if not call.parent]

    def switch(self, name, value=True, **keywords):
        self.standin.switch(name, value, **keywords)

    def unswitch(self, *arguments):
        self.standin.unswitch(*arguments)

    def ledger(self, **keywords):
        return self.standin.ledger(**keywords)

    def deletes(self, recording=None):
        return [entry for entry in self.ledger(method="DELETE") if recording is None or entry["sid"] == recording.sid]

    def is_there(self, recording):
        return self.standin.truth(recording.sid, with_hash=False)[0]["deleted_at"] is None

    def stop(self):
        for recording in self.recordings:
            if recording.status == "completed":
                assert recording.content is not None  # fetched now: the stand-in is about to stop
        self.standin.stop()


@contextlib.contextmanager
def another_bucket(s3):
    name = s3.make_bucket()
    try:
        yield name
    finally:
        s3.remove_bucket(name)


class Company:
    """A user whose catalog has the workspace `acme`, with the campaigns spring and autumn, and a bucket of its own."""

    def __init__(self, folder, standin, accounts, s3, bucket, workspace="acme"):
        self.tonic, self.s3, self.bucket, self.workspace = Tonic(folder), s3, bucket, workspace
        self.standin, self.accounts = standin, accounts
        self.twilio = Twilio(standin, accounts[0], workspace)
        self.tonic.init()
        self.tonic.add_workspace(workspace, self.twilio.account, standin)
        for name, number in CAMPAIGNS.items():
            self.tonic("campaign", "add", workspace, name, "--number", number)
        self.tonic.set_storage(workspace, s3, bucket, "--prefix", PREFIX)

    def fill(self):
        """Nine recordings of every ordinary kind, and a call without one."""
        twilio = self.twilio
        self.first = twilio.call_with_recording(duration=3)
        self.second = twilio.call_with_recording(from_="+15559990002", duration=2)
        self.long = twilio.call_with_recording(from_="+15559990003", duration=45)
        self.voicemail = twilio.call_with_recording(from_="+15559990004", channels=1, source="RecordVerb", duration=4)
        self.outbound = twilio.call_with_recording(from_=SPRING, to="+15559990005", direction="outbound-api")
        self.unrecorded = twilio.call(from_="+15559990006")
        self.autumn = [twilio.call_with_recording(to=AUTUMN, from_=f"+1555999001{digit}") for digit in range(2)]
        # Dual in the store, mono in the resource and in what a bare GET gives: the downmix trap.
        self.downmix = twilio.recording(twilio.call(to=AUTUMN, from_="+15559990020"), channels=2, requested_channels=1)
        self.stray = twilio.call_with_recording(to=NOBODYS, from_="+15559990030")
        self.tonic("sync")
        twilio.is_synced = True
        return self

    def add_workspace(self, name):
        """A second workspace, of the stand-in's second account."""
        other = Twilio(self.standin, self.accounts[1], name)
        self.tonic.add_workspace(name, other.account, self.standin)
        return other

    def mount(self, *options, **keywords):
        return self.tonic.mount(*options, **keywords)

    def set(self, *settings):
        self.tonic("workspace", "set", "acme", *settings)

    def migrate_all(self, *paths, status=0):
        """Migrates, waits for the end, and for Twilio's deletes."""
        result = self.tonic("migrate", *(paths or ["acme"]), "--wait", status=status, timeout=60)
        if status == 0:
            self.wait_cleanup()
        return result

    def status(self):
        workspace, = self.tonic.json("status", self.workspace)["workspaces"]
        return workspace

    def wait_cleanup(self):
        if self.status()["twilio_deletes_queued"]:
            with self.mount():
                wait_for(lambda: self.status()["twilio_deletes_queued"] == 0, 20, "Twilio's deletes", step=0.2)

    def wait_deleted_at_twilio(self, *recordings):
        wait_for(lambda: not any(self.twilio.is_there(recording) for recording in recordings), 15, "the delete at Twilio")

    def keys(self, kind="recordings"):
        return self.s3.keys(self.bucket, f"{PREFIX}{kind}/")

    def tombstone(self, recording):
        return f"{PREFIX}tonicfs/removed/{recording.sid}"
