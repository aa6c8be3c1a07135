"""The people of the sample mail and their texts: names, subjects and paragraphs."""
# ruff: noqa: RUF001 - other scripts have letters that look like Latin ones

from __future__ import annotations

from typing import NamedTuple


class Person(NamedTuple):
    """A correspondent; ``zone`` is the offset of their time zone from UTC in minutes."""

    name: str
    address: str
    zone: int


class Topic(NamedTuple):
    """The subject of a thread and paragraphs for its messages, the first for its opening."""

    subject: str
    paragraphs: tuple[str, ...]


class Letter(NamedTuple):
    """A message in another language, in the charset that the sender's program would choose."""

    sender: Person
    subject: str
    text: str
    charset: str
    filename: str


class Receipt(NamedTuple):
    """A purchase: seller, item, price, and the file name of the invoice."""

    seller: str
    address: str
    subject: str
    item: str
    price: str
    filename: str


OWNER = Person("Ada Lindqvist", "ada.lindqvist@example.org", 60)

COLLEAGUES = (
    Person("Grace Okafor", "grace.okafor@example.org", 0),
    Person("Jürgen Weiß", "juergen.weiss@example.org", 60),
    Person("Sofía Ibáñez", "sofia.ibanez@example.net", -180),
    Person("Neha Sharma", "neha.sharma@example.net", 330),
    Person("Tomasz Wójcik", "t.wojcik@example.org", 60),
)

LISTERS = (
    Person("Mark Delaney", "mdelaney@example.com", -300),
    Person("Ingrid Sørensen", "ingrid@example.net", 60),
    Person("Pavel Dvořák", "pavel.dvorak@example.org", 60),
    Person("Lan Nguyễn", "lan.nguyen@example.com", 420),
    Person("R. Whitcombe", "whitcombe@example.net", 0),
)

WORK = (
    Topic(
        "Office move: floor plan and dates",
        (
            "The lease for the second floor is signed, so the move is set for the weekend of 14 February. The floor "
            "plan is attached; please look for your own desk first and for mistakes second.",
            "The two rooms by the stairs get the morning sun and the noise of the loading bay. I would rather put the "
            "printers there and leave the quiet side to those who are on the phone all day.",
            "The electrician needs four days for the sockets and cannot start before the carpet is down. That leaves "
            "one spare day, which I do not want to spend before we have begun.",
            "Boxes come on Monday. Label them with the room number of the new plan, not of the old one: last time half "
            "of the library ended up in the kitchen.",
        ),
    ),
    Topic(
        "Quarterly figures, first draft",
        (
            "Here is the first draft of the figures. Orders are up by nine per cent on the last quarter; the margin is "
            "not, because freight has doubled since October.",
            "Row 214 of the table looks wrong to me: the same order appears with two dates. If it was cancelled and "
            "placed anew, the first line should not count.",
            "I have rounded to whole thousands for the board and kept the exact numbers in the second sheet. Please "
            "do not send the second sheet outside the house.",
            "The auditors ask for the stock list of 31 December as well. I can export it tonight, but somebody has to "
            "confirm the three items that were in transit.",
        ),
    ),
    Topic(
        "Backup of the mail server failed on Sunday",
        (
            "The backup of Sunday night stopped after forty minutes with a full disk. Nothing is lost: Saturday's is "
            "complete and I have checked that it can be restored.",
            "The volume filled up because the old snapshots are kept for ninety days instead of thirty. I have set it "
            "back and removed the oldest ones by hand.",
            "I restored one mailbox of two gigabytes to a spare machine: eleven minutes, all flags and dates as they "
            "were. The index was rebuilt on the first SELECT, which took another minute.",
            "From now on the job sends its last ten lines to this address whether it fails or not. If no message comes "
            "by seven in the morning, that is the alarm.",
        ),
    ),
    Topic(
        "Conference in Lisbon: talk and travel",
        (
            "The programme committee has taken our talk: thirty minutes on Thursday, right after the coffee break. "
            "They want the slides by the end of the month and a short biography now.",
            "I looked at trains, for the fun of it. It is twenty-six hours with a night in Madrid, and costs less than "
            "the flight with two suitcases.",
            "The hotel by the river is full, the one on the hill has three rooms left. I reserved all three until "
            "Friday noon; after that we pay for them.",
            "My half of the slides is attached. The diagram on page seven is from last year and shows two threads "
            "where there is only one now; I will draw it again.",
        ),
    ),
    Topic(
        "New customer portal: results of the user tests",
        (
            "Six people tried the portal on Tuesday. Five of them found their invoices within a minute; nobody found "
            "the page where the delivery address is changed.",
            "Two testers pressed the back button in the middle of an order and lost everything. We should keep the "
            "basket on the server, as the old shop did.",
            "The recordings are in the archive, with faces blurred. Please delete your copy once you have seen it; "
            "that is what we promised the testers.",
            "I suggest three small changes before anything large: the word on the button, the order of the menu, and "
            "a message that says what went wrong instead of a number.",
        ),
    ),
)

