// An app without a server, with oidc-client-ts as its documentation says. Everything it asks the provider crosses origins.
// The first visit brings the registration in the address: ?authority=…&client_id=…
const here = new URL(location);
for (const name of ["authority", "client_id"]) {
  if (here.searchParams.has(name)) localStorage[name] = here.searchParams.get(name);
}

const base = `${location.origin}/spa/`;
const manager = new oidc.UserManager({
  authority: localStorage.authority,
  client_id: localStorage.client_id,
  redirect_uri: base,
  popup_redirect_uri: `${base}?popup`,
  post_logout_redirect_uri: `${base}?signed-out`,
  scope: "openid profile email offline_access",
  loadUserInfo: true,
  // Tokens of this app live for a minute: they are renewed two seconds after they came.
  automaticSilentRenew: true,
  accessTokenExpiringNotificationTimeInSeconds: 58,
});
manager.events.addSilentRenewError(told);

const actions = {
  "sign-in": () => manager.signinRedirect(),
  "sign-in-popup": () => manager.signinPopup(),
  renew: () => manager.signinSilent(),
  async revoke() {
    manager.stopSilentRenew(); // it would go on every two seconds
    await manager.revokeTokens(["access_token", "refresh_token"]);
  },
  "sign-out": () => manager.signoutRedirect(),
};
for (const [id, act] of Object.entries(actions)) {
  document.getElementById(id).addEventListener("click", () => act().then(show, told));
}

if (here.searchParams.has("popup")) await manager.signinPopupCallback();
else if (here.searchParams.has("code")) await manager.signinCallback().then(() => history.replaceState(null, "", base), told);
else if (here.searchParams.has("signed-out")) await manager.signoutCallback();
manager.events.addUserLoaded(show);
await show();

async function show() {
  const user = await manager.getUser();
  const { access_token, refresh_token, scope, profile } = user ?? {};
  const shown = user && { access_token, refresh_token, scope, profile };
  document.getElementById("user").textContent = JSON.stringify(shown ?? null);
}

function told(problem) {
  document.getElementById("problem").textContent = `${problem.error ?? problem.name}: ${problem.message}`;
}
