// Copying, printing, and taking the page away: when what it shows has deleted itself, and from a
// screen that was left alone.
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
  const { until, idle } = person.dataset;
  let touchedAt = Date.now();
  for (const touch of ["pointerdown", "keydown", "scroll"]) {
    addEventListener(touch, () => (touchedAt = Date.now()));
  }
  const clock = setInterval(() => {
    if (Date.now() > Number(until) * 1000) {
      person.textContent = "This has deleted itself.";
      clearInterval(clock);
    } else if (Date.now() - touchedAt > Number(idle) * 1000) {
      // The session is over by now, unless they are at work on another page. Asking does not prolong it.
      location.replace("?poll=1");
    }
  }, 5000);

  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
}
