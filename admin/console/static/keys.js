// Security keys (WebAuthn). A box with `data-key` shows itself where the browser knows keys and the page is at the
// address that they are bound to; its button asks the key and sends the form with the key's answer in it.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0))
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")

async function asked(what, options) {
  options.challenge = bytes(options.challenge)
  if (what === "get") return navigator.credentials.get({ publicKey: options })
  options.user.id = bytes(options.user.id)
  options.excludeCredentials = options.excludeCredentials.map((one) => ({ ...one, id: bytes(one.id) }))
  return navigator.credentials.create({ publicKey: options })
}

function said({ id, rawId, type, response }) {
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature"]
  const given = parts.filter((part) => response[part]).map((part) => [part, text(response[part])])
  return JSON.stringify({ id, rawId: text(rawId), type, response: Object.fromEntries(given) })
}

function checked(form) {
  // A key stands in for the code, and for nothing else in the form.
  const code = form.elements.code
  if (code) code.required = false
  const right = form.reportValidity()
  if (code) code.required = true
  return right
}

for (const box of document.querySelectorAll("[data-key]")) {
  if (!window.PublicKeyCredential || location.origin !== box.dataset.origin) continue
  const form = box.closest("form")
  const button = box.querySelector("button")
  const trouble = box.querySelector("[role=alert]")
  box.hidden = false
  button.addEventListener("click", async () => {
    if (!checked(form)) return
    button.disabled = true
    trouble.hidden = true
    try {
      const answer = await fetch(box.dataset.options)
      if (answer.redirected) return location.assign(answer.url)
      form.elements[box.dataset.field].value = said(await asked(box.dataset.key, await answer.json()))
      form.submit()
    } catch {
      trouble.hidden = false
      button.disabled = false
    }
  })
}
