// The discharge note: what is typed is never lost, and a tap on the figure begins a limit there.
// Without this file every button of the page still does its work by a plain post.

// What only helps without a script goes away.
function hideSpare(root) {
  for (const node of root.querySelectorAll?.("[data-without-script]") ?? []) node.hidden = true;
}
hideSpare(document);
document.addEventListener("htmx:afterSwap", (event) => hideSpare(event.target));

// --- saving -------------------------------------------------------------------------------------

const note = document.querySelector("form[data-note]");
let unsaved = false;
let saving = false;
let leaving = false;

if (note) {
  document.addEventListener("input", (event) => {
    if (event.target.form === note) unsaved = true;
  });
  note.addEventListener("htmx:beforeRequest", (event) => {
    if (event.target !== note) return;
    // The page is being sent as a whole: a save beside it would look like somebody else's.
    if (leaving) {
      event.preventDefault();
      return;
    }
    saving = true;
    unsaved = false;
  });
  note.addEventListener("htmx:afterRequest", (event) => {
    if (event.target !== note) return;
    saving = false;
    if (!event.detail.successful) unsaved = true;
  });
  // A save that is under way would make this one look like somebody else's: wait for its answer,
  // whatever it is. Of several presses the last one counts.
  let pressed = null;
  let waits = false;
  note.addEventListener("submit", (event) => {
    if (!saving) {
      leaving = true;
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed = event.submitter;
    if (waits) return;
    waits = true;
    note.addEventListener(
      "htmx:afterRequest",
      () => {
        waits = false;
        note.requestSubmit(pressed);
      },
      { once: true },
    );
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-leaves]")) leaving = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && !leaving) event.preventDefault();
  });
  window.addEventListener("pageshow", () => {
    leaving = false;
  });
}

// --- tapping the figure -------------------------------------------------------------------------

let tapped = null;

document.addEventListener("click", (event) => {
  const path = event.target.closest("[data-tap-opens] .bm-region");
  if (!path?.dataset.stored) return;
  const opener = document.getElementById(path.closest("[data-tap-opens]").dataset.tapOpens);
  if (!opener) return;
  tapped = { region: path.dataset.stored, side: path.dataset.side };
  opener.click();
});

document.addEventListener("htmx:afterSwap", () => {
  const form = document.getElementById("limit-form");
  if (!tapped || !form) return;
  const { region, side } = tapped;
  tapped = null;
  const sides = form.elements.laterality;
  if ([...sides.options].some((option) => option.value === side)) sides.value = side;
  form.elements.body_region.value = region;
  form.elements.body_region.dispatchEvent(new Event("change", { bubbles: true }));
});
