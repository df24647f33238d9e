// Copying, printing, and taking the page away when what it shows has deleted itself.
{
  const one = (selector) => document.querySelector(selector);
  const person = one(".person");
  const offer = (way, does) => {
    const button = one(way);
    button.hidden = false;
    button.addEventListener("click", does);
  };

  offer("#print", () => print());

  // Only where the connection is safe, as on a kiosk's own network without HTTPS it is not.
  if (navigator.clipboard) {
    const said = one("#copied");
    offer("#copy", async () => {
      try {
        await navigator.clipboard.writeText(one("#plain-text").textContent);
        said.textContent = "Copied.";
      } catch {
        said.textContent = "The browser did not allow it: open the plain text, and copy from there.";
      }
    });
  }

  // Timers stand still while a computer sleeps, so the clock is asked.
  const clear = () => {
    if (Date.now() / 1000 < Number(person.dataset.until)) return;
    person.textContent = "This has deleted itself.";
    clearInterval(clock);
  };
  const clock = setInterval(clear, 5000);
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
}
