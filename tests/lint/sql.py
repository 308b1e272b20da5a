"""Checks the SQL of src for what not both SQLite and PostgreSQL understand. usage: sql.py [PROJECT]

The rules are in src/catalog/sql.h. Prints a line for each statement that breaks one. Files of one engine are left out.
"""
import re
import sys
from pathlib import Path

OF_ONE_ENGINE = re.compile(r"src/db/|src/catalog/schema-\w+\.c$")
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
VERB = re.compile(r"\b(SELECT|INSERT INTO|INSERT OR|REPLACE INTO|UPDATE|DELETE FROM|FROM|WHERE|ORDER BY|ON CONFLICT|AND|OR|CASE|SET)\b")
FLAGS = "removed|listed|known|finished|enabled|was_sent|pause_asked|keep_at_twilio|migrate_new|delete_s3|delete_twilio|legal_hold"
NUMBERS = "state|migration|kind|restore|completed|removed_policy"

RULES = [
    (r"\bINDEXED BY\b|\bCROSS JOIN\b", "a hint to the planner"),
    (r"\b(INSERT|UPDATE) OR \w+|\bREPLACE INTO\b", "use ON CONFLICT (columns) DO"),
    (r"\bON CONFLICT DO\b", "name the columns of the conflict"),
    (r"(?<!\.)\browid\b|\bWITHOUT ROWID\b|\bAUTOINCREMENT\b|\blast_insert", "use RETURNING id"),
    (r"\b(iif|ifnull|hex|typeof|total|group_concat|julianday|strftime|unixepoch|datetime|printf|random|changes)\(",
     "a function of SQLite alone"),
    (r"\b(GLOB|LIKE|PRAGMA|TEMP|ATTACH)\b", "differs between engines"),
    (r"\bIS (NOT )?\?", "IS compares values in SQLite alone"),
    (r"\bAS INTEGER\)", "32 bits in PostgreSQL: BIGINT"),
    (r"\b0x[0-9a-fA-F]|==|\\\"", "not SQL everywhere: hexadecimal number, ==, or double quotes"),
    (rf"\b(WHERE|AND|OR|NOT|WHEN)\s+\(?(\w+\.)?({FLAGS})\b(?!\s*(=|<|>|IN\b))", "a flag is an integer: compare it with 1"),
    (rf"\b({NUMBERS})\s*(=|<>|<|>|<=|>=|IN\s*\()\s*-?\d", "name the number (src/catalog/sql.h)"),
    (r"\bsum\((?!CASE\b)[^()]*[=<>]", "a condition is no number: SQL_COUNT_IF"),
]


def uncomment(text):
    """Blanks comments, keeping the number of lines."""
    return re.sub(r"/\*.*?\*/|//[^\n]*", lambda match: re.sub(r"[^\n]", " ", match[0]), text, flags=re.S)


def statements(text):
    """(line number, text) of each run of string literals that the compiler, or a macro between them, puts together."""
    text = uncomment(text)
    parts, end, line = [], None, 0
    for match in STRING.finditer(text):
        gap = text[end:match.start()] if end is not None else ";"
        if not re.fullmatch(r"[\w\s\\()]*", gap):
            if parts:
                yield line, "".join(parts)
            parts, line = [], text.count("\n", 0, match.start()) + 1
        elif re.search(r"\w", gap):
            parts.append(" $ ")
        parts.append(match[0][1:-1])
        end = match.end()
    if parts:
        yield line, "".join(parts)


def closing(sql, start):
    """The place of the parenthesis that closes the one before start, or None."""
    depth = 1
    for place in range(start, len(sql)):
        depth += {"(": 1, ")": -1}.get(sql[place], 0)
        if depth == 0:
            return place
    return None


def scalar_extreme(sql):
    """max(a, b): a function of several values is a function of SQLite alone."""
    for match in re.finditer(r"\b(?:max|min)\(", sql):
        inside = sql[match.end():closing(sql, match.end())]
        while (flat := re.sub(r"\([^()]*\)", "", inside)) != inside:
            inside = flat
        if "," in inside:
            return True
    return False


def unnamed_subquery(sql):
    """FROM (SELECT …) without a name."""
    for match in re.finditer(r"\b(?:FROM|JOIN) \((?=SELECT\b)", sql):
        end = closing(sql, match.end())
        if end is not None and not re.match(r"\)\s+AS \w", sql[end:]):
            return True
    return False


def mistakes(sql):
    """What is not portable in a statement, or a part of one."""
    if not VERB.search(sql):
        return
    for pattern, why in RULES:
        if re.search(pattern, sql):
            yield why
    if scalar_extreme(sql):
        yield "max and min of several values: CASE"
    if unnamed_subquery(sql):
        yield "a subquery in FROM needs a name"


def findings(project):
    """What is wrong, a line each."""
    found = []
    for source in sorted(Path(project).glob("src/*/*.[ch]")):
        place = str(source.relative_to(project))
        text = source.read_text()
        if OF_ONE_ENGINE.search(place) or not re.search(r"\bdb_\w+\(|\bSQL_\w+", text):
            continue
        for line, sql in statements(text):
            found += [f"{place}:{line}: {why}: {sql[:80]}" for why in mistakes(sql)]
    return found


if __name__ == "__main__":
    lines = findings(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)
