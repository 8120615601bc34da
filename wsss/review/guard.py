"""Who may ask the server of the page for anything: only the page, in the browser of its owner.

The server listens on a machine where other people may work, beside a browser in which other sites
are open. A token in the address that `wsss review` prints keeps the people out; Host, Origin and
Sec-Fetch headers, which other sites cannot make up, keep the sites out.
"""

import hashlib
import re
import secrets
from collections.abc import Collection
from html import escape
from ipaddress import ip_address

from starlette.datastructures import MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES = 2**21
"""Of the body of a request."""
METHODS = ("GET", "HEAD", "POST")
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
NO_TOKEN = "This page needs the address with its token that `wsss review` printed: open that one"
NOT_THE_PAGE = "Only the page itself may ask for this: open the address that `wsss review` printed"
NO_HOST = "The request names no host, or not as browsers do: open the address in a browser"
TOO_LARGE = f"A request may have {MOST_BYTES:,} bytes: send less at a time"
NO_LENGTH = "The length of the request is no number: send it again"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,}")
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?")


def new_token() -> str:
    """Return a secret of 256 bits that may stand in an address and in a cookie."""
    return secrets.token_urlsafe(32)


def cookie_name(token: str) -> str:
    """Return a name that no server with another token uses, and that does not tell the token.

    All servers of a machine share one jar of cookies, whatever their ports.
    """
    return f"wsss_{hashlib.sha256(f'cookie {token}'.encode()).hexdigest()[:16]}"


class Guard:
    """Middleware that lets nothing through but requests of the page to its own server.

    `GET /?token=T` with the right token sets the cookie that everything else needs, and leads to
    `/`, so that the token stays in no address. What is refused is answered by a sentence: as a page
    at `/`, as `{"error": ...}` elsewhere. Every answer, of the app too, has `HEADERS`, and
    `Cache-Control: no-store` unless the app says otherwise.

    Args:
        app: The ASGI application; its lifespan passes through, WebSockets do not.
        token: At least 16 letters, digits, - or _.
        hosts: Names besides localhost by which browsers reach the server. Addresses (127.0.0.1,
            [::1], those of the network) need no entry: what is called DNS rebinding needs a name.
        cookie: The cookie's name, from `cookie_name`.

    Raises:
        ValueError: The token is too short or has other characters.
    """

    def __init__(self, app: ASGIApp, *, token: str, hosts: Collection[str], cookie: str) -> None:
        if not _TOKEN.fullmatch(token):
            raise ValueError(
                f"a token of {len(token)} characters is no secret that fits an address; "
                "take one of new_token"
            )
        self._app = app
        self._token = token
        self._hosts = {_plain(host) for host in ("localhost", *hosts)}
        self._cookie = cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or let the application do it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Closed before it is accepted, it is answered by a 403.
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(_Asked(scope), receive, _with_headers(send))

    async def _answer(self, asked: "_Asked", receive: Receive, send: Send) -> None:
        answer = (
            self._check_host(asked)
            or _check_method(asked)
            or _check_site(asked)
            or self._check_token(asked)
            or _check_action(asked)
            or _check_length(asked)
        )
        if answer is not None:
            await answer(asked.scope, receive, send)
            return
        # Read here, so that a body without a length is refused before the application sees it.
        body = await _read(receive)
        if body is None:
            return
        if len(body) > MOST_BYTES:
            await _refusal(asked, 413, TOO_LARGE)(asked.scope, receive, send)
        else:
            await self._app(asked.scope, _again(body, receive), send)

    def _check_host(self, asked: "_Asked") -> Response | None:
        match = _HOST.fullmatch(asked.only("host"))
        if match is None:
            return _refusal(asked, 400, NO_HOST)
        name = _plain(match["name"])
        if name in self._hosts or _is_address(name.strip("[]")):
            return None
        known = ", ".join(sorted(self._hosts))
        sentence = f"This server is not called {name[:100]}: open it as {known}, or by its number"
        return _refusal(asked, 403, sentence)

    def _check_token(self, asked: "_Asked") -> Response | None:
        given = QueryParams(asked.scope.get("query_string", b"")).getlist("token")
        if asked.is_page and given:
            return self._exchange(asked, given)
        cookies = [pair for pairs in asked.all("cookie") for pair in pairs.split(";")]
        found = [pair.strip().partition("=") for pair in cookies]
        if any(name == self._cookie and self._is_token(value) for name, _, value in found):
            return None
        return _refusal(asked, 403, NO_TOKEN)

    def _exchange(self, asked: "_Asked", given: list[str]) -> Response:
        if not all(self._is_token(token) for token in given):
            return _refusal(asked, 403, NO_TOKEN)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
        return answer

    def _is_token(self, text: str) -> bool:
        return secrets.compare_digest(text.encode(), self._token.encode())


