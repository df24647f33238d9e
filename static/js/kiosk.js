// A kiosk: one person after another at the same screen. Runs before all other scripts, so that the
// page looks from the start as this person chose, and so that a page the browser kept is never seen.
{
  const { dataset } = document.currentScript;
  const root = document.documentElement;
  const one = (selector) => document.querySelector(selector);
  const all = (selector) => document.querySelectorAll(selector);

  const PATIENCE = 4000; // ms: a server that is silent for so long is away
  const SILENT = [0, 502, 504]; // nothing, or what stands before the server says so in its place
  const PULSE = 10_000; // ms between two looks whether it is there
  const KNOWN = 5000; // ms between two questions whether staff know
  const HERE = 20_000; // ms: the server hears at most so often that somebody is still here
  const HOLD = 180_000; // ms for which an emergency stays, whoever touches the screen or not
  const LEAVING = 8000; // ms in which a slip on "Finish and clear" can be taken back
  const CORNER = 90; // px, and
  const PRESS = 5000; // ms: held for so long, the corner leads staff to their menu

  let gone = false; // the page is emptied, and nothing but the first screen may follow
  const isFirst = () => one("#main [data-first]");
  const isLocal = () => one("#main [data-local]") || "unreachable" in dataset;
  const isLocked = () => "locked" in dataset;
  const isOutcome = () => one("#main [data-outcome], #main .code"); // it takes time to write down

  // How it looks, until this person leaves.

  const look = () => {
    for (const kind of ["larger", "contrast"]) {
      const chosen = sessionStorage.getItem(kind) !== null;
      root.toggleAttribute("data-" + kind, chosen);
      one(`[data-look=${kind}]`)?.setAttribute("aria-pressed", chosen);
    }
  };
  const changeLook = (kind) => {
    if (sessionStorage.getItem(kind) === null) sessionStorage.setItem(kind, "");
    else sessionStorage.removeItem(kind);
    look();
  };
  look();

  const VISITED = "visited";
  const SINCE = "since";
  if ("visit" in dataset) sessionStorage.setItem(VISITED, "");

  // To the server and back

  const ask = (address, more) =>
    fetch(address, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE), ...more });
  const post = (address, more) => {
    const token = one("[name=csrfmiddlewaretoken]")?.value ?? "";
    return ask(address, { method: "POST", headers: { "X-CSRFToken": token }, ...more });
  };

  const tell = (words) => {
    const live = one("#live") ?? one("#told");
    live.textContent = "";
    live.textContent = words;
  };

  const empty = () => {
    gone = true;
    window.speechSynthesis?.cancel();
    for (const part of all("#main, #back, #ticket")) part.replaceChildren();
    document.title = dataset.title;
  };
  const forget = () => {
    sessionStorage.clear();
    localStorage.clear();
  };
  const first = (hash = "") => location.replace(dataset.first + hash);

  const lock = () => {
    empty();
    first();
  };

  const close = (name) => one(name)?.open && one(name).close();
  const open = (name) => {
    const box = one(name);
    if (box && !box.open) box.showModal();
  };

  // Ends the visit. What can be read is gone before the server is asked, and stays gone if it is away.
  const leave = async () => {
    empty();
    forget();
    close("#idle");
    close("#leaving");
    try {
      const { status } = await post(dataset.leave, { redirect: "manual" });
      if (status >= 500) throw new Error(status);
      first("#cleared");
    } catch {
      open("#away");
      setTimeout(leave, PULSE);
    }
  };

  const pulse = async () => {
    try {
      const { ok, status } = await ask(dataset.pulse);
      if (status === 410 && !isLocked()) lock();
      return ok;
    } catch {
      return false;
    }
  };

  const beat = async () => {
    if (gone) return;
    const there = await pulse();
    if (gone) return;
    if (!there && isFirst()) open("#away"); // or somebody would begin, only to be stopped
    if (!there) return;
    close("#away");
    if (!isLocal() && !isLocked()) return;
    sessionStorage.setItem(SINCE, touched); // nobody has touched it for that
    if (dataset.offline.split(" ").includes(location.pathname)) first();
    else location.replace(location.href); // the same question again
  };

  // Each page takes the place of the one before it, so that Back leads nowhere.

  let moving = false;
  const once = async (step) => {
    if (moving || gone) return;
    moving = true;
    root.toggleAttribute("data-busy", true);
    try {
      await step();
    } catch {
      open("#away");
    } finally {
      moving = false;
      root.toggleAttribute("data-busy", false);
    }
  };

  const move = (address) =>
    once(async () => {
      if (await pulse()) location.replace(address);
      else if (!gone) open("#away");
    });

  const land = () => {
    const place = one("#main [data-focus]") ?? one("#main h1");
    if (place?.matches("[data-focus]")) document.dispatchEvent(new Event("htmx:afterSettle"));
    else prepare();
    place?.setAttribute("tabindex", "-1");
    place?.focus();
  };

  // A post that is answered with a page and no other address.
  const show = (html) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("#main");
    if (!main) throw new Error("not a page of ours");
    document.title = page.title;
    for (const style of page.querySelectorAll("head [rel=stylesheet]")) {
      if (!one(`head [href="${style.getAttribute("href")}"]`)) document.head.append(style);
    }
    one("#back")?.remove();
    one("#main").replaceWith(...[page.querySelector("#back"), main].filter(Boolean));
    window.htmx?.process(main);
    land();
  };

  const send = (form, button) =>
    once(async () => {
      const address = button?.getAttribute("formaction") ?? form.getAttribute("action");
      const fields = new FormData(form, button);
      const answer = await post(address, { body: new URLSearchParams(fields) });
      if (answer.redirected) location.replace(answer.url);
      else if (answer.status === 410) lock();
      else show(await answer.text());
    });

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    if (!link || event.defaultPrevented) return;
    event.preventDefault();
    const { origin, pathname, search, hash } = new URL(link.href);
    if (origin !== location.origin) return; // there is no way out
    if (hash && pathname === location.pathname && search === location.search) one(hash)?.focus();
    else move(link.href);
  });
  addEventListener("auxclick", (event) => event.preventDefault());

  // What htmx sends itself it has kept from being sent by the time it arrives here.
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    if (event.defaultPrevented || form.method === "dialog") return;
    event.preventDefault();
    if (form.id !== "leave") send(form, submitter);
    else if (isOutcome() || !("visit" in dataset)) leave();
    else askFirst();
  });

  document.addEventListener("htmx:configRequest", ({ detail }) => (detail.timeout = PATIENCE));
  document.addEventListener("htmx:beforeHistoryUpdate", ({ detail }) => {
    detail.history.type = "replace";
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr } = event.detail;
    if (xhr.status === 403) beat(); // the kiosk may be locked: it says so
    if (xhr.status !== 410 && !xhr.getResponseHeader("HX-Redirect")) return;
    event.preventDefault(); // the visit has ended
    lock();
  });
  for (const failure of ["sendError", "timeout", "responseError"]) {
    document.addEventListener("htmx:" + failure, ({ detail: { xhr } }) => {
      if (SILENT.includes(xhr.status)) open("#away");
    });
  }

  addEventListener("pagehide", empty);
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    event.stopImmediatePropagation();
    lock();
  });

  // Whether somebody is still there

  let times = 1; // twice as long for whoever asked for it
  let touched = Date.now();
  let heard = Date.now();
  let endsAt = 0; // with the warning open
  let shownAt = Date.now();

  const now = () => Date.now();
  const limit = () =>
    Number(isOutcome() ? dataset.idleOutcome : dataset.idleQuestion) * 1000 * times;
  const warning = () => Number(dataset.warning) * 1000;

  const here = async () => {
    if (!("visit" in dataset) || now() - heard < HERE) return;
    heard = now();
    try {
      const { status, redirected } = await post(dataset.here);
      if (status === 410 || redirected) lock();
    } catch {
      // It hears of the next touch.
    }
  };

  const beep = () => {
    if (!("sound" in dataset)) return;
    const audio = new AudioContext();
    const tone = audio.createOscillator();
    tone.connect(audio.destination);
    tone.onended = () => audio.close();
    tone.start();
    tone.stop(audio.currentTime + 0.3);
  };

  const warn = () => {
    endsAt = now() + warning();
    close("#leaving");
    open("#idle");
    countdown("#idle", endsAt);
    one("#idle [role=alert]").textContent = one("#idle h2").textContent;
    beep();
  };

  const stay = () => {
    touched = now();
    close("#idle");
    one("#idle [role=alert]").textContent = "";
    here();
  };

  let leavesAt = 0;
  const askFirst = () => {
    leavesAt = now() + LEAVING;
    open("#leaving");
    countdown("#leaving", leavesAt);
  };

  // An emergency stays until staff say that they know of it, or for three minutes.
  const isHeld = () => {
    const known = one("#known[data-hold]");
    return known && !known.querySelector("[data-acknowledged]") && now() - shownAt < HOLD;
  };

  const countdown = (box, until) => {
    const left = Math.max(0, Math.ceil((until - now()) / 1000));
    for (const place of all(box + " [data-left]")) {
      if (place.textContent !== String(left)) place.textContent = left;
    }
    if (left === 0) leave();
  };

  const tick = () => {
    if (gone || isLocked() || !one("#idle")) return;
    if (one("#leaving").open) return countdown("#leaving", leavesAt);
    if (one("#idle").open) return countdown("#idle", endsAt);
    if (isHeld()) {
      touched = now();
      here();
    }
    if (now() - touched < limit()) return;
    if (!isFirst()) return warn();
    const isAsItWas = location.pathname === dataset.first && !sessionStorage.length;
    touched = now();
    if (isAsItWas) return;
    forget();
    first();
  };

  const stir = (event) => {
    if (gone || !event.isTrusted) return;
    touched = now();
    const box = one("#idle");
    if (!box?.open) return here();
    endsAt = now() + warning();
    const isNext = event.type === "keydown" && isNextKey(event);
    if (event.target.closest?.("[data-finish]") || isNext || event.type === "pointerdown") return;
    // A key that chooses is left to the button that it presses.
    if (event.type === "keydown" && [" ", "Enter"].includes(event.key)) return;
    stay();
  };
  for (const event of ["pointerdown", "keydown", "click", "wheel"]) {
    addEventListener(event, stir, { capture: true, passive: true });
  }

  const presses = {
    larger: () => changeLook("larger"),
    contrast: () => changeLook("contrast"),
    clear: leave,
    stay,
    keep: () => close("#leaving"),
    more: async (button) => {
      const { ok, status } = await post(dataset.more).catch(() => ({ ok: false }));
      if (status === 410) return lock();
      if (!ok) return open("#away");
      times = 2;
      stay();
      button.disabled = true;
      tell(button.dataset.given);
    },
    cover: (button) => {
      const covered = one("#main").toggleAttribute("data-covered");
      [button.textContent, button.dataset.other] = [button.dataset.other, button.textContent];
      button.setAttribute("aria-pressed", covered);
    },
  };
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-press]");
    if (button) presses[button.dataset.press](button);
  });

  // Two keys are enough: one goes to the next control, one chooses. Tab with Space or Enter, or Space
  // with Enter: which it is, is seen from the first key that is pressed on a page.

  const CONTROLS = "a[href], button, input:not([type=hidden]), summary, main[tabindex='0']";
  let nextIs = "";

  const isNextKey = ({ key }) => key === "Tab" || (key === " " && nextIs === " ");

  // Whether there is text between what can be seen and this control that nobody would have read.
  const skips = (main, control) => {
    const { scrollHeight, clientHeight, scrollTop } = main;
    const below = control?.getBoundingClientRect().top - main.getBoundingClientRect().bottom;
    const isOutside = !main.contains(control);
    return scrollTop + clientHeight < scrollHeight - 20 && (isOutside || below > clientHeight);
  };

  const goOn = (back) => {
    const around = one("dialog:modal") ?? document;
    const controls = [...around.querySelectorAll(CONTROLS)].filter(
      (each) => !each.disabled && each.checkVisibility({ visibilityProperty: true }),
    );
    const on = document.activeElement;
    const at = controls.indexOf(on);
    const { DOCUMENT_POSITION_FOLLOWING: after } = Node;
    const start = on === document.body ? one("#main") ?? on : on;
    const following = controls.findIndex((each) => start.compareDocumentPosition(each) & after);
    const main = one("#main");
    let to = at < 0 ? following : at + 1;
    if (back) to = at < 0 ? (following < 0 ? controls.length : following) - 1 : at - 1;
    const control = controls.at(to < controls.length ? to : 0);
    const isUnread = !back && around === document && skips(main, control);
    if (isUnread) main.scrollBy(0, main.clientHeight * 0.8);
    else control?.focus();
  };

  const field = () => one("#main input[inputmode]");

  addEventListener("keydown", (event) => {
    const { key, repeat } = event;
    const on = document.activeElement;
    // Find, print, save, the source of the page in a tab that stays: none of it is for here.
    const isOfTheBrowser = event.ctrlKey || event.altKey || event.metaKey || /^F\d/.test(key);
    if (isOfTheBrowser) return event.preventDefault();
    if (key === " " && !nextIs) nextIs = on.matches(CONTROLS) ? "Tab" : " ";
    if (key === "Tab") nextIs = "Tab";
    if (repeat && (key === " " || key === "Enter")) return event.preventDefault();
    if (isNextKey(event)) {
      event.preventDefault();
      goOn(event.shiftKey);
    } else if (key === " " && on.matches("a, [inputmode]")) {
      event.preventDefault();
      if (on.matches("a")) on.click();
    } else if (key === "Enter" && on.matches("[type=radio], [type=checkbox]")) {
      event.preventDefault(); // it would send the form
      on.click();
    } else if (field() && (/^\d$/.test(key) || key === "Backspace")) {
      field().readOnly = false;
      field().focus(); // and there the key goes on to do what it does
    }
  });

  // The number pad

  const DIGITS = 3; // where the field does not say how many it takes
  const press = (key) => {
    const { value, maxLength, type } = field();
    const most = maxLength > 0 ? maxLength : DIGITS;
    field().value = key === "" ? value.slice(0, -1) : (value + key).slice(0, most);
    if (type === "text") tell(field().value || dataset.delete);
  };
  const keyOf = (key) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain";
    button.textContent = key || dataset.delete;
    button.addEventListener("click", () => press(key));
    return button;
  };
  const padOf = () => {
    const pad = document.createElement("div");
    pad.className = "pad";
    pad.setAttribute("role", "group");
    pad.setAttribute("aria-label", dataset.pad);
    pad.append(...["1", "2", "3", "4", "5", "6", "7", "8", "9", "", "0"].map(keyOf));
    return pad;
  };

  // A finger is not to call up the keyboard of the system, with what it remembers.
  addEventListener(
    "pointerdown",
    () => {
      if (field()) field().readOnly = true;
    },
    true,
  );

  const prepare = () => {
    for (const each of all("form, input")) {
      each.setAttribute("autocomplete", "off");
      each.setAttribute("autocapitalize", "off");
      each.setAttribute("spellcheck", "false");
    }
    if (field() && !one(".pad")) {
      field().setAttribute("inputmode", "none");
      field().closest("p").after(padOf());
    }
    // A long text is scrolled with the arrow keys, which needs a place to begin.
    if (!one("#main").querySelector(CONTROLS)) one("#main").tabIndex = 0;
    shownAt = now();
    sessionStorage.removeItem("htmx-current-path-for-history");
  };
  document.addEventListener("htmx:afterSettle", prepare);

  // Do staff know?

  const learn = async () => {
    const place = one("#known");
    if (!place || gone) return;
    try {
      const answer = await ask(dataset.known);
      if (answer.status === 410 || answer.redirected) return lock();
      if (!answer.ok) return;
      const said = new DOMParser().parseFromString(await answer.text(), "text/html").body;
      const words = (each) => each.textContent.replace(/\s+/g, " ").trim();
      if (words(said) && words(said) !== words(place)) place.replaceChildren(...said.childNodes);
    } catch {
      // What it says may be old by now: the next look tells.
    }
  };

  // What is read aloud is scrolled to within the page, whose foot the bar covers.
  new MutationObserver(() => one("[data-reading]")?.scrollIntoView({ block: "nearest" })).observe(
    document,
    { subtree: true, attributeFilter: ["data-reading"] },
  );

  // What a finger must not do here

  for (const event of ["contextmenu", "dragstart", "dragover", "drop", "gesturestart", "selectstart"]) {
    document.addEventListener(event, (each) => each.preventDefault());
  }
  addEventListener("wheel", (event) => event.ctrlKey && event.preventDefault(), { passive: false });

  let held = 0;
  addEventListener("pointerdown", ({ clientX, clientY }) => {
    clearTimeout(held);
    const go = () => (isLocked() ? location.replace(dataset.menu) : move(dataset.menu));
    if (clientX < CORNER && clientY < CORNER) held = setTimeout(go, PRESS);
  });
  for (const event of ["pointerup", "pointercancel"]) addEventListener(event, () => clearTimeout(held));

  document.addEventListener("DOMContentLoaded", () => {
    look();
    if (isFirst()) {
      if (sessionStorage.getItem(VISITED) !== null) {
        forget(); // the server ended a visit of which nobody took leave
        look();
      }
      for (const each of all("[data-start]")) each.hidden = false;
      if (location.hash) {
        one("#cleared").hidden = false;
        history.replaceState(null, "", location.pathname);
        setTimeout(() => (one("#cleared").hidden = true), PULSE);
      }
    }
    prepare();
    touched = Number(sessionStorage.getItem(SINCE)) || now();
    sessionStorage.removeItem(SINCE);
    beat();
    setInterval(tick, 500);
    setInterval(beat, PULSE);
    setInterval(learn, KNOWN);
    const kept = new URLSearchParams(dataset.offline.split(" ").map((page) => ["page", page]));
    navigator.serviceWorker?.register(`${dataset.worker}?${kept}`, { scope: "/" }).catch(() => {});
  });
}
