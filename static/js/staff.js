// Single keys for people who handle hundreds of comments. They work outside inputs only, and
// <html data-keys="off"> switches them off (WCAG 2.1.4). Every key has a link or a button that does the same.

const table = document.querySelector("table[data-keys]");
const rows = table ? [...table.tBodies[0].rows] : [];
const enabled = document.documentElement.dataset.keys !== "off";
let current = Math.max(0, rows.findIndex((row) => row.classList.contains("is-current")));

function move(index) {
  if (!rows.length) return;
  rows[current].classList.remove("is-current");
  rows[current].removeAttribute("aria-current");
  current = Math.max(0, Math.min(rows.length - 1, index));
  rows[current].classList.add("is-current");
  rows[current].setAttribute("aria-current", "true");
  const link = rows[current].querySelector("a");
  if (link) link.focus();
}

function tick(row, box) {
  row.classList.toggle("is-selected", box.checked);
}

function toggle() {
  const box = rows.length && rows[current].querySelector("input[type=checkbox]");
  if (!box) return;
  box.checked = !box.checked;
  tick(rows[current], box);
}

// One key per decision: whatever carries data-key is pressed. In a list without a tick the current row is meant.
function decide(key) {
  const target = document.querySelector(`[data-key="${key}"]`);
  if (!target) return false;
  if (target.tagName === "SUMMARY") {
    target.parentElement.open = true;
    const field = target.parentElement.querySelector("select, textarea, input:not([type=hidden])");
    if (field) field.focus();
    return true;
  }
  const list = target.form && target.form.hasAttribute("data-bulk") ? target.form : null;
  if (list && !list.querySelector("input[name=rows]:checked")) toggle();
  target.click();
  return true;
}

// Opening a row by Enter takes it, so that a colleague sees that somebody reads it.
function take(event) {
  const claim = document.querySelector("form[data-take]");
  const link = event.target.closest && event.target.closest("a.row-title");
  if (!claim || !link || !table.dataset.claim) return false;
  const address = new URL(link.href);
  claim.action = `${address.pathname}/claim`;
  claim.submit();
  return true;
}

function follow(selector) {
  const target = document.querySelector(selector);
  if (target) target.click();
}

function choose(number) {
  const radio = document.getElementById(`u${number}`);
  if (radio) radio.checked = true;
}

function typing(target) {
  return /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) && !/^(checkbox|radio)$/.test(target.type);
}

let waiting = "";

function press(event) {
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const form = event.target.closest("form") || document.querySelector("form[data-main]");
    const submit = form && form.querySelector("[type=submit], button:not([type])");
    if (submit) submit.click();
    return;
  }
  if (typing(event.target) || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = waiting + event.key;
  waiting = key === "g" ? "g" : "";
  if (waiting) return;
  const actions = {
    j: () => (table ? move(current + 1) : follow("a[rel=next]")),
    k: () => (table ? move(current - 1) : follow("a[rel=prev]")),
    x: toggle,
    gq: () => follow("a[data-go=q]"),
    gd: () => follow("a[data-go=d]"),
    "?": () => follow("a[data-go='?']"),
    "/": () => {
      const search = document.querySelector("input[type=search]");
      if (search) search.focus();
    },
  };
  if (key === "Enter") {
    if (take(event)) event.preventDefault();
    return;
  }
  const action = actions[key] || (/^[1-9]$/.test(key) ? () => choose(key) : null);
  if (action) {
    event.preventDefault();
    action();
  } else if (/^[a-z]$/.test(key) && decide(key)) {
    event.preventDefault();
  }
}

if (enabled) document.addEventListener("keydown", press);

for (const row of rows) {
  const box = row.querySelector("input[type=checkbox]");
  if (box) {
    tick(row, box);
    box.addEventListener("change", () => tick(row, box));
  }
}

// Covering words by selecting them: the words go into the next free line of the form, which does the rest.
// Without the script the same words are typed there.
const cover = document.querySelector("button[data-cover]");
const words = document.querySelector(".say");

function selected() {
  const selection = document.getSelection();
  if (!words || !selection.rangeCount || selection.isCollapsed) return "";
  const range = selection.getRangeAt(0);
  if (!words.contains(range.commonAncestorContainer)) return "";
  const part = document.createElement("div");
  part.append(range.cloneContents());
  part.querySelectorAll(".vh").forEach((label) => label.remove());
  return part.textContent.trim();
}

function freeLine() {
  const lines = [...document.querySelectorAll("[data-line]")];
  const free = lines.find((line) => !line.querySelector("input").value);
  if (free || lines.length >= Number(cover.dataset.most)) return free;
  const last = lines[lines.length - 1];
  const number = lines.length + 1;
  const line = last.cloneNode(true);
  line.dataset.line = number;
  for (const element of line.querySelectorAll("[id], [name], [for]")) {
    for (const name of ["id", "name", "for"]) {
      const value = element.getAttribute(name);
      if (value) element.setAttribute(name, value.replace(/_\d+$/, `_${number}`));
    }
    if (element.tagName === "INPUT") element.value = "";
    if (element.tagName === "LABEL") element.textContent = element.textContent.replace(/\d+/, number);
  }
  last.after(line);
  return line;
}

function coverSelected() {
  const text = selected();
  const line = text && freeLine();
  if (!line) return;
  line.closest("details").open = true;
  const [input, reason] = line.querySelectorAll("input");
  input.value = text;
  const redacted = document.querySelector("input[name=publicity][value=redacted]");
  if (redacted) redacted.checked = true;
  document.getSelection().removeAllRanges();
  reason.focus();
}

if (cover && words) {
  cover.hidden = false;
  cover.addEventListener("mousedown", (event) => event.preventDefault());  // keeps the selection
  cover.addEventListener("click", coverSelected);
}