class _Asked:
    """A request: what is checked of it, as text that any bytes can be turned into."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.is_page = scope["path"] == "/" and self.method != "POST"

    def all(self, name: str) -> list[str]:
        """Return the values of a header."""
        headers = self.scope["headers"]
        return [v.decode("latin-1") for k, v in headers if k == name.encode()]

    def only(self, name: str) -> str:
        """Return the value of a header, nothing where it is missing or was sent twice."""
        values = self.all(name)
        return values[0] if len(values) == 1 else ""

    @property
    def is_foreign(self) -> bool:
        """Whether the browser says that another site, or another port, is behind the request."""
        return not {"none", "same-origin"}.issuperset(self.all("sec-fetch-site"))

    @property
    def opens_the_page(self) -> bool:
        """Whether a window, no frame, goes to the page: from a link in a chat, a web terminal."""
        window = self.only("sec-fetch-dest") in ("", "document")
        return self.is_page and window and self.only("sec-fetch-mode") == "navigate"


def _check_method(asked: _Asked) -> Response | None:
    if asked.method in METHODS:
        return None
    answer = _refusal(asked, 405, f"Only {', '.join(METHODS)} are answered: use one of them")
    answer.headers["Allow"] = ", ".join(METHODS)
    return answer


def _check_site(asked: _Asked) -> Response | None:
    if asked.is_foreign and not asked.opens_the_page:
        return _refusal(asked, 403, NOT_THE_PAGE)
    return None


def _check_action(asked: _Asked) -> Response | None:
    """Refuse a change that the page did not ask for: a browser shows the origin of each of them."""
    if asked.method != "POST":
        return None
    host = asked.only("host")
    media_type = asked.only("content-type").partition(";")[0].strip().lower()
    is_ours = (
        asked.only("origin") in (f"http://{host}", f"https://{host}")
        and {"same-origin"}.issuperset(asked.all("sec-fetch-site"))
        and asked.only("x-review") == "1"
        and media_type == "application/json"
    )
    return None if is_ours else _refusal(asked, 403, NOT_THE_PAGE)


def _check_length(asked: _Asked) -> Response | None:
    for length in asked.all("content-length"):
        if not (length.isascii() and length.isdigit()):
            return _refusal(asked, 400, NO_LENGTH)
        # Python refuses to read numbers of thousands of digits.
        if len(length) > 18 or int(length) > MOST_BYTES:
            return _refusal(asked, 413, TOO_LARGE)
    return None


def _refusal(asked: _Asked, status: int, sentence: str) -> Response:
    if not asked.is_page:
        return JSONResponse({"error": sentence}, status)
    # A browser keeps a strict cookie to itself when a link of another site leads here, through any
    # number of redirections; it sends it when this page, which is ours, leads on.
    again = asked.is_foreign and asked.opens_the_page and not asked.scope.get("query_string")
    refresh = '<meta http-equiv="refresh" content="0; url=/">' if again else ""
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">{refresh}<title>wsss review</title>'
    )
    return HTMLResponse(f"{page}<p>{escape(sentence)}.</p></html>", status)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message.setdefault("headers", [])
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_with_headers


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request, None where the browser is gone.

    Of a body that is too large, no more is read than shows that it is.
    """
    body, more = bytearray(), True
    while more and len(body) <= MOST_BYTES:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body first, then whatever follows it."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Message:
        return first.pop() if first else await receive()

    return receive_again


def _plain(name: str) -> str:
    return name.lower().removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
