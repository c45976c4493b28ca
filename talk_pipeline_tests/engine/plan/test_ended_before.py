"""A new record whose key an ended record carries: the two belong together, unless somebody else claims it."""

from talk_pipeline.engine.kinds import LinkState
from talk_pipeline.engine.model import Ended
from talk_pipeline.engine.plan import ended_before
from talk_pipeline.engine.state.connection import now
from talk_pipeline.engine.state.meta import set_meta
from talk_pipeline.engine.state.rows import insert
from talk_pipeline.engine.state.tables import LinkRow
from talk_pipeline.flows.sides import Side
from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.given import linked


def test_one_and_one_are_closed(book: Book) -> None:
    keys = {"O1": ["o1"]}
    book.say("order", Side.SHOP, "o1", {"number": "O1", "status": "open"})
    book.plan("order")
    ended_before.close(
        book.db, book.flows, book.flows["order"], ended={"O1": Ended(["invoice"])}, by_key=keys
    )
    assert book.rows("select shop_id, bc_id, rule, state from link") == [
        ("o1", "invoice", "posted", "closed")
    ]


def test_it_is_the_record_that_they_name_and_not_they(book: Book) -> None:
    linked(book, "order", "o9", "another order")
    for key, number in (("o1", "O1"), ("o2", "O2")):
        book.say("order", Side.SHOP, key, {"number": number, "status": "open"})
    book.plan("order")
    ended = {
        "O1": Ended(["invoice", "part"], was=["order"]),
        "O2": Ended(["another invoice"], was=["another order"]),
    }
    ended_before.close(
        book.db, book.flows, book.flows["order"], ended=ended, by_key={"O1": ["o1"], "O2": ["o2"]}
    )
    assert book.rows("select bc_id from link where shop_id = 'o1'") == [("order",)]
    [(refused, reason)] = book.rows("select root_shop_id, reason from refusal")
    assert (refused, "is claimed by o9 (another order)" in reason) == ("o2", True)


def test_the_keys_of_what_is_to_be_created(book: Book) -> None:
    customer, _ = book.pair("customer", "C1")
    book.say("order", Side.SHOP, "o1", {"number": "O1", "customer_id": customer, "status": "open"})
    book.say("order", Side.SHOP, "o2", {"number": "O2", "customer_id": "nobody", "status": "open"})
    book.plan("order")
    assert ended_before.keys_to_create(book.db, book.flows["order"]) == {"O1": ["o1"]}, (
        "O2 waits for its customer"
    )


def test_one_that_is_linked_with_another_is_claimed_by_that_one(book: Book) -> None:
    linked(book, "order", "o9", "invoice")
    linked(book, "order", "o8", "another invoice")
    for key, number in (("o1", "O1"), ("o2", "O2")):
        book.say("order", Side.SHOP, key, {"number": number, "status": "open"})
    book.plan("order")
    ended = {"O1": Ended(["invoice"]), "O2": Ended(["a third invoice"])}
    ended_before.close(
        book.db, book.flows, book.flows["order"], ended=ended, by_key={"O1": ["o1"], "O2": ["o2"]}
    )
    [(refused, reason)] = book.rows("select root_shop_id, reason from refusal")
    assert refused == "o1"
    assert "O1 was posted before, and is claimed by o9 (invoice)" in reason
    assert book.rows("select bc_id from link where shop_id = 'o2'") == [("a third invoice",)]


def test_two_of_one_number_are_a_persons_to_decide(book: Book) -> None:
    for key in ("o1", "o2"):
        book.say("order", Side.SHOP, key, {"number": "O1", "status": "open"})
    book.plan("order")
    ended_before.close(
        book.db,
        book.flows,
        book.flows["order"],
        ended={"O1": Ended(["invoice"])},
        by_key={"O1": ["o1", "o2"]},
    )
    assert book.rows("select count(*) from link") == [(0,)]
    refused = book.rows("select root_shop_id, reason from refusal order by 1")
    assert [row[0] for row in refused] == ["o1", "o2"]
    assert "is claimed by o1, o2" in refused[0][1]


