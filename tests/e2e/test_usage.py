"""The command line: help, wrong usage, exit statuses."""

import pytest

COMMANDS = ["init", "workspace", "campaign", "storage", "sync", "mount", "migrate", "rm", "status"]


def test_version_is_said_on_standard_output(tonic):
    assert "tonicfs" in tonic("--version").stdout


def test_help_names_every_command(tonic):
    shown = tonic("--help").stdout
    for command in COMMANDS:
        assert command in shown
    assert tonic("help").stdout == shown


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help_of_its_own(tonic, command):
    shown = tonic(command, "--help").stdout
    assert f"tonicfs {command}" in shown
    assert tonic("help", command).stdout == shown


def test_no_command_at_all_is_wrong_usage(tonic):
    result = tonic(status=2)
    assert "tonicfs" in result.stderr and not result.stdout


@pytest.mark.parametrize("words", [
    ["nonsense"],
    ["--nonsense"],
    ["init", "--nonsense"],
    ["init", "left over"],
    ["workspace"],
    ["workspace", "nonsense"],
    ["workspace", "add"],
    ["workspace", "add", "acme"],
    ["workspace", "add", "acme", "--account"],
    ["workspace", "add", "acme", "--account", "nonsense"],
    ["workspace", "set", "acme"],
    ["workspace", "show"],
    ["workspace", "remove"],
    ["campaign", "add"],
    ["campaign", "add", "acme"],
    ["campaign", "add", "acme", "spring"],
    ["campaign", "list"],
    ["campaign", "remove", "acme"],
    ["storage", "set"],
    ["storage", "show"],
    ["storage", "test"],
    ["storage", "test", "acme", "--origin", "nonsense"],
    ["storage", "policy"],
    ["storage", "enable"],
    ["storage", "disable"],
    ["sync", "a", "b"],
    ["mount"],
    ["mount", "a", "b"],
    ["migrate"],
    ["rm"],
])
def test_wrong_usage_ends_with_status_2_and_says_what_is_wrong(tonic, words):
    tonic.init()
    result = tonic(*words, status=2)
    assert result.stderr and not result.stdout
    document = tonic.json(*words, status=2)
    assert set(document) == {"error", "code"} and document["code"] == 2
    assert result.stderr.split(maxsplit=1)[1].replace("--json ", "").startswith(document["error"])


@pytest.mark.parametrize("words", [
    ["workspace", "show", "nobody"],
    ["workspace", "remove", "nobody"],
    ["workspace", "set", "nobody", "delete_s3=on"],
    ["campaign", "add", "nobody", "spring", "--number", "+15550001"],
    ["campaign", "list", "nobody"],
    ["campaign", "remove", "nobody", "spring"],
    ["storage", "show", "nobody"],
    ["storage", "test", "nobody"],
    ["storage", "policy", "nobody"],
    ["storage", "enable", "nobody"],
    ["storage", "disable", "nobody"],
    ["sync", "nobody"],
    ["migrate", "nobody"],
    ["migrate", "RE" + "0" * 32],
    ["rm", "nobody/spring/file.wav"],
    ["status", "nobody"],
])
def test_what_does_not_exist_ends_with_status_1_and_is_named(tonic, words):
    tonic.init()
    result = tonic(*words, status=1)
    assert words[-1].split("/")[0] in result.stderr or "nobody" in result.stderr
    document = tonic.json(*words, status=1)
    assert document == {"error": document["error"], "code": 1}
    assert result.stderr.startswith(f"tonicfs: {document['error']}")


def test_there_is_no_option_that_takes_a_secret(tonic):
    for command in (["workspace", "add"], ["workspace", "set"], ["storage", "set"]):
        shown = tonic(*command, "--help").stdout
        for option in ("--token", "--secret ", "--secret=", "--password", "--auth-token ", "--auth-token=", "--secret-key"):
            assert option not in shown


def test_without_a_terminal_and_a_secret_file_a_secret_is_not_waited_for(tonic):
    tonic.init()
    result = tonic("workspace", "add", "acme", "--account", "AC" + "2" * 32, status=None, timeout=5)
    assert result.status in (1, 2) and "secret-file" in result.stderr


def test_with_json_every_command_prints_one_document(empty):
    """What it answers, and where it does not end well also the error and the exit status."""
    ask = empty.tonic.json
    empty.twilio.call_with_recording(duration=1)
    assert ask("sync")["workspaces"]
    path = f"acme/{empty.twilio.recordings[0].folder}"
    plain = [
        ["help"], ["help", "workspace"], ["help", "rm"], ["--help"], ["rm", "--help"], ["version"], ["--version"],
        ["workspace", "list"], ["workspace", "show", "acme"], ["workspace", "set", "acme", "poll=10m"],
        ["campaign", "list", "acme"], ["campaign", "add", "acme", "empty", "--number", "+15550009999"],
        ["campaign", "remove", "acme", "empty"], ["setting", "list"], ["setting", "set", "read_timeout_msecs", "50000"],
        ["storage", "show", "acme"], ["storage", "policy", "acme"], ["storage", "set", "acme", "--encryption", "none"],
        ["storage", "test", "acme"], ["storage", "disable", "acme"], ["storage", "enable", "acme"],
        ["storage", "lifecycle", "show", "acme"], ["cost", "acme"], ["cost", "--prices"], ["status"], ["status", "acme"],
        ["migrate", path], ["migrate", path, "--pause"], ["migrate", path, "--resume"], ["migrate", path, "--wait"],
        ["url", empty.twilio.recordings[0].sid], ["verify", "acme"], ["rm", empty.twilio.recordings[0].sid],
        ["key", "rotate"],
    ]
    for words in plain:
        assert isinstance(ask(*words, status=None), (dict, list)), words
