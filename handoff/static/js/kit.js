// Small comforts on top of pages that work without them. Hooks are data- attributes.

// Menus are <details>: close them on Escape and on a click elsewhere.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// What needs reading first takes the focus: the summary of errors, or a refusal.
function focusFirst(root) {
  const target = root.matches?.("[data-focus]") ? root : root.querySelector?.("[data-focus]");
  target?.focus();
}

// A form is sent once: a second press while the first is under way does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sending === "yes") {
    event.preventDefault();
    return;
  }
  if (event.defaultPrevented || form.hasAttribute("hx-post")) return;
  form.dataset.sending = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
// Coming back with the browser's Back button must find the form usable again.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sending]")) {
    delete form.dataset.sending;
    for (const button of form.querySelectorAll("[aria-busy]")) button.removeAttribute("aria-busy");
  }
});

// Dialogs: a button with data-opens="id" opens it, data-closes closes it. Without a script the
// button is a link to a page that asks the same question.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) {
    const dialog = document.getElementById(opener.dataset.opens);
    if (dialog?.showModal) {
      event.preventDefault();
      dialog.showModal();
    }
  }
  event.target.closest("[data-closes]")?.closest("dialog")?.close();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});

// Say something where every notice appears; the words are in a <template> of the page.
function say(id) {
  const notices = document.getElementById("notices");
  const words = document.getElementById(id);
  if (notices && words) notices.replaceChildren(words.content.cloneNode(true));
}
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  say("passkey-failed");
});
// The server did not answer, or failed.
document.addEventListener("htmx:sendError", () => say("unreachable"));
document.addEventListener("htmx:responseError", () => say("unreachable"));
document.addEventListener("htmx:afterSwap", (event) => focusFirst(event.target));

// What only works with a script is hidden until there is one.
for (const button of document.querySelectorAll("[data-needs-script]")) button.hidden = false;

focusFirst(document);
