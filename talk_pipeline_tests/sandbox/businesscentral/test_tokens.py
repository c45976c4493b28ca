"""Tokens: who gets one, how long it lasts, what happens without."""

from __future__ import annotations

import base64

import httpx
import pytest

from talk_pipeline_tests.sandbox.clients import CentralClient, read, refused


def test_a_token_is_a_bearer_token_of_about_an_hour(bc: CentralClient) -> None:
    answer = bc.token_call()
    document = read(answer)
    assert answer.status_code == 200
    assert document["token_type"] == "Bearer"
    assert 3500 < document["expires_in"] <= 3600
    assert "refresh_token" not in document


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
        ({"grant_type": None}, 400, "unsupported_grant_type"),
        ({"client_id": "someone-else"}, 400, "unauthorized_client"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"scope": "https://elsewhere/.default"}, 400, "invalid_scope"),
        ({"scope": None}, 400, "invalid_scope"),
    ],
)
def test_a_wrong_token_request_fails_in_the_identity_platforms_shape(
    bc: CentralClient, changes: dict[str, str | None], status: int, error: str
) -> None:
    answer = bc.token_call(**changes)
    assert answer.status_code == status
    assert read(answer)["error"] == error
    assert "error_description" in read(answer)


def test_the_client_may_identify_itself_in_a_header(bc: CentralClient) -> None:
    client, secret = (bc.environment[f"BUSINESSCENTRAL_CLIENT_{name}"] for name in ("ID", "SECRET"))
    mark = base64.b64encode(f"{client}:{secret}".encode()).decode()
    form = {"grant_type": "client_credentials", "scope": "https://api.businesscentral.dynamics.com/.default"}
    url = bc.environment["BUSINESSCENTRAL_TOKEN_URL"]
    answer = httpx.post(url, data=form, headers={"Authorization": f"Basic {mark}"}, trust_env=False)
    assert answer.status_code == 200


@pytest.mark.parametrize("authorization", ["", "Bearer nonsense", "Basic dXNlcjprZXk="])
def test_without_a_valid_token_everything_is_401(bc: CentralClient, authorization: str) -> None:
    answer = bc.call("GET", "customers", headers={"Authorization": authorization})
    refused(answer, 401, "Authentication_InvalidCredentials")


def test_a_token_expires(bc: CentralClient) -> None:
    bc.control.settings(token_lifetime=60)
    old = read(bc.token_call())["access_token"]
    headers = {"Authorization": f"Bearer {old}"}
    assert bc.call("GET", "customers", headers=headers).status_code == 200
    bc.control.clock(61)
    refused(bc.call("GET", "customers", headers=headers), 401, "Authentication_InvalidCredentials")


def test_the_back_office_can_let_all_tokens_expire(bc: CentralClient) -> None:
    bc.control("POST", "/expire-tokens")
    assert bc.call("GET", "customers").status_code == 401
    bc.new_token()
    assert bc.call("GET", "customers").status_code == 200


@pytest.mark.parametrize("status", [403, 400])
@pytest.mark.parametrize(("setting", "method"), [("read_orders", "GET"), ("write_orders", "POST")])
def test_a_missing_permission_is_refused(bc: CentralClient, setting: str, method: str, status: int) -> None:
    bc.control.settings(forbidden=setting, forbidden_status=status)
    document = {"customerNumber": "X"} if method == "POST" else None
    refused(bc.call(method, "salesOrders", document), status, "Authorization_RequestDenied")
    assert bc.call("GET", "customers").status_code == 200
