"""Deleting: rm under each policy, and that removed recordings stay removed."""

import os

import pytest

from harness import Tonic, call, error_of, sqlcipher, wait_for
from world import CAMPAIGNS, PREFIX, SPRING, another_bucket

POLICIES = [(s3, twilio) for s3 in (False, True) for twilio in (False, True)]
POLICY_NAMES = [f"delete_s3={'on' if s3 else 'off'},delete_twilio={'on' if twilio else 'off'}" for s3, twilio in POLICIES]


def set_policy(acme, delete_s3, delete_twilio):
    acme.set(f"delete_s3={'on' if delete_s3 else 'off'}", f"delete_twilio={'on' if delete_twilio else 'off'}")


def settle(acme):
    """Remote deletes run in the background of a mount: waits until none is left."""
    def idle():
        status = acme.status()
        return not any(status[waiting] for waiting in ("deletes_queued", "twilio_deletes_queued", "tombstones_queued"))
    with acme.mount():
        wait_for(idle, 20, "the deletes in the background", step=0.2)


@pytest.mark.parametrize("policy", POLICIES, ids=POLICY_NAMES)
def test_rm_of_a_recording_at_twilio_does_what_the_policy_says(acme, policy):
    set_policy(acme, *policy)
    with acme.mount() as mount:
        mount.shell('rm "$1"', mount / acme.first.path)
        assert acme.first.name not in mount.names("acme/spring")
        assert error_of(os.stat, mount / acme.first.path) == "ENOENT"
    settle(acme)
    assert acme.twilio.is_there(acme.first) == (not policy[1])
    assert not acme.keys()


@pytest.mark.parametrize("policy", POLICIES, ids=POLICY_NAMES)
def test_rm_of_a_migrated_recording_does_what_the_policy_says(acme, policy):
    acme.migrate_all("acme/spring")
    set_policy(acme, *policy)
    with acme.mount() as mount:
        mount.shell('rm "$1"', mount / acme.first.path)
    settle(acme)
    assert (acme.first.key in acme.keys()) == (not policy[0])
    assert acme.tombstone(acme.first) in acme.keys("tonicfs/removed")
    assert acme.second.key in acme.keys()


@pytest.mark.parametrize("policy", POLICIES, ids=POLICY_NAMES)
def test_rm_of_a_recording_at_both_does_what_the_policy_says(acme, policy):
    acme.set("keep_at_twilio=on")
    acme.migrate_all("acme/spring")
    set_policy(acme, *policy)
    with acme.mount() as mount:
        mount.shell('rm "$1"', mount / acme.first.path)
    settle(acme)
    assert (acme.first.key in acme.keys()) == (not policy[0])
    assert acme.twilio.is_there(acme.first) == (not policy[1])
    assert acme.twilio.is_there(acme.second)


def test_by_default_rm_deletes_no_bytes_anywhere(acme):
    acme.migrate_all("acme/autumn")
    sent = len(acme.twilio.deletes())
    with acme.mount() as mount:
        mount.shell('rm -r "$1" "$2"', mount / "acme/spring", mount / "acme/autumn")
    settle(acme)
    assert len(acme.twilio.deletes()) == sent
    assert len(acme.keys()) == 3


def test_what_was_removed_does_not_come_back_with_a_sync(acme):
    with acme.mount() as mount:
        call(os.unlink, mount / acme.first.path)
        acme.tonic("sync", "acme", "--full")
        assert acme.first.name not in mount.names("acme/spring")
    with acme.mount() as mount:
        assert acme.first.name not in mount.names("acme/spring")
        assert acme.second.name in mount.names("acme/spring")


def rebuild(acme, with_bucket=True):
    """The company's catalog made anew, as on another machine."""
    other = Tonic(acme.tonic.make_dir("rebuilt")).init()
    other.add_workspace("acme", acme.twilio.account, acme.standin)
    for name, number in CAMPAIGNS.items():
        other("campaign", "add", "acme", name, "--number", number)
    if with_bucket:
        other.set_storage("acme", acme.s3, acme.bucket, "--prefix", PREFIX)
    return other


def assert_hidden(tonic, *recordings):
    with tonic.mount() as mount:
        names, log = mount.files(), mount.read("acme/spring/calls.csv").decode()
        for recording in recordings:
            assert recording.path not in names and recording.call.sid not in log


