"""What tests of a plan begin with."""

from collections.abc import Iterator

import pytest

from talk_pipeline_tests.engine.book import Book
from talk_pipeline_tests.engine.plan.trade import CUSTOMER, LINE, ORDER, PRODUCT, linked


@pytest.fixture(scope="session")
def in_step(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    """A customer, a product and an order of both, all of id 1 and linked; only to be copied."""
    with Book.opened(tmp_path_factory.mktemp("in-step")) as book:
        linked(book, "customer", "1", CUSTOMER)
        linked(book, "product", "1", PRODUCT)
        linked(book, "order", "1", ORDER, lines=[LINE])
        assert book.rows("select part, count(*) from link group by all order by all") == [
            ("customer", 1),
            ("order", 1),
            ("order.lines", 1),
            ("product", 1),
        ]
        assert not book.rows("select * from change")
        yield book


@pytest.fixture
def shop(book: Book, in_step: Book) -> Book:
    """Of its own, with what is in step."""
    book.go_on_from(in_step)
    return book
