// Quote a sentence of the draft: select it by mouse or touch, or stop at a paragraph's 评论 link and press ← →.
// Without this script the link comments on the whole paragraph.

const LONGEST = 200;
const SHORTEST = 4;
const draft = document.querySelector("[data-quote]");

/** The words of a range as the paragraph shows them, without editorial marks and without white space. */
function words(range) {
  const copy = range.cloneContents();
  copy.querySelectorAll(".fix, .vh").forEach((mark) => mark.remove());
  return copy.textContent.replace(/\s+/g, "");
}

function address(link, quote) {
  const url = new URL(link.href);
  url.searchParams.set("quote", [...quote].slice(0, LONGEST).join(""));
  return url.href;
}

/** The commentable text around a node: a paragraph or a table row, with its 评论 link. */
function place(node) {
  const element = node && (node.nodeType === 1 ? node : node.parentElement);
  const block = element && element.closest("[data-block]");
  return block && draft.contains(block) ? block : null;
}

let button = null;

function hide() {
  if (button) button.remove();
  button = null;
}

function show() {
  const selection = getSelection();
  hide();
  if (!selection.rangeCount || selection.isCollapsed) return;
  const range = selection.getRangeAt(0);
  const block = place(range.startContainer);
  // A triple click ends the range at the start of the next paragraph: the common ancestor tells nothing then.
  const quote = words(range);
  if (!block || quote.length < SHORTEST || !words(whole(block)).includes(quote)) return;
  const box = range.getBoundingClientRect();
  button = document.createElement("a");
  button.className = "btn quote-button";
  button.textContent = draft.dataset.quote;
  button.href = address(block.querySelector("a[data-say]"), quote);
  document.body.append(button);
  const left = box.left + box.width / 2 - button.offsetWidth / 2;
  button.style.left = `${scrollX + Math.max(8, Math.min(left, innerWidth - button.offsetWidth - 8))}px`;
  button.style.top = `${scrollY + box.bottom + 8}px`;
}

function whole(block) {
  const range = document.createRange();
  range.selectNodeContents(block.querySelector("[data-text]") || block);
  return range;
}

/** Ranges of the sentences of a paragraph, across its inline elements. */
function sentences(block) {
  const walker = document.createTreeWalker(whole(block).commonAncestorContainer, NodeFilter.SHOW_TEXT);
  const nodes = [];
  let text = "";
  while (walker.nextNode()) {
    nodes.push({ node: walker.currentNode, from: text.length });
    text += walker.currentNode.data;
  }
  const at = (offset) => {
    const found = nodes.filter((each) => each.from <= offset).pop();
    return [found.node, offset - found.from];
  };
  return [...text.matchAll(/[^。！？；]+[。！？；]?[”’）》]*/g)]
    .filter((match) => match[0].trim().length >= SHORTEST)
    .map((match) => {
      const range = document.createRange();
      range.setStart(...at(match.index));
      range.setEnd(...at(match.index + match[0].length));
      return range;
    });
}

const position = new WeakMap();

/** ← and → on a focused 评论 link walk through the sentences; Enter then follows the link with the quote. */
function walk(event) {
  const link = event.target.closest && event.target.closest("a[data-say]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!link || !step || event.altKey || event.ctrlKey || event.metaKey) return;
  const list = sentences(place(link));
  if (!list.length) return;
  event.preventDefault();
  const start = position.has(link) ? position.get(link) + step : step > 0 ? 0 : list.length - 1;
  const next = (start + list.length) % list.length;
  position.set(link, next);
  const range = list[next];
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  link.href = address(link, words(range));
  const spoken = document.getElementById("quote-live");
  if (spoken) spoken.textContent = `${next + 1}/${list.length}：${range.toString()}`;
}

if (draft) {
  let timer;
  document.addEventListener("selectionchange", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      getSelection().removeAllRanges();
      hide();
    }
    walk(event);
  });
}
