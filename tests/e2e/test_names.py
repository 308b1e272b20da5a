"""Names of workspaces and campaigns become folder names: safe, reversible, without collisions."""

import functools
import os
import re
import subprocess
import unicodedata
from urllib.parse import unquote

import pytest

from harness import call

STRANGE = ["a/b", "..", ".hidden", "dot.", "space ", " space", "back\\slash", 'quo"te', "star*?<>|", "per%cent",
           "per%2Fcent", "a:b", "Frühjahr", "春", "CON", "-rf", "$(id)", "semi;colon", "line\nbreak", "tab\there",
           "x" * 200, "calls.csv", "\u202eevil", "con", "nul.txt", "COM1", "lpt\u00b9.a", "-", "Spring", "SPRING", "spring",
           "FRÜHJAHR", "Cafe\u0301", "Café"]
DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9\u00b9\u00b2\u00b3])( *\.| *$)", re.IGNORECASE)


@pytest.fixture
def mounted(tonic):
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "2" * 32, "--twilio-url", "http://127.0.0.1:9",
          "--secret-file", "-", stdin="token\n")
    for number, name in enumerate(STRANGE):
        tonic("campaign", "add", "acme", "--number", f"+1555010{number:04}", "--", name)
    with tonic.mount() as mount:
        yield mount


def test_every_campaign_has_a_folder_of_its_own_whatever_its_name(mounted):
    names = mounted.names("acme")
    assert len(set(names)) == len(STRANGE)
    assert len({unicodedata.normalize("NFC", name).casefold() for name in names}) == len(STRANGE)
    assert {unquote(name) for name in names} == set(STRANGE)


def test_folder_names_are_safe_everywhere(mounted):
    for name in mounted.names("acme"):
        assert not set(name) & set('/\\:*?"<>|\n\t'), name
        assert not name.startswith((".", "-")) and not name.endswith((".", " ")), name
        assert not DEVICE.match(name) and unicodedata.is_normalized("NFC", name), name
        assert all(unicodedata.category(letter) not in ("Cc",) for letter in name), name
        assert len(os.fsencode(name)) <= 255


def test_folders_are_listed_in_the_order_of_their_names(mounted):
    names = [os.fsencode(name) for name in mounted.names("acme")]
    assert names == sorted(names)


def test_a_listing_under_way_neither_skips_nor_repeats_a_folder_when_others_come_and_go(tonic):
    tonic.init()
    tonic("workspace", "add", "acme", "--account", "AC" + "2" * 32, "--secret-file", "-", stdin="token\n")

    def add(number):  # long names, so that a listing takes many answers
        tonic("campaign", "add", "acme", "--number", f"+1555010{number:04}", f"{number:03}" + "x" * 180)
    for number in range(90, 0, -2):
        add(number)

    def slow_listing(path, more):
        names = []
        with os.scandir(path) as entries:
            for number, entry in enumerate(entries):
                names.append(int(entry.name[:3]))
                if number == 2:
                    more()
        return names

    def come_and_go():
        run = functools.partial(subprocess.run, env=tonic.env, check=True, timeout=30, capture_output=True)
        for number in range(1, 90, 8):
            run([tonic.binary, "campaign", "add", "acme", "--number", f"+1555010{number:04}", f"{number:03}" + "x" * 180])
        for number in range(2, 90, 20):
            run([tonic.binary, "campaign", "remove", "acme", f"{number:03}" + "x" * 180])
    with tonic.mount() as mount:
        listing = call(slow_listing, mount / "acme", come_and_go, timeout=60)
        assert listing == sorted(set(listing)), "an entry was repeated, or is out of order"
        stayed = {number for number in range(2, 91, 2) if number % 20 != 2}
        assert stayed <= set(listing), "an entry was skipped"


def test_plain_names_stay_as_they_are(mounted):
    names = mounted.names("acme")
    assert {"Frühjahr", "春", "Spring", "semi;colon", "Café"} <= set(names)


def test_a_campaign_is_found_by_its_name_and_by_its_folders(mounted):
    folders = {item["name"]: item["folder"] for item in mounted.tonic.json("campaign", "list", "acme")}
    assert folders["SPRING"] != "SPRING" and folders["SPRING"] in mounted.names("acme")
    for name in ("SPRING", folders["SPRING"]):
        mounted.tonic("migrate", "--cancel", f"acme/{name}")
    mounted.tonic("campaign", "remove", "acme", folders["SPRING"])
    assert folders["Spring"] in mounted.names("acme") and folders["SPRING"] not in mounted.names("acme")


def test_a_campaign_is_removed_by_its_own_name_and_its_folder_goes(mounted):
    before = set(mounted.names("acme"))
    mounted.tonic("campaign", "remove", "acme", "--", "a/b")
    assert len(before - set(call(os.listdir, mounted / "acme"))) == 1


def test_a_name_too_long_for_a_folder_is_refused(tonic):
    tonic.init()
    assert tonic("workspace", "add", "x" * 256, "--account", "AC" + "2" * 32, "--secret-file", "-", stdin="token\n",
                 status=None).status in (1, 2)
