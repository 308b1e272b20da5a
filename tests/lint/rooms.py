"""Checks the includes of src against the tables of ARCHITECTURE.md. usage: rooms.py [PROJECT]

Prints a line for each include that the tables do not allow, and for each table row that is out of date.
"""
import re
import sys
from pathlib import Path

ROOMS = "| room | is for | may know, besides util |"
HEADERS = "| room | other rooms include only |"
LIBRARIES = "| header | included only by |"


class Malformed(Exception):
    """A table that is missing or has a cell that this test cannot read."""


def table(text, head):
    """The rows of the table with that header line, as lists of cells."""
    lines = iter(text.splitlines())
    if head not in lines:
        raise Malformed(f"ARCHITECTURE.md: no table with the header line '{head}'")
    next(lines, None)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip().strip("|").split("|")])
    return rows


def names(cell):
    """`a`, `b` or a, b: the names in a cell; none for an empty cell."""
    return [name.strip().strip("`") for name in cell.split(",") if name.strip()]


def knowledge(rows):
    """room -> the rooms that it may include. A room may name only rooms above it, so the table has no cycle."""
    known = {}
    before = None
    for room, _, cell in rows:
        room = room.strip("`")
        if cell == "the same":
            if before is None:
                raise Malformed(f"ARCHITECTURE.md: '{room}' is 'the same' as no row")
            allowed = set(before)
        elif match := re.fullmatch(r"all(?: above)?(?: but (.+))?", cell):
            allowed = set(known) - set(names(match[1] or ""))
        else:
            allowed = set(names(cell))
        for unknown in sorted(allowed - set(known)):
            raise Malformed(f"ARCHITECTURE.md: '{room}' may know '{unknown}', which is no room above it")
        before = allowed
        known[room] = allowed | ({"util"} if room != "util" else set())
    return known


def public_headers(rows, src):
    """room -> the headers that other rooms may include, of the rooms that restrict them."""
    public = {}
    for room, cell in rows:
        room = room.strip("`")
        if match := re.fullmatch(r"all but (.+)", cell):
            hidden = names(match[1])
            public[room] = [header.name for header in sorted((src / room).glob("*.h")) if header.name not in hidden]
            public[room] += [header for header in hidden if not (src / room / header).is_file()]
        else:
            public[room] = names(cell)
    return public


def includes(source):
    """(line number, path, whether it stands in quotes) of each include."""
    for number, line in enumerate(source.read_text().splitlines(), 1):
        match = re.match(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', line)
        if match:
            yield number, match[1] or match[2], match[1] is not None


def stale_rows(src, known, public, owners):
    """Rows that name what does not exist, and rooms without a row."""
    rooms = {folder.name for folder in src.iterdir() if folder.is_dir() and any(folder.glob("*.[ch]"))}
    for room in sorted(rooms - set(known)):
        yield f"src/{room}: the table of rooms in ARCHITECTURE.md has no such room"
    for room in sorted((set(known) | set(public)) - rooms):
        yield f"ARCHITECTURE.md: there is no room src/{room}"
    for room, headers in sorted(public.items()):
        for header in headers:
            if room in rooms and not (src / room / header).is_file():
                yield f"ARCHITECTURE.md: there is no header src/{room}/{header}"
    for header, places in sorted(owners.items()):
        for place in places:
            if not (src / place).exists():
                yield f"ARCHITECTURE.md: {header} is included only by '{place}', which does not exist"


def wrong_project_include(room, path, known, public):
    """Why this include of a header of the project is wrong, or None."""
    if "/" not in path:
        return f"'{path}' is included without its room"
    other, header = path.split("/", 1)
    if other == room:
        return None
    if other not in known.get(room, ()):
        return f"room '{room}' may not know '{other}'"
    if header.endswith("-private.h") or header not in public.get(other, [header]):
        return f"{path} is private to room '{other}'"
    return None


def wrong_library_include(place, path, owners):
    """place: the file's path below src. Why this include of a library's header is wrong, or None."""
    for header, allowed in owners.items():
        is_meant = path == header or (header.endswith("/") and path.startswith(header))
        if is_meant and not any(place == owner or place.startswith(f"{owner}/") for owner in allowed):
            return f"<{path}> is included only by {', '.join(allowed)}"
    return None


def findings(project):
    """What is wrong, a line each; an empty list where all is well."""
    src = Path(project) / "src"
    text = (Path(project) / "ARCHITECTURE.md").read_text()
    try:
        known = knowledge(table(text, ROOMS))
        public = public_headers(table(text, HEADERS), src)
        owners = {header: names(cell) for row in table(text, LIBRARIES) for header, cell in [(row[0].strip("`"), row[1])]}
    except (Malformed, ValueError) as error:
        return [str(error)]
    found = list(stale_rows(src, known, public, owners))
    for source in sorted(src.glob("*/*.[ch]")):
        room, place = source.parent.name, str(source.relative_to(src))
        for number, path, is_quoted in includes(source):
            wrong = wrong_project_include(room, path, known, public) if is_quoted else None
            wrong = wrong or wrong_library_include(place, path, owners)
            if wrong:
                found.append(f"src/{place}:{number}: {wrong}")
    return found


if __name__ == "__main__":
    lines = findings(sys.argv[1] if len(sys.argv) > 1 else ".")
    print("\n".join(lines), end="\n" if lines else "")
    sys.exit(1 if lines else 0)
