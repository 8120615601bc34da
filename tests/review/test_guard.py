"""The guard of the page: who is let in, and how the others are told."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from wsss.review.guard import HEADERS, MOST_BYTES, Guard, cookie_name, new_token

TOKEN = "a-token_of-the-Tests01"
COOKIE = cookie_name(TOKEN)
HOST = "localhost:8765"
MINE = {"cookie": f"{COOKIE}={TOKEN}"}
PAGE = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
ACTION = {
    **MINE,
    "origin": f"http://{HOST}",
    "sec-fetch-site": "same-origin",
    "x-review": "1",
    "content-type": "application/json",
}


class Served:
    """An application that remembers what reached it."""

    def __init__(self):
        self.reached = []
        routes = [Route(path, self.answer, methods=["GET", "POST"]) for path in ("/", "/api/x")]
        routes.append(Route("/thumbnails/1", self.picture))
        self.app = Starlette(routes=routes)

    async def answer(self, request: Request):
        body = await request.body()
        self.reached.append((request.method, request.url.path, len(body)))
        return JSONResponse({"bytes": len(body)})

    async def picture(self, request: Request):
        self.reached.append((request.method, request.url.path, 0))
        return Response(
            b"x", headers={"cache-control": "private, max-age=9", "x-frame-options": ""}
        )


@pytest.fixture
def served():
    return Served()


def guarded(served, *hosts):
    return Guard(served.app, token=TOKEN, hosts=hosts, cookie=COOKIE)


@pytest.fixture
def client(served):
    return TestClient(guarded(served), base_url=f"http://{HOST}", follow_redirects=False)


def without(headers, *names):
    return {name: value for name, value in headers.items() if name not in names}


def ask(app, *, headers=(), method="GET", path="/", query=b"", messages=()):
    """Ask the bare application, with headers that no client would send; return what it sent."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8765),
    }
    left = list(messages) or [{"type": "http.request", "body": b"", "more_body": False}]
    sent = []

    async def receive():
        return left.pop(0) if left else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent, left


def status(app, **request):
    return ask(app, **request)[0][0]["status"]


def raw(headers, *more):
    return [(name.encode(), value.encode()) for name, value in headers.items()] + list(more)


GOOD_HOST = (b"host", HOST.encode())


