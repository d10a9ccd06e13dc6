"""Whose address is the visitor's: only proxies that are trusted may say so."""

import pytest
from django.test import RequestFactory

from core.http import client_ip


def address(settings, peer: str, *, trust: tuple[str, ...] = (), platform: str = "", **headers: str) -> str:
    settings.TRUST_PROXY, settings.TRUSTED_PLATFORM = trust, platform
    return client_ip(
        RequestFactory().get(
            "/", REMOTE_ADDR=peer, **{"HTTP_" + name.upper(): value for name, value in headers.items()}
        )
    )


def test_a_stranger_cannot_choose_an_address(settings) -> None:
    assert address(settings, "203.0.113.7", x_forwarded_for="10.0.0.1") == "203.0.113.7"
    assert address(settings, "203.0.113.7", trust=("10.0.0.0/8",), x_forwarded_for="10.0.0.1") == "203.0.113.7"
    assert (
        address(settings, "203.0.113.7", x_real_ip="10.0.0.1", forwarded="for=10.0.0.1", cf_connecting_ip="10.0.0.1")
        == "203.0.113.7"
    )


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("198.51.100.4", "198.51.100.4"),
        ("10.9.9.9, 198.51.100.4", "198.51.100.4"),
        ("6.6.6.6, 198.51.100.4, 10.1.1.1", "198.51.100.4"),
        (" 198.51.100.4 ", "198.51.100.4"),
        ("2001:db8::1", "2001:db8::1"),
        ("2001:DB8:0::1", "2001:db8::1"),
        ("10.1.1.1, 10.1.1.2", "10.1.1.1"),
        ("", "10.0.0.1"),
        ("garbage", "10.0.0.1"),
        ("198.51.100.4, garbage", "10.0.0.1"),
        ("garbage, 198.51.100.4", "198.51.100.4"),
        ("198.51.100.4:5000", "10.0.0.1"),
        ("x" * 10_000, "10.0.0.1"),
        ("6.6.6.6, " * 5000 + "198.51.100.4", "198.51.100.4"),
    ],
)
def test_behind_a_trusted_proxy_the_last_untrusted_address_counts(settings, forwarded: str, expected: str) -> None:
    assert address(settings, "10.0.0.1", trust=("10.0.0.0/8",), x_forwarded_for=forwarded) == expected


def test_trusting_everybody_takes_the_first_address(settings) -> None:
    assert (
        address(settings, "192.0.2.1", trust=("0.0.0.0/0", "::/0"), x_forwarded_for="198.51.100.4, 10.1.1.1")
        == "198.51.100.4"
    )


def test_a_platform_has_a_header_of_its_own(settings) -> None:
    assert (
        address(
            settings,
            "10.0.0.1",
            platform="CF-Connecting-IP",
            cf_connecting_ip="198.51.100.4",
            x_forwarded_for="6.6.6.6",
        )
        == "198.51.100.4"
    )
    assert address(settings, "10.0.0.1", platform="CF-Connecting-IP", cf_connecting_ip="garbage") == "10.0.0.1"
    assert address(settings, "10.0.0.1", platform="CF-Connecting-IP") == "10.0.0.1"


def test_an_ipv4_visitor_of_an_ipv6_socket_is_behind_the_same_proxy(settings) -> None:
    assert address(settings, "::ffff:10.0.0.1", trust=("10.0.0.0/8",), x_forwarded_for="198.51.100.4") == "198.51.100.4"
