/* Sends an answer and shows what follows without leaving the page: one at a time, and what could not be stored stays. */
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
  const answer = await fetch(form.action, { method: "POST", body, signal: AbortSignal.timeout(LONGEST_MS) });
  if (answer.ok) return answer;
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

function complain(form, error) {
  const words = form.querySelector("[role=alert]") || form.appendChild(document.createElement("p"));
  words.className = "bad";
  words.setAttribute("role", "alert");
  const isOurs = error.name === "TypeError" || error.name === "TimeoutError";
  words.textContent = `Not stored: ${isOurs ? "defnews does not answer" : error.message}. Answer again to try again.`;
  main.removeAttribute("aria-busy");
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.matches(".said") || !event.submitter) return;
  event.preventDefault();
  if (main.hasAttribute("aria-busy")) return;
  main.setAttribute("aria-busy", "true");
  try {
    const answer = await sent(form, event.submitter);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"), answer.url);
  } catch (error) {
    complain(form, error);
  }
});

if (document.querySelector(".said")) rest();
