"""An app as its developer would write it with Authlib and Flask; run as a process of its own.

The provider and the registration come by environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT.
"""

import os
import secrets
from typing import Any

from authlib.integrations.flask_client import OAuth  # type: ignore[import-untyped]
from flask import Flask, jsonify, redirect, session, url_for
from flask.typing import ResponseReturnValue

app = Flask(__name__)
# Cookies do not know ports: another name than that of the next Flask app on localhost.
app.config.update(SECRET_KEY=secrets.token_hex(), SESSION_COOKIE_NAME="flask_app")
oauth = OAuth(app)
tokens: dict[str, dict[str, Any]] = {}  # by subject; too long for a cookie


def keep(token: dict[str, Any], **_old: object) -> None:
    tokens[session["sub"]] |= token


provider = oauth.register(
    "pocketid",
    client_id=os.environ["CLIENT_ID"],
    client_secret=os.environ["CLIENT_SECRET"],
    server_metadata_url=os.environ["ISSUER"] + "/.well-known/openid-configuration",
    client_kwargs={"scope": "openid profile email offline_access", "code_challenge_method": "S256"},
    update_token=keep,
)


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


if __name__ == "__main__":
    app.run("127.0.0.1", int(os.environ["PORT"]))
