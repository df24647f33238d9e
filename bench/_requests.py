"""Requests to a WSGI application in this process, without sockets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import urlencode

HOST = "127.0.0.1"


class Application(Protocol):
    def __call__(self, environ: dict[str, Any], start_response: Any, /) -> Iterable[bytes]: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What a browser sends: its own headers, cookies, and the fields of a form."""

    path: str
    fields: tuple[tuple[str, str], ...] | None = None
    cookies: Mapping[str, str] | None = None
    htmx: bool = False

    @property
    def method(self) -> str:
        return "GET" if self.fields is None else "POST"

    @property
    def body(self) -> bytes:
        return urlencode(self.fields or ()).encode()

    @property
    def headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in (self.cookies or {}).items())
        return {
            "Accept": "text/html",
            "Accept-Encoding": "gzip, deflate, br",
            "Accept-Language": "en-GB,en;q=0.9",
            **({"Cookie": cookies} if cookies else {}),
            **({"Content-Type": "application/x-www-form-urlencoded"} if self.fields else {}),
            **({"HX-Request": "true"} if self.htmx else {}),
        }

    def environ(self) -> dict[str, Any]:
        body = self.body
        headers = {name.upper().replace("-", "_"): text for name, text in self.headers.items()}
        content_type = headers.pop("CONTENT_TYPE", "")
        return {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": self.path,
            "QUERY_STRING": "",
            "SERVER_NAME": HOST,
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": HOST,
            "CONTENT_TYPE": content_type,
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
            "wsgi.multithread": False,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            **{f"HTTP_{name}": text for name, text in headers.items()},
            "HTTP_HOST": HOST,
        }


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


def send(application: Application, environ: dict[str, Any]) -> Response:
    """Let the application answer, to the last byte and to its own end of the request."""
    status, headers = "", {}

    def start_response(line: str, pairs: list[tuple[str, str]], *_: object) -> None:
        nonlocal status, headers
        status, headers = line, dict(pairs)

    chunks = application(environ, start_response)
    body = b"".join(chunks)
    if close := getattr(chunks, "close", None):
        close()
    return Response(int(status[:3]), headers, body)
