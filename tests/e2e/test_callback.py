"""Twilio's recording status callback: `tonicfs serve --listen`, `mount --listen`."""

import contextlib
import json
import signal
import socket
import subprocess
import time

import pytest
from callbacks import address_in, form_of, post, send, sign

from harness import PATIENCE, SANITIZER_REPORT, USER, wait_for
from world import Company


class Server:
    def __init__(self, process, address):
        self.process, self.address = process, address

    @property
    def log(self):
        return self.process.output.read_text(errors="replace")

    def kill(self):
        self.process.kill()
        self.process.wait(timeout=5)

    def stop(self):
        self.process.terminate()
        return self.process.wait(timeout=20 * PATIENCE)

    def connect(self, text=b""):
        host, port = self.address.rsplit(":", 1)
        connection = socket.create_connection((host, int(port)), timeout=10 * PATIENCE)
        connection.sendall(text)
        return connection


@contextlib.contextmanager
def serving(company, *options):
    process = company.tonic.start("-v", "serve", "--listen", "127.0.0.1:0", *options, stem="serve")
    server = None
    try:
        def ready():
            text = process.output.read_text()
            assert process.poll() is None, text
            return address_in(text)
        server = Server(process, wait_for(ready, 10, "the line that says where it listens"))
        yield server
        if process.poll() is None:
            assert server.stop() == 0, server.log
        assert not SANITIZER_REPORT.search(server.log), server.log
    except BaseException:
        print(process.output.read_text(errors="replace")[-8000:])
        raise
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(timeout=5)


@pytest.fixture
def company(empty):
    """Nothing is polled: what is found was found by a callback."""
    empty.set("migrate_new=on", "poll=off")
    return empty


def wait_migrated(company, recording):
    wait_for(lambda: recording.key in company.keys(), 20, "the object")
    wait_for(lambda: not company.twilio.is_there(recording), 20, "the delete at Twilio")
    assert company.s3.body(company.bucket, recording.key) == recording.content


def test_a_new_recording_is_migrated_at_once(company):
    with serving(company) as server:
        first = company.twilio.call_with_recording()
        voicemail = company.twilio.call_with_recording(channels=1, source="RecordVerb", from_="+15559990009")
        assert send(server.address, first) == 204
        assert send(server.address, voicemail) == 204
        wait_migrated(company, first)
        wait_migrated(company, voicemail)
        assert not [entry for entry in company.twilio.ledger() if entry["operation"].startswith("list")]
    # Its call came with it: its name and its place are right.
    with company.mount("-o", "ro") as mount:
        assert sorted(mount.files()) == sorted([first.path, voicemail.path])


def test_one_that_comes_twice_or_of_something_unknown_does_no_harm(company):
    recording = company.twilio.call_with_recording()
    with serving(company) as server:
        for _ in range(3):
            assert send(server.address, recording) == 204
        assert send(server.address, recording, RecordingSid="RE" + 32 * "0") == 204
        assert send(server.address, recording, RecordingStatus="in-progress") == 204
        wait_migrated(company, recording)
    assert len(company.twilio.deletes(recording)) == 1
    company.standin.clear_ledger()
    with serving(company) as server:  # neither this process nor the next one asks Twilio again
        for _ in range(3):
            assert send(server.address, recording) == 204
            assert send(server.address, recording, RecordingDuration="3") == 204
        later = company.twilio.call_with_recording(from_="+15559990008")
        assert send(server.address, later) == 204
        wait_migrated(company, later)
        assert not company.twilio.ledger(sid=recording.sid)
    assert sorted(company.keys()) == sorted([recording.key, later.key])


def test_what_is_not_there_yet_is_asked_for_again(company):
    twilio = company.twilio
    early = twilio.recording(twilio.call(), status="processing")
    hidden = twilio.call_with_recording(from_="+15559990007")
    twilio.switch("fail_fetch", 404, sid=hidden.call.sid, count=2)
    with serving(company) as server:
        assert send(server.address, early) == 204
        assert send(server.address, hidden) == 204
        wait_for(lambda: twilio.ledger(sid=early.sid), 10, "the first question")
        twilio.change(early, "completed", secs=2)
        wait_migrated(company, early)
        wait_migrated(company, hidden)
    with company.mount("-o", "ro") as mount:
        assert hidden.path in mount.files()  # a 404 has not cost it its place


def test_what_another_machine_removed_is_not_brought_back(acme):
    acme.set("keep_at_twilio=on")
    acme.tonic("migrate", acme.first.path, "--wait")
    acme.tonic("rm", acme.first.path)
    with acme.mount():
        wait_for(lambda: acme.tombstone(acme.first) in acme.keys("tonicfs/removed"), 15, "the tombstone")
    other = Company(acme.tonic.make_dir("second"), acme.standin, acme.accounts, acme.s3, acme.bucket)
    other.set("poll=off")
    acme.standin.clear_ledger()
    with serving(other) as server:
        assert send(server.address, acme.first) == 204
        assert send(server.address, acme.second) == 204
        wait_for(lambda: other.tonic.json("workspace", "show", "acme")["recordings"] == 1, 15, "the other recording")
        wait_for(lambda: acme.twilio.ledger(sid=acme.first.sid), 10, "the question about the removed one")
    with other.mount("-o", "ro") as mount:
        assert mount.files() == [acme.second.path]


