"use strict";

/* One table of a page, filtered by words and facets: rows carry data-FACET for every checkbox of the form. */
const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("[data-row]")].map((row) => ({
  row, text: row.textContent.toLowerCase(),
}));
const boxes = [...form.querySelectorAll("input[type=checkbox]")];
const facets = [...new Set(boxes.map((box) => box.name))];

function chosen(name) {
  return boxes.filter((box) => box.name === name && box.checked).map((box) => box.value);
}

function initial(name) {
  return boxes.filter((box) => box.name === name && box.defaultChecked).map((box) => box.value);
}

function show() {
  const wanted = Object.fromEntries(facets.map((name) => [name, chosen(name)]));
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of rows) {
    const fits = facets.every((name) => !wanted[name].length || wanted[name].includes(row.dataset[name]))
      && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  for (const group of document.querySelectorAll("[data-group]")) {
    group.hidden = !group.querySelector("[data-row]:not([hidden])");
  }
  const noun = " " + form.dataset.noun;
  document.getElementById("shown").textContent = (shown === rows.length ? "" : shown + " of ") + rows.length + noun;
  document.getElementById("nothing").hidden = shown > 0;
  document.getElementById("clear").hidden = !form.elements.q.value
    && facets.every((name) => String(wanted[name]) === String(initial(name)));
}

function toAddress() {
  const changed = parameters.read();
  for (const name of [...facets, "q"]) {
    const values = name === "q" ? [form.elements.q.value].filter(Boolean) : chosen(name);
    if (String(values) === String(name === "q" ? [] : initial(name))) changed.delete(name);
    else changed.set(name, values.join(",") || "any");
  }
  parameters.write(changed);
}

function fromAddress() {
  const given = parameters.read();
  const anchor = location.hash && !location.hash.includes("=")
    ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (anchor) {
    /* What a link points at must be seen: not filtered out, not folded away. */
    if (anchor.closest("[data-row]")?.hidden) { form.reset(); show(); }
    for (let node = anchor; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    anchor.scrollIntoView();
    return;
  }
  for (const box of boxes) {
    const values = given.has(box.name) ? given.get(box.name).split(",") : initial(box.name);
    box.checked = values.includes(box.value);
  }
  form.elements.q.value = given.get("q") || "";
  show();
  if ([...facets, "q"].some((name) => given.has(name))) form.parentElement.scrollIntoView();
}

function copyButtons() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.setAttribute("aria-label", "Copy the command line");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 1500);
      } catch {
        getSelection().selectAllChildren(code);
      }
    });
  }
}

function saveButton(button) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    const text = document.getElementById("report").textContent;
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = button.dataset.save;
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

form.hidden = false;
form.addEventListener("input", () => { show(); toAddress(); });
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { show(); toAddress(); }));
for (const button of document.querySelectorAll("[data-clear]")) button.addEventListener("click", () => form.reset());
for (const button of document.querySelectorAll("[data-save]")) saveButton(button);
addEventListener("hashchange", fromAddress);
copyButtons();
show();
fromAddress();
