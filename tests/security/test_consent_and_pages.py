"""Attacks on consent, sign-out and the pages (attacks.md F), and on the session behind them (D, G17)."""

import re

import pytest
from django.conf import settings

from accounts.models import Session
from oidc.models import Consent
from siteconfig.models import SiteConfiguration
from tests.accounts.browser import Browser
from tests.accounts.people import Person
from tests.oidc.app import App, an_app, http, is_error_page

NASTY = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'


@pytest.fixture
def at_home(browser: Browser, person: Person) -> Browser:
    browser.sign_in(person)
    return browser


@pytest.mark.spec("attacks.md", "F1")
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://app.localhost:1411", "Sec-Fetch-Site": "same-site"},
        {"Origin": None, "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://localhost:1412"},
        {"Origin": "https://localhost:1411"},
    ],
)
def test_f1_another_site_agrees_to_nothing_in_the_persons_name(
    at_home: Browser, client_app: App, headers: dict[str, str | None]
) -> None:
    asked = client_app.ask(at_home)
    page = at_home.get(asked["Location"])
    stolen = {
        "interaction": asked["Location"].partition("=")[2],
        "decision": "allow",
        "csrfmiddlewaretoken": page.context["csrf_token"],
    }
    assert at_home.post("/interaction", stolen, headers=headers).status_code == 403
    assert at_home.post(
        f"/api/oidc/interactions/{stolen['interaction']}/complete",
        {"step": "consent"},
        content_type="application/json",
        headers=headers,
    ).status_code in (403, 404)
    assert not Consent.objects.exists()


@pytest.mark.spec("attacks.md", "F1")
def test_f1_consent_is_bound_to_the_request_and_the_session(at_home: Browser, client_app: App, admin: Person) -> None:
    asked = client_app.ask(at_home, scope="openid")
    page = at_home.get(asked["Location"])
    thief = Browser()
    thief.sign_in(admin)
    form = {
        "interaction": asked["Location"].partition("=")[2],
        "decision": "allow",
        "csrfmiddlewaretoken": page.context["csrf_token"],
    }
    assert thief.post("/interaction", form).status_code == 403
    at_home.press("consent-allow", page, interaction=form["interaction"], scope="openid email groups")
    assert [consent.scope for consent in Consent.objects.all()] == ["openid"]
    assert Consent.objects.get().user.username == "bob"


def pages(browser: Browser, app: App) -> dict[str, object]:
    """Every page of the sign-in path, and what surrounds it."""
    stranger, asked = Browser(), app.ask(browser, prompt="consent")
    strangers = app.ask(stranger)
    return {
        "sign-in for an app": stranger.get(strangers["Location"]),
        "sign-in": stranger.get("/login"),
        "consent": browser.get(asked["Location"]),
        "select account": browser.get(app.ask(browser, prompt="select_account")["Location"]),
        "reauthentication": browser.get(app.ask(browser, prompt="login")["Location"]),
        "error": browser.get("/authorize"),
        "form post": app.ask(browser, response_mode="form_post", prompt="none"),
        "account": browser.get("/settings/account"),
        "add passkey": browser.get("/signup/add-passkey"),
        "sign-out": browser.get("/logout"),
        "signed out": stranger.get("/signed-out"),
        "not found": stranger.get("/nothing/here"),
        "forbidden": browser.get("/admin/", follow=True),
    }


@pytest.mark.spec("attacks.md", "F2, F10")
def test_f2_no_page_is_framed_and_none_runs_what_is_not_ours(at_home: Browser, client_app: App) -> None:
    for name, response in pages(at_home, client_app).items():
        policy = dict(
            directive.strip().partition(" ")[::2] for directive in response["Content-Security-Policy"].split(";")
        )
        assert policy["frame-ancestors"] == "'none'", name
        assert policy["default-src"] == "'self'", name
        assert policy["object-src"] == "'none'", name
        assert policy["base-uri"] == "'self'", name
        for kind in ("script-src", "style-src"):
            assert set(policy[kind].split()) <= {"'self'"} or re.fullmatch(
                r"'self' 'nonce-[\w+/=-]{16,}'", policy[kind]
            ), (name, policy[kind])
        assert "unsafe" not in response["Content-Security-Policy"], name
        assert response["X-Content-Type-Options"] == "nosniff", name
        assert has_only_our_scripts(response.text, policy), name


