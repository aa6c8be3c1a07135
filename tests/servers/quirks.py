"""Where servers depart from the RFCs, or from each other, in a way that no capability announces."""

from __future__ import annotations

from enum import Enum, auto


class Quirk(Enum):
    """Each is said above its name: what the server does, and on what condition."""

    # The first message of every mailbox has the UID 101.
    FIRST_UID_101 = auto()
    # SELECT does not send UIDNEXT; STATUS does.
    NO_UIDNEXT_ON_SELECT = auto()
    # A command with bad syntax, or of an unknown name, is answered with NO instead of BAD.
    SYNTAX_ERROR_IS_NO = auto()
    # SEARCH in an unknown charset: RFC 3501 section 6.4.4 wants NO.
    UNKNOWN_CHARSET_IS_BAD = auto()
    UNKNOWN_CHARSET_IS_SEARCHED = auto()
    # A message needs a header to be stored.
    APPEND_WANTS_A_HEADER = auto()
    # The last line of a message gets its end, if it has none.
    APPEND_ENDS_THE_LAST_LINE = auto()
    # The characters that a mailbox name may hold are those of a list (GOODCHARS of Cyrus' lib/mboxname.c).
    FEW_CHARACTERS_IN_NAMES = auto()
    # ID has no fields of the server, and takes no value of NIL.
    ID_SAYS_NOTHING = auto()
    # BODYSTRUCTURE has dispositions as the header has them; part sizes and lines count the header of the part.
    DISPOSITION_IS_NOT_PARSED = auto()
    PARTS_COUNT_THEIR_HEADER = auto()
    # ENVELOPE leaves the marks of groups out.
    NO_GROUPS_IN_ENVELOPE = auto()
    # ENVELOPE marks the beginning of a group as it marks the end, with an empty name.
    GROUPS_WITHOUT_NAMES = auto()
    # SORT by subject has messages of one subject by date, not by number.
    EQUAL_SUBJECTS_BY_DATE = auto()
    # THREAD=ORDEREDSUBJECT makes one chain of a subject, in which each message answers the one before.
    ORDEREDSUBJECT_IS_A_CHAIN = auto()
    # GETACL lists the owner under another name, and the administrators.
    OWNER_BY_ROLE = auto()
    # SETACL takes letters that are no rights.
    ANY_LETTER_IS_A_RIGHT = auto()
    # SETACL takes no identifier with a space.
    NO_SPACE_IN_IDENTIFIERS = auto()
    # SETACL takes identifiers in ASCII only.
    ASCII_IDENTIFIERS = auto()
    # SETACL for "anyone" is refused, unless the configuration allows it.
    NO_RIGHTS_FOR_ANYONE = auto()
    # GETQUOTA, for which a user needs no rights elsewhere, is for administrators.
    GETQUOTA_FOR_ADMINISTRATORS = auto()
    # GETQUOTA of a root that does not exist is OK, with a QUOTA response without a list.
    ANY_QUOTA_ROOT_EXISTS = auto()


PYMAP = frozenset({
    Quirk.FIRST_UID_101, Quirk.UNKNOWN_CHARSET_IS_BAD, Quirk.ID_SAYS_NOTHING, Quirk.DISPOSITION_IS_NOT_PARSED,
    Quirk.PARTS_COUNT_THEIR_HEADER, Quirk.NO_GROUPS_IN_ENVELOPE,
})  # fmt: skip
DOVECOT = frozenset({Quirk.NO_RIGHTS_FOR_ANYONE})
CYRUS = frozenset({
    Quirk.UNKNOWN_CHARSET_IS_SEARCHED, Quirk.APPEND_WANTS_A_HEADER, Quirk.FEW_CHARACTERS_IN_NAMES, Quirk.ASCII_IDENTIFIERS,
    Quirk.GETQUOTA_FOR_ADMINISTRATORS,
})  # fmt: skip
COURIER = frozenset({
    Quirk.NO_UIDNEXT_ON_SELECT, Quirk.SYNTAX_ERROR_IS_NO, Quirk.APPEND_ENDS_THE_LAST_LINE,
    Quirk.GROUPS_WITHOUT_NAMES,
    Quirk.EQUAL_SUBJECTS_BY_DATE, Quirk.ORDEREDSUBJECT_IS_A_CHAIN,
    Quirk.OWNER_BY_ROLE, Quirk.ANY_LETTER_IS_A_RIGHT, Quirk.NO_SPACE_IN_IDENTIFIERS, Quirk.ANY_QUOTA_ROOT_EXISTS,
})  # fmt: skip
