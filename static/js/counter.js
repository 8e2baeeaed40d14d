// Say how much has been written under a text box, by characters as people see them.

const segmenter = typeof Intl.Segmenter === "function" ? new Intl.Segmenter("zh", { granularity: "grapheme" }) : null;

export function characters(text) {
  const trimmed = text.trim();
  return segmenter ? [...segmenter.segment(trimmed)].length : [...trimmed].length;
}

for (const box of document.querySelectorAll("textarea[data-count]")) {
  const output = document.getElementById(box.dataset.count);
  const say = () => {
    output.textContent = output.dataset.words.replace("{n}", characters(box.value));
  };
  box.addEventListener("input", say);
  say();
}
