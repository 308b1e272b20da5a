"""kill -9 around a removal and its tombstone: it is carried out, here and in other catalogs, and nothing comes back."""

import pytest

from harness import Tonic, wait_for
from world import PREFIX


def another_catalog(case, with_bucket):
    company = case.company
    tonic = Tonic(company.tonic.make_dir("other")).init()
    tonic.add_workspace("acme", case.twilio.account, company.standin)
    if with_bucket:
        tonic.set_storage("acme", company.s3, company.bucket, "--prefix", PREFIX)
    return tonic


def shown(tonic, *recordings):
    with tonic.mount() as mount:
        names = mount.files()
    return [any(recording.sid in name for name in names) for recording in recordings]


@pytest.mark.parametrize("point", ["after-claim", "after-tombstone", "after-mark-sent", "after-delete", "after-policy"])
def test_a_removal_that_was_killed_is_carried_out(case, point):
    removed, kept = case.record(1, 1)
    case.company.set("delete_twilio=on")
    case.tonic("rm", removed.sid, status=-9, env={**case.tonic.env, "TONICFS_FAULT": f"{point}:kill"})
    assert case.company.status()["states"]["deleted"] == 1
    with case.company.mount() as mount:
        wait_for(lambda: case.company.tombstone(removed) in case.company.keys("tonicfs/removed"), 20, "the tombstone")
        wait_for(lambda: not case.twilio.is_there(removed), 20, "the delete at Twilio")
        wait_for(lambda: not case.company.status()["deletes_queued"], 20, "the end of the deletes")
        assert not [name for name in mount.files() if removed.sid in name]
    other = another_catalog(case, with_bucket=True)
    other("sync")
    assert shown(other, removed, kept) == [False, True]
    assert case.twilio.is_there(kept)


def test_a_sync_that_was_killed_while_it_learned_of_removals_hides_them_the_next_time(case):
    """Recordings that were listed before the bucket was named, and removed elsewhere."""
    removed, mine, kept = case.record(1, 1, 1)
    other = another_catalog(case, with_bucket=False)
    other("sync")
    other("rm", mine.sid)
    case.tonic("rm", removed.sid)
    other.set_storage("acme", case.company.s3, case.company.bucket, "--prefix", PREFIX)
    other("sync", status=-9, env={**other.env, "TONICFS_FAULT": "removals-learned:kill"})
    assert shown(other, removed, mine, kept) == [False, False, True]
    other("sync")
    with other.mount():
        wait_for(lambda: case.company.tombstone(mine) in case.company.keys("tonicfs/removed"), 20, "the other's tombstone")
    case.tonic("sync", "--full")
    assert shown(case.tonic, removed, mine, kept) == [False, False, True]
