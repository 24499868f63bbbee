"use strict";

/* Parameters of the page in its address: #outcome=violated&q=uri&theme=dark. Plain anchors have no "=". */
const parameters = {
  read() {
    const text = location.hash.slice(1);
    return new URLSearchParams(text.includes("=") ? text : "");
  },
  write(changed) {
    const text = changed.toString().replaceAll("%2C", ",");
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  },
};

const theme = {
  system: matchMedia("(prefers-color-scheme: dark)"),
  stored() {
    try { return localStorage.getItem("theme"); } catch { return null; }
  },
  store(name) {
    try { localStorage.setItem("theme", name); } catch { /* a page without storage forgets */ }
  },
  current() {
    const wanted = document.documentElement.dataset.theme;
    return wanted || (theme.system.matches ? "dark" : "light");
  },
  apply() {
    const wanted = parameters.read().get("theme") || theme.stored();
    if (wanted === "dark" || wanted === "light") document.documentElement.dataset.theme = wanted;
    const button = document.getElementById("theme");
    if (button) {
      const other = theme.current() === "dark" ? "Light" : "Dark";
      button.textContent = other;
      button.setAttribute("aria-label", "Switch to " + other.toLowerCase() + " colours");
      button.hidden = false;
    }
  },
  toggle() {
    const other = theme.current() === "dark" ? "light" : "dark";
    theme.store(other);
    const changed = parameters.read();
    if (changed.has("theme")) {
      changed.set("theme", other);
      parameters.write(changed);
    }
    theme.apply();
  },
};

theme.apply();
theme.system.addEventListener("change", theme.apply);
addEventListener("hashchange", theme.apply);
addEventListener("DOMContentLoaded", () => {
  theme.apply();
  document.getElementById("theme").addEventListener("click", theme.toggle);
});
