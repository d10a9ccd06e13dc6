// Sets up a new server without a browser: its first administrator, and an API key of theirs in a new file.
//
//   POCKETID_URL=https://id.example.org node examples/bootstrap.mjs api-key.txt
//
// Node 20 or newer, nothing else. Where the server was started with SETUP_TOKEN, give the same value in the variable of
// that name. The key is never printed; the file can be read by its owner alone and is never overwritten.

import { open, unlink } from "node:fs/promises";

const url = (process.env.POCKETID_URL ?? "http://localhost:1411").replace(/\/+$/, "");
const path = process.argv[2];
const DAYS = 365;

function stop(text) {
  console.error(text);
  process.exit(1);
}

async function answerOf(response, what) {
  const text = await response.text();
  if (response.ok) return JSON.parse(text);
  let reason = text.slice(0, 200);
  try {
    reason = JSON.parse(text).error;
  } catch {
    // a proxy's page, perhaps
  }
  throw new Error(`${what}: ${response.status} ${reason}`);
}

if (!path) stop("usage: node bootstrap.mjs FILE");

// Before anything else: a key that could not be kept would be lost.
const file = await open(path, "wx", 0o600).catch((problem) =>
  stop(problem.code === "EEXIST" ? `${path} exists and is not overwritten.` : `${path}: ${problem.message}`),
);

try {
  // 1. A session of the first administrator. It is the value of the first cookie.
  const headers = process.env.SETUP_TOKEN ? { "X-Setup-Token": process.env.SETUP_TOKEN } : {};
  const setup = await fetch(`${url}/api/one-time-access-token/setup`, { method: "POST", headers });
  const admin = await answerOf(setup, "set-up");
  const session = setup.headers.getSetCookie()[0].split(";")[0].split("=")[1];

  // 2. An API key. The session ends with this.
  const made = await fetch(`${url}/api/api-keys`, {
    method: "POST",
    headers: { Authorization: `Bearer ${session}` },
    body: JSON.stringify({
      name: "bootstrap",
      description: "Made by bootstrap.mjs",
      expiresAt: new Date(Date.now() + DAYS * 24 * 60 * 60 * 1000).toISOString(),
    }),
  });
  const { apiKey, token } = await answerOf(made, "API key");
  await file.writeFile(`${token}\n`);
  await file.close();

  // 3. It works.
  const me = await answerOf(await fetch(`${url}/api/users/me`, { headers: { "X-API-Key": token } }), "first use");
  if (me.id !== admin.id) throw new Error("the key is somebody else's");
  console.log(`${path} holds an API key of ${me.username}; it ends on ${apiKey.expiresAt.slice(0, 10)}.`);
} catch (problem) {
  await file.close();
  // Kept once it holds a key, which nobody can be shown again.
  const { size } = await (await open(path)).stat();
  if (size === 0) await unlink(path);
  stop(problem.cause ? `${problem.message}: ${problem.cause.message}` : problem.message);
}
