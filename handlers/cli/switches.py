"""What the command line adds to the verbs: how to answer, never what to do."""

from __future__ import annotations

from collections.abc import Mapping

from handlers.language import Option

JSON = Option(name="json", field="json", help="one JSON document on stdout, text on stderr")
NO_WAIT = Option(name="no-wait", field="no_wait", help="return once it is accepted")
WAIT = Option(name="wait", field="wait", help="wait for its end, and carry it out if no bot does")
FORMAT = Option(name="format", field="format", metavar="table|json|csv", help="how to print it")

SWITCHES: Mapping[str, tuple[Option, ...]] = {
    "deploy": (NO_WAIT, JSON),
    "rollback": (NO_WAIT, JSON),
    "promote": (NO_WAIT, JSON),
    "approve": (JSON,),
    "reject": (JSON,),
    "cancel": (JSON,),
    "review": (JSON,),
    "stats": (JSON,),
    "status": (JSON,),
    "why": (JSON,),
    "history": (FORMAT, JSON),
    "show": (WAIT, JSON),
    "lock": (JSON,),
    "unlock": (JSON,),
    "logs": (JSON,),
    "errors": (JSON,),
    "digest": (JSON,),
    "monitor": (JSON,),
    "ack": (JSON,),
    "silence": (JSON,),
}
