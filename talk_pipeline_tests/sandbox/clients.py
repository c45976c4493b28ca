"""Small clients for the tests: they know addresses and tokens, and judge nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from talk_pipeline.sandbox.server import Sandbox
from talk_pipeline.systems.http.way import trusted

SCOPE = "https://api.businesscentral.dynamics.com/.default"
NO_ID = "00000000-0000-0000-0000-000000000000"
NOWHERE = "12345678-1234-1234-1234-123456789012"
ADDRESS = {
    "addressLine1": "Kaigata 7",
    "addressLine2": "Port 3",
    "city": "Bergen",
    "state": "Vestland",
    "postalCode": "5003",
    "country": "NO",
}

Record = dict[str, Any]

_READ = msgspec.json.Decoder(float_hook=Decimal)
_WRITE = msgspec.json.Encoder(decimal_format="number")


def read(response: httpx.Response) -> Any:
    """The JSON of an answer, fractions as decimals."""
    return _READ.decode(response.content)


class Control:
    """The control API of one server."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=f"{url}/_sandbox", trust_env=False, timeout=30, verify=trusted())

    def __call__(self, method: str, path: str, document: Any = None) -> Any:
        response = self.raw(method, path, document)
        assert response.status_code < 300, response.text
        return read(response)

    def raw(self, method: str, path: str, document: Any = None) -> httpx.Response:
        content = None if document is None else _WRITE.encode(document)
        return self._http.request(method, path, content=content)

    def reset(self, **wish: Any) -> None:
        self("POST", "/reset", wish)

    def settings(self, **values: Any) -> None:
        self("POST", "/settings", values)

    def limits(self, **values: Any) -> None:
        self("POST", "/limits", values)

    def clock(self, offset: float) -> None:
        self("POST", "/clock", {"offset": offset})

    def fault(self, fault: Mapping[str, Any], *, times: int | None = 1, **match: Any) -> None:
        self("POST", "/faults", [{"match": match, "fault": fault, "times": times}])

    def requests(self) -> Any:
        return self("GET", "/requests")

    def close(self) -> None:
        self._http.close()


