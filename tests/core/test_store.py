from __future__ import annotations

import threading

from imapkit.core.engine.store import Store
from imapkit.core.support.limits import Limits
from imapkit.core.wire.response import Run, Untagged


def filled(*entries: tuple[str, bytes]) -> Store:
    store = Store()
    for name, data in entries:
        store.add(name, [data], len(data))
    return store


def test_take_empties_one_name_and_keeps_the_order() -> None:
    store = filled(("EXISTS", b"1"), ("RECENT", b"0"), ("EXISTS", b"2"))
    assert store.take("EXISTS") == [b"1", b"2"]
    assert store.take("EXISTS") == []
    assert store.runs() == [["RECENT", [b"0"]]]


def test_peek_leaves_all_there() -> None:
    store = filled(("EXISTS", b"1"), ("EXISTS", b"2"))
    assert store.peek("EXISTS") == store.peek("EXISTS") == [b"1", b"2"]
    assert store.peek("RECENT") == []


def test_runs_are_of_neighbours_only() -> None:
    store = filled(("A", b"1"), ("A", b"2"), ("B", b"3"), ("A", b"4"))
    assert store.runs() == [["A", [b"1", b"2"]], ["B", [b"3"]], ["A", [b"4"]]]
    assert store.take_run() == ("A", [b"1", b"2"])
    assert store.take_run() == ("B", [b"3"])
    assert store.take_run() == ("A", [b"4"])
    assert store.take_run() is None


def test_take_first_takes_the_first_run() -> None:
    store = filled(("B", b"0"), ("A", b"1"), ("A", b"2"), ("B", b"3"), ("A", b"4"))
    assert store.take_first("A") == [b"1", b"2"]
    assert store.runs() == [["B", [b"0", b"3"]], ["A", [b"4"]]]
    assert store.take_first("C") is None


def test_the_shown_list_is_a_copy() -> None:
    store = filled(("A", b"1"))
    store.runs()[0][1].append(b"forged")
    assert store.runs() == [["A", [b"1"]]]


def test_the_number_is_bounded() -> None:
    store = Store(Limits(stored=3))
    for i in range(10):
        store.add("A", [b"%d" % i], 1)
    assert store.take("A") == [b"7", b"8", b"9"]
    assert store.dropped == 7


def test_the_bytes_are_bounded_and_counted_back() -> None:
    store = Store(Limits(stored_bytes=10))
    for i in range(1000):
        store.add("A", [b"%04d" % i], 4)
    assert store.peek("A") == [b"0998", b"0999"]
    for empty in (lambda: store.take("A"), lambda: store.take_first("A"), store.take_run, store.clear):
        empty()
        assert store.runs() == []
        store.add("A", [b"12345678"], 8)
        assert store.peek("A") == [b"12345678"]


def test_one_too_large_for_the_store_is_dropped() -> None:
    store = Store(Limits(stored_bytes=10))
    store.add("A", [b"x" * 11], 11)
    assert store.runs() == []
    assert store.dropped == 1


def test_every_response_is_taken_once() -> None:
    store = Store(lock=threading.RLock())
    taken: list[list[bytes]] = [[] for _ in range(4)]
    filled_up = threading.Event()

    def taker(into: list[bytes]) -> None:
        while True:
            last = filled_up.is_set()
            into += store.take("A")
            if last:
                return

    threads = [threading.Thread(target=taker, args=(into,)) for into in taken]
    for thread in threads:
        thread.start()
    for i in range(5000):
        store.add("A", [b"%d" % i], 1)
    filled_up.set()
    for thread in threads:
        thread.join()
    assert sorted(int(item) for into in taken for item in into) == list(range(5000))


def test_responses_set_aside_come_back_before_later_ones() -> None:
    store = Store(Limits(stored=3))
    for data in (b"1", b"2"):
        store.add("A", [data], 1)
    aside = store.set_aside()
    assert store.runs() == []
    store.add("A", [b"3"], 1)
    store.put_back(aside)
    assert store.peek("A") == [b"1", b"2", b"3"]
    store.put_back(((*aside[0][:1], [b"0"], 1),))
    assert store.take("A") == [b"1", b"2", b"3"], "the oldest make room"
    assert store.dropped == 1


def test_responses_are_shaped_when_they_are_asked_for() -> None:
    store = Store()
    response = Untagged("FETCH", 2, (b"(BODY[] {1}", b"x", b")"))
    run = Run("FETCH", [(b"3", b"(FLAGS ())"), (b"4", b"(FLAGS ())")])
    for piece in (response, run):
        store.add("FETCH", piece, piece.memory)
    shaped = [(b"2 (BODY[] {1}", b"x"), b")", b"3 (FLAGS ())", b"4 (FLAGS ())"]
    assert store.peek("FETCH") == shaped
    assert store.runs() == [["FETCH", shaped]]
    assert store.take_run() == ("FETCH", shaped)
