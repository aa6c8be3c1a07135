"""The fixtures ``imap_server``, ``imap_client`` and ``imap_tls``; pytest finds them through an entry point of imapkit.

pytest imports this module in the runs of every project, so it imports nothing else before a fixture is used.
``-p no:imapkit`` switches it off.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

try:
    import pytest
except ModuleNotFoundError as exc:  # pragma: no cover - pytest runs the tests
    raise ModuleNotFoundError("imapkit's fixtures need pytest: pip install 'imapkit[testing]'", name=exc.name) from exc

if TYPE_CHECKING:
    from imapkit.testing import ClientFactory, ServerCertificate, ServerFactory

__all__ = ["imap_client", "imap_server", "imap_tls"]

_NAMES = ("imapkit", __name__)


def pytest_plugin_registered(plugin: object, plugin_name: str, manager: pytest.PytestPluginManager) -> None:
    """Block the other name of this plugin once it is registered, by its entry point or by ``pytest_plugins``."""
    if plugin is sys.modules[__name__]:
        for name in _NAMES:
            if name != plugin_name:
                manager.set_blocked(name)


@pytest.fixture
def imap_server() -> Iterator[ServerFactory]:
    """``imap_server(script, **arguments)`` starts a ``ScriptedServer``, closed at the end; a failing script fails the test."""
    from imapkit.testing import ServerFactory

    with ServerFactory() as servers:
        yield servers


@pytest.fixture
def imap_client(imap_server: ServerFactory) -> Iterator[ClientFactory]:  # so that clients end before servers
    """``imap_client(server, families=[...])`` returns a logged-in ``IMAP4``; the test's end logs it out and closes it."""
    from imapkit.testing import ClientFactory

    with ClientFactory() as clients:
        yield clients


@pytest.fixture(scope="session")
def imap_tls() -> ServerCertificate:
    """A certificate for ``imap_server(tls=imap_tls)``, which ``imap_client`` trusts."""
    from imapkit.testing import LOCALHOST

    return LOCALHOST
