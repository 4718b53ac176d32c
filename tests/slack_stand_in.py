"""Slack's Web API on loopback, for tests: it refuses what Slack refuses and keeps what it was told.

Knobs make it slow, absent, throttling, or lose an answer after it has done what was asked. A method or an
argument that it does not know is an error, as in Slack. It also takes socket connections and response_urls.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import WSMsgType, web

from tests.slack_blocks import message_faults, text_faults, view_faults
from tests.slack_files import FileRefused, SlackFiles

BOT_TOKEN = "xoxb-made-up"
APP_TOKEN = "xapp-made-up"
BOT = "U00HMS"
SCOPES = [
    "commands",
    "chat:write",
    "chat:write.public",
    "usergroups:read",
    "channels:history",
    "groups:history",
    "channels:read",
    "groups:read",
    "files:write",
    "files:read",
]
"""Those of manifest.yml; a test compares."""

Params = Mapping[str, object]
Answer = dict[str, object]


class SlackError(Exception):
    """An answer with `ok: false`."""


@dataclass
class Said:
    """A message in a channel. `history` is everything it has said before."""

    channel: str
    ts: str
    text: str
    blocks: list[Mapping[str, object]]
    thread_ts: str = ""
    broadcast: bool = False
    history: list[str] = field(default_factory=list)

    def shown(self) -> Answer:
        """As conversations.history shows it."""
        shown: Answer = {"type": "message", "ts": self.ts, "text": self.text, "user": BOT}
        return {**shown, "blocks": self.blocks, "bot_id": "B00HMS"}


@dataclass
class Private:
    """What only one user saw."""

    user: str
    text: str
    blocks: list[Mapping[str, object]]
    channel: str = ""


@dataclass
class Ticket:
    """A response_url: five uses within thirty minutes."""

    user: str
    made_at: float
    uses: int = 0


class SlackStandIn:
    """One workspace with one app."""

    def __init__(self) -> None:
        self.api_url = ""
        self.root_url = ""
        self.channels = {
            "C01GEN": "member",
            "C02OPS": "member",
            "C09OLD": "archived",
            "C03OUT": "out",
        }
        self.groups: dict[str, set[str]] = {"S01OPS": {"U02BOB"}}
        self.messages: list[Said] = []
        self.private: list[Private] = []
        self.views: list[Mapping[str, object]] = []
        self.calls: list[str] = []
        self.refused: list[str] = []
        self.files = SlackFiles()
        self.takes_native_charts = False
        self.is_down = False
        self.latency = 0.0
        self.scopes_missing: set[str] = set()
        self.scopes = SCOPES
        self.clock_ahead = timedelta(0)
        self.throttled: dict[str, deque[int]] = {}
        self.lose_answers: deque[str] = deque()
        self.break_answers: deque[tuple[str, str]] = deque()
        self.sockets = Sockets(self.hear_ack)
        self._tickets: dict[str, Ticket] = {}
        self._triggers: dict[str, float] = {}
        self._ticks = 0
        self._methods: dict[str, Callable[[Params], Answer]] = {
            "auth.test": self._auth_test,
            "apps.connections.open": self._connections_open,
            "chat.postMessage": self._post_message,
            "chat.update": self._update,
            "chat.postEphemeral": self._post_ephemeral,
            "conversations.history": self._history,
            "conversations.info": self._info,
            "conversations.replies": self._replies,
            "files.getUploadURLExternal": lambda p: self.files.begin(p, self.root_url),
            "files.completeUploadExternal": self._complete_upload,
            "files.info": self.files.info,
            "usergroups.users.list": self._group_users,
            "views.open": self._views_open,
        }

    def cards(self, channel: str = "C01GEN") -> list[Said]:
        """Messages of the channel that are not in a thread."""
        return [m for m in self.messages if m.channel == channel and not m.thread_ts]

    def thread(self, card: Said) -> list[Said]:
        """The replies to a message."""
        return [m for m in self.messages if m.thread_ts == card.ts]

    def make_response_url(self, user: str) -> str:
        """An address to answer a command or a click of this user."""
        name = f"R{len(self._tickets) + 1}"
        self._tickets[name] = Ticket(user, time.monotonic())
        return f"{self.root_url}/respond/{name}"

    def expire_response_urls(self) -> None:
        """As if thirty minutes had passed."""
        for ticket in self._tickets.values():
            ticket.made_at -= 1801

    def make_trigger(self) -> str:
        """Valid once, for three seconds."""
        name = f"T{len(self._triggers) + 1}"
        self._triggers[name] = time.monotonic()
        return name

    def throttle(self, method: str, seconds: int, times: int = 1) -> None:
        """Answer 429 the next times."""
        self.throttled.setdefault(method, deque()).extend([seconds] * times)

    def forget(self, message: Said) -> None:
        """Somebody deleted the message."""
        self.messages.remove(message)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One call of the Web API."""
        method = request.match_info["method"]
        self.calls.append(method)
        await asyncio.sleep(self.latency)
        if self.is_down:
            return web.Response(status=503, text="upstream unavailable", content_type="text/html")
        waits = self.throttled.get(method)
        if waits:
            body: Answer = {"ok": False, "error": "ratelimited"}
            return web.json_response(
                body, status=429, headers={"Retry-After": str(waits.popleft())}
            )
        if self.break_answers and self.break_answers[0][0] == method:
            return web.json_response({"ok": False, "error": self.break_answers.popleft()[1]})
        try:
            answer = self._done(method, request, await _params(request))
        except (SlackError, FileRefused) as exc:
            self.refused.append(f"{method}: {exc}")
            return web.json_response({"ok": False, "error": str(exc).partition(":")[0]})
        if self.lose_answers and self.lose_answers[0] == method:
            self.lose_answers.popleft()
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"ok": True, **answer}, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        """As Slack's own answers have them: the token's scopes, and its time."""
        at = datetime.now(UTC) + self.clock_ahead
        return {"x-oauth-scopes": ",".join(self.scopes), "Date": format_datetime(at, usegmt=True)}

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response_url."""
        ticket = self._tickets.get(request.match_info["name"])
        await asyncio.sleep(self.latency)
        if self.is_down:
            return web.Response(status=503)
        if ticket is None or ticket.uses >= 5 or time.monotonic() - ticket.made_at > 1800:
            return web.Response(status=404, text="expired_url")
        ticket.uses += 1
        body = await request.json()
        replaces = body.get("replace_original") is not False
        if not self._take_private("response_url", ticket.user, body, replaces=replaces):
            return web.Response(status=400, text="invalid_payload")
        return web.Response(text="ok")

    def hear_ack(self, request: Mapping[str, str], answer: str) -> None:
        """What the acknowledgement of a request says: shown for a command, dropped for a click."""
        body: dict[str, Any] = json.loads(answer) if answer.startswith("{") else {}
        if not body.get("text") and not body.get("blocks"):
            return
        if "command" in request:
            self._take_private("ack", request["user_id"], body, replaces=False)
        else:
            self.refused.append("ack: nobody hears what the acknowledgement of a click says")

    def _take_private(
        self, way: str, user: str, body: Mapping[str, Any], *, replaces: bool
    ) -> bool:
        faults = [*message_faults(body.get("blocks")), *text_faults(body.get("text", ""))]
        if body.get("response_type") != "ephemeral" or replaces:
            faults.append("an answer says that it is private and replaces nothing")
        if faults or not body.get("text"):
            self.refused.append(f"{way}: {faults}")
            return False
        self.private.append(Private(user, body["text"], body["blocks"]))
        return True

    def _done(self, method: str, request: web.Request, params: Params) -> Answer:
        if method not in self._methods:
            raise SlackError("unknown_method")
        wanted = APP_TOKEN if method == "apps.connections.open" else BOT_TOKEN
        if request.headers.get("Authorization") != f"Bearer {wanted}":
            raise SlackError("invalid_auth")
        if method in self.scopes_missing:
            raise SlackError("missing_scope")
        return self._methods[method](params)

    def _auth_test(self, params: Params) -> Answer:
        _only(params, set())
        return {
            "team": "Acme",
            "team_id": "T01",
            "user": "hms-sys",
            "user_id": BOT,
            "bot_id": "B00HMS",
        }

    def _connections_open(self, params: Params) -> Answer:
        _only(params, set())
        return {"url": f"{self.root_url.replace('http', 'ws', 1)}/socket/{self.sockets.issue()}"}

    def _post_message(self, params: Params) -> Answer:
        known = {"channel", "text", "blocks", "thread_ts", "reply_broadcast"}
        _only(params, known | {"unfurl_links", "unfurl_media"})
        channel = self._channel(params, opens=True)
        said = Said(channel, self._tick(), *self._content(params, 40_000))
        said.thread_ts = str(params.get("thread_ts", ""))
        said.broadcast = params.get("reply_broadcast") in {True, "1", "true"}
        if said.thread_ts and not any(m.ts == said.thread_ts for m in self.messages):
            raise SlackError("thread_not_found")
        self.messages.append(said)
        return {"channel": channel, "ts": said.ts, "message": said.shown()}

    def _update(self, params: Params) -> Answer:
        _only(params, {"channel", "ts", "text", "blocks"})
        channel = self._channel(params)
        found = [m for m in self.messages if (m.channel, m.ts) == (channel, params.get("ts"))]
        if not found:
            raise SlackError("message_not_found")
        text, blocks = self._content(params, 4000)
        found[0].history.append(found[0].text)
        found[0].text, found[0].blocks = text, blocks
        return {"channel": channel, "ts": found[0].ts, "text": text}

    def _post_ephemeral(self, params: Params) -> Answer:
        _only(params, {"channel", "user", "text", "blocks"})
        channel = self._channel(params)
        if not channel.startswith("C"):
            raise SlackError("user_not_in_channel")
        user = str(params["user"])
        self.private.append(Private(user, *self._content(params, 40_000), channel=channel))
        return {"message_ts": self._tick()}

    def _complete_upload(self, params: Params) -> Answer:
        """A file that is shared is a message of its own, in the channel or in a thread."""
        channel = self._channel({"channel": params["channel_id"]}) if "channel_id" in params else ""
        thread_ts = str(params.get("thread_ts", ""))
        if thread_ts and not any((m.channel, m.ts) == (channel, thread_ts) for m in self.messages):
            raise SlackError("thread_not_found")
        answer = self.files.complete(params, channel)
        if channel:
            self.messages.append(Said(channel, self._tick(), "", [], thread_ts=thread_ts))
        return answer

    def _history(self, params: Params) -> Answer:
        _only(params, {"channel", "oldest", "limit", "cursor"})
        channel = self._channel(params)
        found = [
            m.shown() for m in reversed(self.messages) if m.channel == channel and not m.thread_ts
        ]
        return _page(found, params)

    def _info(self, params: Params) -> Answer:
        """A private channel that the bot is not in does not exist for it."""
        _only(params, {"channel", "include_locale", "include_num_members"})
        channel = str(params.get("channel", ""))
        state = self.channels.get(channel)
        if state is None:
            raise SlackError("channel_not_found")
        return {
            "channel": {
                "id": channel,
                "name": channel.lower(),
                "is_member": state == "member",
                "is_archived": state == "archived",
                "is_private": False,
            }
        }

    def _replies(self, params: Params) -> Answer:
        _only(params, {"channel", "ts", "limit", "cursor"})
        channel = self._channel(params)
        if not any(m.ts == params.get("ts") for m in self.messages):
            raise SlackError("thread_not_found")
        wanted = {params.get("ts")}
        found = [
            m.shown()
            for m in self.messages
            if m.channel == channel and (m.ts in wanted or m.thread_ts in wanted)
        ]
        return _page(found, params)

    def _group_users(self, params: Params) -> Answer:
        _only(params, {"usergroup", "include_disabled"})
        group = str(params.get("usergroup"))
        if group not in self.groups:
            raise SlackError("no_such_subteam")
        return {"users": sorted(self.groups[group])}

    def _views_open(self, params: Params) -> Answer:
        _only(params, {"trigger_id", "view"})
        opened_at = self._triggers.pop(str(params.get("trigger_id")), None)
        if opened_at is None or time.monotonic() - opened_at > 3:
            raise SlackError("expired_trigger_id")
        view = _object(params.get("view"))
        if faults := view_faults(view):
            raise SlackError(f"invalid_arguments: {faults}")
        assert isinstance(view, Mapping)
        self.views.append(view)
        return {"view": {"id": f"V{len(self.views)}"}}

    def _content(self, params: Params, limit: int) -> tuple[str, list[Mapping[str, object]]]:
        text, blocks = _content(params, limit)
        self.files.check(blocks, str(params.get("channel", "")))
        is_native = any(block.get("type") == "data_visualization" for block in blocks)
        if is_native and not self.takes_native_charts:
            raise SlackError("invalid_blocks: no block of this workspace yet")
        return text, blocks

    def _channel(self, params: Params, *, opens: bool = False) -> str:
        """`opens`: a user's id stands for the direct messages with them; elsewhere it is unknown."""
        channel = str(params.get("channel", ""))
        if opens and channel.startswith("U"):
            return f"D{channel[1:]}"
        if any(said.channel == channel for said in self.messages if channel.startswith("D")):
            return channel
        state = self.channels.get(channel)
        if state is None:
            raise SlackError("channel_not_found")
        if state != "member":
            raise SlackError("is_archived" if state == "archived" else "not_in_channel")
        return channel

    def _tick(self) -> str:
        self._ticks += 1
        return f"{int(time.time())}.{self._ticks:06d}"


