"""An app as its developer would write it with Authlib and Flask; run as a process of its own.

The provider and the registration come by environment: ISSUER, CLIENT_ID, PORT, and CLIENT_SECRET or KEY, a private JWK.
"""

import json
import os
import secrets
from typing import Any

from authlib.integrations.flask_client import OAuth  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]
from authlib.oauth2.rfc7523 import PrivateKeyJWT  # type: ignore[import-untyped]
from flask import Flask, jsonify, redirect, session, url_for
from flask.typing import ResponseReturnValue
from joserfc.jwk import ECKey

app = Flask(__name__)
# Cookies do not know ports: another name than that of the next Flask app on localhost.
app.config.update(SECRET_KEY=secrets.token_hex(), SESSION_COOKIE_NAME="flask_app")
oauth = OAuth(app)
tokens: dict[str, dict[str, Any]] = {}  # by subject; too long for a cookie


def keep(token: dict[str, Any], **_old: object) -> None:
    tokens[session["sub"]] |= token


if key := os.environ.get("KEY"):
    proof: Any = ECKey.import_key(json.loads(key))
    method = {"token_endpoint_auth_method": "private_key_jwt"}
    signing = [PrivateKeyJWT(os.environ["ISSUER"] + "/api/oidc/token", alg="ES256", headers={"kid": proof.kid})]
else:
    proof, method, signing = os.environ["CLIENT_SECRET"], {}, []

provider = oauth.register(
    "pocketid",
    client_id=os.environ["CLIENT_ID"],
    client_secret=proof,
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"} | method,
    client_auth_methods=signing,
    update_token=keep,
)


def own_session() -> OAuth2Session:
    """For what the app's server does without anybody being there."""
    # Authlib has a setting of its own for how it revokes.
    ending = {"revocation_endpoint_auth_method": "private_key_jwt"} if signing else {}
    mine = OAuth2Session(os.environ["CLIENT_ID"], proof, **method, **ending)
    for each in signing:
        mine.register_client_auth_method(each)
    return mine


@app.get("/")
def home() -> ResponseReturnValue:
    return jsonify(signed_in="sub" in session)


@app.get("/login")
def login() -> ResponseReturnValue:
    answer: ResponseReturnValue = provider.authorize_redirect(url_for("callback", _external=True))
    return answer


@app.get("/callback")
def callback() -> ResponseReturnValue:
    token = provider.authorize_access_token()
    session["sub"] = token["userinfo"]["sub"]
    tokens[session["sub"]] = dict(token)
    return redirect("/me")


@app.get("/me")
def me() -> ResponseReturnValue:
    """What the ID token and the userinfo endpoint say, and the scope that was granted."""
    token = tokens[session["sub"]]
    return jsonify(id_token=token["userinfo"], userinfo=provider.userinfo(token=token), scope=token["scope"])


@app.get("/expire")
def expire() -> ResponseReturnValue:
    """Pretend that an hour passed: the next use of the access token has to refresh it."""
    token = tokens[session["sub"]]
    token["expires_at"] = 1
    before = dict(token)
    userinfo = provider.userinfo(token=token)
    after = tokens[session["sub"]]
    changed = [name for name in ("access_token", "refresh_token") if after[name] != before[name]]
    return jsonify(userinfo=userinfo, changed=changed)


@app.get("/end")
def end() -> ResponseReturnValue:
    """What the provider says of the access token before and after it is revoked (RFC 7662, RFC 7009)."""
    metadata, token, mine = provider.load_server_metadata(), tokens[session["sub"]]["access_token"], own_session()
    before = mine.introspect_token(metadata["introspection_endpoint"], token).json()
    revoked = mine.revoke_token(metadata["revocation_endpoint"], token).status_code
    after = mine.introspect_token(metadata["introspection_endpoint"], token).json()
    return jsonify(before=before["active"], revoked=revoked, after=after)


@app.get("/for-itself")
def for_itself() -> ResponseReturnValue:
    """A token of the app's own."""
    token = own_session().fetch_token(
        provider.load_server_metadata()["token_endpoint"], grant_type="client_credentials"
    )
    return jsonify(sorted(token))


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
