"""Answers to a GET that are not what was asked for, made of the server's own: each a way in which a server, or something
on the way, is known to be wrong. What is_close says is over when it has been sent.

    data, is_close = alter("short-range", raw_head, body, whole)

`whole` is the object, for what answers a range with all of it. Where all of it was asked for, and the misbehaviour is one
of ranges, the answer becomes a 206 of that kind.
"""

import re

SHIFT_BYTES = 4096
JUNK = b"junk" * 1250


class Answer:
    def __init__(self, raw_head, body):
        first, *lines = raw_head[:-4].decode("latin-1").split("\r\n")
        self.status, self.body, self.is_close = int(first.split(" ")[1]), body, False
        self.headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.headers.pop("transfer-encoding", None)
        self.headers["content-length"] = str(len(body))
        found = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", self.headers.get("content-range", ""))
        self.first, self.last, self.total = map(int, found.groups()) if found else (0, len(body) - 1, len(body))

    def set_body(self, body):
        self.body = body
        self.headers["content-length"] = str(len(body))

    def set_range(self, first, last, total=None):
        self.status = 206
        self.headers["content-range"] = f"bytes {first}-{last}/{self.total if total is None else total}"

    def chunk(self):
        del self.headers["content-length"]
        self.headers["transfer-encoding"] = "chunked"
        parts = [self.body[at:at + 50_000] for at in range(0, len(self.body), 50_000)]
        self.body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"

    def end_by_closing(self):
        del self.headers["content-length"]
        self.headers["connection"] = "close"
        self.is_close = True

    def bytes(self):
        lines = [f"HTTP/1.1 {self.status} As Altered", *(f"{name}: {value}" for name, value in self.headers.items())]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + self.body


def wrong_range(answer, _):
    """Another one than was asked for, and its bytes."""
    answer.set_range(answer.first + SHIFT_BYTES, answer.last)
    answer.set_body(answer.body[SHIFT_BYTES:])


def no_content_range(answer, _):
    """A part, and nobody says which."""
    answer.status = 206
    answer.headers.pop("content-range", None)


def short_range(answer, _):
    """Less than was asked for, and it says so."""
    half = (len(answer.body) + 1) // 2
    answer.set_range(answer.first, answer.first + half - 1)
    answer.set_body(answer.body[:half])


def whole_answer(answer, whole):
    """200 with all of it, as by a server that knows no ranges."""
    answer.status = 200
    answer.headers.pop("content-range", None)
    answer.set_body(whole)


def short_object(answer, _):
    """Complete in itself, of an object that is shorter."""
    answer.set_body(answer.body[:-1000])
    if answer.status == 206:
        answer.set_range(answer.first, answer.last - 1000, answer.total - 1000)


def long_answer(answer, _):
    """More bytes than the range that it says it is."""
    answer.set_body(answer.body + JUNK)


def long_chunks(answer, _):
    answer.set_body(answer.body + JUNK)
    answer.chunk()


def other_object(answer, _):
    """What stands under the key now, from a server that does not know If-Match."""
    answer.headers["etag"] = '"00000000000000000000000000000000"'
    answer.set_body(bytes(byte ^ 255 for byte in answer.body[:64]) + answer.body[64:])


def no_length(answer, _):
    answer.end_by_closing()


def cut_without_length(answer, _):
    """Nothing but the size that is known says that it is not all of it."""
    answer.set_body(answer.body[:len(answer.body) // 2])
    answer.end_by_closing()


def chunked_answer(answer, _):
    answer.chunk()


ALTERED = {function.__name__.replace("_", "-"): function
           for function in (wrong_range, no_content_range, short_range, whole_answer, short_object, long_answer, long_chunks,
                            other_object, no_length, cut_without_length, chunked_answer)}


def alter(name, raw_head, body, whole):
    answer = Answer(raw_head, body)
    ALTERED[name](answer, whole)
    return answer.bytes(), answer.is_close
