"""An app with idpyoidc, the library of the specification's own test implementations; run as a process of its own.

The provider and the registration come by environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT.
"""

import os
from contextlib import suppress
from pathlib import Path

from flask import Flask, jsonify, redirect, request
from flask.typing import ResponseReturnValue
from idpyoidc.client.exception import ResponseError  # type: ignore[import-untyped]
from idpyoidc.client.rp_handler import RPHandler  # type: ignore[import-untyped]

ISSUER = os.environ["ISSUER"]
BASE = f"http://localhost:{os.environ['PORT']}"
OIDC = "idpyoidc.client.oidc"
OAUTH2 = "idpyoidc.client.oauth2"
SERVICES = {
    "discovery": {"class": f"{OIDC}.provider_info_discovery.ProviderInfoDiscovery"},
    "registration": {"class": f"{OIDC}.registration.Registration"},
    "authorization": {"class": f"{OIDC}.authorization.Authorization"},
    "access_token": {"class": f"{OIDC}.access_token.AccessToken"},
    "refresh_access_token": {"class": f"{OIDC}.refresh_access_token.RefreshAccessToken"},
    "userinfo": {"class": f"{OIDC}.userinfo.UserInfo"},
    "end_session": {"class": f"{OIDC}.end_session.EndSession"},
    "introspection": {"class": f"{OAUTH2}.introspection.Introspection"},
    "token_revocation": {"class": f"{OAUTH2}.token_revocation.TokenRevocation"},
}
CLIENT = {
    "client_type": "oidc",
    "issuer": ISSUER,
    "client_id": os.environ["CLIENT_ID"],
    "client_secret": os.environ["CLIENT_SECRET"],
    "redirect_uris": [f"{BASE}/callback"],
    "post_logout_redirect_uris": [f"{BASE}/goodbye"],
    "preference": {
        "response_types": ["code"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "token_endpoint_auth_method": "client_secret_basic",
    },
    "client_authn_methods": ["client_secret_basic", "bearer_header"],
    "services": SERVICES,
    "add_ons": {
        "pkce": {
            "function": f"{OAUTH2}.add_on.pkce.add_support",
            "kwargs": {"code_challenge_length": 64, "code_challenge_method": "S256"},
        }
    },
}

app = Flask(__name__)
folder = Path(os.environ["HOME"])
keys = {
    "private_path": str(folder / "private.json"),
    "public_path": str(folder / "public.json"),
    "key_defs": [{"type": "EC", "crv": "P-256", "use": ["sig"]}],
    "read_only": False,
}
handler = RPHandler(base_url=BASE, client_configs={ISSUER: CLIENT}, services=SERVICES, key_conf=keys)
signed_in: dict[str, str] = {}


@app.get("/")
def home() -> ResponseReturnValue:
    return jsonify({})


@app.get("/login")
def login() -> ResponseReturnValue:
    return redirect(handler.begin(ISSUER, req_args={"scope": ["openid", "profile", "email", "offline_access"]}))


@app.get("/callback")
def callback() -> ResponseReturnValue:
    result = handler.finalize(ISSUER, request.args.to_dict())
    if "error" in result:
        return jsonify({name: str(value) for name, value in result.items()}), 500
    signed_in["state"] = result["state"]
    return jsonify(userinfo=result["userinfo"].to_dict(), id_token=result["id_token"].to_dict())


@app.get("/refresh")
def refresh() -> ResponseReturnValue:
    tokens = handler.refresh_access_token(signed_in["state"])
    userinfo = handler.get_user_info(signed_in["state"], access_token=tokens["access_token"])
    return jsonify(tokens=sorted(tokens), userinfo=userinfo.to_dict())


@app.get("/introspect")
def introspect() -> ResponseReturnValue:
    return jsonify(asked("introspection").to_dict())


@app.get("/revoke")
def revoke() -> ResponseReturnValue:
    # The library wants words where RFC 7009 section 2.2 has none; what it asked for is done all the same.
    with suppress(ResponseError):
        asked("token_revocation")
    return jsonify({})


def asked(service: str):
    """What the provider answers about the access token."""
    access_token, _ = handler.get_valid_access_token(signed_in["state"])
    client = handler.issuer2rp[ISSUER]
    return client.do_request(service, request_args={"token": access_token})


@app.get("/logout")
def logout() -> ResponseReturnValue:
    return redirect(handler.logout(signed_in["state"])["url"])


@app.get("/goodbye")
def goodbye() -> ResponseReturnValue:
    return jsonify(goodbye=True)


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
