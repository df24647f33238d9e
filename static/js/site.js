// All of this is extra: each page does its whole work without it.
{
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);

  // "None of these" and "Not sure" hold alone. The server has the last word.
  const keepAlone = (box) => {
    if (box.type !== "checkbox" || !box.checked) return;
    for (const other of all(":checked")) {
      if (other !== box && ("exclusive" in box.dataset || "exclusive" in other.dataset)) {
        other.checked = false;
        const live = one("#live");
        live.textContent = live.dataset.unticked + " " + other.parentNode.textContent;
      }
    }
  };

  // A region of the picture stands for one input of the list.
  const inputOf = (region) => one(`[name=reply][value="${region.dataset.option}"]`);

  const show = () => {
    for (const region of all("[data-option]")) {
      region.toggleAttribute("data-on", Boolean(inputOf(region)?.checked));
    }
  };

  // htmx keeps this even with its page cache off.
  const forget = () => sessionStorage.removeItem("htmx-current-path-for-history");

  const prepare = () => {
    for (const button of all("[data-print]")) button.hidden = false;
    show();
    forget();
  };

  document.addEventListener("change", ({ target }) => {
    keepAlone(target);
    show();
  });

  document.addEventListener("click", ({ target }) => {
    const region = target.closest("[data-option]");
    if (region) inputOf(region)?.click();
    if (target.closest("[data-print]")) print();
  });

  // What is folded away on the screen still belongs on paper.
  let folded = [];
  addEventListener("beforeprint", () => {
    folded = all("details:not([open])");
    for (const part of folded) part.open = true;
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
  });

  document.addEventListener("htmx:pushedIntoHistory", forget);
  // Advice that answers have set already stands above the question, where focus passes it by.
  let told = "";
  const tell = () => {
    const advice = one("#main aside")?.textContent ?? "";
    if (advice !== told) one("#live").textContent = told = advice;
  };

  document.addEventListener("htmx:afterSettle", () => {
    prepare();
    tell();
    scrollTo(0, 0);
    const place = one("#main [data-focus]");
    place.focus({ preventScroll: true });
    // Magnified four times, a screen has no room for what stands above it.
    if (place.getBoundingClientRect().bottom > innerHeight) place.scrollIntoView();
  });

  // Reading aloud, by voices of this device alone: one from elsewhere would be sent the page. What
  // does it is fetched when it is first asked for.
  const speech = window.speechSynthesis;
  const reader = one("#read");
  const language = ({ lang }) => lang.split(/[-_]/)[0];
  const speaks = (voice) => voice.localService && language(voice) === language(one("html"));
  const voices = () => speech.getVoices().filter(speaks);
  const offer = () => {
    reader.hidden = !voices()[0];
  };
  if (speech) {
    offer();
    speech.onvoiceschanged = offer; // Chromium finds its voices late
    reader.onclick = () => {
      // iOS lets a page speak only if its first word, be it empty, comes within a press.
      const first = new SpeechSynthesisUtterance("");
      first.voice = voices()[0];
      speech.speak(first);
      import(reader.dataset.script).then(({ start }) => start(voices));
    };
  }

  for (const failure of ["responseError", "sendError", "timeout"]) {
    document.addEventListener("htmx:" + failure, () => {
      const box = one("#trouble");
      box.hidden = true; // so that it is read out each time
      setTimeout(() => {
        box.hidden = false;
        one("#main form button").focus();
      });
    });
  }

  // A page that the browser kept may show answers deleted since.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

  prepare();
}
