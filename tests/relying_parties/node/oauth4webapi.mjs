// oauth4webapi, a library certified by the OpenID Foundation; each request and the check of its answer are two calls.
import * as oauth from "oauth4webapi";
import { serve } from "./app.mjs";

const issuer = new URL(process.env.ISSUER);
const options = { [oauth.allowInsecureRequests]: true }; // the provider of a test speaks plain http on loopback

serve(async ({ client_id, client_secret, authentication, scope, key, par }, redirect_uri) => {
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, options));
  const client = { client_id };
  const proof = await authenticated(authentication, client_secret, key);
  return {
    async begin() {
      const state = oauth.generateRandomState();
      const nonce = oauth.generateRandomNonce();
      const verifier = oauth.generateRandomCodeVerifier();
      const parameters = new URLSearchParams({
        client_id,
        redirect_uri,
        response_type: "code",
        scope,
        state,
        nonce,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: "S256",
      });
      const url = new URL(as.authorization_endpoint);
      if (par) {
        const response = await oauth.pushedAuthorizationRequest(as, client, proof, parameters, options);
        const { request_uri } = await oauth.processPushedAuthorizationResponse(as, client, response);
        url.search = new URLSearchParams({ client_id, request_uri });
      } else {
        url.search = parameters;
      }
      return { url, state, nonce, verifier };
    },
    async finish(url, { state, nonce, verifier }) {
      const callback = oauth.validateAuthResponse(as, client, url, state);
      const response = await oauth.authorizationCodeGrantRequest(as, client, proof, callback, redirect_uri, verifier, options);
      return withClaims(
        as,
        response,
        await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true }),
      );
    },
    async userinfo({ access_token, claims }) {
      const response = await oauth.userInfoRequest(as, client, access_token, options);
      return oauth.processUserInfoResponse(as, client, claims?.sub ?? oauth.skipSubjectCheck, response);
    },
    async refresh({ refresh_token }) {
      const response = await oauth.refreshTokenGrantRequest(as, client, proof, refresh_token, options);
      return withClaims(as, response, await oauth.processRefreshTokenResponse(as, client, response));
    },
    async introspect(token) {
      const response = await oauth.introspectionRequest(as, client, proof, token, options);
      return oauth.processIntrospectionResponse(as, client, response);
    },
    async revoke(token) {
      return oauth.processRevocationResponse(await oauth.revocationRequest(as, client, proof, token, options));
    },
    async clientCredentials() {
      const response = await oauth.clientCredentialsGrantRequest(as, client, proof, {}, options);
      return oauth.processClientCredentialsResponse(as, client, response);
    },
    async device() {
      const response = await oauth.deviceAuthorizationRequest(as, client, proof, { scope }, options);
      const started = await oauth.processDeviceAuthorizationResponse(as, client, response);
      return { ...started, tokens: poll(as, client, proof, started) };
    },
    async endSession({ id_token }, post_logout_redirect_uri) {
      const url = new URL(as.end_session_endpoint);
      url.search = new URLSearchParams({ id_token_hint: id_token, post_logout_redirect_uri, state: "a & b" });
      return url;
    },
  };
});

/** The claims of the ID token, after its signature was checked with the published keys too. */
async function withClaims(as, response, tokens) {
  await oauth.validateApplicationLevelSignature(as, response, options);
  return { ...tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
}

async function poll(as, client, proof, { device_code, interval }) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, interval * 1000));
    const response = await oauth.deviceCodeGrantRequest(as, client, proof, device_code, options);
    try {
      return await withClaims(as, response, await oauth.processDeviceCodeResponse(as, client, response));
    } catch (problem) {
      if (problem.error !== "authorization_pending") throw problem;
    }
  }
}

async function authenticated(method, secret, key) {
  switch (method) {
    case "client_secret_basic":
      return oauth.ClientSecretBasic(secret);
    case "client_secret_post":
      return oauth.ClientSecretPost(secret);
    case "private_key_jwt":
      return oauth.PrivateKeyJwt({ kid: key.kid, key: await imported(key) });
    case "none":
      return oauth.None();
  }
}

async function imported(key) {
  return crypto.subtle.importKey("jwk", key, { name: "ECDSA", namedCurve: key.crv }, false, ["sign"]);
}