@pytest.mark.parametrize("policy", [(False, False), (True, False)], ids=["keep", "delete_s3"])
def test_what_was_removed_while_it_was_at_twilio_stays_away_from_a_new_catalog(acme, policy):
    set_policy(acme, *policy)
    acme.tonic("rm", acme.first.sid)
    assert acme.tombstone(acme.first) in acme.keys("tonicfs/removed")
    other = rebuild(acme)
    other("sync")
    assert_hidden(other, acme.first)
    # Also when the bucket does not say so any more.
    acme.s3.client.delete_object(Bucket=acme.bucket, Key=acme.tombstone(acme.first))
    acme.twilio.call_with_recording()
    other("sync", "--full")
    assert_hidden(other, acme.first)


def test_known_recordings_are_compared_with_the_tombstones_of_a_bucket_that_comes_later(acme):
    other = rebuild(acme, with_bucket=False)
    other("sync")
    acme.migrate_all("acme/spring")
    acme.set("delete_s3=on")
    acme.tonic("rm", acme.first.sid)
    acme.set("delete_s3=off")
    acme.tonic("rm", acme.second.sid, acme.autumn[0].sid)
    settle(acme)
    other.set_storage("acme", acme.s3, acme.bucket, "--prefix", PREFIX)
    if acme.second.key in acme.keys():
        found = {finding["recording_sid"]: finding["kind"] for finding in other.json("verify", "--repair", status=3)["findings"]}
        assert found[acme.second.sid] == "removed"
    assert "removed by another machine" in other("sync").stdout
    assert_hidden(other, acme.first, acme.second)
    with other.mount() as mount:
        assert acme.autumn[0].path not in mount.files() and acme.autumn[1].path in mount.files()
    assert acme.twilio.is_there(acme.autumn[0]) and not other.json("status", "acme")["workspaces"][0]["deletes_queued"]


def test_what_was_removed_before_there_was_a_bucket_is_told_to_it(acme):
    early = rebuild(acme, with_bucket=False)
    early("sync")
    assert "No bucket is in use" in early("rm", acme.first.sid).stdout
    early.set_storage("acme", acme.s3, acme.bucket, "--prefix", PREFIX)
    with another_bucket(acme.s3) as second:
        for bucket in (acme.bucket, second):
            early.change_storage("acme", "--bucket", bucket)
            early("sync")
            with early.mount():
                wait_for(lambda: acme.s3.keys(bucket, PREFIX + "tonicfs/removed/") == [acme.tombstone(acme.first)], 15,
                         "the tombstone")
    acme.tonic("sync", "--full")
    assert_hidden(acme.tonic, acme.first)


NOWHERE = "http://127.0.0.1:9"


def move_bucket(tonic, endpoint):
    """The server is elsewhere now, and no command has been told or has tried it."""
    key = tonic.key_file.read_text().strip()
    call(sqlcipher, tonic.catalog, key, f"UPDATE storage SET endpoint = '{endpoint}'")


def test_what_was_removed_does_not_come_back_in_a_catalog_made_anew(acme):
    acme.migrate_all("acme/spring")
    acme.tonic("rm", acme.first.sid)
    settle(acme)
    other = rebuild(acme)
    other("sync")
    with other.mount() as mount:
        assert sorted(mount.files()) == sorted(item.path for item in acme.twilio.files() if item is not acme.first)
        assert mount.sha256(acme.second.path) == acme.second.sha256


def test_a_catalog_made_anew_lists_nothing_before_the_bucket_tells_what_was_removed(acme):
    acme.migrate_all("acme/spring")
    acme.tonic("rm", acme.first.sid)
    settle(acme)
    other = rebuild(acme)
    move_bucket(other, NOWHERE)
    assert "the bucket tells what was removed" in other("sync", status=1, timeout=90).stderr
    assert other.json("status", "acme")["workspaces"][0]["calls"] == 0
    move_bucket(other, acme.s3.endpoint)
    other("sync")
    with other.mount() as mount:
        names = mount.files()
    assert acme.second.path in names and acme.first.path not in names


def test_rm_deletes_what_is_in_the_bucket_that_the_workspace_had_before(acme):
    acme.migrate_all("acme/spring")
    with another_bucket(acme.s3) as second:
        acme.tonic("storage", "set", "acme", "--bucket", second)
        # One that was copied to the new bucket goes there too.
        acme.s3.client.copy_object(Bucket=second, Key=acme.second.key, CopySource={"Bucket": acme.bucket, "Key": acme.second.key})
        acme.set("delete_s3=on")
        acme.tonic("rm", acme.first.sid, acme.second.sid)
        settle(acme)
        assert {acme.first.key, acme.second.key}.isdisjoint({*acme.keys(), *acme.s3.keys(second)})
        assert acme.voicemail.key in acme.keys()


