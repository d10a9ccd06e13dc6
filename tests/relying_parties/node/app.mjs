// A small web app around a client library, as a developer would write it; which library is the importer's business.
//
// By environment: ISSUER, PORT and CLIENTS, a JSON object of registrations by name: client_id, client_secret,
// authentication (as in RFC 7591: client_secret_basic, ... none), scope, key (a private JWK) and par (push the request).
// Each registration has its own addresses, /NAME/login and so on, and remembers its last sign-in.
import http from "node:http";

const port = Number(process.env.PORT);

/** Serves a library: `open(registration, redirectUri)` answers its calls in the words used below. */
export async function serve(open) {
  const apps = {};
  for (const [name, registration] of Object.entries(JSON.parse(process.env.CLIENTS))) {
    const base = `http://localhost:${port}/${name}`;
    const client = await open(registration, `${base}/callback`);
    apps[name] = pages(client, base);
  }
  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url, `http://localhost:${port}`);
    const [, name, page] = url.pathname.split("/");
    try {
      const answer = page ? await apps[name][page](url) : {};
      if (answer instanceof URL) response.writeHead(302, { Location: answer.href }).end();
      else show(response, 200, answer);
    } catch (problem) {
      console.error(problem);
      // What is wrong stands in the body, or in the challenge (WWW-Authenticate) where there is one.
      const { error, error_description } = { ...problem, ...problem.cause?.[0]?.parameters };
      show(response, 500, { problem: String(problem), error, error_description, status: problem.status });
    }
  });
  server.listen(port, "127.0.0.1");
}

function pages(client, base) {
  let pending; // state, nonce and code verifier
  let tokens;
  let device;
  return {
    async login() {
      pending = await client.begin();
      return pending.url;
    },
    async callback(url) {
      tokens = await client.finish(url, pending);
      return { ...tokens, userinfo: await client.userinfo(tokens) };
    },
    async userinfo() {
      return client.userinfo(tokens);
    },
    async refresh() {
      const before = tokens;
      const after = await client.refresh(before);
      tokens = { ...before, ...after };
      const changed = ["access_token", "refresh_token", "id_token"].filter((each) => tokens[each] !== before[each]);
      return { changed, claims: after.claims, userinfo: await client.userinfo(tokens) };
    },
    async introspect(url) {
      return client.introspect(tokens[url.searchParams.get("token") ?? "access_token"]);
    },
    async revoke(url) {
      await client.revoke(tokens[url.searchParams.get("token") ?? "access_token"]);
      return {};
    },
    async "client-credentials"() {
      tokens = await client.clientCredentials();
      return tokens;
    },
    async device() {
      const started = await client.device();
      device = started.tokens;
      device.catch(() => {}); // told to whoever asks below
      return { user_code: started.user_code, page: started.verification_uri_complete };
    },
    async "device-tokens"() {
      tokens = await device;
      return { ...tokens, userinfo: await client.userinfo(tokens) };
    },
    async logout() {
      return client.endSession(tokens, `${base}/goodbye`);
    },
    async goodbye(url) {
      return { goodbye: true, state: url.searchParams.get("state") };
    },
  };
}

function show(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
