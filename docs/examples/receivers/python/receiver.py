# SPDX-License-Identifier: Apache-2.0
"""A receiver of Ascend Operator's notifications, with Python's standard library alone.

It checks who each delivery is from, answers a delivery that it has already, and
prints the others.

    WEBHOOK_SECRET=whsec_... python3 receiver.py --listen 127.0.0.1:8080
"""

import argparse
import base64
import hashlib
import hmac
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOLERANCE = 5 * 60  # seconds that a delivery's timestamp may be from now
REMEMBERED = 25 * 3600  # seconds that an id is known again: longer than a delivery is retried
MAX_BODY = 1 << 20  # more than any event has


def key_of(secret):
    """The key that signs: what whsec_ stands for, or the bytes as they are."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_"):], validate=True)
    return secret.encode()


def verify(key, headers, body, now):
    """Raise ValueError for a delivery that is not to be believed.

    body is what came over the wire, before anything reads it as JSON.
    """
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not identifier or not (timestamp.isascii() and timestamp.isdigit()):
        raise ValueError("webhook-id or webhook-timestamp is missing")
    if abs(now - int(timestamp)) > TOLERANCE:
        raise ValueError("webhook-timestamp is too far from now")
    signed = identifier.encode() + b"." + timestamp.encode() + b"." + body
    want = b"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    # There are two signatures while the secret is rotated: one of them has to fit.
    for signature in headers.get("webhook-signature", "").split():
        if hmac.compare_digest(signature.encode(), want):
            return
    raise ValueError("no signature fits")


def handle(identifier, event):
    """Where your own code begins. What takes long belongs behind a queue: the sender waits 30 seconds."""
    data = event.get("data", {})
    print(f"{identifier!r}: {event.get('type')!r}: {event.get('subject')!r} of agent {data.get('agent_id')!r} "
          f"in namespace {data.get('namespace')!r}: decision {data.get('decision')!r}, "
          f"reason {data.get('reason')!r}, risk {data.get('risk_score')!r}", flush=True)


class Receiver(BaseHTTPRequestHandler):
    """Answers deliveries. Anything but 2xx is delivered again later."""

    protocol_version = "HTTP/1.1"
    timeout = 30  # seconds, for a sender that stops half-way
    key = b""
    seen = {}  # when an id was handled
    lock = threading.Lock()

    def do_POST(self):
        """Take one delivery."""
        length = self.headers.get("content-length", "")
        if not length.isdecimal():
            self.answer(411, "content-length is missing")
            return
        # One byte more than is taken: an answer to a body that nobody reads can be lost with its connection.
        body = self.rfile.read(min(int(length), MAX_BODY + 1))
        if len(body) > MAX_BODY:
            self.answer(413, "the body is too long")
            return
        try:
            verify(self.key, self.headers, body, time.time())
        except ValueError as error:
            self.answer(401, str(error))
            return
        try:
            event = json.loads(body)
        except ValueError:
            self.answer(400, "the body is no event")
            return
        identifier = self.headers["webhook-id"]
        with self.lock:
            if identifier in self.seen:  # the answer to the first one was lost
                self.answer(200)
                return
            handle(identifier, event)
            self.remember(identifier, time.time())
        self.answer(204)

    def remember(self, identifier, now):
        """Note that an event was handled, and forget the oldest."""
        for old in [old for old, at in self.seen.items() if now - at > REMEMBERED]:
            del self.seen[old]
        self.seen[identifier] = now

    def answer(self, code, text=""):
        """Answer with that code."""
        body = text.encode()
        self.send_response(code)
        if code >= 400:
            self.close_connection = True  # what is left of a body that was not read goes with it
        if code != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing of each request: handle does."""


def main():
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", default="127.0.0.1:8080", help="address to listen on")
    host, _, port = parser.parse_args().listen.rpartition(":")
    try:
        Receiver.key = key_of(os.environ.get("WEBHOOK_SECRET", ""))
    except ValueError:
        pass  # as one that is too short
    if len(Receiver.key) < 16:
        sys.exit("put the secret of the subscription into WEBHOOK_SECRET: whsec_ and base64, or 16 bytes at least")
    server = ThreadingHTTPServer((host, int(port)), Receiver)
    print(f"listening on http://{host}:{server.server_port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
