"""The test of the rooms must be able to fail: each kind of wrong include, in a copy of a small project."""
import tempfile
import unittest
from pathlib import Path

from rooms import findings

TABLES = """
| room | is for | may know, besides util |
|---|---|---|
| `util` | strings | |
| `net` | HTTP | |
| `aws` | S3 | net |
| `sync` | lists | aws, net |
| `verify` | compares | the same |
| `cli` | prints | all |

| room | other rooms include only |
|---|---|
| `net` | `http.h`, `retry.h` |
| `cli` | |

| header | included only by |
|---|---|
| `curl/` | `net` |
| `sqlite3.h` | `aws/driver.c` |
"""
FILES = {
    "util/text.h": "",
    "net/http.h": '#include "util/text.h"\n',
    "net/retry.h": "",
    "net/events.h": "",
    "net/http.c": '#include <curl/curl.h>\n#include "net/events.h"\n',
    "aws/s3.h": '#include "net/http.h"\n',
    "aws/s3-private.h": "",
    "aws/driver.c": "#include <sqlite3.h>\n",
    "sync/run.c": '#include "aws/s3.h"\n#include "net/retry.h"\n#include <stdio.h>\n',
    "verify/run.c": '#include "aws/s3.h"\n',
    "cli/main.c": '#include "cli/cli.h"\n#include "sync/sync.h"\n',
    "cli/cli.h": "",
    "sync/sync.h": "",
}


class Rooms(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.project = Path(folder.name)
        self.write("../ARCHITECTURE.md", TABLES)
        for path, text in FILES.items():
            self.write(path, text)

    def write(self, path, text):
        file = self.project / "src" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def edit_tables(self, old, new):
        self.assertIn(old, TABLES)
        self.write("../ARCHITECTURE.md", TABLES.replace(old, new))

    def expect(self, *wanted):
        self.assertEqual(findings(self.project), list(wanted))

    def test_rooms__a_project_that_keeps_to_its_tables_has_no_finding(self):
        self.expect()

    def test_rooms__a_room_that_may_not_be_known_is_found(self):
        self.write("aws/s3.c", '#include "aws/s3.h"\n#include "sync/sync.h"\n')
        self.expect("src/aws/s3.c:2: room 'aws' may not know 'sync'")

    def test_rooms__an_include_in_a_header_is_found_too(self):
        self.write("util/text.h", '# include "net/http.h"\n')
        self.expect("src/util/text.h:1: room 'util' may not know 'net'")

    def test_rooms__the_same_stands_for_the_row_above(self):
        self.edit_tables("| `sync` | lists | aws, net |", "| `sync` | lists | net |")
        self.expect("src/sync/run.c:1: room 'sync' may not know 'aws'", "src/verify/run.c:1: room 'verify' may not know 'aws'")

    def test_rooms__all_above_may_leave_rooms_out(self):
        self.edit_tables("| `cli` | prints | all |", "| `cli` | prints | all above but sync, aws |")
        self.expect("src/cli/main.c:2: room 'cli' may not know 'sync'")

    def test_rooms__a_private_header_of_another_room_is_found(self):
        self.write("sync/run.c", '#include "aws/s3-private.h"\n#include "net/events.h"\n#include "cli/cli.h"\n')
        self.expect("src/sync/run.c:1: aws/s3-private.h is private to room 'aws'",
                    "src/sync/run.c:2: net/events.h is private to room 'net'",
                    "src/sync/run.c:3: room 'sync' may not know 'cli'")

    def test_rooms__headers_that_are_left_out_are_private(self):
        self.edit_tables("| `net` | `http.h`, `retry.h` |", "| `net` | all but `retry.h`, `gone.h` |")
        self.expect("ARCHITECTURE.md: there is no header src/net/gone.h",
                    "src/sync/run.c:2: net/retry.h is private to room 'net'")

    def test_rooms__a_header_without_its_room_is_found(self):
        self.write("aws/s3.c", '#include "s3.h"\n')
        self.expect("src/aws/s3.c:1: 's3.h' is included without its room")

    def test_rooms__a_library_outside_its_room_or_file_is_found(self):
        self.write("aws/s3.c", "#include <curl/curl.h>\n#include <sqlite3.h>\n")
        self.expect("src/aws/s3.c:1: <curl/curl.h> is included only by net",
                    "src/aws/s3.c:2: <sqlite3.h> is included only by aws/driver.c")

    def test_rooms__a_room_without_a_row_is_found(self):
        self.write("jobs/pool.h", "")
        self.expect("src/jobs: the table of rooms in ARCHITECTURE.md has no such room")

    def test_rooms__rows_of_what_does_not_exist_are_found(self):
        self.edit_tables("`retry.h` |", "`pause.h` |\n| `gone` | |")
        self.expect("ARCHITECTURE.md: there is no room src/gone", "ARCHITECTURE.md: there is no header src/net/pause.h",
                    "src/sync/run.c:2: net/retry.h is private to room 'net'")

    def test_rooms__a_row_that_points_down_is_found(self):
        self.edit_tables("| `net` | HTTP | |", "| `net` | HTTP | aws |")
        self.expect("ARCHITECTURE.md: 'net' may know 'aws', which is no room above it")

    def test_rooms__a_table_that_is_missing_is_found(self):
        self.write("../ARCHITECTURE.md", "")
        self.expect("ARCHITECTURE.md: no table with the header line '| room | is for | may know, besides util |'")


if __name__ == "__main__":
    unittest.main()
