// Buttons with data-copy="#id" copy that element's text and say so for a moment.

const SHOWN_FOR = 2000;

/** @param {HTMLElement} source */
async function copyText(source) {
  const text = (source.textContent ?? "").trim();
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure context there is no clipboard: the old command needs a selection, which also helps by hand.
    getSelection()?.selectAllChildren(source);
    if (!document.execCommand("copy")) return false;
  }
  return true;
}

document.addEventListener("click", async (event) => {
  const button = /** @type {Element} */ (event.target).closest("[data-copy]");
  if (!(button instanceof HTMLElement)) return;
  const source = document.querySelector(button.dataset.copy ?? "");
  if (!(source instanceof HTMLElement) || !(await copyText(source))) return;
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, SHOWN_FOR);
});
