// The answer says how many parts it shares. Without a script it says so in general words.
function count(button) {
  const on = button.form.querySelectorAll(`input[name="${button.dataset.counts}"]:checked`).length;
  const words = [button.dataset.none, button.dataset.one][on] ?? button.dataset.many.replace("#", on);
  if (button.textContent !== words) button.textContent = words;
}
function countAll() {
  for (const button of document.querySelectorAll("button[data-counts]")) count(button);
}
document.addEventListener("change", countAll);
document.addEventListener("htmx:afterSwap", countAll);
window.addEventListener("pageshow", countAll);
countAll();
