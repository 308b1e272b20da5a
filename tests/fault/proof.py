"""The check that ends every case: nothing is lost, and nothing was deleted at Twilio before it was verified.

Three witnesses that know nothing of each other: the stand-in (every recording that it ever had, and its ledger), the
S3 server itself (asked past the proxy), and the proxy's notes of what went over the wire and when.
"""

import hashlib

WRITES = ("put", "complete")
LOOKS = ("head", "get")


def check(company, proxy, recordings=None, *, at_end):
    """at_end: all of them are to be in S3, none at Twilio, and the catalog says so."""
    recordings = company.twilio.files() if recordings is None else recordings
    for recording in recordings:
        row, = company.standin.truth(recording.sid)
        in_s3 = is_whole_in_s3(company, recording, row)
        assert in_s3 or row["deleted_at"] is None or row["deleted_by"] == "console", f"lost: {recording.sid}"
        check_order(company, proxy, recording)
        if at_end:
            assert in_s3, f"not in S3: {recording.sid}"
            assert row["deleted_at"] is not None, f"still at Twilio: {recording.sid}"
    if at_end:
        check_catalog(company, recordings)
        check_uploads(company, recordings)


def is_whole_in_s3(company, recording, row):
    """Also: what is there under the key is never anything else."""
    try:
        body = company.s3.body(company.bucket, recording.key)
    except company.s3.client.exceptions.NoSuchKey:
        return False
    assert hashlib.sha256(body).hexdigest() == row["sha256"], f"other bytes in S3: {recording.sid}"
    return True


def check_order(company, proxy, recording):
    """Before Twilio was asked to delete it, a request of its own had seen the object that was written last."""
    deletes = company.twilio.ledger(method="DELETE", sid=recording.sid)
    if not deletes:
        return
    asked = deletes[0]["time"]
    requests = proxy.requests(key=recording.key)  # its tombstone, which has the SID in its key too, is another thing
    accepted = [entry.end for entry in requests
                if entry.op in WRITES and entry.status == 200 and entry.begin < asked]
    looks = [entry for entry in requests
             if entry.op in LOOKS and entry.status == 200 and entry.answer == 200 and entry.end <= asked]
    assert looks, f"deleted at Twilio before its object was looked at: {recording.sid}"
    # Adopted: it stood there before. A write whose answer was lost has no end but the server's.
    if accepted:
        assert any(entry.end >= max(accepted) for entry in looks), f"deleted before it was verified: {recording.sid}"


def check_catalog(company, recordings):
    """Asked for again, there is nothing to do; of a whole workspace its status says the same."""
    sids = [recording.sid for recording in recordings]
    result = company.tonic.json("migrate", *sids)
    assert result["asked"] == 0 and result["migrate"]["done"] == len(sids), result
    if len(recordings) == len(company.twilio.files()):
        status = company.status()
        assert status["states"]["s3"] == len(recordings), status
        assert status["twilio_deletes_queued"] == 0, status


def check_uploads(company, recordings):
    keys = {recording.key for recording in recordings}
    uploads = company.s3.client.list_multipart_uploads(Bucket=company.bucket).get("Uploads", [])
    left = [upload["Key"] for upload in uploads if upload["Key"] in keys]
    assert not left, f"uploads were left: {left}"
