"""tonicfs cost: its numbers are those of the recordings, and its sums are right."""

import json
import re

import pytest

GB = 1 << 30


def minutes(recordings):
    return sum(max(1, -(-int(recording.row["duration"]) // 60)) for recording in recordings)


def test_the_numbers_are_those_of_the_recordings(acme):
    acme.migrate_all(acme.first.path, acme.autumn[0].path)
    document = acme.tonic.json("cost", "acme")
    cost, = document["workspaces"]
    left = [recording for recording in acme.twilio.files() if recording not in (acme.first, acme.autumn[0])]
    assert cost["recordings"] == len(acme.twilio.files())
    assert cost["twilio"]["minutes"] == minutes(left) and cost["twilio"]["recordings"] == len(left)
    assert cost["twilio"]["cost"] == {"month": 0, "year": 0}  # below the free minutes
    moved = len(acme.first.content) + len(acme.autumn[0].content)
    standard = cost["s3"]["classes"]["STANDARD"]
    assert (standard["recordings"], standard["bytes"]) == (2, moved)
    price = document["prices"]["s3"]["STANDARD"]["per_gb_month"]
    assert standard["cost"]["month"] == pytest.approx(moved / GB * price)
    campaigns = {entry["campaign"]: entry for entry in cost["campaigns"]}
    assert set(campaigns) == {"spring", "autumn", "unassigned"}
    assert sum(entry["twilio_minutes"] for entry in campaigns.values()) == cost["twilio"]["minutes"]
    assert campaigns["unassigned"]["twilio_minutes"] == minutes([acme.stray])
    assert campaigns["unassigned"]["s3"]["month"] == 0 and campaigns["spring"]["s3"]["month"] > 0


def test_prices_of_one_s_own_replace_those_built_in(acme):
    table = acme.tonic.json("cost", "--show-prices")
    assert table["twilio"] == {"per_minute": 0.0005, "free_minutes": 10000} and table["date"]
    table.update(date="2031-02-03", twilio={"per_minute": 2, "free_minutes": 1})
    path = acme.tonic.file_with(json.dumps(table))
    cost, = acme.tonic.json("cost", "acme", "--prices", path)["workspaces"]
    assert cost["twilio"]["cost"]["month"] == pytest.approx(2 * (cost["twilio"]["minutes"] - 1))
    assert cost["twilio"]["cost"]["year"] == pytest.approx(12 * cost["twilio"]["cost"]["month"])
    shares = [entry["twilio"]["month"] for entry in cost["campaigns"]]
    assert sum(shares) == pytest.approx(cost["twilio"]["cost"]["month"])
    text = acme.tonic("cost", "--prices", path).stdout
    assert "2031-02-03" in text and "CAMPAIGN" in text and "spring" in text and "built in" not in text
    assert re.search(r"built in, as they were known on \d{4}-\d\d-\d\d.*--prices FILE", acme.tonic("cost").stdout, re.S)
    assert acme.tonic.json("cost")["prices_are_built_in"] is True
    bad = acme.tonic.file_with('{"date": "2031-02-03", "twilio": {"per_minute": "a lot"}}')
    assert "twilio.per_minute" in acme.tonic("cost", "--prices", bad, status=1).stderr
    acme.tonic("cost", "--prices", acme.tonic.folder / "none", status=1)
    acme.tonic("cost", "nobody", status=1)


@pytest.mark.needs("transitions")
def test_the_lifecycle_is_the_one_that_was_set(acme):
    def rule(*options):
        cost, = acme.tonic.json("cost", "acme", *options)["workspaces"]
        return cost["lifecycle_is_set"], {entry["storage_class"]: entry["days"] for entry in cost["lifecycle"]}
    assert rule() == (False, {"GLACIER_IR": 90, "DEEP_ARCHIVE": 365})
    assert rule("--glacier-ir", "1") == (False, {"GLACIER_IR": 1})
    acme.tonic("storage", "lifecycle", "set", "acme", "--glacier-ir", "60")
    assert rule() == (True, {"GLACIER_IR": 60})
    acme.tonic("storage", "lifecycle", "remove", "acme")
    assert rule()[0] is False
