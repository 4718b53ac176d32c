from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.config import Config, load_config
from bot.faults import SettingsError
from bot.routes import build_routing, open_couriers
from bot.settings import Settings
from operations.outbox import MAIL, SLACK
from operations.routing import Occasion

PLAIN = "slack: {deploys_channel: C01GEN}\nenvironments: {prod: {}}\nprojects: {}\n"
EMAIL = (
    "email: {smtp: 'smtp://hms@mail.example.com', from: hms@example.com, to: [ops@example.com],"
    " on: [alert]}\n"
)
NOTIFY = (
    "notify: [{name: pager, url_env: PAGER_URL}, {name: team, url_env: TEAM_URL, on: [digest]}]\n"
)
URLS = {"PAGER_URL": "json://pager.test/s3cr3t", "TEAM_URL": "json://team.test/s3cr3t"}
WITH_PASSWORD = Settings(smtp_password=SecretStr("made-up"))


def config(tmp_path: Path, *sections: str) -> Config:
    file = tmp_path / "hms.yaml"
    file.write_text(PLAIN + "".join(sections))
    return load_config(file)


def test_without_other_ways_there_is_slack(tmp_path: Path) -> None:
    routing = build_routing(config(tmp_path))

    assert (routing.routes, routing.fall_back) == ((SLACK,), "")


def test_mail_is_what_slack_falls_back_on(tmp_path: Path) -> None:
    routing = build_routing(config(tmp_path, NOTIFY, EMAIL))

    assert routing.routes == (SLACK, MAIL, "notify:pager", "notify:team")
    assert routing.fall_back == MAIL
    assert [way.occasions for way in routing.ways] == [
        {Occasion.ALERT},
        {Occasion.ALERT, Occasion.ROLLOUT_FAILED},
        {Occasion.DIGEST},
    ]


def test_without_mail_it_is_the_first_of_the_others(tmp_path: Path) -> None:
    assert build_routing(config(tmp_path, NOTIFY)).fall_back == "notify:pager"


def test_each_way_has_its_courier(tmp_path: Path) -> None:
    couriers = open_couriers(WITH_PASSWORD, config(tmp_path, EMAIL, NOTIFY), URLS)

    assert list(couriers) == [MAIL, "notify:pager", "notify:team"]


def test_a_url_can_be_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "url"
    file.write_text(f"{URLS['PAGER_URL']}\n")
    environ = {"PAGER_URL_FILE": str(file), "TEAM_URL": URLS["TEAM_URL"]}

    assert len(open_couriers(Settings(), config(tmp_path, NOTIFY), environ)) == 2


def test_what_is_wrong_with_the_secrets_is_told_all_at_once_without_them(tmp_path: Path) -> None:
    wrong = {"TEAM_URL": "nothing-like-that://s3cr3t"}
    with pytest.raises(SettingsError) as caught:
        open_couriers(Settings(), config(tmp_path, EMAIL, NOTIFY), wrong)

    told = caught.value.message.splitlines()
    assert [line.partition(":")[0] for line in told] == [
        "HMS_SMTP_PASSWORD",
        "PAGER_URL",
        "TEAM_URL",
    ]
    assert "s3cr3t" not in caught.value.message


def test_a_mail_server_without_a_user_needs_no_password(tmp_path: Path) -> None:
    plain = EMAIL.replace("hms@mail", "mail")

    assert list(open_couriers(Settings(), config(tmp_path, plain), {})) == [MAIL]
