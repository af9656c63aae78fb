/* The keys: / searches, j and k go through rows, o opens; a letter presses what bears it, in the chosen row or beside. */
"use strict";
const chosen = () => document.activeElement?.closest("[data-row]");
let row = -1;

function go(step) {
  const links = [...document.querySelectorAll("[data-row] [data-open]")];
  if (!links.length) return;
  const here = links.findIndex((link) => link.closest("[data-row]") === chosen());
  row = Math.min(Math.max((here >= 0 ? here : row) + step, 0), links.length - 1);
  links[row].focus();
  links[row].closest("[data-row]").scrollIntoView({ block: "nearest" });
}

function open() {
  (chosen()?.querySelector("[data-open]") ?? document.querySelector("[data-original]"))?.click();
}

const FIELD = String.raw`-?[a-z]+:(?:"[^"]*"|[^\s"]+)`;
const PARTS = new RegExp(`^((?:${FIELD}\\s+)*)(.*?)(?:\\s*${FIELD})*\\s*$`);

// What is typed comes in place of the words, and beside the fields.
function search() {
  const box = document.querySelector("[data-search]");
  if (!box) return;
  const [, fields, words] = box.value.match(PARTS);
  if (box.value && !words) box.value = `${box.value.trimEnd()} `;
  const start = words ? fields.length : box.value.length;
  box.focus();
  box.setSelectionRange(start, start + words.length);
}

const DOES = {
  "/": search,
  j: () => go(1),
  k: () => go(-1),
  o: open,
};

// Who comes back from an article goes on from its row.
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-row] [data-open]");
  if (link) history.replaceState({ ...history.state, opened: link.pathname }, "");
});
const opened = history.state?.opened;
const takeUp = () => document.querySelector(`[data-row] [data-open][href="${opened}"]`)?.focus();
if (opened) addEventListener("load", () => requestAnimationFrame(takeUp)); // after what has `autofocus`

function bearerOf(key) {
  const bearing = `[data-key="${key}"]`;
  return chosen()?.querySelector(bearing) ?? document.querySelector(`${bearing}:not([data-row] *)`);
}

function leave(event) {
  event.preventDefault(); // else a box for searches is emptied
  event.target.blur();
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") leave(event);
    return;
  }
  const does = DOES[event.key];
  const bearer = /^[a-z]$/.test(event.key) && bearerOf(event.key);
  if (!does && !bearer) return;
  event.preventDefault();
  if (bearer && document.querySelector("main[aria-busy]")) return; // an answer is on its way, or what follows just came
  if (does) does();
  else bearer.click();
});
