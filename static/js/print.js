// The print button of the receipt; without this script the browser's own menu prints the same page.

for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
