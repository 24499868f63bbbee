"use strict";

const form = document.getElementById("filters");
const rows = [...document.querySelectorAll("tr[data-same]")].map((row) => ({
  row, text: row.querySelector("th").textContent.toLowerCase(),
}));

function show() {
  const all = form.elements.all.checked;
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of rows) {
    const fits = (all || row.dataset.same === "no") && words.every((word) => text.includes(word));
    row.hidden = !fits;
    shown += fits;
  }
  for (const group of document.querySelectorAll("table.matrix tbody")) {
    group.hidden = !group.querySelector("tr[data-same]:not([hidden])");
  }
  document.getElementById("shown").textContent = shown + " of " + rows.length + " clauses";
  document.getElementById("nothing").hidden = shown > 0;
}

function toAddress() {
  const changed = parameters.read();
  for (const [name, value] of [["q", form.elements.q.value], ["all", form.elements.all.checked ? "1" : ""]]) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  parameters.write(changed);
}

function fromAddress() {
  if (location.hash && !location.hash.includes("=")) return;
  const given = parameters.read();
  form.elements.q.value = given.get("q") || "";
  form.elements.all.checked = given.get("all") === "1";
  show();
}

form.hidden = false;
form.addEventListener("input", () => { show(); toAddress(); });
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("hashchange", fromAddress);
show();
fromAddress();
