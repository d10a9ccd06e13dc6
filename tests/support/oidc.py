"""A relying party in plain sight: each OpenID Connect step is one call, nothing is hidden or forgiven."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
from joserfc import jwt
from joserfc.jwk import KeySet

TIMEOUT = 10.0  # seconds
Authentication = Literal["basic", "post", "none"]


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the relying party must remember until the callback."""

    url: str
    state: str
    nonce: str
    code_verifier: str


@dataclass
class RelyingParty:
    """``authentication`` at the token endpoint: client_secret_basic, client_secret_post or none."""

    issuer: str
    client_id: str
    client_secret: str = ""
    redirect_uri: str = "https://app.example.org/callback"
    authentication: Authentication = "basic"
    _metadata: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def metadata(self) -> dict[str, Any]:
        """The provider's (OpenID Connect Discovery section 4); its issuer must be ours (section 4.3)."""
        if not self._metadata:
            self._metadata = _answer(requests.get(f"{self.issuer}/.well-known/openid-configuration", timeout=TIMEOUT))
            assert self._metadata["issuer"] == self.issuer
        return self._metadata

    def begin(self, scope: str = "openid profile email", **extra: str | None) -> AuthorizationRequest:
        """An authorization request with S256; ``extra`` parameters replace the usual ones, ``None`` removes one."""
        verifier, state, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        parameters: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
        }
        parameters |= {
            "state": state,
            "nonce": nonce,
            "code_challenge": s256(verifier),
            "code_challenge_method": "S256",
        } | extra
        query = urlencode({name: value for name, value in parameters.items() if value is not None})
        return AuthorizationRequest(f"{self.metadata['authorization_endpoint']}?{query}", state, nonce, verifier)

    def callback(self, url: str, request: AuthorizationRequest) -> dict[str, str]:
        """The parameters of the callback; state and issuer (RFC 9207) must be right."""
        assert url.split("?", maxsplit=1)[0] == self.redirect_uri, url
        parameters = dict(parse_qsl(urlsplit(url).query))
        assert parameters["state"] == request.state
        assert parameters.get("iss", self.issuer) == self.issuer
        return parameters

    def redeem(self, code: str, request: AuthorizationRequest) -> dict[str, Any]:
        """Tokens for the code; raise ``requests.HTTPError``."""
        return _answer(
            self.token(
                grant_type="authorization_code",
                code=code,
                redirect_uri=self.redirect_uri,
                code_verifier=request.code_verifier,
            )
        )

    def refresh(self, refresh_token: str) -> dict[str, Any]:
        return _answer(self.token(grant_type="refresh_token", refresh_token=refresh_token))

    def token(self, **form: str) -> requests.Response:
        """Any call of the token endpoint."""
        if self.authentication == "basic":
            return requests.post(
                self.metadata["token_endpoint"], data=form, auth=(self.client_id, self.client_secret), timeout=TIMEOUT
            )
        form = {"client_id": self.client_id, **form} | (
            {"client_secret": self.client_secret} if self.authentication == "post" else {}
        )
        return requests.post(self.metadata["token_endpoint"], data=form, timeout=TIMEOUT)

    def claims(self, id_token: str, *, nonce: str | None = None) -> dict[str, Any]:
        """The claims of an ID token, after the checks of OpenID Connect Core section 3.1.3.7."""
        keys = KeySet.import_key_set(requests.get(self.metadata["jwks_uri"], timeout=TIMEOUT).json())
        token = jwt.decode(id_token, keys, algorithms=self.metadata["id_token_signing_alg_values_supported"])
        essential: dict[str, Any] = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "value": self.client_id},
            "sub": {"essential": True},
            "exp": {"essential": True},
        }
        jwt.JWTClaimsRegistry(**essential).validate(token.claims)
        assert nonce is None or token.claims["nonce"] == nonce
        return token.claims

    def userinfo(self, access_token: str) -> dict[str, Any]:
        return _answer(
            requests.get(
                self.metadata["userinfo_endpoint"], headers={"Authorization": f"Bearer {access_token}"}, timeout=TIMEOUT
            )
        )


def s256(code_verifier: str) -> str:
    """The code challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")


def _answer(response: requests.Response) -> dict[str, Any]:
    response.raise_for_status()
    body: dict[str, Any] = response.json()
    return body