def has_only_our_scripts(text: str, policy: dict[str, str]) -> bool:
    nonces = re.findall(r"nonce-([^']+)", policy["script-src"])
    inline = [
        attributes for attributes, body in re.findall(r"<script([^>]*)>(.*?)</script>", text, re.DOTALL) if body.strip()
    ]
    return (
        not re.search(r"<[^>]+\s(on[a-z]+|style)=", text)
        and "javascript:" not in text
        and all(any(f'nonce="{nonce}"' in attributes for nonce in nonces) for attributes in inline)
    )


@pytest.mark.spec("attacks.md", "F2")
def test_f2_programs_answers_are_not_framed_either(db: None) -> None:
    for path in ("/api/oidc/userinfo", "/.well-known/openid-configuration", "/healthz", "/api/unknown"):
        assert "frame-ancestors 'none'" in http().get(path)["Content-Security-Policy"]


@pytest.mark.spec("attacks.md", "F10")
def test_f10_what_apps_and_people_write_is_shown_as_text(at_home: Browser, person: Person) -> None:
    app = an_app(NASTY[:50], description=NASTY[:150])
    person.user.display_name = person.user.first_name = NASTY[:50]
    person.user.save()
    SiteConfiguration.objects.update(app_name='"><script>x()//'[:30])
    for name, response in pages(at_home, app).items():
        assert "<script>alert" not in response.text, name
        assert "<script>x()" not in response.text, name
        assert "<img src=x" not in response.text, name
    hint = Browser()
    assert "<script>alert" not in hint.get(app.ask(hint, login_hint=NASTY, state=NASTY)["Location"]).text


@pytest.mark.spec("attacks.md", "F10")
def test_f10_a_form_action_cannot_be_opened_by_a_redirect_uri(at_home: Browser) -> None:
    app = an_app("Odd", redirect_uris="myapp://cb/;script-src")
    app.redirect_uri = "myapp://cb/;script-src"
    response = app.sent_back(at_home, response_mode="form_post")
    assert response.status_code == 200
    assert response["Content-Security-Policy"].count("script-src") == 1


@pytest.mark.spec("attacks.md", "F4")
@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "/\\evil.example",
        "\\evil.example",
        "https://evil.example",
        "https:evil.example",
        "https://app.example.org/goodbye@evil.example",
        "https://app.example.org.evil.example/goodbye",
        "/%09/evil.example",
        "javascript:alert(1)",
    ],
)
def test_f4_sign_out_leads_only_to_registered_addresses(at_home: Browser, client_app: App, target: str) -> None:
    hint = client_app.tokens(at_home)["id_token"]
    for parameters, problem in (
        ({"id_token_hint": hint, "post_logout_redirect_uri": target}, "address"),
        ({"post_logout_redirect_uri": target}, "no-hint"),
        ({"id_token_hint": hint, "rd": target, "post_logout_redirect_uri": target}, "address"),
        ({"post_logout_redirect_uri": target, "client_id": client_app.client.client_id}, "no-hint"),
    ):
        sent_to = at_home.get("/api/oidc/end-session", parameters)["Location"]
        assert sent_to == f"http://localhost:1411/logout?problem={problem}"
    assert Session.objects.exists()


@pytest.mark.spec("attacks.md", "F5, F6")
def test_f5_f6_nobody_is_signed_out_unasked(at_home: Browser, client_app: App, admin: Person) -> None:
    hers = Browser()
    hers.sign_in(admin)
    theirs, other = client_app.tokens(at_home)["id_token"], an_app("Other").client.client_id
    for parameters, problem in (
        ({}, ""),
        ({"id_token_hint": client_app.tokens(hers)["id_token"]}, "?problem=person"),
        ({"id_token_hint": theirs, "client_id": other}, "?problem=client"),
    ):
        sent_to = at_home.get("/api/oidc/end-session", parameters)["Location"]
        assert sent_to == f"http://localhost:1411/logout{problem}"
    assert at_home.get("/logout").status_code == 200
    assert Session.objects.count() == 2


