// Asks whether somebody has decided, and loads the page again when they have: the server then signs in or says why not.

const page = document.querySelector('[data-page="device-login"]');
const interval = Number(page?.getAttribute("data-interval") ?? 3) * 1000;

async function look() {
  const answer = await fetch("/login/alternative/device/state", { headers: { Accept: "application/json" }, cache: "no-store" }).catch(() => undefined);
  // Asked too often, or the server is away for a moment: it may still be decided.
  if (!answer?.ok) return;
  const { waiting } = await answer.json();
  if (!waiting) location.reload();
}

setInterval(() => {
  if (!document.hidden) void look();
}, interval);
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void look();
});
