"""A real bot where the name servers of some components do not answer."""

from __future__ import annotations

import json
import time
from pathlib import Path

from operations.deployment.rollout import RolloutState
from operations.integration.webhooks.delivery import DeliveryState
from tests.integration.hms_dev import SECRET, HmsDev, open_hms_dev
from tests.scenario.counter import digest
from tests.slack_stand_in import until

_SILENT = """\
import socket, time
known = socket.getaddrinfo
def look_up(host, *args, **more):
    if "silent" in str(host):
        time.sleep(30)
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    return known(host, *args, **more)
socket.getaddrinfo = look_up
"""
"""What the process reads at its start: such names take as long as glibc takes to give up."""


def _add_silent_components(dev: HmsDev, folder: Path) -> None:
    (folder / "site").mkdir()
    (folder / "site" / "sitecustomize.py").write_text(_SILENT)
    file = folder / "hms.yaml"
    config = json.loads(file.read_text())
    for number in range(8):
        config["components"][f"silent-{number}"] = {
            "token_sha256": digest(f"made-up {number}"),
            "may": ["read"],
            "webhook": f"https://silent-{number}.example/hooks",
            "secret_env": "HMS_DEV_WEBHOOK_SECRET",
        }
    file.write_text(json.dumps(config))


async def test_components_whose_names_nobody_answers_for_hold_up_nobody_and_no_stop(
    tmp_path: Path,
) -> None:
    async with open_hms_dev(tmp_path) as dev:
        dev.bot.kill()
        _add_silent_components(dev, tmp_path)
        silent = {"HMS_DEV_WEBHOOK_SECRET": SECRET, "PYTHONPATH": str(tmp_path / "site")}
        dev.bot = dev.world.spawn(**silent)
        await dev.world.ready(dev.bot)
        with dev.listening():
            first = await dev.ship("prod")
            await until(lambda: dev.counts(DeliveryState.DELIVERED, 1), 10)
            second = await dev.ship("staging")
            await dev.world.reaches("myapp", RolloutState.SUCCEEDED, seconds=10)
            await until(lambda: dev.counts(DeliveryState.DELIVERED, 5), 10)
            assert dev.heard_of(first) == ["hms.rollout.requested"]
            assert dev.heard_of(second)[-1] == "hms.rollout.ended"

        begun = time.monotonic()
        assert await dev.bot.terminate() == 0
        assert time.monotonic() - begun < 10
