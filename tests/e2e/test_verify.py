"""verify: bucket and catalog compared, other machines, lost catalogs."""

import hashlib
import json

import pytest

from harness import Tonic, call, error_of, read_all, sqlcipher, wait_for
from world import CAMPAIGNS, PREFIX

DAYS_41 = 41 * 86400


@pytest.fixture
def moved(acme):
    """Everything is in the bucket, and nothing at Twilio any more."""
    acme.migrate_all()
    return acme


@pytest.fixture
def later(acme):
    """Moves Twilio's clock; the stand-in is others' too."""
    yield acme.standin.set_time
    acme.standin.set_time(0)


def verify(acme, *options, status=0, tonic=None):
    """The findings as {kind: [recording's SID or key]}, and all of the answer."""
    answer = (tonic or acme.tonic).json("verify", *options, status=status)
    kinds = {}
    for finding in answer["findings"]:
        kinds.setdefault(finding["kind"], []).append(finding["recording_sid"] or finding["key"])
    assert answer["problems"] or status == 0
    return kinds, answer


def another_machine(acme, name="other"):
    """The same account and bucket, in a catalog of another user."""
    home = acme.tonic.make_dir(name)
    tonic = Tonic(home).init()
    tonic.add_workspace("acme", acme.twilio.account, acme.standin)
    for campaign, number in CAMPAIGNS.items():
        tonic("campaign", "add", "acme", campaign, "--number", number)
    tonic.set_storage("acme", acme.s3, acme.bucket, "--prefix", PREFIX)
    return tonic


def put(acme, key, body, **more):
    acme.s3.client.put_object(Bucket=acme.bucket, Key=key, Body=body, **more)


def drop(acme, recording):
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=recording.key)


def look(tonic):
    """Every file: its content's hash and what stat shows of it."""
    with tonic.mount() as mount:
        return {name: (mount.sha256(name), status.st_ino, status.st_size, status.st_mtime_ns)
                for name in mount.files() for status in [mount.stat(name)]}


def states(tonic):
    workspace, = tonic.json("status", "acme")["workspaces"]
    return workspace["states"]


def test_what_is_as_it_was_migrated_is_fine(moved):
    kinds, answer = verify(moved)
    scope, = answer["scopes"]
    assert not kinds and scope["complete"] and scope["scope"] == "acme"
    assert scope["objects"] == scope["good"] == len(moved.twilio.files())
    kinds, answer = verify(moved, "--read")
    assert not kinds and answer["scopes"][0]["read"] == len(moved.twilio.files())
    assert answer["scopes"][0]["read_bytes"] == sum(len(recording.content) for recording in moved.twilio.files())


@pytest.mark.needs("list_uploads")
def test_each_damage_is_named_and_nothing_is_changed_by_looking(moved):
    gone, short, other = moved.first, moved.second, moved.voicemail
    drop(moved, gone)
    put(moved, short.key, short.content[:-100])
    put(moved, other.key, other.content[:-1] + b"?")
    orphans = [f"{PREFIX}recordings/notes.txt", f"{PREFIX}recordings/old/copy.wav",
               first_folder(moved) + "RE" + 32 * "e" + ".wav", first_folder(moved) + "list.txt"]
    for key in orphans:
        put(moved, key, b"not a recording")
    upload = moved.s3.client.create_multipart_upload(Bucket=moved.bucket, Key=moved.long.key)
    before = states(moved.tonic)

    kinds, answer = verify(moved, status=3)
    assert kinds.pop("missing") == [gone.sid] and kinds.pop("wrong_size") == [short.sid]
    assert kinds.pop("wrong_hash") == [other.sid] and kinds.pop("upload") == [moved.long.sid]
    assert sorted(finding["key"] for finding in answer["findings"] if finding["kind"] == "unreferenced") == sorted(orphans)
    del kinds["unreferenced"]
    assert not kinds and answer["problems"] == 8
    assert "problems were found" in answer["error"] and answer["code"] == 3
    sizes, = [finding for finding in answer["findings"] if finding["kind"] == "wrong_size"]
    assert (sizes["expected_bytes"], sizes["found_bytes"]) == (len(short.content), len(short.content) - 100)
    assert states(moved.tonic) == before

    found = [(finding["kind"], finding["key"]) for finding in answer["findings"]]
    order = ["missing", "wrong_size", "wrong_hash", "unreferenced", "upload"]
    assert found == sorted(found, key=lambda item: (order.index(item[0]), item[1]))

    text = moved.tonic("verify", status=3)
    for word in (gone.sid, short.sid, other.sid, *orphans, "1: missing at Twilio and in S3", "1: incomplete uploads"):
        assert word in text.stdout, text
    assert "+1555" not in text.stdout + text.stderr + json.dumps(answer)
    moved.s3.client.abort_multipart_upload(Bucket=moved.bucket, Key=moved.long.key, UploadId=upload["UploadId"])