def test_the_token_is_exchanged_for_a_cookie_and_leaves_the_address(client, served):
    answer = client.get("/", params={"token": TOKEN}, headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    pair, *attributes = answer.headers["set-cookie"].split("; ")
    assert pair == f"{COOKIE}={TOKEN}"
    assert {text.lower() for text in attributes} == {"httponly", "samesite=strict", "path=/"}
    assert TOKEN not in answer.text and served.reached == []
    assert client.get("/", headers=MINE).json() == {"bytes": 0}


@pytest.mark.parametrize(
    "query",
    [
        "token=",
        "token=wrong",
        f"token={TOKEN[:-1]}",
        f"token={TOKEN}x",
        f"token={TOKEN.lower()}",
        f"token={TOKEN}&token=wrong",
        f"TOKEN={TOKEN}",
        "token=%ff%00%zz",
        f"x={TOKEN}",
    ],
)
def test_a_wrong_token_is_refused(client, served, query):
    answer = client.get(f"/?{query}")
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert served.reached == []


def test_a_wrong_token_is_refused_beside_the_right_cookie(client, served):
    assert client.get("/?token=wrong", headers=MINE).status_code == 403


def test_the_token_in_another_address_opens_nothing(client, served):
    answer = client.get(f"/api/x?token={TOKEN}")
    assert answer.status_code == 403 and "set-cookie" not in answer.headers
    answer = client.post(f"/?token={TOKEN}", headers=without(ACTION, "cookie"))
    assert answer.status_code == 403 and served.reached == []


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        f"{COOKIE}=",
        f"{COOKIE}=wrong",
        f"{COOKIE}",
        f"other={TOKEN}",
        f"{COOKIE}x={TOKEN}",
        f"{COOKIE}={TOKEN}x",
        f"=;;; {COOKIE}; =={TOKEN}",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/x", "/thumbnails/1", "/page/style.css", "/nowhere"])
def test_nothing_is_answered_without_the_cookie(client, served, path, cookie):
    answer = client.get(path, headers={"cookie": cookie})
    sentence = (
        "This page needs the address with its token that `wsss review` printed: open that one"
    )
    assert answer.status_code == 403 and served.reached == []
    if path == "/":
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert f"<p>{sentence}.</p>" in answer.text
    else:
        assert answer.json() == {"error": sentence}


@pytest.mark.parametrize(
    "cookie",
    [
        f"a=b; {COOKIE}={TOKEN}",
        f"{COOKIE}=old; {COOKIE}={TOKEN};c=d",
        f'x="; {COOKIE}={TOKEN}; y="',
    ],
)
def test_cookies_of_other_servers_do_not_matter(client, cookie):
    assert client.get("/api/x", headers={"cookie": cookie}).status_code == 200


def test_tokens_are_compared_in_constant_time(client, monkeypatch):
    compared = []

    def compare(first, second):
        compared.append((first, second))
        return False

    monkeypatch.setattr("wsss.review.guard.secrets.compare_digest", compare)
    assert client.get(f"/?token={TOKEN}").status_code == 403
    assert client.get("/api/x", headers=MINE).status_code == 403
    assert compared == 2 * [(TOKEN.encode(), TOKEN.encode())]


def test_tokens_are_long_and_cookies_of_servers_differ():
    first, second = new_token(), new_token()
    assert first != second and min(len(first), len(second)) >= 43
    assert cookie_name(first) != cookie_name(second) and cookie_name(first) == cookie_name(first)
    assert first[:8] not in cookie_name(first)
    Guard(Served().app, token=first, hosts=(), cookie=cookie_name(first))


@pytest.mark.parametrize("token", ["", "short", "a" * 30 + ";", "a" * 30 + "\n", "ä" * 30])
def test_a_token_that_is_no_secret_is_refused(served, token):
    with pytest.raises(ValueError, match=rf"a token of {len(token)} characters is no secret"):
        Guard(served.app, token=token, hosts=(), cookie="c")


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("localhost:8765", 200),
        ("localhost:1", 200),
        ("LocalHost.:9000", 200),
        ("127.0.0.1:8765", 200),
        ("192.168.7.9", 200),
        ("[::1]:8765", 200),
        ("[fe80::1]", 200),
        ("gpu7.lab.example:8765", 200),
        ("GPU7.lab.example", 200),
        ("evil.example", 403),
        ("evil.example:8765", 403),
        ("localhost.evil.example", 403),
        ("evil.localhost", 403),
        ("127.0.0.1.evil.example", 403),
        ("x.gpu7.lab.example", 403),
        ("1.2.3", 403),
        ("[evil]", 400),
        ("[1:2]", 403),
        ("", 400),
        (":8765", 400),
        ("localhost:", 400),
        ("localhost:x", 400),
        ("localhost:8765:1", 400),
        ("localhost, evil.example", 400),
        ("localhost/evil", 400),
        ("evil@localhost", 400),
        ("localhost\n", 400),
        ("::1", 400),
    ],
)
def test_names_that_are_not_of_this_machine_are_refused(served, host, expected):
    app = guarded(served, "Gpu7.lab.example")
    assert status(app, headers=raw(MINE, (b"host", host.encode()))) == expected
    assert len(served.reached) == (expected == 200)
    # Not even the right token helps.
    query = f"token={TOKEN}".encode()
    found = status(app, headers=[(b"host", host.encode())], query=query)
    assert found == (303 if expected == 200 else expected)


def test_the_refusal_names_the_host_and_what_it_may_be(served):
    app = guarded(served, "gpu7")
    client = TestClient(app, base_url="http://evil.example")
    sentence = (
        "This server is not called evil.example: open it as gpu7, localhost, or by its number"
    )
    assert client.get("/api/x", headers=MINE).json() == {"error": sentence}
    assert sentence in client.get("/", headers=MINE).text


