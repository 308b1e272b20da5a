"""storage set, test, enable, disable, policy: on a real server, with the messages that a user reads."""

import datetime
import json
import os
import re
import signal
import ssl
import subprocess
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from harness import PATIENCE, USER, Background, call, error_of, read_all, sha256_of, sqlcipher, wait_for
from wire import Wire, error, page
from world import PREFIX, SPRING

OURS = ["http://localhost:*", "http://127.0.0.1:*"]


@pytest.fixture
def user(tonic, s3, bucket):
    """A workspace whose bucket is set and has not been tested."""
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    tonic.s3, tonic.bucket = s3, bucket
    tonic("storage", "set", "acme", "--bucket", bucket, "--region", s3.region, "--access-key", s3.access_key,
          "--endpoint", s3.endpoint, "--path-style", "--prefix", PREFIX, "--secret-file", "-", stdin=s3.secret_key + "\n")
    return tonic


def move(tonic, *options):
    """To another host, which wants the secret key again."""
    tonic("storage", "set", "acme", *options, "--secret-file", "-", stdin=tonic.s3.secret_key + "\n")


def checks_of(tonic, *options, status=0, env=None):
    result = tonic("--json", "storage", "test", "acme", *options, status=status, env=env)
    found = {check["check"]: check for check in result.json["checks"]}
    assert result.json["passed"] is (status == 0)
    return found


def failed(tonic, *options, env=None):
    """The one check that fails."""
    bad = [check for check in checks_of(tonic, *options, status=1, env=env).values() if check["result"] == "failed"]
    assert len(bad) == 1, bad
    return bad[0]


def is_enabled(tonic):
    return tonic.json("storage", "show", "acme")["enabled"]


# Enabling

def test_a_bucket_is_enabled_by_its_test_and_not_before(user):
    assert "storage test" in user("storage", "enable", "acme", status=1).stderr
    assert not is_enabled(user)
    shown = user("storage", "test", "acme").stdout
    assert "✗" not in shown and shown.count("✓") >= 10
    assert is_enabled(user)


def test_changed_settings_wait_for_another_test_and_the_same_ones_do_not(user):
    user("storage", "test", "acme")
    user("storage", "set", "acme", "--bucket", user.bucket, "--secret-file", "-", stdin=user.s3.secret_key + "\n")
    assert is_enabled(user)
    user("storage", "set", "acme", "--secret-file", "-", stdin="another\n")
    assert not is_enabled(user)
    assert failed(user)["check"] == "signature"
    assert not is_enabled(user)


def test_a_test_does_not_enable_what_was_disabled_on_purpose(user):
    user("storage", "test", "acme")
    user("storage", "disable", "acme")
    assert "storage enable" in user("storage", "test", "acme").stdout
    assert not is_enabled(user)
    user("storage", "enable", "acme")
    assert is_enabled(user)


def test_a_disabled_bucket_stays_readable_and_gets_nothing_more(acme):
    acme.migrate_all(acme.first.path)
    acme.tonic("storage", "disable", "acme")
    with acme.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256
    assert acme.tonic("migrate", acme.second.path, "--wait", status=None).status != 0
    assert acme.keys() == [acme.first.key]
    acme.tonic("storage", "enable", "acme", "--untested")
    acme.migrate_all(acme.second.path)
    assert sorted(acme.keys()) == sorted([acme.first.key, acme.second.key])


# What the test does to the bucket

def test_no_request_deletes_a_bucket_and_nothing_of_others_is_touched(user):
    client = user.s3.client
    client.put_object(Bucket=user.bucket, Key=PREFIX + "tonicfs/test/somebody-elses", Body=b"mine")
    with Wire(user.s3.endpoint) as wire:
        move(user, "--endpoint", wire.endpoint)
        user("storage", "test", "acme")
        user("storage", "set", "acme", "--bucket", "tonicfs-not-there")
        user("storage", "test", "acme", status=1)
    deletes = [line for line in wire.lines if line.startswith("DELETE")]
    assert deletes
    for line in deletes:
        assert re.fullmatch(rf"DELETE /{user.bucket}/{PREFIX}tonicfs/test/[0-9a-f]{{32}}(\?uploadId=.+)?", line), line
    assert user.s3.keys(user.bucket) == [PREFIX + "tonicfs/test/somebody-elses"]


def test_what_the_test_wrote_is_gone_on_a_versioned_bucket_too(user):
    user.s3.client.put_bucket_versioning(Bucket=user.bucket, VersioningConfiguration={"Status": "Enabled"})
    assert "on" in checks_of(user)["versioning"]["text"]
    found = user.s3.client.list_object_versions(Bucket=user.bucket)
    assert not found.get("Versions") and not found.get("DeleteMarkers")


def test_an_object_lock_is_noted(user):
    name = user.bucket + "-lock"
    user.s3.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    user("storage", "set", "acme", "--bucket", name)
    assert checks_of(user)["object lock"]["text"].startswith("on")
    user.s3.client.delete_bucket(Bucket=name)


