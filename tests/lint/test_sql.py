"""The check of the SQL must be able to fail: each rule, and what it must leave alone."""
import tempfile
import unittest
from pathlib import Path

from sql import findings

WRONG = [
    "SELECT id FROM job INDEXED BY job_due",
    "SELECT 1 FROM a CROSS JOIN b",
    "INSERT OR IGNORE INTO a (b) VALUES (1)",
    "INSERT INTO a (b) VALUES (1) ON CONFLICT DO NOTHING",
    "SELECT rowid FROM a",
    "SELECT iif(a, b, c) FROM d",
    "SELECT a FROM b WHERE c LIKE 'x'",
    "SELECT a FROM b WHERE c IS ?1",
    "SELECT CAST(a AS INTEGER) FROM b",
    "SELECT a FROM b WHERE c = 0x7f",
    "SELECT a FROM b WHERE removed AND c = 1",
    "SELECT a FROM b WHERE state <> 6",
    "UPDATE b SET a = 1, migration = 2",
    "SELECT sum(a = 1) FROM b",
    "UPDATE a SET b = max(b + 1, ?1)",
    "SELECT min(coalesce(a, 1), b) FROM c",
    "SELECT a FROM (SELECT a FROM b) WHERE a = 1",
]
RIGHT = [
    "SELECT a FROM b WHERE removed = 0 AND state = ?1",
    "SELECT max(a), min(coalesce(b, 1)) FROM c",
    "INSERT INTO a (b) VALUES (1) ON CONFLICT (b) DO NOTHING",
    "SELECT n.a FROM (SELECT a FROM b) AS n",
    "cannot SELECT a folder like this",
]


class Sql(unittest.TestCase):
    def check(self, name, source):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "src", *name.split("/"))
            path.parent.mkdir(parents=True)
            path.write_text(source)
            return findings(folder)

    def test_each_word_that_is_not_portable_is_found(self):
        for sql in WRONG:
            with self.subTest(sql=sql):
                self.assertEqual(len(self.check("catalog/a.c", f'db_run(conn, "{sql}", "");')), 1)

    def test_what_both_engines_understand_is_left_alone(self):
        for sql in RIGHT:
            with self.subTest(sql=sql):
                self.assertEqual(self.check("catalog/a.c", f'db_run(conn, "{sql}", "");'), [])

    def test_a_statement_may_be_put_together_of_several_literals_and_macros(self):
        found = self.check("catalog/a.c", '\n#define A "UPDATE a SET b = max(b," \\\n\t" ?1)"\ndb_run(conn, A, "");')
        self.assertEqual(len(found), 1)
        self.assertIn("src/catalog/a.c:2: max and min", found[0])
        self.assertEqual(self.check("catalog/a.c", 'db_run(conn, "SELECT a FROM b WHERE state = " SQL_STATE_S3, "");'), [])

    def test_comments_and_the_files_of_one_engine_are_left_out(self):
        self.assertEqual(self.check("catalog/a.c", '/* "SELECT rowid FROM a" */ db_run(conn, A, "");'), [])
        self.assertEqual(self.check("catalog/schema-sqlcipher.c", 'db_exec(conn, "SELECT rowid FROM a");'), [])


if __name__ == "__main__":
    unittest.main()