REPLIES = (
    "Fine with me. I will see to it on Thursday and write again when it is done.",
    "Thank you, that was quick. One question is left: who tells the others, and until when can they object?",
    "I had missed that. Let us leave it as it is for now and look again in two weeks.",
    "Agreed on all points. The file that goes with it is a little larger than I would like; sorry for that.",
)

LIST = (
    Topic(
        "IDLE and NAT time-outs",
        (
            "My client leaves IDLE every 29 minutes, as the specification advises, and still loses the connection "
            "behind some home routers after five. Nobody sends a RST: the line is just dead. What do others do?",
            "Five minutes is generous. I have seen two on mobile networks. We send DONE and start anew after 110 "
            "seconds there; it costs one packet each way and keeps the mapping alive.",
            "TCP keepalive is the better tool if the platform lets you set the interval for each socket. The server "
            "can do it as well, and then every client profits.",
            'Servers that send "* OK Still here" every two minutes do the same from the other side. A client must be '
            "ready to see that at any time, not only in IDLE.",
        ),
    ),
    Topic(
        "UIDVALIDITY after a restore from backup",
        (
            "After a restore from backup one of our mailboxes has messages with UIDs that had been given to others in "
            "the meantime. Must UIDVALIDITY change, or is it enough to raise UIDNEXT?",
            "It must change. A client that was connected on Sunday has cached other messages under the same UIDs, and "
            "there is no way to tell it so but a new UIDVALIDITY.",
            "Raising UIDNEXT helps only for messages that nobody has seen. If you know for certain which was the "
            "highest UID ever shown, you may get away with it. I would not bet on it.",
            "The price is that every client downloads the mailbox again. For an archive of forty gigabytes that is a "
            "long Monday; still better than one message shown under the name of another.",
        ),
    ),
    Topic(
        "LITERAL- and messages over 4096 octets",
        (
            "With LITERAL- a client has to fall back to a synchronizing literal above 4096 octets. For APPEND that is "
            "nearly always. Is there any point in the extension for a client that mostly appends?",
            "There is: the search strings, the mailbox names, the login. Each of those saves a round trip, and the "
            "server keeps the right to refuse a large message before it is sent.",
            "That right is the reason for the limit. With LITERAL+ a server that is over quota has to read twenty "
            "megabytes only to answer NO.",
            "Or close the connection, which some do. The client then sees a reset instead of the reason, and tries "
            "again at once.",
        ),
    ),
    Topic(
        "What is a client to do with unknown FETCH items?",
        (
            "A server sends X-SOMETHING in its FETCH responses though my client never asked for it. The value is a "
            "parenthesized list with a literal inside. May it do that, and how am I to skip it?",
            "It may not, strictly speaking, but you will meet it. Parse the value by the general grammar: number, "
            "string, NIL, or a list of these. Whatever has that shape can be skipped without knowing its name.",
            "Keep it instead of skipping it, if you can: whoever debugs this next will thank you for the raw bytes.",
            "We fixed ours to send it only after the client has announced itself with ENABLE. Version 4.2 will have "
            "it; the patch is attached for those who build from source.",
        ),
    ),
    Topic(
        "Non-ASCII mailbox names, one more time",
        (
            "Half of our users have a mailbox whose name was sent as raw UTF-8 by an old client, without UTF8=ACCEPT. "
            "The other clients show question marks. Rename them all, or teach the server to show both?",
            "Rename them. Modified UTF-7 is ugly, but it is what every client since 1996 can read. Do it at night and "
            "keep the old subscription lines until they have all logged in once.",
            'Mind the case of "&": a name such as "R&D" that was created without escaping decodes to garbage or to '
            "nothing, and then the mailbox cannot be selected any more.",
            'And mind normalization. The same "é" can be one code point or two. We found eleven pairs of mailboxes '
            "that looked the same and were not.",
        ),
    ),
)

