"""A workspace's credentials are checked with Twilio before they are stored."""

import time

import pytest

from harness import PATIENCE


@pytest.fixture
def account(tonic, standins):
    standin, accounts = standins.take()
    tonic.init()
    accounts[0].__dict__["words"] = ["--account", accounts[0].sid, "--twilio-url", standin.base_url, "--secret-file", "-"]
    yield accounts[0]


def names(tonic):
    return [workspace["name"] for workspace in tonic.json("workspace", "list")]


def test_a_right_token_costs_one_request_for_an_empty_page(tonic, account, standins):
    tonic("workspace", "add", "acme", *account.words, stdin=account.auth_token, check=True)
    assert names(tonic) == ["acme"]
    asked, = standins.running.ledger()
    assert asked["method"] == "GET" and "/Recordings.json" in asked["path"]


def test_a_wrong_token_is_refused_and_nothing_is_added(tonic, account):
    result = tonic("workspace", "add", "acme", *account.words, stdin="wrong", check=True, status=1)
    assert "401" in result.stderr and "not added" in result.stderr and "--no-check" in result.stderr
    assert names(tonic) == []
    tonic("workspace", "add", "acme", "--no-check", *account.words, stdin="wrong", check=True)
    assert names(tonic) == ["acme"]


def test_a_wrong_api_key_is_refused_and_the_right_one_taken(tonic, account):
    words = ["acme", "--api-key", account.api_key, *account.words]
    assert "API key" in tonic("workspace", "add", *words, stdin=account.auth_token, check=True, status=1).stderr
    tonic("workspace", "add", *words, stdin=account.api_secret, check=True)


def test_a_token_that_is_replaced_is_tried_first(tonic, account):
    tonic("workspace", "add", "acme", *account.words, stdin=account.auth_token, check=True)
    refused = tonic("workspace", "set", "acme", "poll=1h", "--secret-file", "-", stdin="wrong", check=True, status=1)
    assert "nothing was changed" in refused.stderr
    assert tonic.json("workspace", "show", "acme")["poll_secs"] == 300
    tonic("sync")


def test_where_twilio_cannot_be_reached_the_workspace_is_added_with_a_warning(tonic, account):
    words = ["--account", account.sid, "--twilio-url", "http://127.0.0.1:9", "--secret-file", "-"]
    began = time.monotonic()
    result = tonic("workspace", "add", "acme", *words, stdin="token", check=True)
    assert time.monotonic() - began < 9 * PATIENCE
    assert "was not checked" in result.stderr and names(tonic) == ["acme"]
