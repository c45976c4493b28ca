"""What people inside Business Central do and the API cannot, under ``/_sandbox``, beside what both servers have.

======  =======================================  ==============================================================
method  path                                     JSON
======  =======================================  ==============================================================
POST    ``/sales-orders/{id}/release``           the order becomes ``Open``
POST    ``/sales-orders/{id}/review``            it waits for approval: ``In_x0020_Review``
POST    ``/sales-orders/{id}/reject``            it is not approved, and ``Draft`` again
POST    ``/sales-orders/{id}/reopen``            it is ``Draft`` again; a request for approval is called back
POST    ``/sales-orders/{id}/ship``              everything outstanding, or
                                                 ``{"quantities": {line id: quantity}}``; releases the order
POST    ``/sales-orders/{id}/invoice``           everything shipped; an order invoiced in full is gone
POST    ``/sales-invoices/{id}/pay``             what remains, or ``{"amount": 12.5}``
POST    ``/sales-invoices/{id}/cancel``          a corrective credit memo of it
POST    ``/sales-invoices/{id}/correct``         another one in its place; ``{"ofOrder": false}``: it names no order
POST    ``/sales-credit-memos/{id}/post``        the draft is posted, and applied to its invoice
POST    ``/sales-credit-memos/{id}/refund``      what a posted one still owes is paid out
POST    ``/items/{id}/stock``                    ``{"quantity": 12}``: the stock, which moves no modified time;
                                                 with ``"location": "AARHUS"`` what is there, as an entry
POST    ``/items/{id}/cost``                     ``{"unitCost": 12.5}``: the cost, as costing recalculates it
POST    ``/prices``                              ``{"itemId", "unitPrice", "minimumQuantity", "customerId",
                                                 "currencyId"}``: a price-list line
POST    ``/contacts/{id}/link``                  ``{"customerId"}``: the company becomes that customer
POST    ``/expire-tokens``                       every token given out so far expires
======  =======================================  ==============================================================

``{id}`` is the record's id or its number. The order calls answer ``{"id", "number", "status", "exists"}``.
A call the rules forbid answers 409 with the reason. ``/records/{set}`` works on the main company; in
``values`` stand properties of the API.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from talk_pipeline.sandbox.businesscentral import bodies, errors, setup, stock_taking, values
from talk_pipeline.sandbox.businesscentral.app import BusinessCentral
from talk_pipeline.sandbox.businesscentral.desk import CentralDesk
from talk_pipeline.sandbox.businesscentral.directory import Office
from talk_pipeline.sandbox.businesscentral.order_states import IN_REVIEW, RELEASED
from talk_pipeline.sandbox.businesscentral.views import View, all_properties
from talk_pipeline.sandbox.control import Refused, answer, body_of, control_app, guarded
from talk_pipeline.sandbox.pages.site import page_routes
from talk_pipeline.sandbox.seed import Seeds
from talk_pipeline.sandbox.store import Row

_STATUSES = {"release": RELEASED, "reopen": "Draft", "review": IN_REVIEW}


class BackOffice:
    """The control side of the Business Central server."""

    def __init__(self, service: BusinessCentral, seeds: Seeds) -> None:
        self._service = service
        self._central = service.central
        self._seeds = seeds
        self.settings = service.central.settings
        routes = [
            Route("/_sandbox/sales-orders/{key}/{verb}", guarded(self._on_order), methods=["POST"]),
            Route("/_sandbox/sales-invoices/{key}/{verb}", guarded(self._on_invoice), methods=["POST"]),
            Route("/_sandbox/sales-credit-memos/{key}/{verb}", guarded(self._on_memo), methods=["POST"]),
            Route("/_sandbox/items/{key}/{verb}", guarded(self._on_item), methods=["POST"]),
            Route("/_sandbox/contacts/{key}/link", guarded(self._link), methods=["POST"]),
            Route("/_sandbox/prices", guarded(self._price), methods=["POST"]),
            Route("/_sandbox/expire-tokens", guarded(self._expire), methods=["POST"]),
            *page_routes(CentralDesk(self, lambda: self._office.company)),
        ]
        service.gateway.control = control_app(service.gateway, self, extra=routes)

    def reset(self, *, size: int | None, seed: int | None, empty: bool) -> None:
        """Put the records back."""
        records = None if empty else self._seeds.central(size=size, seed=seed)
        randomness = self._seeds.seed if seed is None else seed
        setup.fill(self._central, records, randomness=randomness, currency=self._seeds.currency)

    def backup(self) -> Any:
        """All records and number series, and the last version given."""
        return self._central.directory.versions.last, self._central.store.copy("bc/")

    def restore(self, copy: Any) -> None:
        """Put them back; versions are given again, as a restored database does."""
        last, records = copy
        with self._central.store.transaction():
            self._central.store.put_back("bc/", records)
        self._central.directory.versions.last = last

    def back_office(
        self, verb: str, collection: str, *, key: str, values: Mapping[str, Any], seconds_ago: float
    ) -> Mapping[str, Any]:
        """Create, update or delete a record, as of some seconds ago."""
        office = self._office
        records = office.records.get(collection)
        if records is None:
            raise Refused(f"there is no set {collection}", status=404)
        company, entity_set = office.company, office.company.set(collection)
        row = None if verb == "create" else self._row(collection, key)
        current = None if row is None else all_properties(company, entity_set, row)
        try:
            with (
                self._central.store.transaction(),
                company.at(company.clock.now_ms() - int(seconds_ago * 1000)),
            ):
                if verb == "delete" and row is not None:
                    records.delete(row)
                    return {"deleted": row["id"]}
                body = bodies.accept(values, entity_set, settings=self.settings, current=current)
                row = records.create(body) if row is None else records.update(row, body)
                row = company.table(collection).rows[row["id"]]
        except errors.ApiError as error:
            raise Refused(f"{error.code}: {error.message}", status=409) from error
        return View(company, entity_set)(row)

    def records(self, collection: str) -> list[Mapping[str, Any]]:
        """All records of a set."""
        company = self._office.company
        if collection not in self._office.records:
            raise Refused(f"there is no set {collection}", status=404)
        view = View(company, company.set(collection))
        return [view(row) for row in company.table(collection).in_order()]

    def record(self, collection: str, key: str) -> Mapping[str, Any]:
        """One record."""
        company = self._office.company
        if collection not in self._office.records:
            raise Refused(f"there is no set {collection}", status=404)
        return View(company, company.set(collection))(self._row(collection, key))

    def on_order(self, verb: str, key: str, wish: Mapping[str, Any]) -> Mapping[str, Any]:
        """Do one of the order calls above."""
        order = self._row("salesOrders", key)
        office, posting = self._office, self._office.posting
        try:
            with self._central.store.transaction():
                if verb in _STATUSES:
                    posting.set_status(order, _STATUSES[verb])
                elif verb == "reject":
                    posting.reject(order)
                elif verb == "ship":
                    posting.ship(order, _quantities(wish))
                elif verb == "invoice":
                    posting.invoice(order)
                else:
                    raise Refused(f"an order cannot be told to {verb}", status=404)
        except errors.ApiError as error:
            raise Refused(error.message, status=409) from error
        now = office.company.table("salesOrders").get(order["id"])
        return {
            "id": order["id"],
            "number": order["number"],
            "status": now["status"] if now else None,
            "exists": now is not None,
        }

    # -- routes -----------------------------------------------------------------------------------------------

    async def _on_order(self, request: Request) -> Response:
        path = request.path_params
        return answer(self.on_order(path["verb"], path["key"], await body_of(request)))

    async def _on_invoice(self, request: Request) -> Response:
        wish, settling = await body_of(request), self._office.settling
        amount = _decimal(wish, "amount") if "amount" in wish else None
        pay: Mapping[str, Callable[[Row], Row]] = {
            "pay": lambda row: settling.pay(row, amount),
            "cancel": settling.cancel,
            "correct": lambda row: settling.correct(row, of_order=wish.get("ofOrder", True)),
        }
        return self._settled("salesInvoices", request, pay)

    async def _on_memo(self, request: Request) -> Response:
        settling = self._office.settling
        return self._settled("salesCreditMemos", request, {"post": settling.post, "refund": settling.refund})

    def _settled(
        self, collection: str, request: Request, verbs: Mapping[str, Callable[[Row], Row]]
    ) -> Response:
        row, verb = self._row(collection, request.path_params["key"]), request.path_params["verb"]
        if verb not in verbs:
            raise Refused(f"a record of {collection} cannot be told to {verb}", status=404)
        try:
            with self._central.store.transaction():
                row = verbs[verb](row)
        except errors.ApiError as error:
            raise Refused(error.message, status=409) from error
        return answer({"id": row["id"], "number": row["number"], "status": row["status"]})

    async def _on_item(self, request: Request) -> Response:
        item = self._row("items", request.path_params["key"])
        wish = await body_of(request)
        company = self._office.company
        with self._central.store.transaction():
            if request.path_params["verb"] == "stock":
                item = stock_taking.count(company, item, _decimal(wish, "quantity"), wish.get("location"))
            elif request.path_params["verb"] == "cost":
                item = company.save("items", {**item, "unitCost": _decimal(wish, "unitCost")})
            else:
                raise Refused("an item has a stock and a cost", status=404)
        return answer({"id": item["id"], "inventory": item["inventory"], "unitCost": item["unitCost"]})

    async def _price(self, request: Request) -> Response:
        wish = await body_of(request)
        item = self._row("items", str(wish.get("itemId")))
        company = self._office.company
        row = {
            "id": f"{len(company.prices):06d}",
            "itemId": item["id"],
            "customerId": wish.get("customerId", values.NO_ID),
            "currencyId": wish.get("currencyId", values.NO_ID),
            "_minimum": _decimal(wish, "minimumQuantity"),
            "_price": _decimal(wish, "unitPrice"),
        }
        with self._central.store.transaction():
            company.store.put(company.prices, row)
        return answer({"id": row["id"]}, status=201)

    async def _link(self, request: Request) -> Response:
        contact = self._row("contacts", request.path_params["key"])
        customer = self._row("customers", str((await body_of(request)).get("customerId")))
        with self._central.store.transaction():
            self._office.contacts.link(contact, customer)
        return answer({"id": contact["id"], "customerId": customer["id"]})

    async def _expire(self, _request: Request) -> Response:
        self._service.tokens.expire_all()
        return answer({"expired": True})

    # -- details ----------------------------------------------------------------------------------------------

    @property
    def _office(self) -> Office:
        return setup.main_office(self._central)

    def _row(self, collection: str, key: str) -> Row:
        company = self._office.company
        row = company.table(collection).get(key.lower())
        if row is None and "number" in company.set(collection).properties:
            row = company.lookup(collection, "number", key.upper())
        if row is None:
            raise Refused(f"{collection} has no record {key}", status=404)
        return row


def _quantities(wish: Mapping[str, Any]) -> dict[str, Decimal] | None:
    quantities = wish.get("quantities")
    if quantities is None:
        return None
    return {str(key).lower(): Decimal(str(quantity)) for key, quantity in quantities.items()}


def _decimal(wish: Mapping[str, Any], name: str) -> Decimal:
    value = wish.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise Refused(f"`{name}` is a number")
    return values.trimmed(Decimal(str(value)))