def first_folder(acme):
    return acme.first.key.rpartition("/")[0] + "/"


def test_reading_finds_what_a_list_cannot_show(moved):
    """A catalog that remembers another hash stands in for bytes that went bad under the same ETag."""
    key = moved.tonic.key_file.read_text().strip()
    call(sqlcipher, moved.tonic.catalog, key,
         f"UPDATE object SET sha256 = '{64 * '0'}' WHERE key = '{moved.second.key}'")
    assert not verify(moved)[0]
    assert verify(moved, "--read", status=3)[0] == {"wrong_hash": [moved.second.sid]}
    assert verify(moved, "acme/autumn", "--read")[1]["scopes"][0]["read"] == 3


def test_repair_writes_down_what_is_missing_and_finds_it_again(moved):
    drop(moved, moved.first)
    assert verify(moved, "--repair", status=3)[0] == {"missing": [moved.first.sid]}
    with moved.mount() as mount:
        assert mount.attr(moved.first.path, "state") == "missing"
        assert error_of(read_all, mount / moved.first.path) == "EIO"
        why = mount.attr(moved.first.path, "why")
    assert why.startswith("missing at Twilio and in S3") and "tonicfs verify --repair" in why
    assert moved.tonic.json("status", moved.first.sid)["paths"][0]["why"] == why
    assert f"why        {why}\n" in moved.tonic("status", moved.first.sid).stdout
    put(moved, moved.first.key, b"RIFF, but not what it was")
    assert verify(moved, "--repair", status=3)[0] == {"missing": [moved.first.sid]}
    put(moved, moved.first.key, moved.first.content)
    kinds, answer = verify(moved, "--repair")
    assert kinds == {"found": [moved.first.sid]} and answer["findings"][0]["repaired"]
    with moved.mount() as mount:
        assert mount.sha256(moved.first.path) == moved.first.sha256
    assert not verify(moved)[0]


def test_repair_reads_from_twilio_again_what_is_still_there(acme):
    acme.set("keep_at_twilio=on")
    acme.migrate_all("acme/autumn", "acme/spring")
    drop(acme, acme.first)
    put(acme, acme.second.key, acme.second.content[:-1] + b"?")
    assert verify(acme, status=3)[0] == {"not_in_s3": [acme.first.sid], "wrong_hash": [acme.second.sid]}
    verify(acme, "--repair", status=3)
    with acme.mount() as mount:
        for recording in (acme.first, acme.second):
            assert mount.attr(recording.path, "state") == "twilio"
            assert mount.sha256(recording.path) == recording.sha256
    assert not acme.twilio.deletes()


