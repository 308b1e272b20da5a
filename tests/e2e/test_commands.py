"""workspace, campaign and storage: accepted and refused input, and their output."""

import pytest

ACCOUNT = "AC" + "0123456789abcdef" * 2
SECRET = "secret-that-nobody-may-see"


@pytest.fixture
def acme(tonic):
    """A workspace without calls; nothing here talks to Twilio."""
    tonic.init()
    tonic("workspace", "add", "acme", "--account", ACCOUNT, "--secret-file", "-", stdin=SECRET + "\n")
    return tonic


def test_a_workspace_is_listed_and_shown(acme):
    assert "acme" in acme("workspace", "list").stdout
    shown = acme("workspace", "show", "acme").stdout
    assert ACCOUNT in shown and SECRET not in shown


def test_a_workspace_as_json_has_its_settings_and_no_secret(acme):
    result = acme("--json", "workspace", "show", "acme")
    assert SECRET not in result.stdout
    shown = result.json
    assert shown["name"] == "acme" and shown["account"] == ACCOUNT
    for setting in ("delete_s3", "delete_twilio", "migrate_new", "keep_at_twilio"):
        assert shown[setting] is False, setting
    names = [workspace["name"] for workspace in acme.json("workspace", "list")]
    assert names == ["acme"]


def test_the_secret_comes_from_a_file_or_from_standard_input(acme):
    secret = acme.file_with(SECRET)
    acme("workspace", "add", "other", "--account", "AC" + "1" * 32, "--secret-file", secret)
    assert "other" in acme("workspace", "list").stdout


def test_a_secret_file_that_is_missing_is_an_error_that_names_it(acme):
    result = acme("workspace", "add", "other", "--account", "AC" + "1" * 32, "--secret-file", "/nonexistent/token",
                  status=1)
    assert "/nonexistent/token" in result.stderr
    assert "other" not in acme("workspace", "list").stdout


def test_an_empty_secret_is_refused(acme):
    acme("workspace", "add", "other", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="\n", status=1)
    assert "other" not in acme("workspace", "list").stdout


def test_a_second_workspace_of_the_name_or_of_the_account_is_refused(acme):
    assert acme("workspace", "add", "acme", "--account", "AC" + "1" * 32, "--secret-file", "-", stdin="x\n",
                status=1).stderr
    assert acme("workspace", "add", "other", "--account", ACCOUNT, "--secret-file", "-", stdin="x\n",
                status=1).stderr


@pytest.mark.parametrize("account", ["AC123", "XX" + "0" * 32, "AC" + "g" * 32, "AC" + "0" * 33])
def test_what_is_no_account_sid_is_wrong_usage(acme, account):
    acme("workspace", "add", "other", "--account", account, "--secret-file", "-", stdin="x\n", status=2)


def test_plain_http_to_a_host_that_is_not_loopback_is_refused(acme):
    result = acme("workspace", "add", "other", "--account", "AC" + "1" * 32, "--twilio-url", "http://example.com",
                  "--secret-file", "-", stdin="x\n", status=None)
    assert result.status in (1, 2) and "http" in result.stderr


@pytest.mark.parametrize("setting", ["delete_s3", "delete_twilio", "migrate_new", "keep_at_twilio"])
def test_a_setting_is_switched_on_and_off(acme, setting):
    acme("workspace", "set", "acme", f"{setting}=on")
    assert acme.json("workspace", "show", "acme")[setting] is True
    acme("workspace", "set", "acme", f"{setting}=off")
    assert acme.json("workspace", "show", "acme")[setting] is False


@pytest.mark.parametrize("word", ["delete_s3=perhaps", "nonsense=on", "delete_s3", "=on", "delete_s3="])
def test_a_wrong_setting_is_wrong_usage_and_changes_nothing(acme, word):
    before = acme("--json", "workspace", "show", "acme").stdout
    acme("workspace", "set", "acme", "delete_twilio=on", word, status=2)
    assert acme("--json", "workspace", "show", "acme").stdout == before


