"""The builtin families, one module or package each, with their public methods.

``imapkit doctor --write`` writes this file.
"""

from __future__ import annotations

__all__ = ["INDEX"]

INDEX: dict[str, tuple[str, ...]] = {
    "acl": (
        "deleteacl",
        "getacl",
        "listrights",
        "myrights",
        "setacl",
    ),
    "annotation": (
        "getannotation",
        "setannotation",
    ),
    "compress": ("enable_compression",),
    "enable": ("enable",),
    "esearch": (),
    "gmail": (
        "x_gm_add_labels",
        "x_gm_labels",
        "x_gm_remove_labels",
        "x_gm_search",
        "x_gm_set_labels",
    ),
    "id": ("id",),
    "idle": (
        "idle",
        "idle_refresh",
    ),
    "list_status": (),
    "move": ("move",),
    "namespace": ("namespace",),
    "proxyauth": ("proxyauth",),
    "quota": (
        "getquota",
        "getquotaroot",
        "setquota",
    ),
    "rev1": (
        "append",
        "authenticate",
        "capability",
        "check",
        "close",
        "copy",
        "create",
        "delete",
        "examine",
        "expunge",
        "fetch",
        "fetch_to",
        "list",
        "login",
        "login_cram_md5",
        "logout",
        "lsub",
        "noop",
        "partial",
        "pop_untagged_responses",
        "recent",
        "rename",
        "response",
        "search",
        "select",
        "status",
        "store",
        "subscribe",
        "uid",
        "unsubscribe",
        "xatom",
    ),
    "sort_thread": (
        "sort",
        "thread",
    ),
    "starttls": (
        "starttls",
        "waive_starttls",
    ),
    "uidplus": (),
    "unselect": ("unselect",),
}
