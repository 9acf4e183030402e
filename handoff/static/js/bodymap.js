// A figure with data-pick fills in two form fields: the body region (data-pick) and the side
// (data-pick-side). The fields are on the page too and do the same job, so nothing depends on
// hitting a small region.

function fieldsNamed(figure, name) {
  if (!name) return [];
  const form = figure.closest("form") ?? document;
  return [...form.querySelectorAll(`[name="${CSS.escape(name)}"]`)];
}

function valueOf(fields) {
  const one = fields[0];
  if (one?.tagName === "SELECT") return one.value;
  return fields.find((field) => field.checked)?.value ?? "";
}

// Returns whether one of the fields took the value.
function choose(fields, value) {
  for (const field of fields) {
    const isList = field.tagName === "SELECT";
    const takes = isList
      ? [...field.options].some((option) => option.value === value)
      : field.value === value;
    if (!takes) continue;
    if (isList) field.value = value;
    else field.checked = true;
    field.dispatchEvent(new Event("change", { bubbles: true }));
    return true;
  }
  return false;
}

function show(figure, region, side) {
  const both = side === "bilateral";
  for (const path of figure.querySelectorAll(".bm-region")) {
    const sided = path.dataset.side === "left" || path.dataset.side === "right";
    const here = path.dataset.stored === region && (!sided || both || path.dataset.side === side);
    const selected = region !== "" && here;
    path.classList.toggle("is-selected", selected);
    // The outline of what is selected lies above its neighbours.
    if (selected) path.parentNode.append(path);
  }
}

function wirePickers(root) {
  for (const figure of root.querySelectorAll?.("svg[data-pick]") ?? []) {
    if (figure.dataset.wired) continue;
    figure.dataset.wired = "yes";
    const regions = fieldsNamed(figure, figure.dataset.pick);
    const sides = fieldsNamed(figure, figure.dataset.pickSide);
    const redraw = () => show(figure, valueOf(regions), valueOf(sides));
    figure.addEventListener("click", (event) => {
      const path = event.target.closest(".bm-region");
      if (!path?.dataset.stored) return;
      choose(regions, path.dataset.stored);
      choose(sides, path.dataset.side) || choose(sides, "not_applicable");
    });
    for (const field of [...regions, ...sides]) field.addEventListener("change", redraw);
    redraw();
  }
}

wirePickers(document);
document.addEventListener("htmx:afterSwap", (event) => wirePickers(event.target));
