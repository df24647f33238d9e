// Keeps the desk's page live, and says aloud what must not be missed, even that it no longer is live.
{
  const one = (selector) => document.querySelector(selector);
  const desk = one("#desk");
  const plainTitle = document.title.replace(/^\(\d+\) /, "");
  const EVERY = 3500; // milliseconds from one poll to the next
  const MISSED = 2; // polls without an answer, until the page says that it shows nothing
  const REMIND = 30_000;

  // Sound

  const button = one("#sound");
  const SOUND = "desk-sound";
  let wanted = localStorage.getItem(SOUND) !== "off";
  let speaker; // Chromium lets it play once somebody has clicked on the page
  const ALERT = [[880, 0, 0.18], [660, 0.22, 0.18], [880, 0.44, 0.18], [660, 0.66, 0.3]];
  const LOST = [[330, 0, 0.5], [220, 0.6, 0.9]];

  const showSound = () => {
    button.textContent = wanted ? "Sound is on" : "Sound is off";
    one("#mute").hidden = !wanted || speaker.state === "running";
  };

  const play = (notes) => {
    desk.dataset.played = Number(desk.dataset.played ?? 0) + 1;
    if (!wanted || speaker.state !== "running") return;
    for (const [pitch, start, lasts] of notes) {
      const tone = new OscillatorNode(speaker, { frequency: pitch, type: "triangle" });
      const volume = new GainNode(speaker, { gain: 0 });
      const from = speaker.currentTime + start;
      // It swells and fades, as a square edge clicks.
      volume.gain.setValueAtTime(0, from);
      volume.gain.linearRampToValueAtTime(0.6, from + 0.02);
      volume.gain.linearRampToValueAtTime(0, from + lasts);
      tone.connect(volume).connect(speaker.destination);
      tone.start(from);
      tone.stop(from + lasts);
    }
  };

  // Alerts

  const rung = new Set();

  const announce = () => {
    const alarms = [...document.querySelectorAll("[data-ring]")];
    const fresh = alarms.filter(({ dataset }) =>
      dataset.ring.split(" ").some((stamp) => !rung.has(stamp)),
    );
    for (const { dataset } of alarms) for (const stamp of dataset.ring.split(" ")) rung.add(stamp);
    for (const alarm of fresh) alarm.setAttribute("data-fresh", "");
    if (fresh.length) {
      one("#said").textContent = fresh.map(({ dataset }) => dataset.said).join(" ");
      play(ALERT);
    }
  };

  const showTitle = () => {
    const count = Number(one("#lists")?.dataset.count ?? 0);
    document.title = lost ? `No alerts! ${plainTitle}` : (count ? `(${count}) ` : "") + plainTitle;
  };

  // Whether anything is shown here at all

  let lost = "";
  let missed = 0;
  let heardAt = new Date();
  let remindedAt = 0;

  const show = (why) => {
    if (lost !== why) {
      lost = why;
      const box = one("#lost");
      for (const part of box.querySelectorAll("[data-why]")) part.hidden = part.dataset.why !== why;
      box.querySelector("time").textContent = heardAt.toLocaleTimeString("en-GB", { timeStyle: "short" });
      box.hidden = !why;
      desk.toggleAttribute("data-lost", Boolean(why));
      remindedAt = 0;
      // Whoever comes by sees nobody's ticket on a screen that nobody is signed in at.
      if (why === "signed-out") one("#lists").replaceChildren();
      showTitle();
    }
    remind();
  };

  const remind = () => {
    if (!lost || Date.now() - remindedAt < REMIND) return;
    remindedAt = Date.now();
    play(LOST);
  };

  const isPoll = ({ detail }) => detail.elt.id === "poll";

  // A network that asks people to sign in answers everything with a page of its own.
  const isOurs = ({ status, responseText }) => status === 204 || responseText.includes('id="poll"');

  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (!isOurs(detail.xhr)) detail.shouldSwap = false;
  });

  document.addEventListener("htmx:afterRequest", (event) => {
    const { successful, xhr } = event.detail;
    if (successful && isOurs(xhr)) {
      missed = 0;
      heardAt = new Date();
      one("#not-done").hidden = true;
      return show("");
    }
    if (!isPoll(event)) return (one("#not-done").hidden = false);
    if (xhr.status === 401 || xhr.status === 403) return show("signed-out");
    missed += 1;
    if (missed >= MISSED) show("network");
  });

  // A folded list stays as it was, and focus that lost its button goes to the heading.
  let unfolded = false;
  document.addEventListener("htmx:oobBeforeSwap", () => {
    unfolded = one("#left")?.open;
  });
  document.addEventListener("htmx:oobAfterSwap", () => {
    if (unfolded && one("#left")) one("#left").open = true;
    announce();
    showTitle();
  });
  let pressed = false;
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (!isPoll(event)) pressed = true;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (pressed && document.activeElement === document.body) one("#alarms")?.focus();
    pressed = false;
  });

  const look = () => htmx.trigger("#poll", "look");
  let ticks = 0;
  const tick = () => {
    ticks += 1;
    remind();
    // Somebody may sign in on another page, which is found soon enough at a tenth of the pace.
    if (lost !== "signed-out" || ticks % 10 === 0) look();
  };
  const clock = new Worker(desk.dataset.ticks);
  clock.onmessage = tick;
  clock.onerror = () => setInterval(tick, EVERY); // slower than it should be in a page behind others
  clock.postMessage(EVERY);

  // A page that the browser kept shows what was.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
  addEventListener("online", look);
  document.addEventListener("visibilitychange", () => document.hidden || look());

  speaker = new AudioContext();
  speaker.onstatechange = showSound;
  for (const touch of ["pointerdown", "keydown"]) {
    addEventListener(touch, () => speaker.state === "running" || speaker.resume());
  }
  button.addEventListener("click", () => {
    wanted = !wanted;
    localStorage.setItem(SOUND, wanted ? "on" : "off");
    showSound();
    if (wanted) speaker.resume().then(() => play(ALERT.slice(0, 2)));
  });
  button.parentElement.hidden = false;
  one("#still").hidden = true;
  showSound();
  announce();
  showTitle();
}
