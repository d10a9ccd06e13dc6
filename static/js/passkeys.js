// The two ceremonies: signing in with a passkey and adding one (WebAuthn Level 3, JSON forms).

const API = "/api/webauthn/";

/** A refusal by the server, with its own sentence. */
class Refused extends Error {
  /** @param {{error?: string, code?: string, details?: {reason?: string}}} body */
  constructor(body) {
    super(body.error ?? "");
    this.code = body.code ?? "";
    this.reason = body.details?.reason ?? "";
  }
}

const status = document.querySelector("[data-passkey-status]");

/** @param {string} path @param {unknown} [body] */
async function call(path, body) {
  /** @type {Record<string, string>} */
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const token = document.querySelector("[name=csrfmiddlewaretoken]");
  if (body !== undefined && token instanceof HTMLInputElement) headers["X-CSRFToken"] = token.value;
  const response = await fetch(API + path, {
    method: body === undefined ? "GET" : "POST",
    credentials: "same-origin",
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(answer);
  return answer;
}

/** @param {string} text @param {"info" | "bad"} tone */
function say(text, tone) {
  const template = document.querySelector(`template[data-passkey-note="${tone}"]`);
  if (!(status instanceof HTMLElement) || !(template instanceof HTMLTemplateElement)) return;
  const note = /** @type {DocumentFragment} */ (template.content.cloneNode(true));
  const words = note.querySelector("span");
  if (words) words.textContent = text;
  status.replaceChildren(note);
}

/** @param {string} name */
function text(name) {
  return status?.getAttribute(`data-text-${name}`) ?? "";
}

/** @param {unknown} error */
function explain(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "AbortError") say(text("cancelled"), "info");
  else if (name === "InvalidStateError") say(text("exists"), "info");
  else if (name === "SecurityError") say(text("insecure"), "bad");
  else if (error instanceof Refused && error.code === "webauthn_authentication_failed") say(`${error.message}. ${text("another")}`, "bad");
  else if (error instanceof Refused) say(error.message || text("failed"), "bad");
  else if (error instanceof TypeError) say(text("network"), "bad");
  else say(text("failed"), "bad");
}

/** Browsers without the JSON forms (before 2024) get the same from a few lines. @param {any} options */
function requestOptions(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  return { ...options, challenge: bytes(options.challenge), allowCredentials: (options.allowCredentials ?? []).map(withBytes) };
}

/** @param {any} options */
function creationOptions(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(withBytes),
  };
}

/** @param {any} descriptor */
function withBytes(descriptor) {
  return { ...descriptor, id: bytes(descriptor.id) };
}

