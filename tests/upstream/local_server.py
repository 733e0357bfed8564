"""A small model server for tests to have run: it answers chats, and misbehaves as it is told.

`local_server.py PORT [--hang FILE] [--grow MIB] [--say TEXT] [--bad-gateway FILE]`: it hangs, and
answers 502, while the named file exists. With `--child` it starts a process that outlives it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ANSWER = "local says hello"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options: argparse.Namespace

    def do_GET(self) -> None:
        self._wait_while_hung()
        self._answer(200, {"status": "ok"})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self._wait_while_hung()
        if self.options.bad_gateway is not None and self.options.bad_gateway.exists():
            self._answer(502, {"error": {"message": "bad gateway"}})
            return
        time.sleep(self.options.delay)
        message = {"role": "assistant", "content": ANSWER}
        self._answer(
            200,
            {
                "id": f"by-{os.getpid()}",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
                "usage": {"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6},
            },
        )

    def _wait_while_hung(self) -> None:
        while self.options.hang is not None and self.options.hang.exists():
            time.sleep(0.01)

    def _answer(self, status: int, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Say nothing of single requests."""


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--hang", type=Path)
    parser.add_argument("--bad-gateway", type=Path)
    parser.add_argument("--grow", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0)
    parser.add_argument("--say", default="ready")
    parser.add_argument("--child", type=Path)
    options = parser.parse_args()
    Handler.options = options
    if options.child is not None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        options.child.write_text(str(child.pid))
    kept = b"x" * (options.grow << 20)
    print(options.say, os.environ.get("LOCAL_SECRET", ""), flush=True)
    Server(("127.0.0.1", options.port), Handler).serve_forever()
    del kept


if __name__ == "__main__":
    main()
