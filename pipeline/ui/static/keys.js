/* The keys: / searches, j and k go through rows, o opens, and a letter presses the button or link that bears it. */
"use strict";
let row = -1;

function go(step) {
  const links = [...document.querySelectorAll("[data-row] [data-open]")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  row = Math.min(Math.max((here >= 0 ? here : row) + step, 0), links.length - 1);
  links[row].focus();
  links[row].closest("[data-row]").scrollIntoView({ block: "nearest" });
}

function open() {
  const here = document.activeElement;
  const link = here && here.matches("[data-open]") ? here : document.querySelector("[data-original]");
  if (link) link.click();
}

const DOES = {
  "/": () => {
    const box = document.querySelector("[data-search]");
    box?.focus();
    box?.select();
  },
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

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat && !"jk".includes(event.key)) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const does = DOES[event.key];
  const bearer = /^[a-z]$/.test(event.key) && document.querySelector(`[data-key="${event.key}"]`);
  if (!does && !bearer) return;
  event.preventDefault();
  if (bearer && document.querySelector("main[aria-busy]")) return; // an answer is on its way, or what follows just came
  if (does) does();
  else bearer.click();
});