/** @param {string} base64url */
function bytes(base64url) {
  return Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

/** @type {{at: number, answer: Promise<any>} | undefined} */
let started;

/** Options with a challenge no older than `age` ms. Asked for once when autofill and the button want them together:
 * of two challenges the server would know only the later one. @param {number} age */
function signInOptions(age) {
  if (!started || Date.now() - started.at > age) started = { at: Date.now(), answer: call("login/start") };
  return started.answer;
}

/** @param {any} credential @param {any} options */
async function finishSignIn(credential, options) {
  started = undefined;
  try {
    await call("login/finish", credential.toJSON());
  } catch (error) {
    // The browser may then stop offering a passkey this server has forgotten.
    if (error instanceof Refused && (error.code === "unknown_credential" || error.reason === "unknown_credential")) {
      const signal = /** @type {any} */ (PublicKeyCredential).signalUnknownCredential;
      await signal?.call(PublicKeyCredential, { rpId: options.rpId ?? location.hostname, credentialId: credential.id }).catch(() => {});
    }
    throw error;
  }
}

/** @param {string} next */
async function signIn(next) {
  const options = await signInOptions(5000).catch((error) => {
    started = undefined;
    throw error;
  });
  const credential = await navigator.credentials.get({ publicKey: requestOptions(options) });
  await finishSignIn(credential, options);
  location.assign(next);
}

/** @type {AbortController | undefined} */
let waiting;

/** Offer passkeys in the browser's autofill until one is chosen or the button is pressed.
 * @param {HTMLButtonElement} button @param {string} next */
async function offerInAutofill(button, next) {
  const field = document.querySelector(".autofill");
  if (!field || !(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  field.setAttribute("data-ready", "");
  // Not before somebody is there: a page merely loaded needs no challenge.
  const begin = () => void waitForAutofill(button, next);
  for (const sign of ["pointermove", "touchstart", "keydown"]) addEventListener(sign, begin, { once: true, passive: true });
  field.addEventListener("focusin", begin);
}

/** @param {HTMLButtonElement} button @param {string} next */
async function waitForAutofill(button, next) {
  const lifetime = 45000;
  if (isBusy(button) || (waiting && started && Date.now() - started.at < lifetime)) return;
  waiting?.abort();
  const { signal } = (waiting = new AbortController());
  try {
    const options = await signInOptions(lifetime);
    if (signal.aborted) return;
    const credential = await navigator.credentials.get({ publicKey: requestOptions(options), mediation: "conditional", signal });
    waiting = undefined;
    await run(button, async () => {
      await finishSignIn(credential, options);
      location.assign(next);
    });
  } catch {
    // Replaced by another request, put aside by the person, or the server is away: the button will say so.
    if (waiting?.signal === signal) waiting = undefined;
  }
}

/** @param {string} next @param {string} reauthenticateUrl */
async function add(next, reauthenticateUrl) {
  let options;
  try {
    options = await call("register/start");
  } catch (error) {
    if (error instanceof Refused && error.code === "reauthentication_required" && reauthenticateUrl) {
      location.assign(reauthenticateUrl);
      return;
    }
    throw error;
  }
  const credential = /** @type {any} */ (await navigator.credentials.create({ publicKey: creationOptions(options) }));
  await call("register/finish", credential.toJSON());
  location.assign(next);
}

/** Run one ceremony: the button is busy meanwhile and ends so when the page is left. @param {HTMLButtonElement} button @param {() => Promise<void>} ceremony */
async function run(button, ceremony) {
  if (isBusy(button)) return;
  waiting?.abort();
  waiting = undefined;
  status?.replaceChildren();
  document.querySelectorAll(".fold[open]").forEach((fold) => fold.removeAttribute("open"));
  button.setAttribute("aria-busy", "true");
  try {
    await ceremony();
  } catch (error) {
    button.removeAttribute("aria-busy");
    explain(error);
  }
}

/** @param {HTMLButtonElement} button */
function isBusy(button) {
  return button.getAttribute("aria-busy") === "true";
}

/** Why passkeys cannot work here, or nothing. */
function obstacle() {
  const origin = status?.getAttribute("data-origin");
  if (origin && origin !== location.origin) return "elsewhere";
  if (!window.isSecureContext) return "insecure";
  return window.PublicKeyCredential ? "" : "unsupported";
}

const signInButton = document.querySelector('[data-action="passkey-sign-in"]');
const addButton = document.querySelector('[data-action="passkey-add"]');
const problem = obstacle();

if (problem) {
  say(text(problem), "bad");
  for (const button of [signInButton, addButton]) button?.setAttribute("disabled", "");
}
if (!problem && signInButton instanceof HTMLButtonElement) {
  const next = signInButton.dataset.next || "/";
  // The form exists for Enter in the autofill field; it is never sent.
  signInButton.form?.addEventListener("submit", (event) => {
    event.preventDefault();
    void run(signInButton, () => signIn(next));
  });
  void offerInAutofill(signInButton, next);
}
if (!problem && addButton instanceof HTMLButtonElement) {
  addButton.addEventListener("click", () => void run(addButton, () => add(addButton.dataset.next || "/", addButton.dataset.reauthenticateUrl ?? "")));
}
