// openid-client, a library certified by the OpenID Foundation; used as its documentation says.
import * as openid from "openid-client";
import { serve } from "./app.mjs";

serve(async ({ client_id, client_secret, authentication, scope, key, par }, redirect_uri) => {
  const config = await openid.discovery(
    new URL(process.env.ISSUER),
    client_id,
    undefined,
    await authenticated(authentication, client_secret, key),
    { execute: [openid.allowInsecureRequests] }, // the provider of a test speaks plain http on loopback
  );
  return {
    async begin() {
      const state = openid.randomState();
      const nonce = openid.randomNonce();
      const pkceCodeVerifier = openid.randomPKCECodeVerifier();
      const parameters = {
        redirect_uri,
        scope,
        state,
        nonce,
        code_challenge: await openid.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: "S256",
      };
      const url = par
        ? await openid.buildAuthorizationUrlWithPAR(config, parameters)
        : openid.buildAuthorizationUrl(config, parameters);
      return { url, checks: { pkceCodeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true } };
    },
    async finish(url, { checks }) {
      return withClaims(await openid.authorizationCodeGrant(config, url, checks));
    },
    async userinfo({ access_token, claims }) {
      return openid.fetchUserInfo(config, access_token, claims?.sub ?? openid.skipSubjectCheck);
    },
    async refresh({ refresh_token }) {
      return withClaims(await openid.refreshTokenGrant(config, refresh_token));
    },
    async introspect(token) {
      return openid.tokenIntrospection(config, token);
    },
    async revoke(token) {
      return openid.tokenRevocation(config, token);
    },
    async clientCredentials() {
      return openid.clientCredentialsGrant(config);
    },
    async device() {
      const started = await openid.initiateDeviceAuthorization(config, { scope });
      return { ...started, tokens: openid.pollDeviceAuthorizationGrant(config, started).then(withClaims) };
    },
    async endSession({ id_token }, post_logout_redirect_uri) {
      return openid.buildEndSessionUrl(config, { id_token_hint: id_token, post_logout_redirect_uri, state: "a & b" });
    },
  };
});

function withClaims(tokens) {
  return { ...tokens, claims: tokens.claims() };
}

async function authenticated(method, secret, key) {
  switch (method) {
    case "client_secret_basic":
      return openid.ClientSecretBasic(secret);
    case "client_secret_post":
      return openid.ClientSecretPost(secret);
    case "private_key_jwt":
      return openid.PrivateKeyJwt({ kid: key.kid, key: await imported(key) });
    case "none":
      return openid.None();
  }
}

async function imported(key) {
  return crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: key.crv }, false, ["sign"]);
}
