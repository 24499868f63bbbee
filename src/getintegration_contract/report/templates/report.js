"use strict";

const facets = ["outcome", "level", "provenance"];
const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("tr[data-outcome]")].map((row) => ({
  row, text: row.textContent.toLowerCase(),
}));
const groups = [...document.querySelectorAll("table.matrix tbody")];

function wanted() {
  const data = new FormData(form);
  const chosen = Object.fromEntries(facets.map((name) => [name, data.getAll(name)]));
  return { chosen, words: data.get("q").toLowerCase().split(/\s+/).filter(Boolean) };
}

function show() {
  const { chosen, words } = wanted();
  let shown = 0;
  for (const { row, text } of rows) {
    const fits = facets.every((name) => !chosen[name].length || chosen[name].includes(row.dataset[name]))
      && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  for (const group of groups) group.hidden = !group.querySelector("tr[data-outcome]:not([hidden])");
  const all = shown === rows.length;
  document.getElementById("shown").textContent = all ? rows.length + " clauses" : shown + " of " + rows.length + " clauses";
  document.getElementById("nothing").hidden = shown > 0;
  document.getElementById("clear").hidden = !words.length && facets.every((name) => !chosen[name].length);
}

function toAddress() {
  const changed = parameters.read();
  const data = new FormData(form);
  for (const name of [...facets, "q"]) {
    const values = data.getAll(name).filter(Boolean);
    if (values.length) changed.set(name, values.join(","));
    else changed.delete(name);
  }
  parameters.write(changed);
}

function fromAddress() {
  const given = parameters.read();
  const anchor = location.hash && !location.hash.includes("=")
    ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  if (anchor) {
    /* What a link points at must be seen: not filtered out, not folded away. */
    if (anchor.closest("tr")?.hidden) clear();
    for (let node = anchor; node; node = node.parentElement) if (node.tagName === "DETAILS") node.open = true;
    anchor.scrollIntoView();
    return;
  }
  for (const name of facets) {
    const values = (given.get(name) || "").split(",");
    for (const box of form.querySelectorAll(`input[name=${name}]`)) box.checked = values.includes(box.value);
  }
  form.elements.q.value = given.get("q") || "";
  show();
  if ([...facets, "q"].some((name) => given.has(name))) document.getElementById("clauses").scrollIntoView();
}

function clear() {
  form.reset();
  show();
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

function saveButton() {
  const button = document.getElementById("save");
  button.hidden = false;
  button.addEventListener("click", () => {
    const link = document.createElement("a");
    const text = document.getElementById("report").textContent;
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = "report.json";
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

form.hidden = false;
form.addEventListener("input", () => { show(); toAddress(); });
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(() => { show(); toAddress(); }));
document.querySelector("[data-clear]").addEventListener("click", () => form.reset());
addEventListener("hashchange", fromAddress);
copyButtons();
saveButton();
show();
fromAddress();