LETTERS = (
    Letter(
        Person("Élodie Marchand", "elodie.marchand@example.fr", 60),
        "Réunion décalée à jeudi : ordre du jour révisé",
        "Bonjour Ada,\n\nLa réunion est décalée à jeudi, 14 h 30, parce que la salle est déjà prise mercredi. L'ordre "
        "du jour révisé est joint.\nMerci de relire le point 3 : les délais me paraissent trop courts.\n\nBien à vous,"
        "\nÉlodie\n",
        "iso-8859-1",
        "Ordre du jour révisé.pdf",
    ),
    Letter(
        Person("Jörg Schäfer", "joerg.schaefer@example.de", 60),
        "Rückfrage zur Größenangabe in Ihrer Bestellung",
        "Sehr geehrte Frau Lindqvist,\n\nin Ihrer Bestellung fehlt die Größe der Türschilder. Üblich sind 120 × 60 mm; "
        "für längere Namen führen wir auch 160 × 60 mm.\nDie Übersicht finden Sie anbei.\n\nMit freundlichen Grüßen\n"
        "Jörg Schäfer\n",
        "utf-8",
        "Größenübersicht für Türschilder.pdf",
    ),
    Letter(
        Person("山田 花子", "hanako.yamada@example.jp", 540),
        "来週の打ち合わせの資料をお送りします",
        "リンドクヴィスト様\n\nいつもお世話になっております。来週の打ち合わせの資料をお送りします。\n"
        "ご確認のうえ、ご意見をお聞かせください。\n\nよろしくお願いいたします。\n山田\n",
        "iso-2022-jp",
        "打ち合わせ資料.pdf",
    ),
    Letter(
        Person("Дмитрий Орлов", "d.orlov@example.ru", 180),
        "Отчёт о переносе почтовых ящиков за январь",
        "Здравствуйте, Ада!\n\nВысылаю отчёт за январь. Перенесено 412 ящиков, из них 9 пришлось переносить дважды "
        "из-за обрыва связи.\nТаблица во вложении.\n\nС уважением,\nДмитрий\n",
        "koi8-r",
        "Отчёт за январь.csv",
    ),
    Letter(
        Person("Αλέξανδρος Νικολάου", "a.nikolaou@example.gr", 120),
        "Φωτογραφίες από την εκδρομή στη Νάξο",
        "Γεια σου Άντα,\n\nΣου στέλνω τη φωτογραφία που ζήτησες. Ο καιρός ήταν θαυμάσιος και το πλοίο έφτασε στην ώρα "
        "του.\n\nΦιλικά,\nΑλέξανδρος\n",
        "utf-8",
        "Νάξος, το λιμάνι.png",
    ),
    Letter(
        Person("أمينة حداد", "amina.haddad@example.com", 120),
        "دعوة إلى ورشة العمل في شهر مارس",
        "السيدة آدا المحترمة،\n\nيسرّنا دعوتكم إلى ورشة العمل التي تقام في العاشر من مارس. تجدون البرنامج مرفقًا.\n\n"
        "مع أطيب التحيات،\nأمينة حداد\n",
        "utf-8",
        "برنامج الورشة.pdf",
    ),
    Letter(
        Person("נועה לוי", "noa.levi@example.com", 120),
        "תיקונים לתרגום של המדריך",
        "שלום עדה,\n\nקראתי את התרגום ומצאתי ארבע טעויות קטנות. הקובץ המתוקן מצורף.\n\nבברכה,\nנועה\n",
        "utf-8",
        "מדריך מתוקן.pdf",
    ),
    Letter(
        Person("नेहा शर्मा", "neha.sharma@example.net", 330),
        "कार्यालय के नए समय की सूचना",
        "नमस्ते आदा,\n\nअगले सोमवार से कार्यालय सुबह नौ बजे खुलेगा। छुट्टियों की सूची संलग्न है।\n\nधन्यवाद,\nनेहा\n",
        "utf-8",
        "छुट्टियों की सूची.csv",
    ),
    Letter(
        Person("김민준", "minjun.kim@example.kr", 540),
        "서버 점검 일정 안내",
        "안녕하세요, 아다 님.\n\n이번 주 토요일 밤 열한 시부터 서버를 점검합니다. 두 시간쯤 걸릴 예정입니다.\n\n"
        "감사합니다.\n김민준 드림\n",
        "euc-kr",
        "점검 일정.csv",
    ),
    Letter(
        Person("陈晓明", "chen.xiaoming@example.cn", 480),
        "关于三月份交货时间的确认",
        "林德奎斯特女士：\n\n您好！三月份的货物将于十二日发出，预计二十日到达。装箱单见附件。\n\n此致\n陈晓明\n",
        "gb18030",
        "装箱单.pdf",
    ),
    Letter(
        Person("Lan Nguyễn", "lan.nguyen@example.com", 420),
        "Cảm ơn chị đã giúp đỡ 🌸",
        "Chào chị Ada,\n\nCảm ơn chị đã giúp em sửa chương trình. Bây giờ nó chạy rất nhanh 🚀\n\nThân mến,\nLan\n",
        "utf-8",
        "Ảnh chụp màn hình.png",
    ),
    Letter(
        Person("Małgorzata Żółkiewska", "m.zolkiewska@example.pl", 60),
        "Zaproszenie na wystawę: „Światło i cień”",
        "Droga Ado,\n\nserdecznie zapraszam na otwarcie wystawy w piątek o osiemnastej. Wejście od strony ogrodu.\n\n"
        "Pozdrawiam,\nMałgorzata\n",
        "iso-8859-2",
        "Zaproszenie – wystawa.png",
    ),
)

