"""Credentials go along with every request, and so to no other host than theirs."""

import pytest

from talk_pipeline.systems.errors import ConfigurationFault, ForeignHostFault
from talk_pipeline.systems.http.located import located
from talk_pipeline_tests.systems.answering import Answering, Reply
from talk_pipeline_tests.systems.http.asking import read, write
from talk_pipeline_tests.systems.http.conftest import Opens


@pytest.mark.parametrize("path", ["@{host}/customers", "http://{host}/customers", ".{host}/customers"])
def test_no_path_leads_to_another_host(stranger: Answering, opens: Opens, path: str) -> None:
    with pytest.raises(ConfigurationFault):
        read(opens("http://127.0.0.1"), path.format(host=stranger.host))
    assert not stranger.asked


def test_nor_does_one_of_a_write(server: Answering, stranger: Answering, opens: Opens) -> None:
    with pytest.raises(ForeignHostFault, match=f"leads to {stranger.url}; nothing was sent there.*IT_URL"):
        write(opens(), path=f"{stranger.url}/things")
    assert not stranger.asked
    assert not server.asked


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_of_a_question_is_an_error(
    server: Answering, stranger: Answering, opens: Opens, status: int
) -> None:
    server.on("/things", Reply(status, headers={"Location": f"{stranger.url}/things?token=1"}))
    with pytest.raises(ForeignHostFault) as caught:
        read(opens())
    assert f"answers {status} and redirects to {stranger.url};" in str(caught.value)
    assert "token" not in str(caught.value)
    assert not stranger.asked


@pytest.mark.parametrize(
    ("path", "asked"),
    [("/things", "/base/things?tenant=t1"), ("/things?a=1", "/base/things?a=1&tenant=t1")],
)
def test_a_query_of_the_address_goes_along_with_every_path(
    server: Answering, opens: Opens, path: str, asked: str
) -> None:
    server.on("/base/things", Reply())
    read(opens(f"{server.url}/base/?tenant=t1"), path)
    write(opens(f"{server.url}/base?tenant=t1"), path=path)
    assert [one.target for one in server.asked] == [asked, asked]


def test_a_whole_address_goes_as_it_is(server: Answering, opens: Opens) -> None:
    server.on("/elsewhere", Reply())
    read(opens(f"{server.url}/base?tenant=t1"), f"{server.url}/elsewhere?page=2")
    assert server.asked[0].target == "/elsewhere?page=2"


LINKS = {
    "whole": ("{url}/base/things?page=2", None, "{url}/base/things?page=2"),
    "to the request": ("things?page=2", None, "{url}/base/things?page=2"),
    "only a query": ("?page=2", None, "{url}/base/things?page=2"),
    "to the root": ("/other?page=2", None, "{url}/other?page=2"),
    "to a context": ("things?page=2", "{url}/base/$metadata#things", "{url}/base/things?page=2"),
    "to a relative context": ("things?page=2", "../v2/$metadata", "{url}/v2/things?page=2"),
}


@pytest.mark.parametrize(("link", "context", "found"), LINKS.values(), ids=LINKS)
def test_a_link_is_followed_from_where_it_was_found(
    server: Answering, opens: Opens, link: str, context: str | None, found: str
) -> None:
    url = server.url
    within = context.format(url=url) if context else None
    following = opens(f"{url}/base").following("/things?page=1", link.format(url=url), context=within)
    assert following == found.format(url=url)


@pytest.mark.parametrize("link", ["http://[::1/things", "http://127.0.0.1:port/things"])
def test_a_link_that_is_no_address_is_named(opens: Opens, link: str) -> None:
    with pytest.raises(ConfigurationFault, match="is not an address"):
        opens().following("/things", link)


@pytest.mark.parametrize("other", ["https://{host}/things", "http://localhost:{port}/things", "//other/x"])
def test_a_link_to_another_origin_is_refused(server: Answering, opens: Opens, other: str) -> None:
    with pytest.raises(ForeignHostFault):
        opens().following("/things", other.format(host=server.host, port=server.host.split(":")[1]))


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/orders", "https://shop.example/api/v3/orders"),
        ("/api/v3/orders?page=2", "https://shop.example/api/v3/orders?page=2"),
        ("/api/v30", "https://shop.example/api/v3/api/v30"),
        ("../v4/orders", "https://shop.example/api/v4/orders"),
        ("https://other.example/x", "https://other.example/x"),
    ],
)
def test_a_path_is_below_the_base_once(path: str, where: str) -> None:
    assert located("https://shop.example/api/v3", path) == where
    assert located("https://shop.example", "/orders") == "https://shop.example/orders"
