"""The demo as a process of its own, started and stopped as a person does it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[2]
_START_SECONDS = 90.0
_STOP_SECONDS = 15.0
_ALWAYS = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "VIRTUAL_ENV")


class Demo:
    """`python -m sandbox` on ports that are free. `state` must be empty; `pace` is its option."""

    def __init__(self, local_slack: Path, state: Path, pace: float) -> None:
        self._said = state.with_name(f"{state.name}.out")
        command = [sys.executable, "-m", "sandbox", "--local-slack", str(local_slack)]
        command += ["--port", "0", "--bot-port", "0", "--pace", str(pace), "--state", str(state)]
        command += ["--escalate-after", "30s"]
        environ = {name: os.environ[name] for name in _ALWAYS if name in os.environ}
        with self._said.open("wb") as out:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environ, stdout=out, stderr=out, start_new_session=True
            )

    @property
    def said(self) -> str:
        """All that it has printed."""
        return self._said.read_text(encoding="utf-8")

    def wait_for_greeting(self) -> str:
        """The page's address, once the demo says that it may be opened."""
        end = time.monotonic() + _START_SECONDS
        while (found := re.search(r"Open +(http://\S+)", self.said)) is None:
            assert self._process.poll() is None, f"The demo ended by itself:\n{self.said}"
            assert time.monotonic() < end, f"No greeting within {_START_SECONDS} s:\n{self.said}"
            time.sleep(0.1)
        return found[1]

    def processes(self) -> list[psutil.Process]:
        """The demo and everything that it started."""
        try:
            demo = psutil.Process(self._process.pid)
            return [demo, *demo.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def interrupt(self) -> int:
        """Ctrl-C: the exit code; all that it started must be gone in time."""
        everything = self.processes()
        self._process.send_signal(signal.SIGINT)
        code = self._process.wait(_STOP_SECONDS)
        _, left = psutil.wait_procs(everything, timeout=1)
        assert not left, f"Ctrl-C left {[' '.join(each.cmdline()) for each in left]}"
        return code

    def kill(self) -> None:
        """Leave nothing, whatever state it is in."""
        for process in self.processes():
            if process.is_running():
                process.kill()
        self._process.wait(5)