def test_only_twilio_is_believed(company):
    recording = company.twilio.call_with_recording()
    fields, token = form_of(recording), recording.twilio.token
    with serving(company) as server:
        address = server.address
        url = f"http://{address}/twilio/recording"
        assert post(address, fields) == 403
        assert post(address, fields, signature="") == 403
        assert post(address, fields, token="0" * 32) == 403
        assert post(address, fields, token=company.accounts[1].auth_token) == 403
        assert post(address, fields, token=token, url=f"http://{address}/elsewhere") == 403
        assert post(address, fields[1:], token=token) == 403
        altered = [(name, "RE" + 32 * "1" if name == "RecordingSid" else value) for name, value in fields]
        assert post(address, altered, signature=sign(token, url, fields)) == 403
        unknown = [("AccountSid", "AC" + 32 * "e"), *fields[1:]]
        assert post(address, unknown, token=token) == 403
        assert post(address, [("AccountSid", recording.twilio.account.sid)], token=token) == 400
        assert post(address, fields, token=token, path="/") == 404
        assert post(address, fields, token=token, path="/twilio/recording/x") == 404
        assert post(address, fields, token=token, method="GET") == 405
        assert post(address, fields, token=token, method="PUT") == 405
        assert post(address, fields, token=token, headers={"Content-Type": "application/json"}) == 415
        log = server.log
        assert len([line for line in log.splitlines() if "refused" in line]) == 8
        time.sleep(0.3)
        assert not company.twilio.ledger()
        assert post(address, fields, token=token) == 204
        wait_migrated(company, recording)
        log = server.log
    for secret in (token, recording.call.sid, "+1555", sign(token, url, fields), "CallSid"):
        assert secret not in log


def test_bodies_have_a_limit(company):
    with serving(company) as server:
        head = b"POST /twilio/recording HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        for more, status in ((b"Content-Length: 65537\r\n\r\n", b"413"), (b"Content-Length: 99999999999\r\n\r\n", b"413"),
                             (b"Transfer-Encoding: chunked\r\n\r\n", b"411"),
                             (b"Content-Length: 65536\r\n\r\n" + 65536 * b"a", b"403")):
            with server.connect(head + more) as connection:
                assert connection.recv(100).startswith(b"HTTP/1.1 " + status)
        with server.connect(head + b"X: " + 100000 * b"a") as connection:
            answer = b""
            with contextlib.suppress(ConnectionError):
                answer = connection.recv(100)
            assert answer == b"" or answer.split()[1] in (b"413", b"431")


def test_behind_a_proxy_the_public_address_counts(company):
    recording = company.twilio.call_with_recording()
    fields, token = form_of(recording), recording.twilio.token
    with serving(company, "--public-url", "https://hooks.example.com/phone/done") as server:
        address = server.address
        assert post(address, fields, token=token) == 403
        assert post(address, fields, token=token, url="https://hooks.example.com/phone/done") == 204
        assert post(address, fields, token=token, url="https://hooks.example.com:443/phone/done") == 204
        assert post(address, fields, token=token, url="https://hooks.example.com/phone/done?a=1",
                    path="/twilio/recording?a=1") == 204
        assert post(address, fields, token=token, url="https://hooks.example.com/phone/done", path="/twilio/recording?a=1") == 403
    company.tonic("setting", "set", "callback_url", "https://hooks.example.com")
    with serving(company) as server:
        assert post(server.address, fields, token=token, url="https://hooks.example.com/twilio/recording") == 204
    company.tonic("setting", "set", "callback_url", "default")
    with serving(company) as server:  # a proxy that takes the TLS away and keeps the host
        assert post(server.address, fields, token=token, url=f"https://{server.address}/twilio/recording") == 204
        assert post(server.address, fields, token=token, url="https://hooks.example.com/twilio/recording",
                    headers={"Host": "hooks.example.com"}) == 204


def test_a_workspace_with_an_api_key_is_told_the_auth_token_too(company):
    account = company.twilio.account
    recording = company.twilio.call_with_recording()
    company.tonic("workspace", "set", "acme", f"api_key={account.api_key}", "--secret-file", "-", stdin=account.api_secret)
    assert company.tonic.json("workspace", "show", "acme")["callbacks"] is False
    with serving(company) as server:
        assert send(server.address, recording) == 403
        assert "workspace acme signs in with an API key" in server.log and "--auth-token-file" in server.log
        assert post(server.address, form_of(recording), token=account.api_secret) == 403
        company.tonic("workspace", "set", "acme", "--auth-token-file", "-", stdin=account.auth_token + "\n")
        assert company.tonic.json("workspace", "show", "acme")["callbacks"] is True
        assert send(server.address, recording) == 204
        wait_migrated(company, recording)
        assert {entry["authorization"] for entry in company.twilio.ledger()} == {"api-key"}


