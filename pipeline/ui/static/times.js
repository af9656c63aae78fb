/* Shows every time in the reader's zone, in the form that the page gave it; the UTC stays in its title. */
"use strict";
const SHAPES = new Map([[10, "Y-m-d"], [11, "m-d H:M"], [16, "Y-m-d H:M"]]);

function local(at, shape) {
  const two = (number) => String(number).padStart(2, "0");
  const parts = { Y: at.getFullYear(), m: two(at.getMonth() + 1), d: two(at.getDate()), H: two(at.getHours()), M: two(at.getMinutes()) };
  return shape.replace(/[YmdHM]/g, (letter) => parts[letter]);
}

function showTimes() {
  for (const time of document.querySelectorAll("time:not([data-local])")) {
    const text = time.textContent;
    const shape = text.length === 5 ? (text.includes(":") ? "H:M" : "m-d") : SHAPES.get(text.length);
    if (shape) time.textContent = local(new Date(time.dateTime), shape);
    time.dataset.local = "";
  }
}

showTimes();
new MutationObserver(showTimes).observe(document.body, { childList: true, subtree: true });
