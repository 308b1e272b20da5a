"""kill -9 at every step of key rotate: the old key or the new one opens the catalog, and the next command knows which.

Built and run like test_kill_points.py.
"""

import pytest

POINTS = ["rotate-key-kept", "rotate-copied", "rotate-keyid-removed", "rotate-renamed", "rotate-keyid-written",
          "rotate-key-settled"]
# From here on the new key counts.
COMMITTED = POINTS[POINTS.index("rotate-renamed"):]


def killed_at(tonic, point, *args):
    env = {**tonic.env, "TONICFS_FAULT": point}
    status = tonic("key", "rotate", *args, env=env, status=None).status
    assert status == -9, "the point was not passed: is this program built with TONICFS_FAULTS?"


def value(tonic, *args):
    return tonic.json(*args, "setting", "list")["migrate_workers"]


@pytest.mark.parametrize("way", ["in place", "to a command"])
@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_step_leaves_a_catalog_that_opens(tonic, point, way):
    tonic.init()
    tonic("setting", "set", "migrate_workers", "7")
    old_key = tonic.key_file.read_text()
    secret = tonic.file_with("ab" * 32)
    args = [] if way == "in place" else ["--new-key-command", f"cat {secret}"]
    killed_at(tonic, point, *args)
    assert value(tonic) == 7
    # The key that does not count opens nothing, whatever the fingerprint beside it says.
    old = tonic.file_with(old_key)
    tonic("--key-file", old, "status", status=1 if point in COMMITTED and way == "in place" else None)
    assert value(tonic) == 7
    tonic("key", "rotate", *args, status=1 if args and point in COMMITTED else 0)
    assert value(tonic) == 7
    assert "does not open" in tonic("--key-file", old, "status", status=1).stderr
    assert not list(tonic.home.glob("catalog.db.rotate*")) and not list(tonic.home.glob("*.new"))


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_on_the_way_to_a_file_leaves_one_of_the_two_files_right(tonic, point):
    tonic.init()
    tonic("setting", "set", "migrate_workers", "7")
    new = tonic.home / "new.key"
    killed_at(tonic, point, "--new-key-file", new)
    right, wrong = (new, tonic.key_file) if point in COMMITTED else (tonic.key_file, new)
    assert value(tonic, "--key-file", right) == 7
    assert "does not open" in tonic("--key-file", wrong, "status", status=1).stderr
    tonic("--key-file", right, "key", "rotate")
    assert value(tonic, "--key-file", right) == 7


def test_a_second_kill_in_the_next_rotation_loses_nothing_either(tonic):
    tonic.init()
    tonic("setting", "set", "migrate_workers", "7")
    for first in POINTS:
        for second in POINTS:
            killed_at(tonic, first)
            killed_at(tonic, second)
            assert value(tonic) == 7