# CORS

def rules(user):
    return user.s3.client.get_bucket_cors(Bucket=user.bucket)["CORSRules"]


@pytest.mark.needs("cors")
def test_the_cors_rule_is_added_to_those_that_are_there(user):
    theirs = [{"ID": "upload & more", "AllowedMethods": ["PUT", "POST"], "AllowedOrigins": ["https://a.example"],
               "AllowedHeaders": ["*"], "ExposeHeaders": ["ETag"], "MaxAgeSeconds": 7},
              {"AllowedMethods": ["DELETE"], "AllowedOrigins": ["https://b.example"]}]
    user.s3.client.put_bucket_cors(Bucket=user.bucket, CORSConfiguration={"CORSRules": theirs})
    theirs = rules(user)
    assert "would" in checks_of(user, "--dry-run")["browser playback"]["text"]
    assert rules(user) == theirs and not is_enabled(user)
    assert OURS[0] in checks_of(user)["browser playback"]["text"]
    assert rules(user)[:2] == theirs
    assert set(rules(user)[2]["AllowedOrigins"]) == set(OURS)
    before = rules(user)
    checks_of(user)
    assert rules(user) == before


@pytest.mark.needs("cors")
def test_origins_are_kept_as_a_setting_and_our_rule_is_replaced(user):
    checks_of(user)
    checks_of(user, "--origin", "https://app.example.com", "--origin", "https://*.example.org")
    wanted = ["https://app.example.com", "https://*.example.org"]
    assert user.json("storage", "show", "acme")["origins"] == wanted
    rule, = rules(user)
    assert set(rule["AllowedOrigins"]) == set(wanted)
    checks_of(user)
    assert rules(user) == [rule]


@pytest.mark.needs("cors")
def test_without_cors_the_rules_are_not_even_read(user):
    with Wire(user.s3.endpoint, lambda _: None) as wire:
        user("storage", "set", "acme", "--endpoint", wire.endpoint, "--secret-file", "-", stdin=user.s3.secret_key + "\n")
        said = user("storage", "test", "acme").stdout
        assert said.index("--no-cors") < said.index("✓") and OURS[0] in said[:said.index("✓")]
        assert [line for line in wire.lines if line.startswith("PUT") and "?cors" in line]
        user.s3.client.delete_bucket_cors(Bucket=user.bucket)
        wire.requests.clear()
        said = user("storage", "test", "acme", "--no-cors").stdout
        assert "will let pages" not in said and not [line for line in wire.lines if "?cors" in line]
        user("storage", "test", "acme")  # the setting stays, until another origin is named
        assert not [line for line in wire.lines if "?cors" in line]
        assert user.json("storage", "show", "acme")["origins"] == []
        assert not {"s3:GetBucketCORS", "s3:PutBucketCORS"} & actions_of(user.json("storage", "policy", "acme"))
        user("storage", "test", "acme", "--no-cors", "--origin", "https://a.example", status=2)
        result = user("--json", "storage", "test", "acme", "--origin", "https://a.example")
        assert "pages of https://a.example" in result.stderr and result.json["cors_changed"]
        assert rules(user)[0]["AllowedOrigins"] == ["https://a.example"]


@pytest.mark.needs("cors")
def test_the_server_obeys_the_rule(user):
    user.s3.client.put_object(Bucket=user.bucket, Key="k", Body=b"x")
    url = user.s3.client.generate_presigned_url("get_object", {"Bucket": user.bucket, "Key": "k"})

    def allowed():
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Origin": "http://localhost:5173"}), timeout=10) as answer:
            return answer.headers["Access-Control-Allow-Origin"]
    assert not allowed()
    checks_of(user)
    assert allowed()


@pytest.mark.parametrize("origin", ["nonsense", "https://a.example/path", "ftp://a.example", "https://*.*", "https://a b"])
def test_an_origin_that_is_none_is_wrong_usage(user, origin):
    user("storage", "test", "acme", "--origin", origin, status=2)


def test_a_server_without_a_cors_setting_passes_where_it_allows_the_origin_by_itself(user):
    allowing = "Access-Control-Allow-Origin: *"

    def answer(line, allows=True):
        if "?cors" in line:
            return error(501, "NotImplemented")
        if line.startswith("OPTIONS"):
            return page(200, "", "text/plain", *[allowing] * allows)
        return None
    with Wire(user.s3.endpoint, answer) as wire:
        move(user, "--endpoint", wire.endpoint)
        assert checks_of(user)["browser playback"]["result"] == "passed"
        wire.answer = lambda line: answer(line, False)
        check = checks_of(user)["browser playback"]
        assert check["result"] == "noted" and "not possible" in check["text"]
    assert sum("?cors" in line for line in wire.lines) == 2


# Messages