def test_a_later_sync_goes_on_without_the_bucket_and_says_so(acme):
    move_bucket(acme.tonic, NOWHERE)
    later = acme.twilio.call_with_recording()
    assert "what was removed elsewhere" in acme.tonic("sync", "--full", status=3, timeout=90).stderr
    with acme.mount() as mount:
        assert later.path in mount.files()


def test_a_removed_call_leaves_the_call_log(acme):
    with acme.mount() as mount:
        call(os.unlink, mount / acme.first.path)
        wait_for(lambda: acme.first.call.sid not in mount.read("acme/spring/calls.csv").decode(), 5)
        assert acme.second.call.sid in mount.read("acme/spring/calls.csv").decode()


def test_rm_r_of_a_campaign_removes_all_in_it_and_nothing_else(acme):
    acme.set("delete_twilio=on")
    with acme.mount() as mount:
        mount.shell('rm -r "$1"', mount / "acme/spring")
        assert "spring" not in mount.names("acme")
        assert mount.sha256(acme.autumn[0].path) == acme.autumn[0].sha256
    settle(acme)
    for recording in acme.twilio.files():
        assert acme.twilio.is_there(recording) == (recording.folder != "spring"), recording.path
    acme.tonic("sync", "acme", "--full")
    assert "spring" not in acme.tonic("campaign", "list", "acme").stdout


def test_rm_r_of_a_workspace_removes_all_of_it(acme):
    other = acme.add_workspace("other")
    stays = other.call_with_recording(to="+15550200001")
    acme.tonic("sync")
    with acme.mount() as mount:
        mount.shell('rm -r "$1"', mount / "acme")
        assert mount.names() == ["other"]
        assert [name for name in mount.files() if stays.sid in name]
    assert "acme" not in acme.tonic("workspace", "list").stdout


def test_rmdir_of_a_folder_that_is_not_empty_is_enotempty(acme):
    with acme.mount() as mount:
        assert error_of(os.rmdir, mount / "acme/spring") == "ENOTEMPTY"
        assert error_of(os.rmdir, mount / "acme") == "ENOTEMPTY"


def test_rm_r_of_unassigned_removes_it_until_its_next_call(acme):
    with acme.mount() as mount:
        mount.shell('rm -r "$1"', mount / "acme/unassigned")
        assert mount.names("acme") == ["autumn", "spring"]
        later = acme.twilio.call_with_recording(to="+15559990077")
        acme.tonic("sync")
        wait_for(lambda: "unassigned" in mount.names("acme"), 15, "the folder to come back")
        assert later.name in mount.names("acme/unassigned") and acme.stray.name not in mount.names("acme/unassigned")
    acme.tonic("campaign", "remove", "acme", "unassigned")
    acme.tonic("sync")
    with acme.mount() as mount:
        assert mount.names("acme") == ["autumn", "spring"]


def test_campaign_remove_does_what_rm_r_does(acme):
    acme.set("delete_twilio=on")
    acme.tonic("campaign", "remove", "acme", "autumn")
    with acme.mount() as mount:
        assert mount.names("acme") == ["spring", "unassigned"]
    settle(acme)
    assert not any(acme.twilio.is_there(recording) for recording in [*acme.autumn, acme.downmix])
    assert acme.twilio.is_there(acme.first)


def test_later_calls_of_a_removed_campaign_are_unassigned(acme):
    acme.tonic("campaign", "remove", "acme", "spring")
    later = acme.twilio.call_with_recording()
    acme.tonic("sync")
    with acme.mount() as mount:
        names = mount.files()
    assert later.path.replace("/spring/", "/unassigned/") in names
    assert not [name for name in names if acme.first.sid in name]


def test_workspace_remove_carries_out_the_deletes_it_owes(acme):
    acme.set("delete_twilio=on")
    other = acme.add_workspace("other")
    acme.tonic("workspace", "remove", "acme")
    with acme.mount() as mount:
        assert mount.names() == ["other"] or mount.names() == []
        acme.wait_deleted_at_twilio(*acme.twilio.files())
    assert other