@pytest.mark.parametrize("hosts", [[], [HOST, HOST], [HOST, "evil.example"]])
def test_exactly_one_host_is_needed(served, hosts):
    headers = [(b"host", host.encode()) for host in hosts]
    assert status(guarded(served), headers=raw(MINE, *headers)) == 400 and served.reached == []


def test_the_page_may_act(client, served):
    answer = client.post("/api/x", headers=ACTION, content=b"{}")
    assert answer.json() == {"bytes": 2} and served.reached == [("POST", "/api/x", 2)]


@pytest.mark.parametrize(
    "change",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
        {"origin": f"https://{HOST}"},
        {"sec-fetch-site": None},
    ],
)
def test_what_browsers_may_send_otherwise(client, change):
    headers = {k: v for k, v in (ACTION | change).items() if v is not None}
    assert client.post("/api/x", headers=headers, content=b"{}").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"cookie": None},
        {"origin": None},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://localhost"},
        {"origin": "http://localhost:8766"},
        {"origin": "http://127.0.0.1:8765"},
        {"origin": "http://evil.example"},
        {"origin": f"http://{HOST}.evil.example"},
        {"origin": f"http://{HOST}/"},
        {"origin": f"ftp://{HOST}"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": ""},
        {"x-review": None},
        {"x-review": "0"},
        {"content-type": None},
        {"content-type": "text/plain"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=application/json"},
        {"content-type": "text/plain; application/json"},
        {"content-type": "application/jsonx"},
    ],
)
@pytest.mark.parametrize("path", ["/api/x", "/"])
def test_other_sites_do_not_act(client, served, path, change):
    headers = {k: v for k, v in (ACTION | change).items() if v is not None}
    answer = client.post(path, headers=headers, content=b"{}")
    assert answer.status_code == 403 and "`wsss review` printed" in answer.json()["error"]
    assert served.reached == []


@pytest.mark.parametrize(
    "more",
    [
        ("origin", "http://evil.example"),
        ("content-type", "text/plain"),
        ("sec-fetch-site", "cross-site"),
    ],
)
def test_headers_sent_twice_are_refused(served, more):
    extra = tuple(text.encode() for text in more)
    for headers in (raw(ACTION, GOOD_HOST, extra), [extra, *raw(ACTION, GOOD_HOST)]):
        assert status(guarded(served), headers=headers, method="POST", path="/api/x") == 403
    assert served.reached == []


@pytest.mark.parametrize("site", ["cross-site", "same-site", "new-kind", "none, cross-site"])
@pytest.mark.parametrize(
    ("path", "mode", "dest"),
    [
        ("/thumbnails/1", "no-cors", "image"),
        ("/api/x", "cors", "empty"),
        ("/api/x", "navigate", "document"),
        ("/", "no-cors", "script"),
        ("/", "cors", "empty"),
        ("/", "cors", ""),
        ("/", "navigate", "iframe"),
        ("/", "navigate", "embed"),
    ],
)
def test_other_sites_read_and_embed_nothing(client, served, site, path, mode, dest):
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode, "sec-fetch-dest": dest}
    for asked in (path, f"{path}?token={TOKEN}"):
        answer = client.get(asked, headers=MINE | headers)
        assert answer.status_code == 403 and "set-cookie" not in answer.headers
    assert served.reached == []


@pytest.mark.parametrize("sites", [("none", "cross-site"), ("cross-site", "same-origin")])
def test_where_a_request_comes_from_is_said_once(served, sites):
    extra = [(b"sec-fetch-site", site.encode()) for site in sites]
    assert status(guarded(served), headers=raw(MINE, GOOD_HOST, *extra), path="/api/x") == 403
    assert served.reached == []


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_the_browsers_owner_and_the_page_read(client, site):
    for path in ("/", "/api/x", "/thumbnails/1"):
        headers = {"sec-fetch-site": site, "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}
        assert client.get(path, headers=MINE | headers).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_link_of_another_site_opens_the_page(client, served, site):
    link = PAGE | {"sec-fetch-site": site}
    assert client.get(f"/?token={TOKEN}", headers=link).status_code == 303
    client.cookies.clear()
    # The browser keeps the strict cookie to itself, until a page of ours leads to the page.
    answer = client.get("/", headers=link)
    assert answer.status_code == 403 and served.reached == []
    assert '<meta http-equiv="refresh" content="0; url=/">' in answer.text
    assert client.get("/", headers=link | MINE).status_code == 200


@pytest.mark.parametrize("site", ["none", "same-origin", None])
def test_a_refusal_does_not_lead_to_itself(client, site):
    headers = PAGE | {"sec-fetch-site": site} if site else {}
    assert "refresh" not in client.get("/", headers=headers).text


def test_a_wrong_token_in_a_link_leads_nowhere(client):
    link = PAGE | {"sec-fetch-site": "cross-site"}
    assert "refresh" not in client.get("/?token=wrong", headers=link).text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "get", "X" * 99])