def test_one_that_is_another_customers_is_not_the_records(book: Book) -> None:
    """Clerks may have typed the customers' own numbers into that place."""
    buyer, debtor = book.pair("customer", "C1", {"company_name": "C"})
    other, another = book.pair("customer", "C2", {"company_name": "K"})
    for key, number in (("o1", "1001"), ("o2", "1002"), ("o3", "1003")):
        book.say("order", Side.SHOP, key, {"number": number, "customer_id": buyer, "status": "open"})
    book.plan("order")
    by_key = ended_before.keys_to_create(book.db, book.flows["order"])
    ended = {
        "1001": Ended(["i1", "i2"], was=["b1"], refers={"customerId": [debtor, another]}),
        "1002": Ended(["i3"], was=["b2"], refers={"customerId": [debtor]}),
        "1003": Ended(["i4"], was=["b3"], refers={"customerId": []}),
    }
    ended_before.close(book.db, book.flows, book.flows["order"], ended=ended, by_key=by_key)
    assert book.rows("select shop_id, bc_id from link where part = 'order' order by 1") == [
        ("o2", "b2"),
        ("o3", "b3"),
    ]
    assert book.rows("select root_shop_id, reason from refusal") == [
        (
            "o1",
            f"1001 was posted before, as i1, i2, for customer_id C2 ({another}) and not C1 ({debtor}) ({buyer}):"
            " give it a number of its own",
        )
    ]


def test_none_is_believed_to_be_the_records_where_the_scope_asks_for_what_it_does_not_say(book: Book) -> None:
    flow = book.flows["order"]
    scope = {"externalDocumentNumber": "N-*", "shopCode": "N"}
    flow = flow.but(businesscentral=flow.businesscentral.but(scope=scope))
    book.say("order", Side.SHOP, "o1", {"number": "O1", "status": "open"})
    book.plan("order")
    _closed(book, "o2", "invoice 2", "O2")
    ended_before.close(
        book.db, book.flows, flow, ended={"O1": Ended(["invoice"], was=["order"])}, by_key={"O1": ["o1"]}
    )
    [(refused, reason)] = book.rows("select root_shop_id, reason from refusal")
    assert refused == "o1"
    assert reason == (
        "O1 was posted before, as invoice of salesInvoices, which may be another shop's: the scope asks for"
        " shopCode, and it is not declared that salesInvoices say that too; add it to"
        " businesscentral.closed_by.same, or give it a number that no other shop has"
    )
    ended = {"O2": Ended(["invoice 2"], was=["order 2"], called={"number": "SO-2"})}
    ended_before.complete(book.db, flow, ended=ended, by_key={"O2": ["o2"]})
    assert book.rows("select shop_id, bc_id, called['erp_number'] from link") == [("o2", "invoice 2", None)]


def _closed(book: Book, shop_id: str, bc_id: str, number: str) -> None:
    """As an earlier release closed it: as what it had become."""
    book.say("order", Side.SHOP, shop_id, {"number": number, "status": "open"})
    link = LinkRow(
        part="order",
        shop_id=shop_id,
        bc_id=bc_id,
        root_shop_id=shop_id,
        rule=ended_before.RULE,
        state=LinkState.CLOSED,
        linked_at=now(),
    )
    insert(book.db, [link])


def test_what_an_earlier_release_closed_as_its_invoice_is_named_once(book: Book) -> None:
    linked(book, "order", "o9", "o9 there")
    for number in (1, 2, 3, 4):
        _closed(book, f"o{number}", f"invoice {number}", f"O{number}")
    book.plan("order")
    asked = ended_before.half_known(book.db, book.flows["order"])
    assert asked == {f"O{number}": [f"o{number}"] for number in (1, 2, 3, 4)}
    ended = {
        "O1": Ended(["invoice 1"], was=["order"], called={"number": "SO-1"}),
        "O2": Ended(["invoice 2"], was=["o9 there"], called={"number": "SO-9"}),
        "O3": Ended(["invoice 3"]),
    }
    ended_before.complete(book.db, book.flows["order"], ended=ended, by_key=asked)
    assert book.rows(
        "select bc_id, called['erp_number'], state from link where rule = 'posted' order by all"
    ) == [
        ("invoice 2", None, "closed"),  # the order that this one names is another pair's
        ("invoice 3", None, "closed"),
        ("invoice 4", None, "closed"),
        ("order", "SO-1", "closed"),
    ]
    assert not ended_before.half_known(book.db, book.flows["order"])
    set_meta(book.db, "told_by:order:erp_number", "")
    told = "select other_id, ended from counterpart where side = 'businesscentral' and id = 'erp_number:SO-1'"
    assert book.rows(told) == [("o1", True)]