def test_a_campaign_is_listed_with_its_numbers(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001", "--number", "+15550100002")
    shown = acme("campaign", "list", "acme").stdout
    assert "spring" in shown
    campaigns = {campaign["name"]: campaign for campaign in acme.json("campaign", "list", "acme")}
    assert sorted(campaigns["spring"]["numbers"]) == ["+15550100001", "+15550100002"]


def test_a_number_that_another_campaign_has_is_refused_and_the_campaign_is_named(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")
    result = acme("campaign", "add", "acme", "autumn", "--number", "+1 (555) 010-0001", status=1)
    assert "spring" in result.stderr
    assert "autumn" not in acme("campaign", "list", "acme").stdout


def test_two_campaigns_of_one_name_are_refused(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")
    acme("campaign", "add", "acme", "spring", "--number", "+15550100002", status=1)


@pytest.mark.parametrize("number", ["", "abc", "+", "1-800-FLOWERS"])
def test_what_is_no_number_is_refused(acme, number):
    assert acme("campaign", "add", "acme", "spring", "--number", number, status=None).status in (1, 2)
    assert "spring" not in acme("campaign", "list", "acme").stdout


def test_a_campaign_cannot_be_called_unassigned(acme):
    assert acme("campaign", "add", "acme", "unassigned", "--number", "+15550100001", status=None).status in (1, 2)


def test_a_removed_campaign_frees_its_name_and_its_numbers(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")
    acme("campaign", "remove", "acme", "spring")
    assert "spring" not in acme("campaign", "list", "acme").stdout
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")


def test_a_removed_workspace_is_gone_and_can_be_added_again(acme):
    acme("workspace", "remove", "acme")
    assert "acme" not in acme("workspace", "list").stdout
    acme("workspace", "add", "acme", "--account", ACCOUNT, "--secret-file", "-", stdin=SECRET + "\n")


def test_where_twilio_url_is_another_host_the_secret_is_asked_for_again(acme):
    for word in ("twilio_url=https://twilio.example.com", "twilio_url=https://api.twilio.com:8443"):
        error = acme("workspace", "set", "acme", word, "poll=1h", status=1).stderr
        assert "another host" in error and "--secret-file" in error
        shown = acme.json("workspace", "show", "acme")
        assert (shown["twilio_url"], shown["poll_secs"]) == ("", 300)
    acme("workspace", "set", "acme", "twilio_url=https://API.twilio.com:443/base")
    acme("workspace", "set", "acme", "twilio_url=https://twilio.example.com", "--secret-file", "-", stdin="new\n")
    acme("workspace", "set", "acme", "twilio_url=https://twilio.example.com/base", "poll=1h")
    assert acme("workspace", "set", "acme", "twilio_url=", status=1).stderr
    assert acme("workspace", "set", "acme", "twilio_url=http://twilio.example.com", "--allow-http", status=1).stderr
    assert acme.json("workspace", "show", "acme")["twilio_url"] == "https://twilio.example.com/base"


def storage_words(*more):
    return ["storage", "set", "acme", "--bucket", "calls", "--region", "eu-central-1", "--access-key", "AKID",
            "--endpoint", "https://s3.example.com", "--secret-file", "-", *more]


def test_storage_is_shown_without_its_secret(acme):
    acme(*storage_words("--path-style", "--prefix", "phone/"), stdin=SECRET + "\n")
    result = acme("--json", "storage", "show", "acme")
    assert SECRET not in result.stdout + acme("storage", "show", "acme").stdout
    shown = result.json
    assert (shown["bucket"], shown["region"], shown["prefix"]) == ("calls", "eu-central-1", "phone/")
    assert shown["endpoint"] == "https://s3.example.com" and shown["path_style"] is True
    assert shown["enabled"] is False and shown["tested"] is None


def test_storage_set_again_changes_only_the_options_given(acme):
    acme(*storage_words("--prefix", "phone/"), stdin=SECRET + "\n")
    acme("storage", "set", "acme", "--region", "eu-west-1")
    shown = acme.json("storage", "show", "acme")
    assert (shown["region"], shown["bucket"], shown["prefix"]) == ("eu-west-1", "calls", "phone/")


def test_storage_without_a_bucket_is_refused_the_first_time(acme):
    assert acme("storage", "set", "acme", "--region", "eu-west-1", status=None).status in (1, 2)
    assert acme("storage", "show", "acme", status=1).stderr


@pytest.mark.parametrize("encryption", ["none", "sse-s3", "sse-kms", "sse-kms:key-1"])
def test_the_encryption_asked_for_is_shown(acme, encryption):
    acme(*storage_words("--encryption", encryption), stdin=SECRET + "\n")
    assert encryption in acme("storage", "show", "acme").stdout


def test_an_unknown_encryption_is_wrong_usage(acme):
    acme(*storage_words("--encryption", "rot13"), stdin=SECRET + "\n", status=2)


def test_a_migration_without_storage_is_refused_with_what_to_do(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")
    assert "storage set" in acme("migrate", "acme", status=1).stderr


def test_a_setting_of_the_catalog_is_changed_and_put_back(acme):
    assert acme.json("setting", "list")["migrate_workers"] == 64
    acme("setting", "set", "migrate_workers", "4")
    assert acme.json("setting", "list")["migrate_workers"] == 4
    acme("setting", "set", "migrate_workers", "default")
    assert acme.json("setting", "list")["migrate_workers"] == 64


@pytest.mark.parametrize("words", [["nonsense", "1"], ["migrate_workers", "0"], ["migrate_workers", "x"], ["migrate_workers", ""]])
def test_a_setting_that_cannot_be_is_wrong_usage(acme, words):
    acme("setting", "set", *words, status=2)


def test_what_is_mistyped_is_answered_with_what_may_be_meant(acme):
    acme("campaign", "add", "acme", "spring", "--number", "+15550100001")
    acme("campaign", "add", "acme", "a/b", "--number", "+15550100003")
    for words, meant in [
        (["staus"], "status"),
        (["unmout", "/"], "unmount"),
        (["workspace", "lst"], "workspace list"),
        (["help", "mout"], "mount"),
        (["mount", "--forground", "/"], "--foreground"),
        (["mount", "/", "-o", "allow_othr"], "allow_other"),
        (["setting", "set", "migrate_worker", "3"], "migrate_workers"),
        (["workspace", "set", "acme", "delete_s4=on"], "delete_s3"),
        (["workspace", "show", "acmee"], "acme"),
        (["campaign", "remove", "acme", "sprng"], "spring"),
        (["migrate", "acme/sprign"], "acme/spring"),
        (["migrate", "acme/a/b"], "acme/a%2Fb"),
        (["rm", "amce/spring"], "acme"),
    ]:
        result = acme(*words, status=None)
        assert result.status in (1, 2) and f"did you mean '{meant}'?" in result.stderr, result
    for words in (["xyzzy"], ["setting", "set", "xyzzy", "1"], ["workspace", "show", "xyzzy"]):
        assert "did you mean" not in acme(*words, status=None).stderr, words


def test_the_next_step_is_named(tonic):
    assert "tonicfs workspace add" in tonic("init").stdout
    added = tonic("workspace", "add", "Q1: sales", "--account", ACCOUNT, "--secret-file", "-", stdin=SECRET + "\n")
    assert "tonicfs campaign add 'Q1: sales' " in added.stdout
    added = tonic("campaign", "add", "Q1: sales", "spring", "--number", "+15550100001")
    assert "tonicfs sync 'Q1: sales'" in added.stdout


def test_names_are_shown_as_they_were_typed(tonic):
    tonic.init()
    said = tonic("workspace", "add", "Q1: sales", "--account", ACCOUNT, "--secret-file", "-", stdin=SECRET + "\n").stdout
    assert said.startswith("Added workspace Q1: sales; its folder is Q1%3A sales\n")
    said = tonic("campaign", "add", "Q1: sales", "a/b?", "--number", "+15550100001").stdout
    assert said.startswith("Added campaign a/b?; its folder is a%2Fb%3F\n")
    tonic("campaign", "add", "Q1: sales", "bell\a\x1b[31m", "--number", "+15550100002")
    assert "Q1: sales" in tonic("workspace", "list").stdout and "Q1: sales" in tonic("status").stdout
    assert "Q1: sales" in tonic("workspace", "show", "Q1: sales").stdout
    campaigns = tonic("campaign", "list", "Q1: sales").stdout
    assert "a/b?" in campaigns and "bell%07%1B[31m" in campaigns and "\x1b" not in campaigns
    shown, = tonic.json("workspace", "list")
    assert (shown["name"], shown["folder"]) == ("Q1: sales", "Q1%3A sales")
    folders = {campaign["name"]: campaign["folder"] for campaign in tonic.json("campaign", "list", "Q1: sales")}
    assert folders["a/b?"] == "a%2Fb%3F" and folders["unassigned"] == "unassigned"
    assert "'Q9: sales'" in tonic("workspace", "show", "Q9: sales", status=1).stderr


def test_an_impossible_bucket_name_is_refused(acme):
    words = ["storage", "set", "acme", "--region", "eu-central-1", "--access-key", "AK", "--secret-file", "-", "--bucket"]
    for bucket in ("ab", "my bucket", "1.2.3.4", "b" * 64, "käse", "Calls"):
        assert "is not a valid bucket name" in acme(*words, bucket, stdin=SECRET + "\n", status=2).stderr
    acme("storage", "show", "acme", status=1)


def test_an_old_bucket_name_is_taken_where_there_may_be_one(acme):
    acme(*storage_words("--bucket", "Old_Calls"), stdin=SECRET + "\n")
    assert acme.json("storage", "show", "acme")["bucket"] == "Old_Calls"
