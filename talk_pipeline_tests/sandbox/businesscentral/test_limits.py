"""What one application is granted: requests in a window, requests at once, a queue, and its pace."""

from __future__ import annotations

import datetime as dt
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime

import httpx
import pytest

from talk_pipeline.sandbox.businesscentral.tokens import APPLICATIONS
from talk_pipeline_tests.sandbox.clients import CentralClient, read, refused


def crowd(bc: CentralClient, count: int, path: str = "customers") -> list[httpx.Response]:
    """So many calls at once."""
    headers = dict(bc._http.headers)
    url = f"{bc.root}/{bc.company}/{path}"
    start = threading.Barrier(count)

    def one(_: int) -> httpx.Response:
        with httpx.Client(trust_env=False, timeout=30, headers=headers) as http:
            start.wait()
            return http.get(url)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def test_the_documented_limits_are_the_defaults(bc: CentralClient) -> None:
    limits = bc.control("GET", "/limits")
    assert (limits["rate"], limits["window"], limits["concurrency"], limits["queue"]) == (6000, 300, 5, 95)
    assert (limits["page_size"], limits["batch_size"], limits["queue_timeout"]) == (20000, 100, 480)


def test_over_the_rate_is_429(bc: CentralClient) -> None:
    bc.control.limits(rate=3, window=60)
    assert [bc.call("GET", "customers").status_code for _ in range(3)] == [200] * 3
    answer = bc.call("GET", "customers")
    error = refused(answer, 429, "Application_TooManyRequests")
    assert "4" in error["message"]
    assert "3" in error["message"]
    assert "retry-after" not in answer.headers
    assert bc.control.requests()["throttled"] == 1


def test_the_window_slides(bc: CentralClient) -> None:
    bc.control.limits(rate=2, window=0.4)
    assert [bc.call("GET", "customers").status_code for _ in range(3)] == [200, 200, 429]
    time.sleep(0.45)
    assert bc.call("GET", "customers").status_code == 200


@pytest.mark.parametrize("rule", [7, "seconds", "date"])
def test_the_wait_may_be_told(bc: CentralClient, rule: int | str) -> None:
    bc.control.settings(throttle_retry_after=rule)
    bc.control.limits(rate=1, window=30)
    bc.call("GET", "customers")
    told = bc.call("GET", "customers").headers["retry-after"]
    if rule == "date":
        wait = parsedate_to_datetime(told) - dt.datetime.now(dt.UTC)
        assert dt.timedelta(seconds=20) < wait < dt.timedelta(seconds=40)
    else:
        assert int(told) == 7 if rule == 7 else 25 <= int(told) <= 31


def test_each_part_of_a_batch_counts(bc: CentralClient) -> None:
    part = {"id": "1", "method": "GET", "url": f"{bc.company}/customers"}
    bc.control.limits(rate=5, window=60)
    assert bc.batch(*[part] * 4).status_code == 200
    refused(bc.batch(*[part] * 2), 429, "Application_TooManyRequests")
    assert bc.batch(part).status_code == 200


def test_a_batch_may_count_as_one(bc: CentralClient) -> None:
    bc.control.settings(batch_rate="one")
    part = {"id": "1", "method": "GET", "url": f"{bc.company}/customers"}
    bc.control.limits(rate=2, window=60)
    assert [bc.batch(*[part] * 4).status_code for _ in range(3)] == [200, 200, 429]


def test_tokens_and_control_do_not_count(bc: CentralClient) -> None:
    bc.control.limits(rate=1, window=60)
    for _ in range(3):
        assert bc.token_call().status_code == 200
        bc.control.requests()
    assert bc.call("GET", "customers").status_code == 200


def test_only_so_many_at_once(bc: CentralClient) -> None:
    bc.control.limits(concurrency=2, latency=0.1)
    start = time.monotonic()
    assert {answer.status_code for answer in crowd(bc, 6)} == {200}
    assert time.monotonic() - start > 0.28
    seen = bc.control.requests()
    assert (seen["highest_running"], seen["highest_concurrency"]) == (2, 6)


def test_a_full_queue_is_429(bc: CentralClient) -> None:
    bc.control.limits(concurrency=1, queue=2, latency=0.3)
    statuses = sorted(answer.status_code for answer in crowd(bc, 6))
    assert statuses == [200, 200, 200, 429, 429, 429]


def test_who_waits_too_long_gets_503(bc: CentralClient) -> None:
    bc.control.limits(concurrency=1, queue=5, queue_timeout=0.1, latency=0.4)
    statuses = sorted(answer.status_code for answer in crowd(bc, 3))
    assert statuses == [200, 503, 503]
    bc.control.limits(latency=0)
    assert bc.call("GET", "customers").status_code == 200


def test_an_operation_that_takes_too_long_is_408(bc: CentralClient) -> None:
    bc.control.limits(latency=1, operation_timeout=0.1)
    refused(bc.call("POST", "customers", {"displayName": "X"}), 408)
    bc.control.limits(latency=0)
    assert bc.all_of("customers") == []


def test_latency_is_per_request_and_operation_latency_per_part(bc: CentralClient) -> None:
    part = {"id": "1", "method": "GET", "url": f"{bc.company}/customers"}

    def seconds() -> float:
        start = time.monotonic()
        assert len(read(bc.batch(*[part] * 4))["responses"]) == 4
        return time.monotonic() - start

    bc.control.limits(latency=0.1)
    assert 0.1 <= seconds() < 0.35
    bc.control.limits(latency=0, operation_latency=0.1)
    assert 0.4 <= seconds() < 0.9


def test_other_batch_sizes(bc: CentralClient) -> None:
    bc.control.limits(batch_size=2)
    part = {"id": "1", "method": "GET", "url": f"{bc.company}/customers"}
    assert bc.batch(part, part).status_code == 200
    refused(bc.batch(part, part, part), 500, "Unknown")


@pytest.mark.parametrize("document", [{"gnomes": 1}, {"rate": -1}, {"rate": "x"}, {"latency": True}])
def test_limits_that_are_none(bc: CentralClient, document: dict[str, object]) -> None:
    assert bc.control.raw("POST", "/limits", document).status_code == 400


def test_each_application_has_limits_of_its_own(bc: CentralClient) -> None:
    bc.control.limits(rate=2, window=60)
    tokens = [
        read(bc.token_call(client_id=client, client_secret=secret))["access_token"]
        for client, secret in APPLICATIONS[:2]
    ]

    def statuses(token: str) -> list[int]:
        headers = {"Authorization": f"Bearer {token}"}
        return [bc.call("GET", "customers", headers=headers).status_code for _ in range(3)]

    assert [statuses(token) for token in tokens] == [[200, 200, 429]] * 2
    assert bc.control.requests()["callers"] == {client: 3 for client, _ in APPLICATIONS[:2]}
    bc.control.limits(rate=3)
    assert [statuses(token) for token in tokens] == [[200] * 3] * 2
