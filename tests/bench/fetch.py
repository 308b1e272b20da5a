"""GETs one after the other on one connection, timed. usage: fetch.py HOST PORT < LINES     LINE: RANGE PATH

RANGE is that of the header, FIRST-LAST, or `-` for all. Prints the seconds of each, and the bytes. The connection is made for
the first one, whose time includes that.
"""

import http.client
import sys
import time


def main():
    connection = http.client.HTTPConnection(sys.argv[1], int(sys.argv[2]), timeout=60)
    for line in sys.stdin:
        wanted, path = line.split()
        headers = {} if wanted == "-" else {"Range": f"bytes={wanted}"}
        begin = time.monotonic()
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        secs = time.monotonic() - begin
        if answer.status not in (200, 206):
            sys.exit(f"status {answer.status}")
        print(secs, len(body), flush=True)


if __name__ == "__main__":
    main()