def test_a_missing_bucket_is_named(user):
    user("storage", "set", "acme", "--bucket", "tonicfs-not-there")
    check = failed(user)
    assert check["check"] == "bucket" and "'tonicfs-not-there'" in check["text"] and "--bucket" in check["remedy"]


def test_a_wrong_access_key_and_a_wrong_secret_are_told_apart(user):
    user("storage", "set", "acme", "--secret-file", "-", stdin="wrong\n")
    check = failed(user)
    assert check["check"] == "signature" and "secret" in check["text"] and "--secret-file" in check["remedy"]
    assert "wrong" not in check["text"]
    user("storage", "set", "acme", "--access-key", "AKWRONG", "--secret-file", "-", stdin="wrong\n")
    check = failed(user)
    assert check["check"] == "signature" and "AKWRONG" in check["text"] and "--access-key" in check["remedy"]


@pytest.mark.parametrize("answer", [
    page(301, "<Error><Code>PermanentRedirect</Code></Error>", "application/xml", "x-amz-bucket-region: eu-west-3"),
    error(400, "AuthorizationHeaderMalformed", "<Region>eu-west-3</Region>"),
])
def test_a_wrong_region_is_told_with_the_right_one(user, answer):
    """As AWS says it; RADOS Gateway takes every region."""
    with Wire(user.s3.endpoint, lambda _: answer) as wire:
        move(user, "--endpoint", wire.endpoint)
        check = failed(user)
    assert check["check"] == "region" and "eu-west-3" in check["text"]
    assert "storage set acme --region eu-west-3" in check["remedy"]


@pytest.mark.parametrize("code", ["ExpiredToken", "TokenRefreshRequired"])
def test_an_expired_session_is_told(user, code):
    def answer(line):
        return error(400 if code == "ExpiredToken" else 403, code) if "list-type" in line and len(wire.requests) > 1 else None
    with Wire(user.s3.endpoint, answer) as wire:
        move(user, "--endpoint", wire.endpoint)
        check = failed(user)
    assert check["check"] == "signature" and "expired" in check["text"] and check["remedy"]


