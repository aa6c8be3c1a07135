"""imap_tools, which makes every message an object."""

from __future__ import annotations

import ssl
from typing import Any

import imap_tools

from bench.clients.common import STATUS, Blocking, Importable
from bench.payloads import APPENDED, MESSAGE
from bench.worker import Run


class Client(Blocking, Importable):
    """Whole messages."""

    module = "imap_tools"

    def connect(self, run: Run) -> Any:
        """A client, logged in, with the mailbox selected."""
        if run.cafile is not None:
            box: Any = imap_tools.MailBox(run.host, run.port, ssl_context=ssl.create_default_context(cafile=run.cafile))
        else:
            box = imap_tools.MailBoxUnencrypted(run.host, run.port)
        return box.login(run.user, run.password, initial_folder=run.mailbox)

    def bodies(self, run: Run) -> None:
        """FETCH of messages."""
        box = self.connect(run)
        with run.timed():
            found = [message.obj.get_payload() for message in box.fetch(uid_list=f"1:{run.size}", mark_seen=False, bulk=True)]
        run.check(len(found) == run.size and all(found))
        box.logout()

    def status_far(self, run: Run) -> None:
        """One after another."""
        box = self.connect(run)
        with run.timed():
            found = [box.folder.status(f"Lists/Box {i}", STATUS[1:-1].split()) for i in range(run.size)]
        run.check(len(found) == run.size and all(status["MESSAGES"] for status in found))
        box.logout()

    def _noop(self, client: Any) -> object:
        return client.client.noop()[0] == "OK"

    def _append(self, client: Any) -> object:
        return client.append(MESSAGE, APPENDED)