def test_a_copy_of_the_same_bytes_is_no_damage(moved):
    """Written in parts, as copying tools do, the object has another ETag."""
    client, key = moved.s3.client, moved.first.key
    upload = client.create_multipart_upload(Bucket=moved.bucket, Key=key)
    part = client.upload_part(Bucket=moved.bucket, Key=key, UploadId=upload["UploadId"], PartNumber=1, Body=moved.first.content)
    client.complete_multipart_upload(Bucket=moved.bucket, Key=key, UploadId=upload["UploadId"],
                                     MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    assert verify(moved, status=3)[0] == {"new_etag": [moved.first.sid]}
    verify(moved, "--repair")
    assert not verify(moved)[0]
    with moved.mount() as mount:
        assert mount.sha256(moved.first.path) == moved.first.sha256


def test_a_path_limits_what_is_looked_at(moved):
    drop(moved, moved.first)
    put(moved, first_folder(moved) + "list.txt", b"orphan")
    assert not verify(moved, "acme/autumn")[0] and not verify(moved, moved.second.sid)[0]
    assert verify(moved, moved.first.path, status=3)[0] == {"missing": [moved.first.sid]}
    assert verify(moved, "acme/spring", status=3)[0] == {"missing": [moved.first.sid]}
    moved.tonic("campaign", "add", "acme", "Q1: new", "--number", "+15550100077")
    assert moved.tonic("verify", "acme/Q1: new").stdout.startswith("acme/Q1: new: 0 recordings")
    with moved.mount() as mount:
        assert moved.first.sid in moved.tonic("verify", mount / "acme" / "spring", status=3).stdout


def test_an_object_that_nobody_but_the_bucket_knows_is_taken_only_by_adopt(moved):
    """Whoever may write the bucket can put a WAV under a recording's key, with any metadata."""
    forged = ["RE" + 32 * digit for digit in "de"]
    put(moved, first_folder(moved) + forged[0] + ".wav", moved.first.content)
    put(moved, first_folder(moved) + forged[1] + ".wav", moved.first.content,
        Metadata={"call": 32 * "a", "started": "2026-03-01T10:16:00Z"})
    for options in ((), ("--repair",)):
        kinds, answer = verify(moved, *options, status=3)
        assert sorted(kinds.pop("unvouched")) == forged and not kinds and answer["problems"] == 2
    text = moved.tonic("verify", status=3).stdout
    assert "--adopt" in text and forged[0] in text
    with moved.mount() as mount:
        before = mount.files()
        assert not [name for name in before if forged[0] in name or forged[1] in name]

    kinds, answer = verify(moved, "--adopt")
    assert sorted(kinds["unvouched"]) == forged and all(finding["repaired"] for finding in answer["findings"])
    with moved.mount() as mount:
        adopted = sorted(set(mount.files()) - set(before))
        assert len(adopted) == 2 and all(name.startswith("acme/unassigned/") for name in adopted)
        for name in adopted:
            assert mount.attr(name, "vouched") == "no" and mount.sha256(name) == moved.first.sha256
        assert "user.tonicfs.vouched" not in mount.attrs(moved.first.path)
    moved.tonic("sync", "--full")
    kinds, answer = verify(moved)
    assert not kinds and answer["scopes"][0]["not_vouched_for"] == 2
    assert "only the bucket vouches" in moved.tonic("verify").stdout
    assert "only the bucket vouches" in moved.tonic("status", forged[0]).stdout
    assert "why" not in moved.tonic("status", moved.first.sid).stdout


def test_a_catalog_with_another_prefix_is_told_what_has_probably_happened(acme):
    other = another_machine(acme)
    other("sync")
    other.change_storage("acme", "--prefix", "elsewhere/")
    acme.migrate_all("acme/spring")
    result = other("sync", "--full").stdout
    assert "gone at Twilio" in result and "another bucket or prefix" in result and "storage set" in result
    assert "another bucket or prefix" in " ".join(other("status", "acme").stdout.split())
    # And the advice helps.
    other.change_storage("acme", "--prefix", PREFIX)
    other("sync", "--full")
    with other.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256


def test_what_another_machine_migrated_is_found(acme):
    other = another_machine(acme)
    other("sync")
    acme.migrate_all("acme/spring")
    before = dict(look(acme.tonic))
    spring = [recording.sid for recording in acme.twilio.files() if recording.folder == "spring"]

    assert states(other)["s3"] == 0
    assert sorted(verify(acme, status=3, tonic=other)[0]["found"]) == sorted(spring)
    assert states(other)["s3"] == 0
    assert sorted(verify(acme, "--repair", tonic=other)[0]["found"]) == sorted(spring)
    assert states(other)["s3"] == len(spring)
    assert look(other) == before
    assert not verify(acme, tonic=other)[0]


@pytest.mark.parametrize("sizes", [(), ("--sizes",)], ids=["sizes unknown", "sizes known"])
def test_what_another_machine_migrated_is_read_from_s3_before_any_sync(acme, sizes):
    other = another_machine(acme)
    other("sync", *sizes)
    acme.migrate_all(acme.first.path, acme.voicemail.path)
    acme.wait_deleted_at_twilio(acme.first, acme.voicemail)
    with other.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256
        assert mount.sha256(acme.voicemail.path) == acme.voicemail.sha256
        assert mount.attr(acme.first.path, "state") == "s3"
    assert states(other)["missing"] == 0 and states(other)["s3"] == 2


def test_what_another_machine_migrated_is_found_by_a_full_sync(acme):
    other = another_machine(acme)
    other("sync")
    acme.migrate_all(acme.first.path, acme.voicemail.path)
    acme.wait_deleted_at_twilio(acme.first, acme.voicemail)
    other("sync", "--full")
    assert states(other)["missing"] == 0 and states(other)["s3"] == 2
    with other.mount() as mount:
        assert mount.sha256(acme.first.path) == acme.first.sha256


def test_what_is_in_both_places_is_compared_by_a_migration(acme):
    put(acme, acme.first.key, acme.first.content)
    put(acme, acme.second.key, acme.first.content)
    put(acme, acme.long.key, b"no audio")
    kinds, answer = verify(acme, "--repair", status=3)
    assert sorted(kinds.pop("found")) == sorted([acme.first.sid, acme.second.sid])
    assert kinds == {"unreferenced": [acme.long.sid]} and answer["problems"] == 1
    assert acme.status()["migrate"]["queued"] == 2 and not acme.twilio.deletes()
    acme.tonic("migrate", acme.first.sid, acme.second.sid, "--wait", status=3, timeout=40)
    acme.wait_deleted_at_twilio(acme.first)
    assert acme.twilio.is_there(acme.second) and acme.s3.body(acme.bucket, acme.second.key) == acme.first.content


def test_a_lost_catalog_is_made_anew_after_twilio_has_forgotten(acme, later):
    """Names, inodes, times and bytes are as before, and what was removed stays away."""
    encrypted = acme.twilio.recording(acme.twilio.call(from_="+15559990040"), encrypted=True)
    acme.twilio.call_with_recording(duration=300)  # in parts, so its SHA-256 is not among the metadata
    acme.tonic("sync")
    acme.migrate_all()
    acme.tonic("rm", acme.second.sid)
    with acme.mount():
        wait_for(lambda: acme.tombstone(acme.second) in acme.keys("tonicfs"), what="the tombstone")
    before = look(acme.tonic)
    later(DAYS_41)

    fresh = another_machine(acme)
    fresh("sync")
    assert states(fresh)["s3"] == 0
    kinds, _ = verify(acme, "--repair", status=3, tonic=fresh)
    assert kinds.pop("removed") == [acme.second.sid]
    assert len(kinds.pop("found")) == len(before) and not kinds
    assert look(fresh) == before
    with fresh.mount() as mount, acme.mount() as old:
        for attribute in ("sha256", "encryption_cek", "encryption_iv", "encryption_public_key_sid"):
            assert mount.attr(encrypted.path, attribute) == old.attr(encrypted.path, attribute)
        assert mount.read("acme/spring/calls.csv") and acme.second.path not in mount.files()
    fresh("sync", "--full")
    assert look(fresh) == before
    for unproven in (1, 0):
        _, answer = verify(acme, "--read", "--repair", status=3, tonic=fresh)
        assert answer["problems"] == 1 and answer["scopes"][0]["read"] == len(before)
        assert answer["scopes"][0]["read_unproven"] == unproven


def test_a_sync_alone_rebuilds_what_twilio_remembers(moved):
    before = look(moved.tonic)
    fresh = another_machine(moved)
    fresh("sync")
    assert look(fresh) == before
    assert not verify(moved, tonic=fresh)[0]


def test_metadata_name_no_call_and_no_number(moved):
    for recording in moved.twilio.files():
        metadata = moved.s3.client.head_object(Bucket=moved.bucket, Key=recording.key)["Metadata"]
        assert metadata["started"] == f"{recording.call.start:%Y-%m-%dT%H:%M:%SZ}"
        text = json.dumps(metadata)
        assert recording.call.sid not in text and recording.call.sid[2:] not in text and "+1555" not in text
        assert metadata["call"] == hashlib.sha256((recording.sid + recording.call.sid).encode()).hexdigest()[:32]


def test_where_the_bucket_cannot_be_asked_nothing_is_believed(moved):
    before = states(moved.tonic)
    moved.tonic("storage", "set", "acme", "--secret-file", "-", stdin="wrong\n")
    answer = moved.tonic.json("verify", "--repair", status=1)
    assert not answer["findings"] and answer["scopes"][0]["error"] and not answer["scopes"][0]["complete"]
    assert states(moved.tonic) == before
    moved.tonic("storage", "set", "acme", "--bucket", "tonicfs-no-such-bucket", "--secret-file", "-",
                stdin=moved.s3.secret_key + "\n")
    moved.tonic("verify", moved.first.sid, "--repair", status=1)
    assert states(moved.tonic) == before


def test_where_twilio_cannot_be_asked_what_is_gone_stays_undecided(moved):
    drop(moved, moved.first)
    before = states(moved.tonic)
    moved.tonic("workspace", "set", "acme", "--secret-file", "-", stdin="wrong\n")
    assert verify(moved, "--repair", status=3)[0] == {"undecided": [moved.first.sid]}
    assert states(moved.tonic) == before


def test_a_workspace_without_a_bucket_says_so(empty):
    empty.add_workspace("plain")
    assert "has no bucket" in empty.tonic("verify", "plain", status=1).stderr
    assert not empty.tonic.json("verify")["findings"]
