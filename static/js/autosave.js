// Keep the opinion and the section in this tab while they are being written, nothing else:
// never a name, a telephone number or an e-mail address. Without sessionStorage nothing is kept.

const KEPT = ["body", "section"];
const form = document.querySelector("form[data-autosave]");

function stored(action) {
  try {
    return action(sessionStorage);
  } catch {
    return null; // storage is switched off or full: writing goes on
  }
}

if (form) {
  const key = `opinion:${form.dataset.autosave}`;
  const saved = JSON.parse(stored((store) => store.getItem(key)) || "{}");
  // The server's words win: after an error the form comes back filled.
  if (!form.elements.body.value) {
    for (const name of KEPT) {
      if (saved[name] && !form.elements[name].value) form.elements[name].value = saved[name];
    }
  }
  let timer;
  form.addEventListener("input", (event) => {
    if (!KEPT.includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      const values = Object.fromEntries(KEPT.map((name) => [name, form.elements[name].value]));
      stored((store) => store.setItem(key, JSON.stringify(values)));
    }, 500);
  });
}

// The receipt, and not the press of the button, says that the words are safe on the server.
const receipt = document.querySelector("[data-autosave-done]");
if (receipt) stored((store) => store.removeItem(`opinion:${receipt.dataset.autosaveDone}`));