@pytest.mark.spec("attacks.md", "F12")
@pytest.mark.parametrize(
    "colour",
    [
        "red",
        "#fff",
        "#3454d1;}",
        "url(https://evil.example)",
        "#3454d1\n",
        "</style><script>",
        "var(--x)",
        "expression(1)",
    ],
)
def test_f12_branding_takes_typed_values_only(db: None, colour: str) -> None:
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError):
        SiteConfiguration(pk=1, accent_color=colour).clean_fields()


@pytest.mark.spec("attacks.md", "F13")
@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1411"])
def test_f13_no_answer_with_a_cookie_is_readable_elsewhere(at_home: Browser, client_app: App, origin: str) -> None:
    for path in (
        "/authorize",
        "/settings/account",
        "/api/webauthn/credentials",
        "/api/webauthn/login/start",
        "/api/webauthn/register/start",
        "/admin/",
        "/login",
    ):
        response = at_home.get(path, headers={"Origin": origin})
        assert "Access-Control-Allow-Origin" not in response.headers, path
    for path in ("/api/oidc/token", "/api/oidc/userinfo", "/.well-known/jwks.json", "/api/oidc/end-session"):
        for response in (
            at_home.options(path, headers={"Origin": origin}),
            at_home.get(path, headers={"Origin": origin}),
        ):
            assert response.headers.get("Access-Control-Allow-Origin") == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers


@pytest.mark.spec("attacks.md", "G17")
@pytest.mark.parametrize(
    "path",
    [
        "/api/webauthn/logout",
        "/api/webauthn/register/finish",
        "/api/webauthn/reauthenticate",
        "/api/webauthn/login/finish",
        "/api/webauthn/credentials/x",
        "/settings/passkeys/x/delete",
        "/api/signup/setup",
    ],
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": None, "Sec-Fetch-Site": "cross-site"},
        {"Origin": None, "Sec-Fetch-Site": "same-site"},
        {"Origin": "http://localhost:1411.evil.example"},
    ],
    ids=str,
)
def test_g17_another_sites_page_cannot_act_with_the_session(
    at_home: Browser, path: str, headers: dict[str, str | None]
) -> None:
    for method in ("post", "put", "patch", "delete"):
        sent = {name: value for name, value in headers.items() if value}
        if method == "post":
            response = at_home.post(
                path,
                b"{}",
                content_type="application/json",
                headers=headers | {"Sec-Fetch-Site": headers.get("Sec-Fetch-Site")},
            )
        else:
            response = getattr(at_home, method)(path, b"{}", content_type="application/json", headers=sent)
        assert response.status_code == 403
    assert Session.objects.count() == 1


@pytest.mark.spec("attacks.md", "D8")
def test_d8_setup_stays_closed_when_the_last_administrator_is_gone(browser: Browser) -> None:
    from accounts.models import User

    browser.send("/api/signup/setup", {"username": "alice"})
    User.objects.update(disabled=True)
    assert Browser().send("/api/signup/setup", {"username": "mallory"}).status_code == 409
    User.objects.all().delete()
    assert Browser().send("/api/signup/setup", {"username": "mallory"}).status_code == 409
    assert Browser().get("/setup")["Location"] == "/login"


@pytest.mark.spec("attacks.md", "D30")
def test_d30_the_cookies_of_an_https_server_are_for_its_host_alone(db: None) -> None:
    import subprocess
    import sys

    code = "from django.conf import settings as s; print(s.SESSION_COOKIE_NAME, s.CEREMONY_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS)"
    environment = {
        "APP_URL": "https://id.example.org",
        "ENCRYPTION_KEY": "x" * 32,
        "DJANGO_SETTINGS_MODULE": "pocketid.settings",
        "PATH": "/usr/bin",
    }
    found = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert found.stdout.split() == [
        "__Host-access_token",
        "__Secure-webauthn_session",
        "__Host-csrf",
        "True",
        "31536000",
    ], found.stderr


@pytest.mark.spec("attacks.md", "G2")
def test_g2_other_peoples_rows_are_not_found(at_home: Browser, admin: Person) -> None:
    for method in ("patch", "delete"):
        response = getattr(at_home, method)(
            f"/api/webauthn/credentials/{admin.passkey.pk}", b'{"name": "x"}', content_type="application/json"
        )
        assert (response.status_code, response.json()["code"]) == (404, "not_found")
    assert is_error_page(at_home.get("/authorize?interaction=" + str(admin.user.pk)))