class CentralClient:
    """Business Central with a token, in the company of the environment."""

    def __init__(self, sandbox: Sandbox) -> None:
        environment = sandbox.environment()
        self.environment = environment
        self.root = environment["BUSINESSCENTRAL_URL"]
        self.company = f"companies({environment['BUSINESSCENTRAL_COMPANY_ID']})"
        self.control = Control(self.root.split("/v2.0/")[0])
        self._http = httpx.Client(trust_env=False, timeout=30, verify=trusted())
        self.new_token()

    def token_call(self, **changes: str | None) -> httpx.Response:
        """Ask for a token, with some fields of the form changed or left out."""
        form: dict[str, str | None] = {
            "grant_type": "client_credentials",
            "client_id": self.environment["BUSINESSCENTRAL_CLIENT_ID"],
            "client_secret": self.environment["BUSINESSCENTRAL_CLIENT_SECRET"],
            "scope": SCOPE,
            **changes,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self._http.post(self.environment["BUSINESSCENTRAL_TOKEN_URL"], data=sent)

    def new_token(self) -> None:
        token = read(self.token_call())["access_token"]
        self._http.headers["Authorization"] = f"Bearer {token}"

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        root: bool = False,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """One call; the path lies in the company unless `root`, and may be a whole address."""
        url = path if path.startswith("http") else f"{self.root}/{path if root else f'{self.company}/{path}'}"
        sent = {**({"Content-Type": "application/json"} if document is not None else {}), **(headers or {})}
        body = content if document is None else _WRITE.encode(document)
        return self._http.request(method, url, content=body, headers=sent)

    # -- what must work ---------------------------------------------------------------------------------------

    def get(self, path: str, **headers: str) -> Any:
        response = self.call("GET", path, headers=headers)
        assert response.status_code == 200, response.text
        return read(response)

    def all_of(self, path: str) -> list[Record]:
        """All records behind an address, page by page."""
        found: list[Record] = []
        while path:
            page = self.get(path)
            found += page["value"]
            path = page.get("@odata.nextLink", "")
        return found

    def create(self, path: str, **document: Any) -> Record:
        response = self.call("POST", path, document)
        assert response.status_code == 201, response.text
        return dict(read(response))

    def update(self, path: str, **document: Any) -> Record:
        response = self.call("PATCH", path, document, headers={"If-Match": "*"})
        assert response.status_code == 200, response.text
        return dict(read(response))

    def delete(self, path: str) -> None:
        response = self.call("DELETE", path)
        assert response.status_code == 204, response.text

    def batch(self, *requests: Record, headers: Mapping[str, str] | None = None) -> httpx.Response:
        return self.call("POST", "$batch", {"requests": [*requests]}, root=True, headers=headers)

    # -- things to work with ----------------------------------------------------------------------------------

    def customer(self, **values: Any) -> Record:
        return self.create("customers", **{"displayName": "Tågehorn Handel ApS", **values})

    def item(self, **values: Any) -> Record:
        return self.create("items", **{"displayName": "Klapstol, eg", "unitPrice": 100, **values})

    def order(self, *lines: Record, **values: Any) -> Record:
        """An order of a new customer, with its lines expanded."""
        if not values.keys() & {"customerId", "customerNumber"}:
            values["customerId"] = self.customer()["id"]
        path = "salesOrders?$expand=salesOrderLines"
        return self.create(path, **values, **({"salesOrderLines": [*lines]} if lines else {}))

    def order_of(self, quantity: Any = 2, price: Any = 100, **values: Any) -> Record:
        """An order with one item line."""
        item = self.item()
        return self.order({"itemId": item["id"], "quantity": quantity, "unitPrice": price}, **values)

    def lines(self, order: Record) -> list[Record]:
        return list(self.get(f"salesOrders({order['id']})/salesOrderLines")["value"])

    def back_office(self, order: Record, verb: str, document: Any = None) -> Any:
        """What the back office does with an order."""
        return self.control("POST", f"/sales-orders/{order['id']}/{verb}", document or {})

    def close(self) -> None:
        self.control.close()
        self._http.close()


class ShopClient:
    """The shop with its token."""

    def __init__(self, sandbox: Sandbox) -> None:
        environment = sandbox.environment()
        self.root = environment["CUSTOMWEBSHOP_URL"]
        self.control = Control(self.root)
        headers = {"Authorization": f"Bearer {environment['CUSTOMWEBSHOP_TOKEN']}"}
        self._http = httpx.Client(
            base_url=f"{self.root}/api/v1/", headers=headers, trust_env=False, timeout=30, verify=trusted()
        )

    def call(
        self,
        method: str,
        path: str,
        document: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        sent = {**({"Content-Type": "application/json"} if document is not None else {}), **(headers or {})}
        body = content if document is None else _WRITE.encode(document)
        return self._http.request(method, path, content=body, headers=sent)

    def get(self, path: str) -> Any:
        response = self.call("GET", path)
        assert response.status_code == 200, response.text
        return read(response)

    def create(self, path: str, **document: Any) -> Record:
        response = self.call("POST", path, document)
        assert response.status_code == 201, response.text
        return dict(read(response))

    def patch(self, path: str, **document: Any) -> Record:
        response = self.call("PATCH", path, document)
        assert response.status_code == 200, response.text
        return dict(read(response))

    def customer(self, **values: Any) -> Record:
        return self.create("customers", **{"company_name": "Tågehorn Handel ApS", **values})

    def product(self, **values: Any) -> Record:
        return self.create("products", **{"sku": "CHR-1", "name": "Klapstol", "price": "100.00", **values})

    def order(self, *lines: Record, **values: Any) -> Record:
        if "customer_id" not in values:
            values["customer_id"] = self.customer()["id"]
        return self.create("orders", lines=[*lines], **values)

    def close(self) -> None:
        self.control.close()
        self._http.close()


def moment(told: str) -> datetime:
    """A modified time as the servers tell it: as text .916 comes before .9."""
    return datetime.fromisoformat(told)


def refused(response: httpx.Response, status: int, code: str | None = None) -> Record:
    """Assert that an answer is this refusal, in Business Central's envelope; returns the error."""
    assert response.status_code == status, (response.status_code, response.text)
    error: Record = read(response)["error"]
    assert set(error) == {"code", "message"}
    if code is not None:
        assert error["code"] == code, error
    return error
