"""Playback on a page of another origin, in a real browser, through the CORS rule that `storage test` sets and not without it."""

import pytest
from browser import play


@pytest.mark.timeout(150)
def test_a_page_of_another_origin_loads_plays_and_seeks_by_the_rule_and_not_without_it(acme):
    acme.migrate_all(acme.first.path)
    url = acme.tonic("url", acme.first.path).stdout.strip()
    if acme.s3.has("cors"):
        said = play(url)
        assert "fetch_error" in said and "audio_error" in said, said
    # Some servers let everybody read, which fails the test as a whole; the rule is set all the same.
    tested = acme.tonic("--json", "storage", "test", "acme", "--origin", "http://127.0.0.1:*", status=None).json
    playback, = [check for check in tested["checks"] if check["check"] == "browser playback"]
    assert playback["result"] == "passed" and tested["cors_changed"] is acme.s3.has("cors"), playback
    said = play(url)
    assert said.get("sha256") == acme.first.sha256, said
    secs = len(acme.first.content) / (2 * 16000)
    assert said["fetch"] == pytest.approx(secs, abs=0.1) and said["audio"] == pytest.approx(secs, abs=0.1)
    assert said["at"] == pytest.approx(said["audio"] - 1, abs=0.1)
