// What every page does: the language chooser, dialogs, busy buttons, the theme.

/** @param {HTMLElement} form */
function autoSubmit(form) {
  if (!(form instanceof HTMLFormElement)) return;
  form.querySelector("button")?.setAttribute("hidden", "");
  form.querySelector("select")?.addEventListener("change", () => form.requestSubmit());
}

/** @param {HTMLElement} chooser */
function chooseTheme(chooser) {
  const root = document.documentElement;
  for (const radio of chooser.querySelectorAll("input")) {
    radio.checked = radio.value === (root.dataset.theme ?? "auto");
    radio.addEventListener("change", () => {
      if (radio.value === "auto") delete root.dataset.theme;
      else root.dataset.theme = radio.value;
      try {
        localStorage.setItem("theme", radio.value);
      } catch {
        // Chosen for this page only, then.
      }
    });
  }
}

document.querySelectorAll("[data-auto-submit]").forEach((form) => autoSubmit(/** @type {HTMLElement} */ (form)));
document.querySelectorAll("[data-theme-chooser]").forEach((chooser) => chooseTheme(/** @type {HTMLElement} */ (chooser)));
document.querySelectorAll(".needs-script").forEach((part) => part.removeAttribute("hidden"));

document.addEventListener("click", (event) => {
  const opener = /** @type {Element} */ (event.target).closest("[data-dialog]");
  if (opener instanceof HTMLElement) {
    const dialog = document.getElementById(opener.dataset.dialog ?? "");
    if (!(dialog instanceof HTMLDialogElement)) return;
    event.preventDefault(); // a link leads to the same question as a page, for browsers without scripts
    dialog.showModal();
  } else if (event.target instanceof HTMLDialogElement) {
    // Only the backdrop is the dialog itself when its content fills it; the padding is not "outside".
    const box = event.target.getBoundingClientRect();
    const inside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!inside && event.clientX + event.clientY > 0) event.target.close();
  }
});

document.addEventListener("submit", (event) => {
  const form = /** @type {HTMLFormElement} */ (event.target);
  // A button may close its dialog instead of sending.
  if (event.defaultPrevented || form.method !== "post" || event.submitter?.getAttribute("formmethod") === "dialog") return;
  if (form.dataset.sent !== undefined) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
  // Not disabled: the browser would leave the pressed button's value out of the form.
  event.submitter?.setAttribute("aria-busy", "true");
});

// A page brought back by the Back button is as fresh as a new one.
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  document.querySelectorAll("form[data-sent]").forEach((form) => form.removeAttribute("data-sent"));
  document.querySelectorAll('[aria-busy="true"]').forEach((button) => button.removeAttribute("aria-busy"));
});

// The console's menu on narrow screens.
document.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-menu]");
  if (!(button instanceof HTMLElement)) return;
  const isOpen = document.getElementById(button.dataset.menu ?? "")?.toggleAttribute("data-open") ?? false;
  button.setAttribute("aria-expanded", String(isOpen));
});
