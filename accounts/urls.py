"""Addresses of the accounts app; ``pocketid.urls`` includes them."""

from django.urls import path

from accounts.api import passkeys as passkeys_api
from accounts.views import account, passkeys, setup, sign_in

urlpatterns = [
    path("login", sign_in.login),
    path("setup", setup.page),
    path("signup/setup", setup.page),
    path("signup/add-passkey", sign_in.add_passkey),
    path("settings/account", account.account),
    path("settings/passkeys/<str:passkey_id>/rename", account.rename_passkey),
    path("settings/passkeys/<str:passkey_id>/delete", account.delete_passkey),
    path("settings/sessions/<uuid:session_id>/end", account.end_session),
    path("signed-out", account.signed_out),
    path("api/signup/setup", setup.api),
    path("api/webauthn/register/start", passkeys.register_start),
    path("api/webauthn/register/finish", passkeys.register_finish),
    path("api/webauthn/login/start", passkeys.login_start),
    path("api/webauthn/login/finish", passkeys.login_finish),
    path("api/webauthn/reauthenticate", passkeys.reauthenticate),
    path("api/webauthn/logout", passkeys.logout),
    path("api/webauthn/credentials", passkeys_api.PasskeyList.as_view()),
    path("api/webauthn/credentials/<str:passkey_id>", passkeys_api.PasskeyDetail.as_view()),
]
