"""Files to attach, made from a seeded generator: each is a valid file of its kind, of about the given size."""

from __future__ import annotations

import io
import random
import struct
import zipfile
import zlib
from datetime import date, timedelta

ITEMS = ["Cable, 2 m", "Desk lamp", "Notebook A5", "Toner, black", "Chair, blue", "Café moulu 1 kg", "Schlüsselbrett"]
QUANTITIES, CENTS = range(1, 40), range(99, 25000)
STORED = 0  # random pixels do not compress, and stored data is the same with every zlib
FIRST_DAY = date(2024, 1, 2)


def png(rng: random.Random, size: int) -> bytes:
    """A PNG picture (RGB, 8 bits), as noisy as a photograph, so that it takes about ``size`` bytes."""
    width, height, pixels = _picture(rng, size)
    row = width * 3
    lines = b"".join(b"\0" + pixels[start : start + row] for start in range(0, len(pixels), row))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, STORED)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, data) for name, data in chunks)


def pdf(rng: random.Random, size: int, title: str) -> bytes:
    """A PDF of one page: a title in ASCII over a picture of about ``size`` bytes."""
    width, height, pixels = _picture(rng, size)
    page = f"BT /F1 18 Tf 60 780 Td ({title}) Tj ET q 480 0 0 640 60 100 cm /Im1 Do Q".encode("ascii")
    image = f"/Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceRGB"
    resources = "<< /Font << /F1 6 0 R >> /XObject << /Im1 5 0 R >> >>"
    return _pdf_file(
        [
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources {resources} >>".encode(),
            _stream("", page),
            _stream(f"{image} /BitsPerComponent 8 /Filter /FlateDecode", zlib.compress(pixels, STORED)),
            b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        ]
    )


def csv(rng: random.Random, size: int) -> bytes:
    """A table of orders, comma separated, UTF-8, with a line of names first; about ``size`` bytes."""
    count = max(1, size // 40)
    items, quantities, cents = (
        rng.choices(ITEMS, k=count),
        rng.choices(QUANTITIES, k=count),
        rng.choices(CENTS, k=count),
    )
    rows = zip(range(count), items, quantities, cents, strict=True)
    table = "".join(
        f'{number:06d},{FIRST_DAY + timedelta(number // 40)},"{item}",{quantity},{cent // 100}.{cent % 100:02d}\r\n'
        for number, item, quantity, cent in rows
    )
    return f"number,date,item,quantity,price\r\n{table}".encode()


def archive(rng: random.Random, size: int) -> bytes:
    """A zip file with a note, a table and a picture; about ``size`` bytes, most of them the picture's."""
    files = {
        "README.txt": b"The figures are in data/orders.csv, the plan of the room in plan.png.\r\n",
        "data/orders.csv": csv(rng, size // 8),
        "plan.png": png(rng, size * 15 // 16),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in files.items():
            bundle.writestr(zipfile.ZipInfo(name, (2026, 1, 9, 10, 30, 0)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _picture(rng: random.Random, size: int) -> tuple[int, int, bytes]:
    """Width, height and the random pixels of a picture of about ``size`` bytes after compression."""
    width = max(8, int((size / 4) ** 0.5) * 4 // 3)
    height = max(8, size // (width * 3))
    return width, height, rng.randbytes(width * height * 3)


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _stream(entries: str, data: bytes) -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode("ascii") + data + b"\nendstream"


def _pdf_file(objects: list[bytes]) -> bytes:
    """Number the objects from 1 and add the cross-reference table."""
    out, table = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), [b"0000000000 65535 f \n"]
    for number, body in enumerate(objects, 1):
        table.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n%b" % (len(table), b"".join(table))
    out += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(table), start)
    return bytes(out)