def test_what_a_lost_callback_missed_is_found_by_the_next_listing(company):
    with serving(company):
        recording = company.twilio.call_with_recording()
        company.set("poll=10s")
        wait_migrated(company, recording)


def test_slow_and_many_connections_do_not_stop_a_callback(company):
    recording = company.twilio.call_with_recording()
    head = b"POST /twilio/recording HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with serving(company) as server, contextlib.ExitStack() as stack:
        host, port = server.address.rsplit(":", 1)

        def connect(source, text):
            connection = stack.enter_context(socket.socket())
            connection.bind((source, 0))
            connection.settimeout(10)
            connection.connect((host, int(port)))
            with contextlib.suppress(ConnectionError):
                connection.sendall(text)
            return connection
        slow = connect("127.0.0.2", head)
        begun = time.monotonic()
        for number in range(400):  # silent ones, half a head, half a body; of the callback's own address: that of a proxy
            connect("127.0.0.1", (b"", head, head + b"Content-Length: 1000\r\n\r\na=")[number % 3])
        assert send(server.address, recording) == 204
        wait_migrated(company, recording)
        assert send(server.address, recording) == 204
        # A byte now and then does not keep a connection: not the oldest one, and not for ever.
        late = connect("127.0.0.3", head)
        slow.setblocking(False)

        def is_closed(connection):
            connection.setblocking(False)
            try:
                connection.send(b"X")
                return connection.recv(10) == b""
            except BlockingIOError:
                return False
            except ConnectionError:
                return True
        wait_for(lambda: is_closed(late), 15, "the end of a connection that only dribbles", step=0.5)
        assert is_closed(slow)
        assert time.monotonic() - begun >= 9


def test_what_was_answered_outlives_kill_9(company):
    recording = company.twilio.call_with_recording()
    company.twilio.switch("fail_fetch", 500)
    with serving(company) as server:
        assert send(server.address, recording) == 204
        server.kill()
    company.twilio.unswitch()
    with serving(company):
        wait_for(lambda: recording.key in company.keys(), 40, "the object")
        wait_migrated(company, recording)


def test_sigterm_ends_it_in_order(company):
    recordings = [company.twilio.call_with_recording() for _ in range(3)]
    with serving(company) as server:
        for recording in recordings:
            assert send(server.address, recording) == 204
        idle = server.connect(b"POST /twil")
        assert server.stop() == 0
        idle.close()
        assert "serve: ending" in server.log
    with serving(company):
        for recording in recordings:
            wait_migrated(company, recording)


def test_two_servers_work_on_one_catalog(company):
    with serving(company) as one, serving(company) as other:
        recordings = [company.twilio.call_with_recording(from_=f"+155599901{number:02}") for number in range(8)]
        for number, recording in enumerate(recordings):
            assert send((one, other)[number % 2].address, recording) == 204
        for recording in recordings:
            wait_migrated(company, recording)
    assert len(company.twilio.deletes()) == len(recordings)


def test_a_mount_takes_callbacks_too(company):
    with company.mount("--listen", "127.0.0.1:0") as mount:
        recording = company.twilio.call_with_recording()
        address = wait_for(lambda: address_in(mount.log), 10, "the address")
        assert send(address, recording) == 204
        wait_migrated(company, recording)
        wait_for(lambda: recording.path in mount.files(), 10, "the file")
        assert mount.read(recording.path) == recording.content


@pytest.mark.parametrize("words, status, said", [
    (("--listen", "nonsense"), 2, "'nonsense' is not an ADDRESS:PORT"),
    (("--listen", "127.0.0.1:70000"), 2, "is not an ADDRESS:PORT"),
    (("--listen", "::1:80"), 2, "is not an ADDRESS:PORT"),
    (("--listen", "127.0.0.1:0", "--public-url", "hooks.example.com"), 2, "http"),
    (("--public-url", "https://hooks.example.com"), 2, "--listen"),
    (("--listen", "192.0.2.1:8080"), 1, "192.0.2.1:8080: Cannot assign"),
])
def test_what_cannot_be_listened_on_is_said(tonic, words, status, said):
    tonic.init()
    result = tonic("serve", *words, status=status)
    assert said in result.stderr
    assert result.stdout == ""


def test_a_port_that_is_taken_is_said(tonic):
    tonic.init()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        result = tonic("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}", status=1)
        assert "Address already in use" in result.stderr


def test_the_ready_line_is_json_on_request_and_ipv6_is_an_address(tonic):
    tonic.init()
    process = subprocess.Popen([tonic.binary, "--json", "serve", "--listen", "[::1]:0"], stdout=subprocess.PIPE,
                               env=tonic.env, text=True, cwd="/", **USER.popen_args())
    try:
        text = ""
        while "}" not in text:
            text += process.stdout.readline()
        address = json.loads(text)["listening"]
        assert address.startswith("[::1]:")
        assert post(address, [], signature="x") == 403
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=20 * PATIENCE) == 0
        process.stdout.close()
