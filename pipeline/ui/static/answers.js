/* Sends an answer and shows what follows, or in a row of a list its new label, without leaving the page: one at a time;
   what could not be stored stays. */
"use strict";
const SEEN_MS = 400; // before which nobody has seen what is shown: a second click or key is meant for what was there
const LONGEST_MS = 20000; // that an answer is waited for
const main = document.querySelector("main");

function rest() {
  main.setAttribute("aria-busy", "true");
  setTimeout(() => main.removeAttribute("aria-busy"), SEEN_MS);
}

async function sent(form, said) {
  const body = new URLSearchParams(new FormData(form, said));
  body.delete("next"); // where one comes back to without this script
  const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(LONGEST_MS) });
  if (answer.ok) return [new DOMParser().parseFromString(await answer.text(), "text/html"), answer.url];
  const why = await answer.json().then((problem) => problem.detail, () => answer.statusText);
  const wait = answer.headers.get("Retry-After");
  throw new Error(`${answer.status}, ${why}${wait ? `; try again in ${wait} s` : ""}`);
}

function show(page, address) {
  for (const part of ["main", "nav", ".pulse"]) {
    document.querySelector(part).replaceChildren(...page.querySelector(part).childNodes);
  }
  document.title = page.title;
  history.replaceState(null, "", address);
  scrollTo(0, 0);
  rest();
}

function mark(row, said, page) {
  row.querySelector("[data-mark]").replaceChildren(...page.querySelector("[data-mark]").childNodes);
  row.querySelector(".said [role=alert]")?.remove();
  for (const button of row.querySelectorAll(".said button")) button.removeAttribute("aria-pressed");
  said.setAttribute("aria-pressed", "true");
}

function complain(form, error) {
  const words = form.querySelector("[role=alert]") || form.appendChild(document.createElement("p"));
  words.className = "bad";
  words.setAttribute("role", "alert");
  const isOurs = error.name === "TypeError" || error.name === "TimeoutError";
  words.textContent = `Not stored: ${isOurs ? "defnews does not answer" : error.message}. Answer again to try again.`;
}

document.addEventListener("submit", async (event) => {
  const form = event.target, said = event.submitter;
  if (!form.matches(".said") || !said) return;
  event.preventDefault();
  const row = form.closest("[data-row]"), busy = row ?? main;
  if (busy.hasAttribute("aria-busy")) return;
  busy.setAttribute("aria-busy", "true");
  try {
    const [page, address] = await sent(form, said);
    if (!row) return show(page, address);
    mark(row, said, page);
  } catch (error) {
    complain(form, error);
  }
  busy.removeAttribute("aria-busy");
});

if (document.querySelector(".said:not([data-row] .said)")) rest();
