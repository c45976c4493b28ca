"""The open questions: each is a setting with a documented default, and nonsense is refused."""

from __future__ import annotations

import pytest

from talk_pipeline.sandbox.businesscentral.questions import QUESTIONS
from talk_pipeline.sandbox.settings import Setting
from talk_pipeline_tests.sandbox.clients import CentralClient


@pytest.mark.parametrize(
    ("name", "default"),
    [
        ("missing_record_code", "BadRequest_ResourceNotFound"),
        ("duplicate_key_status", 400),
        ("read_only_write", "refuse_differing"),
        ("blank_enum_input", "any"),
        ("blank_enum_filter", "works"),
        ("validation_order", "fixed"),
        ("next_link", "skiptoken"),
        ("next_link_keeps_page_size", False),
        ("count", "supported"),
        ("throttle_retry_after", None),
        ("deep_insert_answer", "on_expand"),
        ("client_id_on_create", "ignored"),
        ("batch_dependencies", "ignored"),
        ("oversized_page", "pages"),
        ("webhook_attempts", 6),
        ("unsupported_media_body", "envelope"),
        ("forbidden_status", 403),
        ("null_on_write", "blank"),
        ("datetime_comparison", "milliseconds"),
        ("lines_in_header_patch", "refused"),
        ("batch_rate", "each"),
        ("missing_reference_code", "Application_DialogException"),
    ],
)
def test_the_defaults(bc: CentralClient, name: str, default: object) -> None:
    entry = bc.control("GET", "/settings")[name]
    assert entry["value"] == entry["default"] == default
    assert entry["meaning"]


@pytest.mark.parametrize("setting", QUESTIONS, ids=lambda setting: setting.name)
def test_every_choice_can_be_made_and_taken_back(bc: CentralClient, setting: Setting) -> None:
    for choice in setting.choices or (not setting.default if isinstance(setting.default, bool) else 7.0,):
        bc.control.settings(**{setting.name: choice})
        assert bc.control("GET", "/settings")[setting.name]["value"] == choice
    assert bc.control.raw("POST", "/settings", {setting.name: ["nonsense"]}).status_code == 400
    bc.control.reset(empty=True)
    assert bc.control("GET", "/settings")[setting.name]["value"] == setting.default


def test_an_unknown_setting_is_refused_and_none_is_changed(bc: CentralClient) -> None:
    answer = bc.control.raw("POST", "/settings", {"count": "refused", "gnomes": 1})
    assert answer.status_code == 400
    assert "gnomes" in answer.text
    assert bc.control("GET", "/settings")["count"]["value"] == "supported"
