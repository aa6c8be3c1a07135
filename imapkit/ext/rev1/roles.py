r"""Which mailbox has a role: by its attribute (RFC 6154), by XLIST, or by its name in one of many languages.

A name says little: it counts only where no attribute does, and only at the top of the user's own mailboxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from unicodedata import normalize

from imapkit.errors import NoResponse, ParseError
from imapkit.ext.rev1.listing import MailboxListing, mailbox_list
from imapkit.plugin import Cursor, Reply, Role, TypedCommands, Wire

__all__ = ["find_role", "role_of_name"]

_XLIST = {b"\\allmail": Role.ALL, b"\\spam": Role.JUNK, b"\\starred": Role.FLAGGED}
"""The attributes of XLIST that are called otherwise in LIST."""
_NAMES = {
    Role.SENT: """
        sent, sent items, sent mail, sent messages, sent objects, gesendet, gesendete objekte, gesendete elemente,
        gesendete nachrichten, gesendete mails, envoyés, éléments envoyés, messages envoyés, courrier envoyé,
        objets envoyés, enviados, elementos enviados, mensajes enviados, correo enviado, itens enviados,
        mensagens enviadas, enviadas, inviati, posta inviata, inviata, elementi inviati, verzonden, verzonden items,
        verzonden berichten, verzonden objecten, skickat, skickade, skickade objekt, skickade meddelanden, sendt,
        sendte elementer, sendt post, sendte, lähetetyt, lähetetyt viestit, wysłane, elementy wysłane,
        wysłane wiadomości, odeslané, odeslaná pošta, odoslané, elküldött, elküldött elemek, elküldött üzenetek, trimise,
        elemente trimise, poslano, poslane stavke, отправленные, исходящие, надіслані, відправлені, изпратени,
        απεσταλμένα, gönderilmiş, gönderilmiş öğeler, gönderilmiş postalar, gönderilenler, 送信済み, 送信済みトレイ,
        送信済みアイテム, 送信済みメール, 已发送, 已发送邮件, 已傳送, 寄件備份, 已傳送的郵件, 보낸 편지함, 보낸편지함,
        보낸메일함, נשלח, المرسلة, البريد المرسل, đã gửi, thư đã gửi, terkirim
    """,
    Role.TRASH: """
        trash, deleted, deleted items, deleted messages, deleted mail, bin, wastebasket, papierkorb, gelöscht,
        gelöschte objekte, gelöschte elemente, gelöschte nachrichten, corbeille, éléments supprimés, messages supprimés,
        poubelle, papelera, eliminados, elementos eliminados, mensajes eliminados, lixeira, lixo, itens excluídos,
        itens eliminados, excluídos, cestino, posta eliminata, eliminata, elementi eliminati, posta cestinata,
        prullenbak, prullenmand, verwijderde items, verwijderde berichten, papperskorg, papperskorgen, borttagna objekt,
        borttaget, papirkurv, slettet post, slettede elementer, søppel, roskakori, poistetut, poistetut viestit, kosz,
        elementy usunięte, koš, odstraněná pošta, odstraněné, kôš, odstránené, kuka, lomtár, törölt elemek,
        törölt üzenetek, coș de gunoi, elemente șterse, smeće, корзина, удаленные, удалённые, удаленные сообщения, кошик,
        видалені, кошче, κάδος απορριμμάτων, απορρίμματα, çöp, çöp kutusu, silinmiş öğeler, ごみ箱, ゴミ箱,
        削除済みアイテム, 削除済み, 垃圾桶, 已删除, 已删除邮件, 废件箱, 已刪除的郵件, 휴지통, 지운 편지함, אשפה,
        פריטים שנמחקו, المهملات, thùng rác, tong sampah
    """,
    Role.DRAFTS: """
        drafts, draft, draft messages, entwürfe, entwurf, brouillons, brouillon, borradores, borrador, rascunhos,
        rascunho, bozze, bozza, concepten, utkast, kladder, kladde, luonnokset, kopie robocze, szkice, wersje robocze,
        koncepty, rozepsané, rozpracované, piszkozatok, piszkozat, ciorne, schițe, nacrti, skice, черновики, чернетки,
        чернови, πρόχειρα, taslaklar, taslak, 下書き, 草稿, 草稿箱, 草稿匣, 임시 보관함, 임시보관함, 임시 보관, טיוטות,
        المسودات, مسودات, thư nháp, bản nháp, draf
    """,
    Role.JUNK: """
        junk, spam, junk email, junk e-mail, junk mail, bulk mail, bulk, spamverdacht, unerwünscht, unerwünschte werbung,
        junk-e-mail, courrier indésirable, indésirables, pourriels, pourriel, correo no deseado, correo basura,
        no deseado, lixo eletrônico, lixo electrónico, correio não solicitado, posta indesiderata, indesiderata,
        ongewenste e-mail, ongewenste mail, ongewenst, skräppost, skräp, uønsket post, uønsket e-post, søppelpost,
        roskaposti, wiadomości-śmieci, śmieci, nevyžádaná pošta, nevyžiadaná pošta, levélszemét, neželjena pošta, спам,
        нежелательная почта, небажана пошта, нежелана поща, ανεπιθύμητη αλληλογραφία, ανεπιθύμητα, gereksiz,
        gereksiz e-posta, istenmeyen e-posta, önemsiz e-posta, önemsiz, 迷惑メール, 垃圾邮件, 垃圾郵件, 垃圾信件,
        广告邮件, 스팸 편지함, 스팸편지함, 스팸메일함, 정크 메일, דואר זבל, זבל, البريد العشوائي, البريد المزعج, thư rác
    """,
    Role.ARCHIVE: """
        archive, archives, archived, archiv, archivo, archivados, arquivo, arquivados, archivio, archief, arkiv, arkisto,
        archiwum, archív, archívum, arhivă, arhiva, архив, архів, αρχείο, arşiv, アーカイブ, 存档, 归档, 封存, 보관함,
        보관, ארכיון, الأرشيف, أرشيف, lưu trữ, arsip
    """,
    Role.FLAGGED: "flagged, starred, markiert, suivis, destacados, con estrella, com estrela, speciali, met ster",
    Role.ALL: "all mail, alle nachrichten, tous les messages, todos los correos, todos os e-mails, tutti i messaggi",
    Role.IMPORTANT: "important, wichtig, importantes, importante, importanti, belangrijk",
}


def role_of_name(name: str) -> Role | None:
    """The role that a mailbox of this name, without its place, usually has."""
    return _by_name().get(_folded(name))


def _folded(name: str) -> str:
    return normalize("NFC", name).casefold()


_known: dict[str, Role] = {}


def _by_name() -> dict[str, Role]:
    if not _known:
        _known.update({_folded(" ".join(name.split())): role for role, names in _NAMES.items() for name in names.split(",")})
    return _known


async def find_role(commands: TypedCommands[Any], role: Role) -> MailboxListing | None:
    """The first mailbox of the user that has the role and can be selected; None if there is none."""
    await commands._know_capabilities()
    session = commands._session
    listed: list[MailboxListing] = await Wire("LIST", '""', "*", parse=lambda reply: reply.values("LIST"))
    selectable = [listing for listing in listed if listing.is_selectable]
    found = _with_role(selectable, role)
    if found is None and session.has("XLIST"):
        found = _with_role(await _xlisted(), role)
    if found is None:
        found = _with_role(_named(selectable, await _prefixes(selectable, announced=session.has("NAMESPACE"))), role)
    return found


def _with_role(listings: Iterable[MailboxListing], role: Role) -> MailboxListing | None:
    return next((listing for listing in listings if listing.role is role), None)


async def _xlisted() -> list[MailboxListing]:
    """The mailboxes of XLIST, which Gmail had before RFC 6154."""
    try:
        listed = await Wire("XLIST", '""', "*", result=("XLIST",), parse=_read_xlist)
    except NoResponse:
        return []
    return [listing for listing in listed if listing.is_selectable]


def _read_xlist(reply: Reply) -> list[MailboxListing]:
    found: list[MailboxListing] = []
    for response in reply.responses("XLIST"):
        cursor = Cursor(response.parts, None, reply.tables.items, nesting=reply.nesting, utf8=response.utf8)
        try:
            listing = mailbox_list(cursor)
        except ParseError:
            continue
        roles = [_XLIST.get(attribute.lower()) for attribute in listing.raw_attributes]
        role = listing.role or next((role for role in roles if role is not None), None)
        if role is not None:
            found.append(listing.with_role(role, "xlist"))
    return found


async def _prefixes(listed: list[MailboxListing], *, announced: bool) -> list[str]:
    """How the names of the user's own mailboxes begin."""
    if announced:
        try:
            [own] = await Wire("NAMESPACE", result=("NAMESPACE",), parse=_own_namespaces)
        except (NoResponse, ValueError):
            own = None
        if own is not None:
            return own
    # (Courier and others have all of them below INBOX.)
    delimiter = next((listing.delimiter for listing in listed if listing.delimiter), "")
    return ["", *(["INBOX" + delimiter] if delimiter else [])]


def _own_namespaces(reply: Reply) -> list[list[str]]:
    """The prefixes, if the family that reads them is there."""
    return [
        [namespace.prefix.text for namespace in found.personal]
        for found in reply.values("NAMESPACE")
        if getattr(found, "personal", None)
    ]


def _named(listings: list[MailboxListing], prefixes: list[str]) -> Iterator[MailboxListing]:
    """Those whose names say what they are for, each with its role."""
    for listing in listings:
        name = listing.mailbox
        for prefix in prefixes:
            # (INBOX is INBOX in any case. The known names have no levels, so deeper mailboxes have none of them.)
            is_own = name[: len(prefix)].casefold() == prefix.casefold()
            role = role_of_name(name[len(prefix) :]) if is_own else None
            if role is not None and listing.role is None:
                yield listing.with_role(role, "name")
                break
