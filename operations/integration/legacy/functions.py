"""What does the work of HMS-OPS's functions now, by their names where every word of those is known.

`deploy_k8s`, `hms_k8sDeploy` and `run_deployment_k8s` are one function in other spellings; `tag_release` is
not `release`, and `monitor_disk` not `monitor`: a word that is not known makes it another. The one table to
extend when a function is taken over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

SHELL_ITSELF = "part of the shell tool itself: nothing is left to do by hand"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILLERS = _words("hms ops hmsops cmd do run handle the to of for via with on from by in a my")
_TARGET = _words(
    "app apps application applications project projects service services site sites target targets env"
    " environment environments version image"
)
_DEPLOY = _words(
    "deploy deploys deployed deploying deployment deployments release releases rollout ship"
)
_FORGE, _AWS = _words("forge laravel"), _words("aws ecs fargate")
_K8S = _words("k8s kube kubernetes kubectl")
_PLATFORM = _FORGE | _AWS | _K8S
_SHOW = _words(
    "show list get print view display fetch read collect tail last latest recent current"
)
_STATUS = _words("status health healthy healthcheck ping state stable")
_SEND = _words(
    "send post notify notification notifications message msg alert alerts webhook announce"
)
_ENDS = _words(
    "success successful failure failed fail error errors ok started start begin end done finished"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """It fits a name that has a word of each of `needs`, and besides those only words of `also`."""

    by: str
    needs: Sequence[AbstractSet[str]]
    also: frozenset[str] = field(default=frozenset())

    def fits(self, words: frozenset[str]) -> bool:
        known = self.also.union(*self.needs)
        return words <= known and all(words & need for need in self.needs)


_MOVES = _DEPLOY | _STATUS | _words("update wait check trigger describe register")
_RULES = (
    _Rule("hms-sys rollback", [_words("rollback rollbacks revert undo")],
          _DEPLOY | _TARGET | _PLATFORM | _words("last previous perform")),
    _Rule("deploy, on targets with `provider: forge`", [_FORGE, _DEPLOY | {"trigger"}],
          _TARGET | _words("wait start perform")),
    _Rule("deploy and status, on targets with `provider: aws`", [_AWS, _MOVES],
          _TARGET | _words("get cluster task definition new until")),
    _Rule("deploy and status, on targets with `provider: k8s`", [_K8S, _MOVES],
          _TARGET | _words("get set until")),
    _Rule("deploy and status, on targets with `provider: aws`", [{"task"}, {"definition"}],
          _AWS | _SHOW | _words("register update new")),
    _Rule("the Forge adapter: deploy, status and logs", [_FORGE, _SHOW | _STATUS | _words(
          "api request call post curl log logs server servers output")],
          _TARGET | _DEPLOY | _words("check wait")),
    _Rule("the Forge adapter: deploy, status and logs", [_words("request call curl")],
          _words("api http json get post put send make url")),
    _Rule("hms-sys status, and `checks:` in hms.yaml", [_STATUS | {"check"}, _STATUS | _TARGET | _DEPLOY
          | _words("url urls http endpoint endpoints")],
          _SHOW | _PLATFORM | _words("check all is wait until")),
    _Rule("hms-sys status, and `checks:` in hms.yaml", [_STATUS], _SHOW | _words("check all is")),
    _Rule("hms-sys deploy", [_DEPLOY], _TARGET | _words("start trigger perform execute wait")),
    _Rule("`notify:` in hms.yaml", [_words("pagerduty teams telegram discord opsgenie mattermost"), _SEND],
          _ENDS | _DEPLOY),
    _Rule("`email:` in hms.yaml", [_words("email emails mail mails")], _SEND | _ENDS | _DEPLOY),
    _Rule("the cards in Slack, and alerts", [{"slack"} | _SEND - _words("post send message msg webhook")],
          _SEND | _ENDS | _DEPLOY | _words("team channel")),
    _Rule("the cards in Slack, and alerts", [_words("send post"), _words("message msg webhook")]),
    _Rule("hms-sys monitor, and `checks:` in hms.yaml", [_words("monitor monitoring watch watcher")],
          _DEPLOY | _TARGET | _STATUS
          | _words("start stop list loop daemon background is running pid file check")),
    _Rule("hms-sys help", [_words("usage help version banner")], _words("show print display")),
    _Rule("hms-sys errors", [{"errors"}], _SHOW | _DEPLOY | _words("error count log logs central")),
    _Rule("hms-sys errors", [{"error"}, _SHOW | _words("log logs")], _words("central")),
    _Rule("hms-sys history, show and logs", [_words("log logs history"), _SHOW | _DEPLOY | _words("history")],
          _TARGET | _PLATFORM | _ENDS | _words("line lines event output")),
    _Rule("hms-sys history, show and logs", [_words("log logs history")],
          _ENDS | _words("message msg info warn warning debug write append line event entry")),
    _Rule("hms-sys history, show and logs", [_SHOW, _words("deployments releases")], _TARGET | _PLATFORM),
    _Rule("hms.yaml and `hms-sys config check`", [_words("config configuration conf settings setting")],
          _SHOW | _TARGET | _words("load parse check validate value key json file init require")),
    _Rule("hms.yaml and `hms-sys config check`", [_words("load read source require"), _words(
          "env environment dotenv secrets credentials")], _words("file")),
    _Rule("hms.yaml and `hms-sys config check`", [_TARGET - _words("image tag version"), _SHOW | _words(
          "load validate check resolve find is known parse")]),
    _Rule("POST /api/v1/rollouts, for components", [_words(
          "integration integrate component components workflow callback dev")],
          _DEPLOY | _SEND | _words("register call trigger ticket request start ready")),
    _Rule("the version that you name in `hms-sys deploy`", [_words("sha commit revision version")],
          _SHOW | _DEPLOY | _words("git tag short hash head resolve")),
    _Rule(SHELL_ITSELF, [_words(
        "main init die fail abort info warn warning error success debug echo print say color colour colors"
        " colours red green yellow blue bold header step ok construct confirm prompt ask retry timestamp now"
        " trap exit require requirements dependency dependencies prerequisites exists args arguments options"
        " spinner trim lower upper json jq escape quote urlencode elapsed duration")],
        _words("check tool tools command has is parse print colored message msg line format error root url"
               " encode time date err")),
)  # fmt: skip


def find_cover(name: str) -> str:
    """What does the work of a function of that name; "" when a person has to look."""
    words = _split(name)
    return next((rule.by for rule in _RULES if words and rule.fits(words)), "")


def _split(name: str) -> frozenset[str]:
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("roll_back", "rollback")
    words = frozenset(re.split(r"[^a-z0-9]+", snake)) - {""}
    return words - _FILLERS or words
