"""The bucket's lifecycle rule: set for the prefix only, merged with foreign rules, removed alone."""

import pytest
from botocore.exceptions import ClientError

from world import PREFIX

FOREIGN = [
    {"ID": "old logs & <temporary>", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}},
    {"ID": "uploads", "Filter": {"Prefix": ""}, "Status": "Disabled", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
]


def rules(acme):
    try:
        found = acme.s3.client.get_bucket_lifecycle_configuration(Bucket=acme.bucket)["Rules"]
    except ClientError as error:
        assert error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration"
        return {}
    return {rule["ID"]: rule for rule in found}


def put_foreign(acme, foreign=FOREIGN):
    acme.s3.client.put_bucket_lifecycle_configuration(Bucket=acme.bucket, LifecycleConfiguration={"Rules": foreign})
    return rules(acme)


def lifecycle(acme, *words, **keywords):
    return acme.tonic.json("storage", "lifecycle", words[0], "acme", *words[1:], **keywords)


def moves(rule):
    return {entry["StorageClass"]: entry["Days"] for entry in rule["Transitions"]}


@pytest.mark.needs("transitions")
def test_a_rule_is_set_for_the_recordings_of_the_prefix_and_shown(acme):
    assert lifecycle(acme, "show")["set"] is False
    said = lifecycle(acme, "set", "--glacier-ir", "90", "--deep-archive", "365")
    (rule_id, rule), = rules(acme).items()
    assert rule_id == said["id"] and rule_id.startswith("tonicfs-") and rule["Status"] == "Enabled"
    assert rule["Filter"]["Prefix"] == f"{PREFIX}recordings/"
    assert moves(rule) == {"GLACIER_IR": 90, "DEEP_ARCHIVE": 365}
    shown = lifecycle(acme, "show")
    assert {entry["storage_class"]: entry["days"] for entry in shown["transitions"]} == moves(rule)
    text = acme.tonic("storage", "lifecycle", "show", "acme").stdout
    assert "GLACIER_IR" in text and "365" in text
    lifecycle(acme, "set", "--glacier-ir", "30")
    (again, rule), = rules(acme).items()
    assert again == rule_id and moves(rule) == {"GLACIER_IR": 30}


@pytest.mark.needs("transitions")
def test_rules_of_others_stay_as_they_were(acme):
    before = put_foreign(acme)
    assert len(before) == 2
    said = lifecycle(acme, "set", "--glacier-ir", "90")
    assert said["foreign_rules"] == 2
    after = rules(acme)
    assert {name: after[name] for name in before} == before and len(after) == 3
    lifecycle(acme, "set", "--deep-archive", "180")
    after = rules(acme)
    assert {name: after[name] for name in before} == before and moves(after[said["id"]]) == {"DEEP_ARCHIVE": 180}
    assert lifecycle(acme, "remove")["removed"] is True
    assert rules(acme) == before
    assert lifecycle(acme, "remove")["removed"] is False
    assert rules(acme) == before


@pytest.mark.needs("transitions")
def test_the_last_rule_goes_and_the_bucket_stays(acme):
    lifecycle(acme, "set", "--glacier-ir", "90")
    assert lifecycle(acme, "remove")["removed"] is True
    assert rules(acme) == {}
    assert lifecycle(acme, "remove")["removed"] is False
    acme.s3.client.head_bucket(Bucket=acme.bucket)
    acme.migrate_all(acme.first.path)


@pytest.mark.needs("no_transitions")
def test_a_server_without_the_class_is_named_as_the_reason(acme):
    said = acme.tonic("storage", "lifecycle", "set", "acme", "--glacier-ir", "90", status=1).stderr
    assert "does not have the storage class" in said and "InvalidStorageClass" in said
    before = put_foreign(acme, FOREIGN[:1])
    acme.tonic("storage", "lifecycle", "set", "acme", "--deep-archive", "90", status=1)
    assert rules(acme) == before
    assert lifecycle(acme, "remove")["removed"] is False and rules(acme) == before


def test_nothing_is_removed_from_a_bucket_that_has_nothing(acme):
    """An empty bucket: a DELETE that is taken for that of the bucket would succeed."""
    assert lifecycle(acme, "remove")["removed"] is False
    acme.s3.client.head_bucket(Bucket=acme.bucket)


def test_wrong_usage_is_named(acme):
    for words in (["set"], ["set", "--glacier-ir", "x"], ["set", "--glacier-ir", "90", "--deep-archive", "90"],
                  ["set", "--standard-ia", "10"], ["show", "--glacier-ir", "90"], ["drop"]):
        acme.tonic("storage", "lifecycle", words[0], "acme", *words[1:], status=2)
    acme.tonic("storage", "lifecycle", "show", "nobody", status=1)
