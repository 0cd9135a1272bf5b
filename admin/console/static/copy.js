// A button that copies the text beside it, and nothing leaves the page. Without scripts the button stays hidden.
for (const button of document.querySelectorAll("button[data-copies]")) {
  button.hidden = false
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent)
    document.getElementById(button.dataset.tells).textContent = button.dataset.told
  })
}
