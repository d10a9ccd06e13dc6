// A site with Auth.js (NextAuth 5 is its face for Next.js) and its own pages; the issuer is all it is told.
//
// By environment: ISSUER, CLIENT_ID, CLIENT_SECRET, PORT.
import http from "node:http";
import { Auth } from "@auth/core";

const { ISSUER, CLIENT_ID, CLIENT_SECRET, PORT } = process.env;
const base = `http://localhost:${PORT}`;
const config = {
  basePath: "/auth",
  secret: crypto.randomUUID(),
  trustHost: true,
  providers: [
    {
      id: "pocketid",
      name: "Pocket ID",
      type: "oidc",
      issuer: ISSUER,
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      checks: ["pkce", "state", "nonce"],
    },
  ],
  callbacks: {
    // What the app shows of whoever is signed in.
    jwt: ({ token, profile, account }) => (profile ? { ...token, username: profile.preferred_username, scope: account.scope } : token),
    session: ({ session, token }) => ({ ...session, username: token.username, scope: token.scope }),
  },
};

http
  .createServer(async (incoming, outgoing) => {
    if (!incoming.url.startsWith("/auth")) return outgoing.end("{}");
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const body = chunks.length ? Buffer.concat(chunks) : undefined;
    const answer = await Auth(new Request(base + incoming.url, { method: incoming.method, headers: incoming.headers, body }), config);
    // Debian 12's Node.js has all cookies in one text.
    const text = answer.headers.get("set-cookie") ?? "";
    const cookies = answer.headers.getSetCookie?.() ?? text.split(/, (?=[\w.-]+=)/).filter(Boolean);
    outgoing.writeHead(answer.status, { ...Object.fromEntries(answer.headers), "set-cookie": cookies });
    outgoing.end(Buffer.from(await answer.arrayBuffer()));
  })
  .listen(Number(PORT), "127.0.0.1");
