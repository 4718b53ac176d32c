"""HMS-DEV in small: ships a ticket through HMS-SYS, follows it to its end, and hears of each change.

    export HMS_URL=http://127.0.0.1:3000 HMS_TOKEN=… HMS_DEV_WEBHOOK_SECRET=whsec_…
    python examples/hms_dev.py listen 8080
    python examples/hms_dev.py ship HMS-7 myapp staging 1.1 "rounding fix"
    python examples/hms_dev.py follow HMS-7     # after it lost everything but the ticket

`hms-sys components add hms-dev … --webhook URL` prints token and secret, and what the bot needs of them.
Approvals happen in Slack.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TypedDict, cast
from uuid import uuid4

import httpx
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

WISH = ("external_id", "project", "environment", "version", "reason")
LATER, PAUSES = (429, 503, 504), (1.0, 2.0, 5.0, 10.0, 30.0)


class Rollout(TypedDict):
    """What is used here of a rollout; /api/v1/openapi.json describes all of it."""

    id: str
    state: str
    ended_at: str | None


class History(TypedDict):
    rollouts: list[Rollout]


class Event(TypedDict):
    id: str
    type: str
    data: Mapping[str, object]


class Refused(Exception):
    """HMS-SYS said no, and why."""


class Hms(httpx.Client):
    """HMS-SYS, as a component knows it."""

    def __init__(self, url: str, token: str) -> None:
        login = {"Authorization": f"Bearer {token}"}
        super().__init__(base_url=url, headers=login, timeout=35)

    def ship(self, wish: Mapping[str, str], key: str) -> Rollout:
        """Ask for a deployment: once for each key, however often this is called."""
        once = {"Idempotency-Key": key}
        asking = self.build_request("POST", "/api/v1/rollouts", json=wish, headers=once)
        return cast(Rollout, self._call(asking))

    def find(self, ticket: str) -> Rollout | None:
        """The newest rollout for a ticket, by whomever it was asked for; needs the right `read`."""
        what = {"external_id": ticket, "limit": "1"}
        page = self._call(self.build_request("GET", "/api/v1/rollouts", params=what))
        return next(iter(cast(History, page)["rollouts"]), None)

    def follow(self, rollout: Rollout, seconds: float = 2.0) -> Iterator[Rollout]:
        """The rollout now, and again whenever its state has changed, to its end."""
        state, asking = "", self.build_request("GET", f"/api/v1/rollouts/{rollout['id']}")
        while True:
            if rollout["state"] != state:
                yield rollout
            if rollout["ended_at"]:
                return
            state = rollout["state"]
            time.sleep(seconds)
            rollout = cast(Rollout, self._call(asking))

    def _call(self, request: httpx.Request) -> object:
        """Again after a while without an answer, or when it is "later": all of this may be repeated."""
        for pause in PAUSES:
            try:
                answer = self.send(request)
            except httpx.TransportError:
                time.sleep(pause)
                continue
            if answer.is_success:
                return cast(object, answer.json())
            if answer.status_code not in LATER:
                problem = answer.json()
                raise Refused(f"{problem['detail']} {problem.get('hint', '')}".rstrip())
            time.sleep(float(answer.headers.get("Retry-After", pause)))
        raise TimeoutError("HMS-SYS cannot be reached.")


class Receiver(HTTPServer):
    """Takes signed webhooks. The id of an event is the same in every try: each is heard once."""

    def __init__(self, port: int, secret: str, hear: Callable[[Event], None]) -> None:
        super().__init__(("127.0.0.1", port), _Call)
        self._webhook = Webhook(secret)
        self._hear = hear
        self._heard: set[str] = set()

    def take(self, body: bytes, headers: dict[str, str]) -> int:
        """The status to answer with; what is not 2xx comes again, for three days."""
        try:
            event = cast(Event, self._webhook.verify(body, headers))
        except (WebhookVerificationError, ValueError):
            return 401
        if event["id"] not in self._heard:
            self._hear(event)
            self._heard.add(event["id"])
        return 204


class _Call(BaseHTTPRequestHandler):
    timeout = 10
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), 2**20))
        self.send_response(self.server.take(body, dict(self.headers)))
        self.end_headers()

    def log_request(self, *args: object) -> None: ...


def hear(event: Event) -> None:
    """Print a change of a rollout; whoever may read hears of alerts and errors too."""
    if rollout := cast("Rollout | None", event["data"].get("rollout")):
        print(event["type"], rollout["id"], rollout["state"], flush=True)


def ship(wish: Mapping[str, str], key: str) -> int:
    """A real component stores the key beforehand, and asks with it again when it is not sure."""
    return watch(lambda hms: hms.ship(wish, key))


def watch(begin: Callable[[Hms], Rollout | None]) -> int:
    """Exit code 0: it is live; 1: it is not, or there is none; 3: refused."""
    with Hms(os.environ["HMS_URL"], os.environ["HMS_TOKEN"]) as hms:
        try:
            if (found := begin(hms)) is None:
                print("Nothing was asked for with this ticket.", file=sys.stderr)
                return 1
            for rollout in hms.follow(found):
                print(rollout["id"], rollout["state"], flush=True)
        except Refused as no:
            print(no, file=sys.stderr)
            return 3
    return 0 if rollout["state"] == "succeeded" else 1


def main() -> int:
    match sys.argv[1:]:
        case ["listen", port]:
            Receiver(int(port), os.environ["HMS_DEV_WEBHOOK_SECRET"], hear).serve_forever()
        case ["ship", *words] if len(words) == len(WISH):
            return ship(dict(zip(WISH, words, strict=True)), key=uuid4().hex)
        case ["follow", ticket]:
            return watch(lambda hms: hms.find(ticket))
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