class Sockets:
    """The websocket side: one ticket for one connection, as Slack issues them."""

    def __init__(self, hear_ack: Callable[[Mapping[str, str], str], None]) -> None:
        self.issued = 0
        self.refuse_handshakes = 0
        self._hear_ack = hear_ack
        self._delivered: dict[object, Mapping[str, str]] = {}
        self.open: list[web.WebSocketResponse] = []
        self.acknowledged: list[Mapping[str, object]] = []
        self._valid: set[str] = set()

    def issue(self) -> str:
        """A ticket that works once."""
        self.issued += 1
        name = f"W{self.issued}"
        self._valid.add(name)
        return name

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One connection; whatever the client sends is an acknowledgement."""
        name = request.match_info["ticket"]
        if name not in self._valid:
            return web.Response(status=408)
        self._valid.discard(name)
        if self.refuse_handshakes > 0:
            self.refuse_handshakes -= 1
            return web.Response(status=408)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"type": "hello", "num_connections": 1})
        self.open.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._take(json.loads(message.data))
        self.open.remove(socket)
        return socket

    def _take(self, answer: Mapping[str, object]) -> None:
        request = self._delivered.get(answer.get("envelope_id"), {})
        if isinstance(answer.get("payload"), dict):
            self._hear_ack(request, json.dumps(answer["payload"]))
        self.acknowledged.append(answer)

    async def deliver(self, kind: str, payload: Mapping[str, object]) -> str:
        """Send an envelope (`slash_commands`, `interactive`, `events_api`) to the connected client."""
        envelope = f"E{len(self.acknowledged)}-{self.issued}-{time.monotonic_ns()}"
        body = {"envelope_id": envelope, "type": kind, "payload": payload}
        self._delivered[envelope] = {key: str(value) for key, value in payload.items()}
        await self.open[-1].send_json({**body, "accepts_response_payload": True})
        return envelope

    async def hang_up(self) -> None:
        """Close every connection, as a refresh does."""
        for socket in list(self.open):
            await socket.close()


@asynccontextmanager
async def open_slack() -> AsyncIterator[SlackStandIn]:
    """A workspace that listens on a free port of loopback."""
    stand_in = SlackStandIn()
    application = web.Application()
    application.router.add_post("/api/{method}", stand_in.serve)
    # The SDK reads with GET.
    application.router.add_get("/api/{method}", stand_in.serve)
    application.router.add_post("/respond/{name}", stand_in.respond)
    application.router.add_post("/upload/{file}", stand_in.files.receive)
    application.router.add_get("/socket/{ticket}", stand_in.sockets.serve)
    async with listening(application) as url:
        stand_in.root_url = url
        stand_in.api_url = f"{url}/api/"
        yield stand_in


@asynccontextmanager
async def listening(application: web.Application) -> AsyncIterator[str]:
    """Serve an application on a free port of loopback; yields its address."""
    runner = web.AppRunner(application, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], seconds: float = 5.0
) -> None:
    """Look again and again, and fail when it does not come true in time."""
    async with asyncio.timeout(seconds):
        while True:
            found = condition()
            if found is True or (not isinstance(found, bool) and await found):
                return
            await asyncio.sleep(0.01)


async def _params(request: web.Request) -> Params:
    if request.content_type == "application/json":
        body = await request.json()
        return {key: value for key, value in body.items() if value is not None}
    if request.method == "GET":
        return dict(request.query)
    form = await request.post()
    # The SDK puts the arguments of some methods into the address of a POST; Slack takes both.
    given = [*request.query.items(), *form.items()]
    return {key: value for key, value in given if isinstance(value, str)}


def _object(value: object) -> object:
    return json.loads(value) if isinstance(value, str) else value


def _only(params: Params, known: set[str]) -> None:
    if unknown := set(params) - known - {"token", "app_token"}:
        raise SlackError(f"invalid_arguments: {sorted(unknown)}")


def _content(params: Params, limit: int) -> tuple[str, list[Mapping[str, object]]]:
    text = str(params.get("text", ""))
    if not text.strip():
        raise SlackError("no_text")
    if len(text) > limit:
        raise SlackError("msg_too_long")
    blocks = _object(params.get("blocks"))
    if faults := [*message_faults(blocks), *text_faults(text)]:
        total = any(fault.startswith("msg_blocks_too_long") for fault in faults)
        raise SlackError(f"{'msg_blocks_too_long' if total else 'invalid_blocks'}: {faults}")
    assert isinstance(blocks, list)
    return text, blocks


def _page(found: list[Answer], params: Params) -> Answer:
    limit = int(str(params.get("limit", "100")))
    at = int(str(params.get("cursor") or "0"))
    oldest = float(str(params.get("oldest", "0")))
    kept = [m for m in found if float(str(m["ts"])) > oldest]
    after = str(at + limit) if len(kept) > at + limit else ""
    return {"messages": kept[at : at + limit], "response_metadata": {"next_cursor": after}}
