# SPDX-License-Identifier: Apache-2.0
"""A small API server on loopback that speaks HTTP: for what the drivers do."""

from __future__ import annotations

import json
import queue
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ascend._digest import digest
from ascend._model import format_time


class Server(ThreadingHTTPServer):
    """Keeps actions, and tells watches of them."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Condition()
        self.store: dict[str, dict[str, Any]] = {}
        self.version = 1
        self.watches: list[queue.Queue[dict[str, Any] | None]] = []
        self.open = self.peak = self.reads = self.watched = 0
        self.refuse_watches = False
        self.first = {"decision": "Pending"}
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client cuts is no error."""

    def stop(self) -> None:
        self.drop()
        self.shutdown()
        self.thread.join()
        self.server_close()

    def drop(self) -> None:
        """End every watch."""
        with self.lock:
            for watch in self.watches:
                watch.put(None)

    def write(self, name: str, status: dict[str, Any]) -> None:
        with self.lock:
            obj = self.store[name]
            self.version += 1
            until = format_time(datetime.now(timezone.utc) + timedelta(hours=1))
            obj["status"] = {"specDigest": digest(obj["spec"]), "validUntil": until, **status}
            obj["status"]["decidedAt"] = format_time(datetime.now(timezone.utc))
            obj["metadata"]["resourceVersion"] = str(self.version)
            event = {"type": "MODIFIED", "object": json.loads(json.dumps(obj))}
            for watch in self.watches:
                watch.put(event)

    def until(self, true: Any) -> None:
        """Wait until something is true of the server."""
        with self.lock:
            assert self.lock.wait_for(lambda: true(self), 60)


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def count(self, connections: int = 0, reads: int = 0, watched: int = 0) -> None:
        with self.server.lock:
            self.server.open += connections
            self.server.peak = max(self.server.peak, self.server.open)
            self.server.reads += reads
            self.server.watched += watched
            self.server.lock.notify_all()

    def setup(self) -> None:
        super().setup()
        self.count(connections=1)

    def finish(self) -> None:
        self.count(connections=-1)
        super().finish()

    def log_message(self, *_: Any) -> None: ...

    def answer(self, code: int, obj: Any) -> None:
        body = json.dumps(obj).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        obj = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = obj["metadata"]["name"]
        with self.server.lock:
            obj["metadata"].update(uid=f"uid-{name}", resourceVersion=str(self.server.version))
            self.server.store[name] = obj
            created = json.loads(json.dumps(obj))
        self.answer(201, created)
        self.server.write(name, self.server.first)

    def do_PATCH(self) -> None:
        patch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            obj = self.server.store[urlsplit(self.path).path.rpartition("/")[2]]
            obj["spec"].update(patch["spec"])
            text = json.loads(json.dumps(obj))
        self.answer(200, text)

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        name = path.rpartition("/")[2]
        if "watch" in query:
            self.watch()
        elif name == "agentactions":
            self.answer(200, {"metadata": {"resourceVersion": str(self.server.version)}, "items": []})
        else:
            with self.server.lock:
                obj = json.loads(json.dumps(self.server.store[name]))
            self.answer(200, obj)
            self.count(reads=1)

    def watch(self) -> None:
        if self.server.refuse_watches:
            self.answer(403, {"kind": "Status", "reason": "Forbidden", "message": "no watch"})
            return
        events: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self.server.lock:
            self.server.watches.append(events)
        self.count(watched=1)
        while (event := events.get()) is not None:
            line = json.dumps(event).encode() + b"\n"
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        with self.server.lock:
            self.server.watches.remove(events)
        self.wfile.write(b"0\r\n\r\n")
