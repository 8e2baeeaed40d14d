// 换一张 without reloading the page. When anything fails the button does what it does without this script:
// it sends the form, and the page comes back filled with a new picture.

const button = document.querySelector("button[data-captcha]");

async function renew(form) {
  const fields = new URLSearchParams();
  for (const name of ["csrf_token", "captcha_id", ...(button.dataset.send || "").split(" ")]) {
    const input = name && form.elements.namedItem(name);
    if (input) fields.set(name, input.value);
  }
  const answer = await fetch(button.dataset.captcha, { method: "POST", body: fields, credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

if (button) {
  button.addEventListener("click", async (event) => {
    if (button.dataset.failed) return;
    event.preventDefault();
    const form = button.form;
    try {
      const challenge = await renew(form);
      form.elements.captcha_id.value = challenge.id;
      document.getElementById("captcha-image").src = challenge.image;
      document.getElementById("captcha-sound").src = challenge.sound;
      form.elements.captcha_answer.value = "";
      form.elements.captcha_answer.focus();
    } catch {
      button.dataset.failed = "1";
      button.click();
    }
  });
}
