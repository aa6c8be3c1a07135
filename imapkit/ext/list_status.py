"""The family ``list_status``: mailboxes with their status by one command; RFC 5819."""

from __future__ import annotations

from imapkit.plugin import Family, Option, hookimpl, status_items

__all__ = ["imapkit_family"]

STATUS = Option("LIST", "return", "STATUS", (status_items,), "LIST-STATUS", ("STATUS",))
"""``status-return-option = "STATUS" SP "(" status-att *(SP status-att) ")"``, RFC 5819 section 4."""
SPECIAL_USE = Option("LIST", "return", "SPECIAL-USE", (), "SPECIAL-USE")
"""RFC 6154 section 3: to a LIST with options some servers name the roles of mailboxes only if they are asked for them."""

CHILDREN = Option("LIST", "return", "CHILDREN", (), "LIST-EXTENDED")
"""RFC 5258 section 3.2: likewise, whether a mailbox has children."""


@hookimpl
def imapkit_family() -> Family:
    """The family of RFC 5819: ``mailboxes(status=[...])`` of the base family takes its options."""
    return Family(
        name="list_status",
        extends=(STATUS, SPECIAL_USE, CHILDREN),
        offers={"list": {"status": STATUS, "roles": SPECIAL_USE, "children": CHILDREN}},
        capabilities=("LIST-STATUS",),
        requires=("rev1",),
        contract=2,
    )
