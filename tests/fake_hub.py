"""A model hub on this machine: one repository, whose large files may break off half way."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0" * 39 + "1"


@contextmanager
def hub(name: str, folder: Path, asked: list[str], *, breaks_off: bool) -> Iterator[str]:
    """Serve ``folder`` as the model ``name``; yields the endpoint.

    Args:
        asked: gets the name of every file that somebody asks for.
        breaks_off: end every connection after the first half of a weights file.
    """

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            if self.path.startswith(f"/api/models/{name}"):
                files = [{"rfilename": path.name} for path in sorted(folder.iterdir())]
                listing = json.dumps({"id": name, "sha": COMMIT, "siblings": files}).encode()
                self._send(listing, "application/json", body=body)
            elif self.path.startswith(f"/{name}/resolve/"):
                path = folder / self.path.rpartition("/")[2]
                if not path.is_file():
                    self.send_error(404)
                    return
                asked.append(path.name)
                self._send(path.read_bytes(), "application/octet-stream", body=body)
            else:
                self._send(b"", "text/plain", body=body)

        def _send(self, content: bytes, kind: str, *, body: bool) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.end_headers()
            if body and breaks_off and self.path.endswith(".safetensors"):
                content = content[: len(content) // 2]
                self.close_connection = True
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
