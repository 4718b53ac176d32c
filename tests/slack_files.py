"""Files in the stand-in for Slack: uploaded in three calls, processed later, refused in blocks until then.

After facts of the SDK's issues 1277, 1521 and 1658 and of `files_upload_v2`: a file without a type is not
processed yet, and a block that names such a file is `invalid_blocks` (“invalid slack file”). One that was
shared nowhere only its own app can see, so a message of a channel that names it is refused here too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from aiohttp import web

Answer = dict[str, object]
PNG = b"\x89PNG\r\n\x1a\n"


class FileRefused(Exception):
    """What Slack would answer in place of `ok`."""


@dataclass
class File:
    """`looks` is how often it was asked about since it was completed."""

    id: str
    name: str
    length: int
    content: bytes = b""
    title: str = ""
    looks: int = 0
    channel: str = ""
    """Where it was shared."""

    @property
    def is_complete(self) -> bool:
        """Whether the third call was made."""
        return bool(self.title)


@dataclass
class SlackFiles:
    """The files of a workspace. A file is processed once it was asked about `looks_needed` times."""

    looks_needed: int = 2
    refuses_uploads: int = 0
    """The next so many uploads are answered with 500."""
    address: str = ""
    """Where uploads are to be sent, in place of the right one."""
    kept: dict[str, File] = field(default_factory=dict)

    def begin(self, params: Mapping[str, object], root_url: str) -> Answer:
        """files.getUploadURLExternal."""
        _only(params, {"filename", "length"})
        length = int(str(params.get("length", "0")))
        if not params.get("filename") or length <= 0:
            raise FileRefused("invalid_arguments")
        made = File(f"F{len(self.kept) + 1:02}", str(params["filename"]), length)
        self.kept[made.id] = made
        return {"file_id": made.id, "upload_url": self.address or f"{root_url}/upload/{made.id}"}

    async def receive(self, request: web.Request) -> web.StreamResponse:
        """The second call, which is none of the Web API."""
        found = self.kept.get(request.match_info["file"])
        content = await request.read()
        if self.refuses_uploads > 0:
            self.refuses_uploads -= 1
            return web.Response(status=500)
        if found is None or found.content or len(content) != found.length:
            return web.Response(status=400, text="invalid upload")
        found.content = content
        return web.Response(text=f"OK - {len(content)}")

    def complete(self, params: Mapping[str, object], channel: str) -> Answer:
        """files.completeUploadExternal, with the channel that it is shared in."""
        _only(params, {"files", "channel_id", "thread_ts"})
        for given in json.loads(str(params.get("files", "[]"))):
            found = self.kept.get(given["id"])
            if found is None or not found.content:
                raise FileRefused("file_not_found")
            found.title = given.get("title") or found.name
            found.channel = channel
        return {"files": json.loads(str(params["files"]))}

    def info(self, params: Mapping[str, object]) -> Answer:
        """files.info."""
        _only(params, {"file"})
        found = self.kept.get(str(params.get("file")))
        if found is None or not found.is_complete:
            raise FileRefused("file_not_found")
        found.looks += 1
        mimetype = "image/png" if self._is_processed(found) else ""
        shares = {"public": {found.channel: [{"ts": "1.0"}]}} if found.channel else {}
        told = {"id": found.id, "name": found.name, "mimetype": mimetype, "shares": shares}
        return {"file": told}

    def check(self, blocks: Sequence[Mapping[str, object]], channel: str) -> None:
        """Raises FileRefused for a block whose file cannot be shown in the channel."""
        for block in blocks:
            named = block.get("slack_file")
            if block.get("type") != "image" or not isinstance(named, Mapping):
                continue
            found = self.kept.get(str(named.get("id")))
            if found is None or not self._is_processed(found) or found.channel != channel:
                raise FileRefused("invalid_blocks")

    def _is_processed(self, file: File) -> bool:
        is_picture = file.content.startswith(PNG)
        return file.is_complete and is_picture and file.looks >= self.looks_needed


def _only(params: Mapping[str, object], known: set[str]) -> None:
    if unknown := set(params) - known - {"token"}:
        raise FileRefused(f"invalid_arguments: {sorted(unknown)}")