@pytest.mark.parametrize("refused", [400, 409])
def test_a_removed_workspace_keeps_no_credentials_for_what_twilio_calls_absent(acme, refused):
    twilio = acme.twilio
    absent = [twilio.recording(twilio.call(), status=status, duration=None) for status in ("absent", "failed")]
    acme.tonic("sync")
    acme.set("delete_twilio=on")
    twilio.switch("refuse_delete_status", refused)
    acme.tonic("workspace", "remove", "acme")

    def catalog(sql):
        return call(sqlcipher, acme.tonic.catalog, acme.tonic.key_file.read_text().strip(), sql)[-1][0]
    with acme.mount():
        wait_for(lambda: catalog("SELECT count(*) FROM job") == b"0", 20, "the deletes", step=0.2)
    assert catalog("SELECT secret FROM workspace") == b""
    assert {recording.sid for recording in absent} <= {entry["sid"] for entry in twilio.deletes()}
    assert catalog("SELECT count(*) FROM audit WHERE note LIKE '%no media%'") == b"2"


def test_the_command_rm_does_what_unlink_does_and_says_what_became_of_the_bytes(acme):
    acme.migrate_all("acme/autumn")
    result = acme.tonic("rm", acme.first.path, acme.autumn[0].sid)
    assert "Twilio" in result.stdout and "S3" in result.stdout
    with acme.mount() as mount:
        names = mount.files()
    assert not [name for name in names if acme.first.sid in name or acme.autumn[0].sid in name]


def test_the_command_rm_tells_the_bucket_what_was_removed_before_it_ends(acme):
    acme.migrate_all("acme/spring")
    result = acme.tonic("rm", acme.first.path)
    assert acme.tombstone(acme.first) in acme.keys("tonicfs/removed")
    assert acme.status()["tombstones_queued"] == 0 and "still to be told" not in result.stdout


def test_the_command_rm_takes_a_path_inside_a_mount(acme):
    with acme.mount() as mount:
        acme.tonic("rm", mount / acme.first.path)
        wait_for(lambda: acme.first.name not in mount.names("acme/spring"), 6)
        wait_for(lambda: error_of(os.stat, mount / acme.first.path) == "ENOENT", 6)


def test_rm_cancels_a_transfer_that_is_running(acme):
    acme.twilio.switch("bytes_per_sec", 100_000, sid=acme.long.sid)
    with acme.mount() as mount:
        mount.set_attr(acme.long.path, "migrate", "now")
        wait_for(lambda: mount.attr(acme.long.path, "migrate").startswith("running"), 10)
        call(os.unlink, mount / acme.long.path)
        acme.twilio.unswitch()
    settle(acme)
    assert acme.twilio.is_there(acme.long)
    assert not acme.twilio.deletes(acme.long)


def test_deletes_that_wait_survive_a_restart(acme):
    acme.set("delete_twilio=on")
    acme.twilio.switch("fail_delete", 503)
    with acme.mount() as mount:
        call(os.unlink, mount / acme.first.path)
        mount.kill()
    assert acme.twilio.is_there(acme.first)
    acme.twilio.unswitch()
    with acme.mount():
        wait_for(lambda: not acme.twilio.is_there(acme.first), 75, "the delete at Twilio", step=0.5)


def test_rm_says_as_json_that_a_delete_failed(acme):
    acme.set("delete_twilio=on")
    acme.twilio.switch("fail_delete", 403)
    answer = acme.tonic.json("rm", acme.first.path, status=3)
    assert (answer["removed"], answer["deletes_failed"], answer["code"]) == (1, 1, 3)
    assert "deletes failed" in answer["error"]


def test_a_removal_is_durable_at_once(acme):
    with acme.mount() as mount:
        call(os.unlink, mount / acme.first.path)
        mount.kill()
        with acme.mount(path=mount.path) as again:
            assert acme.first.name not in again.names("acme/spring")


def test_no_twilio_delete_is_sent_for_a_rm_without_delete_twilio(acme):
    with acme.mount() as mount:
        for recording in acme.twilio.files():
            call(os.unlink, mount / recording.path)
    settle(acme)
    assert not acme.twilio.deletes()


@pytest.mark.parametrize("attempt", ["unlink", "rmdir"])
def test_a_read_only_mount_removes_nothing(acme, attempt):
    with acme.mount("-o", "ro") as mount:
        if attempt == "unlink":
            assert error_of(os.unlink, mount / acme.first.path) == "EROFS"
        else:
            assert error_of(os.rmdir, mount / "acme/spring") == "EROFS"
        assert acme.first.path in mount.files()


def test_a_new_campaign_of_the_number_does_not_bring_back_what_was_removed(acme):
    acme.tonic("campaign", "remove", "acme", "spring")
    acme.tonic("campaign", "add", "acme", "again", "--number", SPRING)
    acme.tonic("sync", "acme", "--full")
    with acme.mount() as mount:
        assert not [name for name in mount.files("acme") if acme.first.sid in name]