def test_other_methods_are_not_allowed(served, method):
    headers = raw(ACTION, GOOD_HOST)
    sent, _ = ask(guarded(served), headers=headers, method=method, path="/api/x")
    assert sent[0]["status"] == 405 and served.reached == []
    assert dict(sent[0]["headers"])[b"allow"] == b"GET, HEAD, POST"
    assert b"Only GET, HEAD, POST are answered" in sent[1]["body"]


def test_head_is_as_get(client):
    assert client.head("/api/x", headers=MINE).status_code == 200
    assert client.head("/api/x").status_code == 403


def answers(client):
    """One answer of every kind."""
    exchange = client.get(f"/?token={TOKEN}")
    client.cookies.clear()
    return [
        client.get("/api/x", headers=MINE),
        client.get("/thumbnails/1", headers=MINE),
        client.get("/nowhere", headers=MINE),
        exchange,
        client.get("/"),
        client.get("/api/x"),
        client.put("/api/x"),
        client.post("/api/x", headers=ACTION, content=b"x"),
        client.post("/api/x", headers=ACTION, content=bytes(MOST_BYTES + 1)),
        client.get("/", headers={"host": "evil.example"}),
        client.get("/", headers={"host": ""}),
    ]


def test_every_answer_tells_the_browser_what_not_to_do(client):
    found = answers(client)
    expected = [200, 200, 404, 303, 403, 403, 405, 200, 413, 403, 400]
    assert [answer.status_code for answer in found] == expected
    for answer in found:
        for name, value in {
            "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
            "img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'",
            "x-content-type-options": "nosniff",
            "referrer-policy": "no-referrer",
            "x-frame-options": "DENY",
            "cross-origin-resource-policy": "same-origin",
            "cross-origin-opener-policy": "same-origin",
        }.items():
            assert answer.headers.get_list(name) == [value]
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_nothing_is_stored_by_browsers_unless_the_application_says_so(client):
    for number, answer in enumerate(answers(client)):
        expected = "private, max-age=9" if number == 1 else "no-store"
        assert answer.headers.get_list("cache-control") == [expected]


def test_an_answer_without_headers_gets_them():
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})

    guard = Guard(app, token=TOKEN, hosts=(), cookie=COOKIE)
    sent, _ = ask(guard, headers=raw(MINE, GOOD_HOST))
    assert {name.lower().encode() for name in HEADERS} < set(dict(sent[0]["headers"]))


def test_a_body_may_be_as_large_as_the_limit(client, served):
    answer = client.post("/api/x", headers=ACTION, content=bytes(MOST_BYTES))
    assert answer.json() == {"bytes": MOST_BYTES}


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "9" * 18, "9" * 5000])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_body_is_refused_by_its_length_before_any_of_it_is_read(served, length, method):
    headers = raw(ACTION | {"content-length": length}, GOOD_HOST)
    messages = [{"type": "http.request", "body": b"x", "more_body": True}]
    request = {"headers": headers, "method": method, "path": "/api/x", "messages": messages}
    sent, left = ask(guarded(served), **request)
    assert sent[0]["status"] == 413 and b"2,097,152 bytes" in sent[1]["body"]
    assert left == messages and served.reached == []


