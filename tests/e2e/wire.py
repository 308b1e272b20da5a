"""A wire to a real server that records every request; bytes pass unchanged, so that signatures stay valid.

`answer` may say something else than the server: a function of the request line that gives a whole answer, or None.
"""

import re
import socket
import threading


class Wire:
    def __init__(self, endpoint, answer=None):
        self.target = re.fullmatch(r"http://([^:/]+):(\d+)", endpoint).groups()
        self.requests, self.answer = [], answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()

    @property
    def lines(self):
        """"METHOD /path?query" of every request."""
        return [request.split(b"\r\n", 1)[0].decode().rsplit(" ", 1)[0] for request in self.requests]

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client:
            client.settimeout(30)
            while head := self.read_head(client):
                length = int((re.search(rb"(?i)\r\ncontent-length: *(\d+)", head) or [0, 0])[1])
                body = self.read(client, length)
                self.requests.append(head + body)
                said = self.answer and self.answer(self.lines[-1])
                client.sendall(said or self.ask(head + body))
                if said:
                    return

    def ask(self, request):
        """One request on a connection of its own; the server ends it when the answer is complete."""
        request = re.sub(rb"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", request, count=1)
        with socket.create_connection((self.target[0], int(self.target[1])), timeout=30) as server:
            server.sendall(request)
            answer = b""
            while part := server.recv(1 << 16):
                answer += part
            return answer

    @staticmethod
    def read_head(client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                byte = client.recv(1)
            except OSError:
                return b""
            if not byte:
                return b""
            head += byte
        return head

    @staticmethod
    def read(client, length):
        body = b""
        while len(body) < length:
            body += client.recv(length - len(body))
        return body


def page(status, body, content_type="application/xml", *headers):
    """A whole answer, after which the connection ends."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {content_type}", f"Content-Length: {len(body.encode())}",
             "Connection: close", *headers, "", body]
    return "\r\n".join(lines).encode()


def error(status, code, more=""):
    return page(status, f"<Error><Code>{code}</Code><Message>no</Message>{more}</Error>")