RECEIPTS = (
    Receipt("Librairie du Marché", "commandes@example.fr", "Votre facture n° 2026-0114", "Deux romans et un atlas",
            "47,80 €", "Facture n° 2026-0114.pdf"),
    Receipt("Nordisk Järnhandel", "order@example.se", "Kvitto på ditt köp", "Skruvdragare och trälim", "1 249,00 kr",
            "Kvitto från Järnhandeln.pdf"),
    Receipt("東京カメラ", "shop@example.jp", "ご注文の領収書", "レンズフィルター 52mm", "¥4,980", "領収書.pdf"),
    Receipt("Hosting & Söhne", "rechnung@example.de", "Ihre Rechnung für März 2026", "Virtueller Server, 1 Monat",
            "12,50 €", "Rechnung März.pdf"),
    Receipt("Rail Europe", "tickets@example.eu", "Your tickets: Lisboa Oriente – Madrid", "Two seats, night train",
            "138.00 €", "Bilhetes São Bento.pdf"),
    Receipt("Green Grocer", "hello@example.com", "Your weekly box is on its way", "Vegetables for two, apples",
            "£21.35", "invoice-8841.pdf"),
    Receipt("Книжный двор", "zakaz@example.ru", "Чек по заказу № 5571", "Словарь и две тетради", "2 310 ₽", "Чек.pdf"),
)  # fmt: skip