def test_a_public_bucket_is_refused(user):
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{user.bucket}/*"}]}
    user.s3.client.put_bucket_policy(Bucket=user.bucket, Policy=json.dumps(policy))
    check = failed(user)
    assert check["check"] == "not public" and "without a key" in check["text"] and "public access" in check["remedy"]
    assert not is_enabled(user)


def test_a_web_page_is_not_taken_for_s3(user):
    with Wire(user.s3.endpoint, lambda _: page(200, "<!DOCTYPE html><title>Welcome</title>", "text/html")) as wire:
        move(user, "--endpoint", wire.endpoint)
        check = failed(user)
    assert check["check"] == "endpoint" and "web page" in check["text"] and "--endpoint" in check["remedy"]
    assert len(wire.requests) == 1


def test_nobody_at_the_endpoint(user):
    move(user, "--endpoint", "http://127.0.0.1:9")
    check = failed(user)
    assert check["check"] == "endpoint" and "127.0.0.1:9" in check["text"] and check["remedy"]


def test_a_clock_that_is_too_far_off_is_told(user):
    then = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    late = page(403, "<Error><Code>AccessDenied</Code></Error>", "application/xml", f"Date: {then:%a, %d %b %Y %H:%M:%S} GMT")
    with Wire(user.s3.endpoint, lambda _: late) as wire:
        move(user, "--endpoint", wire.endpoint)
        check = failed(user)
    assert check["check"] == "clock" and "ahead" in check["text"] and "clock" in check["remedy"]


@pytest.fixture
def tls(folder):
    """A server with a certificate that nobody knows."""
    key, cert = folder / "tls.key", folder / "tls.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key,
                    "-out", cert, "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
                   check=True, capture_output=True, timeout=30)
    USER.own(cert)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            page = b"<Error><Code>InvalidAccessKeyId</Code></Error>"
            self.send_response(403)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", len(page))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, *_):
            pass
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}", cert
    server.shutdown()
    server.server_close()


def test_a_bad_certificate_is_told_and_trusted_by_its_file(user, tls):
    endpoint, cert = tls
    move(user, "--endpoint", endpoint)
    check = failed(user)
    assert check["check"] == "endpoint" and "certificate" in check["text"] and "--ca-file" in check["remedy"]
    user("storage", "set", "acme", "--ca-file", cert)
    checks = checks_of(user, status=1)
    assert checks["endpoint"]["result"] == "passed" and checks["signature"]["result"] == "failed"


# Encryption

@pytest.mark.needs("encryption_ignored")
def test_a_server_that_ignores_the_encryption_header_is_named(user):
    user("storage", "set", "acme", "--encryption", "sse-s3")
    check = checks_of(user)["encryption"]
    assert check["result"] == "noted" and "NOT encrypted" in check["text"]
    user("storage", "set", "acme", "--require-encryption")
    check = failed(user)
    assert check["check"] == "encryption" and "does not encrypt" in check["text"]
    assert not is_enabled(user)


@pytest.mark.needs("encryption_ignored", "testing_key")
def test_nothing_is_moved_to_a_server_that_ignores_a_required_encryption(acme):
    """Neither where its test says so, nor where nobody has tested it."""
    acme.tonic.change_storage("acme", "--encryption", "sse-s3", "--require-encryption")
    assert "encrypt" in acme.migrate_all(acme.first.path, status=3).stderr
    assert not acme.keys() and not acme.twilio.deletes()
    acme.tonic.change_storage("acme", "--encryption", "sse-kms:testkey-1")
    checks_of(acme.tonic)
    acme.migrate_all(acme.second.path)
    assert acme.keys() == [acme.second.key]
    assert acme.s3.client.head_object(Bucket=acme.bucket, Key=acme.second.key)["ServerSideEncryption"] == "aws:kms"


@pytest.mark.needs("encryption_ignored")
def test_a_server_that_stops_encrypting_moves_nothing_and_what_it_stored_is_named(acme):
    acme.tonic.change_storage("acme", "--encryption", "sse-s3", "--require-encryption")
    call(sqlcipher, acme.tonic.catalog, acme.tonic.key_file.read_text().strip(),
         "UPDATE storage SET tested_encryption = 'AES256'")  # as if a test had seen it
    result = acme.migrate_all(acme.first.path, status=3)
    assert "not encrypted" in result.stderr and "--retry" in result.stderr and acme.first.key in result.stderr
    assert acme.keys() == [acme.first.key] and not acme.twilio.deletes()
    assert acme.status()["states"]["twilio"] == len(acme.twilio.files())


@pytest.mark.needs("testing_key")
def test_a_kms_key_is_confirmed_and_one_that_may_not_be_used_is_named(user):
    user("storage", "set", "acme", "--encryption", "sse-kms:testkey-1", "--require-encryption")
    check = checks_of(user)["encryption"]
    assert check["result"] == "passed" and "testkey-1" in check["text"]
    user("storage", "set", "acme", "--encryption", "sse-kms:not-there")
    check = failed(user)
    assert "KMS key" in check["text"] and "not-there" in check["text"] and "sse-kms" in check["remedy"]


def test_a_kms_denial_of_aws_is_named(user):
    def answer(line):
        return error(403, "KMS.DisabledException") if line.startswith("PUT") and "?" not in line else None
    with Wire(user.s3.endpoint, answer) as wire:
        move(user, "--endpoint", wire.endpoint, "--encryption", "sse-kms:k")
        check = failed(user)
    assert "KMS key" in check["text"] and "kms:GenerateDataKey" in check["remedy"]


@pytest.mark.needs("policies", "testing_key")
def test_a_bucket_whose_policy_demands_the_header_works_with_it(acme):
    """For single objects: the gateway does not see the header of an upload in parts."""
    policy = {"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{acme.bucket}/{PREFIX}recordings/*",
        "Condition": {"Null": {"s3:x-amz-server-side-encryption": "true"}}}]}
    acme.s3.client.put_bucket_policy(Bucket=acme.bucket, Policy=json.dumps(policy))
    acme.migrate_all(acme.first.path, status=3)
    assert not acme.keys()
    acme.tonic("storage", "set", "acme", "--encryption", "sse-kms:testkey-1")
    checks_of(acme.tonic)
    acme.migrate_all(acme.first.path)
    assert acme.keys() == [acme.first.key]


def test_a_server_that_cannot_encrypt_at_all_is_named(user):
    """As MinIO answers without a KMS."""
    def answer(line):
        return error(501, "NotImplemented", "<Resource>KMS</Resource>") if line.startswith("PUT") and "?" not in line else None
    with Wire(user.s3.endpoint, answer) as wire:
        move(user, "--endpoint", wire.endpoint, "--encryption", "sse-s3")
        check = failed(user)
    assert "cannot encrypt" in check["text"] and "--encryption none" in check["remedy"]


# The policy

def actions_of(policy):
    return {action for statement in policy["Statement"] for action in statement["Action"]}


def test_the_policy_is_json_with_the_bucket_and_prefix_in_place(user):
    result = user("storage", "policy", "acme")
    policy = json.loads(result.stdout)
    assert "create-user" in result.stderr
    assert f"arn:aws:s3:::{user.bucket}/{PREFIX}recordings/*" in result.stdout
    assert actions_of(policy) == {
        "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:GetBucketCORS", "s3:PutBucketCORS",
        "s3:AbortMultipartUpload", "s3:ListBucketMultipartUploads"}


def test_the_policy_has_more_only_where_it_is_switched_on(user):
    plain = actions_of(user.json("storage", "policy", "acme"))
    user("workspace", "set", "acme", "delete_s3=on")
    assert actions_of(user.json("storage", "policy", "acme")) - plain == {"s3:DeleteObjectVersion", "s3:ListBucketVersions"}
    user("workspace", "set", "acme", "delete_s3=off")
    user("storage", "set", "acme", "--storage-class", "GLACIER")
    assert actions_of(user.json("storage", "policy", "acme")) - plain == {"s3:RestoreObject"}
    user("storage", "set", "acme", "--storage-class", "", "--encryption", "sse-kms:1234")
    policy = user.json("storage", "policy", "acme")
    assert actions_of(policy) - plain == {"kms:GenerateDataKey", "kms:Decrypt"}
    resource, = policy["Statement"][-1]["Resource"]
    assert resource.endswith(":key/1234") and "kms:ViaService" in str(policy["Statement"][-1]["Condition"])
    user("storage", "set", "acme", "--encryption", "none")
    assert {"s3:PutLifecycleConfiguration", "s3:RestoreObject"} <= actions_of(user.json("storage", "policy", "acme", "--lifecycle"))


def test_the_policy_names_what_object_lock_takes(user):
    plain = actions_of(user.json("storage", "policy", "acme"))
    assert actions_of(user.json("storage", "policy", "acme", "--object-lock")) - plain == {
        "s3:GetObjectRetention", "s3:GetObjectLegalHold", "s3:GetBucketObjectLockConfiguration"}


def restrict(tonic, s3, bucket, without=None, policy=None):
    """A user of his own, who may do what `storage policy` prints, but for one action. A bucket's policy has no key in it."""
    policy = policy or tonic.json("storage", "policy", "acme")
    policy["Statement"] = [statement for statement in policy["Statement"] if statement["Sid"] != "TonicfsKey"]
    name, access_key, secret_key = s3.make_user()
    for statement in policy["Statement"]:
        statement["Principal"] = {"AWS": [f"arn:aws:iam:::user/{name}"]}
    if without:  # denied, for the gateway lets the owner of an object read it in any case
        policy["Statement"].append({"Effect": "Deny", "Principal": policy["Statement"][0]["Principal"], "Action": without,
                                    "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
    s3.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    tonic("storage", "set", "acme", "--access-key", access_key, "--secret-file", "-", stdin=secret_key + "\n")


@pytest.mark.needs("users")
@pytest.mark.parametrize("action", [
    "s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket", "s3:ListBucketMultipartUploads",
    "s3:AbortMultipartUpload", "s3:GetBucketCORS", "s3:PutBucketCORS"])
def test_each_missing_permission_is_named(user, action):
    restrict(user, user.s3, user.bucket, without=action)
    bad = [check for check in checks_of(user, status=1).values() if check["result"] == "failed"]
    assert [check["check"].lower() for check in bad] == [action.lower()], bad
    assert action.lower() in bad[0]["text"].lower() and "storage policy acme" in bad[0]["remedy"]


# The documents of all combinations are compared in a unit test.
SETTINGS = {
    "plain": {},
    "all": {"delete": True, "no_cors": True, "encryption": "sse-kms:testkey-1", "prefix": "", "versioned": True, "lifecycle": True},
    "delete": {"delete": True, "encryption": "sse-s3", "prefix": ""},
    "versions": {"delete": True, "versioned": True},
    "tombstones": {"no_cors": True, "encryption": "sse-s3", "versioned": True, "lifecycle": True},
    "key": {"encryption": "sse-kms:testkey-1", "lifecycle": True},
}


@pytest.mark.needs("users", "testing_key")
@pytest.mark.parametrize("name", SETTINGS)
def test_the_policy_is_enough_for_everything(acme, name):
    """A user who has nothing else: testing, moving (long ones in parts), reading, what is missing, removing, tombstones."""
    settings = SETTINGS[name]
    prefix, is_versioned, is_deleting = settings.get("prefix", PREFIX), settings.get("versioned"), settings.get("delete")
    policy = ["storage", "policy", "acme", *["--no-cors"] * settings.get("no_cors", False),
              *["--lifecycle"] * settings.get("lifecycle", False)]

    def keys(kind="recordings"):
        return acme.s3.keys(acme.bucket, f"{prefix}{kind}/")

    def key_of(recording):
        return prefix + recording.key.removeprefix(PREFIX)

    def versions_of(recording):
        found = acme.s3.client.list_object_versions(Bucket=acme.bucket, Prefix=key_of(recording))
        return [*found.get("Versions", []), *found.get("DeleteMarkers", [])]
    if is_versioned:
        acme.s3.client.put_bucket_versioning(Bucket=acme.bucket, VersioningConfiguration={"Status": "Enabled"})
    acme.set(f"delete_s3={'on' if is_deleting else 'off'}", "keep_at_twilio=on")
    acme.tonic("storage", "set", "acme", "--prefix", prefix, "--encryption", settings.get("encryption", "none"))
    long, lost = acme.twilio.call_with_recording(from_="+15559990040", duration=600), acme.autumn[0]
    acme.tonic("sync")
    restrict(acme.tonic, acme.s3, acme.bucket, policy=acme.tonic.json(*policy))
    playback = checks_of(acme.tonic, *["--no-cors"] * settings.get("no_cors", False))["browser playback"]
    assert playback["result"] == ("noted" if settings.get("no_cors") else "passed")
    assert actions_of(acme.tonic.json(*policy)) == actions_of(acme.tonic.json(*[word for word in policy if word != "--no-cors"]))
    acme.migrate_all()
    assert sorted(keys()) == sorted(key_of(recording) for recording in acme.twilio.files())
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=key_of(acme.second))
    with acme.mount() as mount:
        assert mount.sha256(long.path) == long.sha256
        assert mount.sha256(acme.second.path) == acme.second.sha256  # from Twilio
        acme.set("keep_at_twilio=off")
        acme.tonic("rm", acme.first.path)
        wait_for(lambda: not any(acme.status()[kind] for kind in ("deletes_queued", "twilio_deletes_queued", "tombstones_queued")),
                 20, "the deletes and the tombstone")
        # What is nowhere is no matter of permissions.
        acme.s3.client.delete_object(Bucket=acme.bucket, Key=key_of(lost))
        assert error_of(sha256_of, mount / lost.path) == "EIO"
    assert bool(versions_of(acme.first)) != is_deleting
    assert keys("tonicfs/removed") == [f"{prefix}tonicfs/removed/{acme.first.sid}"]
    if settings.get("lifecycle"):
        acme.tonic("storage", "lifecycle", "set", "acme", "--glacier-ir", "90")
        acme.tonic("storage", "lifecycle", "remove", "acme")
    acme.tonic("sync")
    assert not [item for item in acme.status()["problems"] if acme.first.sid in str(item)]
    found = acme.tonic("--json", "verify", "acme", status=None).json
    assert all("403" not in finding["note"] and finding["kind"] != "undecided" for finding in found["findings"])
    assert lost.sid in [finding["recording_sid"] for finding in found["findings"]]


@pytest.mark.needs("users")
def test_what_is_switched_on_later_is_named_by_what_it_lacks_and_works_with_its_policy(acme):
    acme.migrate_all(acme.first.path)
    restrict(acme.tonic, acme.s3, acme.bucket)
    acme.tonic("storage", "enable", "acme", "--untested")
    said = acme.tonic("storage", "lifecycle", "set", "acme", "--glacier-ir", "90", status=1).stderr
    assert "storage policy acme --lifecycle" in said
    assert acme.tonic.json("cost", "acme")["workspaces"][0]["lifecycle_is_set"] is False
    acme.tonic("verify")
    acme.tonic("sync")
    url = acme.tonic("url", acme.first.path).stdout.strip()
    with urllib.request.urlopen(url, timeout=20) as answer:
        assert answer.read() == acme.first.content
    restrict(acme.tonic, acme.s3, acme.bucket, policy=acme.tonic.json("storage", "policy", "acme", "--lifecycle"))
    acme.tonic("storage", "enable", "acme", "--untested")
    acme.tonic("storage", "lifecycle", "set", "acme", "--glacier-ir", "90")
    assert acme.tonic.json("cost", "acme")["workspaces"][0]["lifecycle_is_set"] is True
    acme.tonic("storage", "lifecycle", "remove", "acme")


# Keys from elsewhere

def elsewhere(user, credentials, **variables):
    """A user who gives no keys; his program's environment."""
    user("storage", "set", "acme", "--credentials", credentials)
    shown = user.json("storage", "show", "acme")
    assert (shown["credentials"], shown["access_key"]) == (credentials, "")
    return {**user.env, "AWS_EC2_METADATA_DISABLED": "true", **{name: str(value) for name, value in variables.items()}}


def test_keys_come_from_the_environment(user):
    env = elsewhere(user, "default", AWS_ACCESS_KEY_ID=user.s3.access_key, AWS_SECRET_ACCESS_KEY=user.s3.secret_key)
    assert "environment" in checks_of(user, env=env)["credentials"]["text"]
    assert is_enabled(user)


def test_keys_come_from_a_profile_of_the_files(user):
    (user.home / ".aws").mkdir()
    (user.home / ".aws" / "credentials").write_text(
        f"[default]\naws_access_key_id=AKNOTHIS\naws_secret_access_key = x\n# [calls]\n[calls]\n"
        f"aws_access_key_id = {user.s3.access_key}\naws_secret_access_key={user.s3.secret_key}\n")
    env = elsewhere(user, "profile:calls")
    assert "profile calls" in checks_of(user, env=env)["credentials"]["text"]
    env = elsewhere(user, "default", AWS_PROFILE="calls")
    assert "profile calls" in checks_of(user, env=env)["credentials"]["text"]
    env = elsewhere(user, "profile:nobodys")
    check = failed(user, env=env)
    assert check["check"] == "credentials" and "profile nobodys" in check["text"]


def keys_of_a_command(acme, *lines, secs=3):
    """The workspace's keys come from a shell script of these lines, which then gives keys for so many seconds."""
    script = acme.tonic.folder / "keys"
    script.write_text("\n".join([
        "#!/bin/sh", *lines,
        (f'printf \'{{"Version": 1, "AccessKeyId": "{acme.s3.access_key}", "SecretAccessKey": "{acme.s3.secret_key}", '
         f'"Expiration": "%s"}}\' "$(date -u -d "+{secs} seconds" +%Y-%m-%dT%H:%M:%SZ)"'), ""]))
    script.chmod(0o755)
    USER.own(script)
    (acme.tonic.home / ".aws").mkdir()
    (acme.tonic.home / ".aws" / "config").write_text(f"[profile calls]\nregion = x\ncredential_process = {script}\n")
    acme.tonic.change_storage("acme", "--credentials", "profile:calls")


def test_keys_come_from_a_command_of_the_profile_and_are_asked_for_again(acme):
    """The command's keys are good for a few seconds each time; a mount that goes on has to ask again."""
    counter = acme.tonic.make_dir("asked")
    keys_of_a_command(acme, f"mktemp -p {counter} >/dev/null")
    acme.migrate_all(acme.first.path, acme.second.path)
    with acme.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256
        before = len(list(counter.iterdir()))
        time.sleep(4)
        assert mount.sha256(acme.second.path) == acme.second.sha256
        assert len(list(counter.iterdir())) > before


def test_a_mount_ends_while_a_command_for_keys_hangs(acme):
    """Readers, attributes and the background work wait for it: none of them keeps the process."""
    asked, hold = acme.tonic.make_dir("asked"), acme.tonic.folder / "hold"
    keys_of_a_command(acme, f"mktemp -p {asked} >/dev/null", f"while [ -e {hold} ]; do sleep 0.1; done", secs=3600)
    acme.migrate_all()
    hold.touch()
    before = len(list(asked.iterdir()))
    with acme.mount() as mount:
        waiting = [Background(read_all, mount / acme.first.path),
                   Background(os.getxattr, mount / acme.second.path, "user.tonicfs.url")]
        wait_for(lambda: len(list(asked.iterdir())) > before, what="the question for keys")
        os.kill(mount.pid, signal.SIGTERM)
        mount.wait_end(timeout=10)
        for each in waiting:
            with pytest.raises(OSError):
                each.result()
    assert "waiting for" not in mount.log


def test_a_command_for_keys_that_hangs_keeps_only_its_own_workspace_waiting(acme):
    other = acme.add_workspace("beta")
    acme.tonic("campaign", "add", "beta", "spring", "--number", SPRING)
    elsewhere = other.call_with_recording()
    acme.tonic("sync")
    acme.tonic("storage", "set", "beta", "--bucket", acme.bucket, "--region", acme.s3.region, "--access-key", acme.s3.access_key,
               "--endpoint", acme.s3.endpoint, "--path-style", "--prefix", "beta/", "--secret-file", "-",
               stdin=acme.s3.secret_key + "\n")
    acme.tonic("storage", "enable", "beta", "--untested")
    acme.migrate_all("acme", "beta")
    asked, hold = acme.tonic.make_dir("asked"), acme.tonic.folder / "hold"
    keys_of_a_command(acme, f"mktemp -p {asked} >/dev/null", f"while [ -e {hold} ]; do sleep 0.1; done", secs=3600)
    hold.touch()
    recordings = acme.twilio.files()
    with acme.mount() as mount:
        reads = [subprocess.Popen(["sha256sum", mount / recording.path], stdout=subprocess.PIPE, text=True, **USER.popen_args())
                 for recording in recordings]
        try:
            wait_for(lambda: any(asked.iterdir()), what="the command")
            assert mount.sha256(elsewhere.path) == elsewhere.sha256
            assert all(read.poll() is None for read in reads)
        finally:
            hold.unlink()
        said = [read.communicate(timeout=20 * PATIENCE)[0].split(" ")[0] for read in reads]
        assert said == [recording.sha256 for recording in recordings]
        assert len(list(asked.iterdir())) == 1


def test_keys_that_were_replaced_before_their_end_are_asked_for_again(acme):
    """As another program rotates them: the server refuses those that a mount has."""
    secret = acme.tonic.folder / "ended"
    acme.migrate_all(acme.first.path, acme.second.path)
    keys_of_a_command(acme, secs=3600)
    asked = []

    def answer(line):
        if line.startswith("GET") and "recordings" in line and secret.exists():
            secret.unlink()
            asked.append(line)
            return error(403, "InvalidAccessKeyId")
        return None
    with Wire(acme.s3.endpoint, answer) as wire:
        acme.tonic.change_storage("acme", "--endpoint", wire.endpoint)
        with acme.mount() as mount:
            assert mount.sha256(acme.first.path) == acme.first.sha256
            secret.touch()
            assert mount.sha256(acme.second.path) == acme.second.sha256
            assert len(asked) == 1


def test_without_keys_anywhere_it_is_said_where_was_looked(user):
    check = failed(user, env=elsewhere(user, "default"))
    assert check["check"] == "credentials" and "environment" in check["text"] and "~/.aws" in check["text"]


def test_wrong_keys_from_elsewhere_are_named(user):
    env = elsewhere(user, "default", AWS_ACCESS_KEY_ID="AKELSEWHERE", AWS_SECRET_ACCESS_KEY="x")
    check = failed(user, env=env)
    assert check["check"] == "signature" and "AKELSEWHERE" in check["text"]


@pytest.mark.parametrize("words", [["--credentials", "nonsense"], ["--credentials", "profile:"],
                                   ["--credentials", "default", "--access-key", "AK"]])
def test_credentials_that_cannot_be_are_wrong_usage(user, words):
    user("storage", "set", "acme", *words, status=2)


# Providers

@pytest.mark.parametrize("words, endpoint, path_style", [
    (["aws", "--region", "eu-west-1"], "", False),
    (["digitalocean", "--region", "fra1"], "https://fra1.digitaloceanspaces.com", False),
    (["wasabi", "--region", "eu-central-2"], "https://s3.eu-central-2.wasabisys.com", False),
    (["b2", "--region", "us-west-004"], "https://s3.us-west-004.backblazeb2.com", False),
    (["minio", "--endpoint", "https://minio.example.com"], "https://minio.example.com", True),
    (["ceph", "--endpoint", "https://rgw.example.com"], "https://rgw.example.com", True),
    (["r2", "--endpoint", "https://1234.r2.cloudflarestorage.com"], "https://1234.r2.cloudflarestorage.com", True),
])
def test_what_is_known_of_a_provider_is_filled_in(tonic, words, endpoint, path_style):
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    tonic("storage", "set", "acme", "--provider", *words, "--bucket", "calls", "--access-key", "AK", "--secret-file", "-",
          stdin="secret\n")
    shown = tonic.json("storage", "show", "acme")
    assert (shown["provider"], shown["endpoint"], shown["path_style"]) == (words[0], endpoint, path_style)


def test_a_providers_endpoint_moves_with_the_region_and_an_own_one_stays(user):
    move(user, "--provider", "wasabi")
    assert user.json("storage", "show", "acme")["region"] == "us-east-1"
    move(user, "--region", "ap-northeast-1")
    assert user.json("storage", "show", "acme")["endpoint"] == "https://s3.ap-northeast-1.wasabisys.com"
    move(user, "--endpoint", "https://own.example.com")
    user("storage", "set", "acme", "--region", "eu-west-1")
    assert user.json("storage", "show", "acme")["endpoint"] == "https://own.example.com"


@pytest.mark.parametrize("elsewhere", [
    ["--endpoint", "https://other.example.com"], ["--endpoint", "https://s3.example.com:8443"],
    ["--endpoint", "http://s3.example.com", "--allow-http"], ["--endpoint", ""], ["--provider", "aws"],
    ["--provider", "wasabi"]], ids=" ".join)
def test_where_the_endpoint_is_another_host_the_secret_key_is_asked_for_again(user, elsewhere):
    move(user, "--endpoint", "https://s3.example.com")
    before = user.json("storage", "show", "acme")
    error = user("storage", "set", "acme", *elsewhere, status=1).stderr
    assert "another host" in error and "--secret-file" in error
    assert user.json("storage", "show", "acme") == before
    user("storage", "set", "acme", "--endpoint", "https://S3.example.com:443/path", "--prefix", "other")
    move(user, *elsewhere)
    user("storage", "set", "acme", *elsewhere, "--region", "us-east-1")


def test_the_regions_of_aws_are_one_place(user):
    move(user, "--provider", "aws")
    user("storage", "set", "acme", "--region", "eu-central-1")
    assert "another host" in user("storage", "set", "acme", "--region", "cn-north-1", status=1).stderr


def test_plain_http_goes_to_this_machine_only_or_with_a_word_for_it(user):
    shown = user.json("storage", "show", "acme")["endpoint"]
    refused = user("storage", "set", "acme", "--endpoint", "http://s3.example.com", status=2).stderr
    assert "http" in refused and user.json("storage", "show", "acme")["endpoint"] == shown
    move(user, "--endpoint", "http://s3.example.com", "--allow-http")
    assert user.json("storage", "show", "acme")["endpoint"] == "http://s3.example.com"


@pytest.mark.parametrize("words", [["nonsense"], ["digitalocean"], ["minio"], ["r2"], ["b2"]])
def test_what_a_provider_needs_is_asked_for(tonic, words):
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="token\n")
    result = tonic("storage", "set", "acme", "--provider", *words, "--bucket", "calls", "--access-key", "AK", "--secret-file", "-",
                   stdin="secret\n", status=2)
    assert "--" in result.stderr