@pytest.mark.parametrize("length", ["", "-1", "x", "1.5", "0x10", "²", "1_0", "+1", " "])
def test_a_length_that_is_no_number_is_refused(served, length):
    headers = [*raw(ACTION, GOOD_HOST), (b"content-length", length.encode("latin-1"))]
    assert status(guarded(served), headers=headers, method="POST", path="/api/x") == 400
    assert served.reached == []


@pytest.mark.parametrize("told", [[], [(b"content-length", b"3")]])
def test_a_body_is_refused_by_what_arrives_and_the_rest_is_not_read(served, told):
    chunk = {"type": "http.request", "body": bytes(2**20), "more_body": True}
    headers = [*raw(ACTION, GOOD_HOST), *told]
    request = {"method": "POST", "path": "/api/x", "messages": [chunk] * 9}
    sent, left = ask(guarded(served), headers=headers, **request)
    assert sent[0]["status"] == 413 and len(left) == 6 and served.reached == []


def test_a_body_in_pieces_arrives_whole(served):
    messages = [{"type": "http.request", "body": b"ab", "more_body": True}] * 5
    messages += [{"type": "http.request", "more_body": False}]
    request = {"method": "POST", "path": "/api/x", "messages": messages}
    ask(guarded(served), headers=raw(ACTION, GOOD_HOST), **request)
    assert served.reached == [("POST", "/api/x", 10)]


def test_a_browser_that_leaves_in_the_middle_is_not_answered(served):
    messages = [{"type": "http.request", "body": b"{", "more_body": True}]
    request = {"method": "POST", "path": "/api/x", "messages": messages}
    assert ask(guarded(served), headers=raw(ACTION, GOOD_HOST), **request)[0] == []
    assert served.reached == []


def test_the_application_hears_that_the_browser_left():
    heard = []

    async def app(scope, receive, send):
        heard.extend([await receive(), await receive()])

    guard = Guard(app, token=TOKEN, hosts=(), cookie=COOKIE)
    ask(guard, headers=raw(MINE, GOOD_HOST))
    assert [message["type"] for message in heard] == ["http.request", "http.disconnect"]


def test_websockets_are_refused_also_with_the_cookie(served):
    sent = []

    async def send(message):
        sent.append(message)

    headers = raw(MINE, GOOD_HOST)
    asyncio.run(guarded(served)({"type": "websocket", "path": "/", "headers": headers}, None, send))
    assert sent == [{"type": "websocket.close", "code": 1008}]


def test_what_is_of_no_known_kind_does_not_reach_the_application(served):
    asyncio.run(guarded(served)({"type": "new", "headers": []}, None, None))
    assert served.reached == []


def test_the_lifespan_passes_through():
    seen = []

    async def app(scope, receive, send):
        seen.append((scope["type"], (await receive())["type"]))
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    with TestClient(Guard(app, token=TOKEN, hosts=(), cookie=COOKIE)):
        assert seen == [("lifespan", "lifespan.startup")]


@pytest.mark.parametrize(
    "name",
    ["host", "origin", "cookie", "content-type", "content-length", "x-review", "sec-fetch-site"],
)
@pytest.mark.parametrize("value", [b"\xff\xfe\x00", b"", b"x" * 10**6, b"\xe2\x98\x83;=,\r\n"])
@pytest.mark.parametrize("path", ["/", "/api/x"])
def test_malformed_headers_are_refused_and_break_nothing(served, name, value, path):
    headers = [*raw(without(ACTION | {"host": HOST}, name)), (name.encode(), value)]
    sent, _ = ask(guarded(served), headers=headers, method="POST", path=path)
    assert 400 <= sent[0]["status"] < 500 and len(sent[1]["body"]) < 1000
    assert served.reached == []


@pytest.mark.parametrize("query", [b"\xff\xfe", b"token=\xff", b"&&=;%", b"token" * 10**5])
def test_malformed_queries_are_refused_and_break_nothing(served, query):
    assert status(guarded(served), headers=[GOOD_HOST], query=query) == 403


def test_what_a_request_says_is_escaped_in_the_page(served):
    app = guarded(served, "a<b>&c")
    sent, _ = ask(app, headers=[(b"host", b"evil.example")])
    assert b"a&lt;b&gt;&amp;c" in sent[1]["body"]
