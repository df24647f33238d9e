// Reads the open page aloud, sentence by sentence. What it knows lives and dies with the page.

const one = (selector) => document.querySelector(selector);
const reader = one("#read");
const stopper = one("#stop");
const header = reader.closest("header");
const words = { ready: reader.textContent, reading: reader.dataset.pause, paused: reader.dataset.goOn };
const { lang } = document.documentElement;

const PLACES = "h1, h2, h3, h4, p, li, dt, dd, summary, figcaption, .option, button";

// Drawings, what is folded away or said elsewhere, and controls that are no reply.
const UNREAD =
  "svg, .vh, .caption, .error, .row a, li > a.screen, details:not([open])," +
  " button:not([name=decline]), .button:not(.call)";

let voices; // gives those of this device that speak the language of the page
let state = "off"; // or ready, reading, paused: on from one question to the next until it is stopped
let sentences = []; // of this page, in order: { place, text }, and { box } where only a tick counts
let at = 0; // the one being read
let spoken = null; // what the voice says; kept, or Chromium forgets to tell when it ends
let breath = 0;

const cut = (text) =>
  // Chromium falls silent within long texts. A browser that cannot cut them does not need it.
  Intl.Segmenter
    ? [...new Intl.Segmenter(lang, { granularity: "sentence" }).segment(text)].map(({ segment }) => segment.trim())
    : [text];

const collect = () => {
  const parts = [];
  const texts = document.createTreeWalker(one("#main"), NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const { data, parentElement: around } = texts.currentNode;
    const place = around.closest(PLACES) ?? around;
    const goesOn = parts.at(-1)?.place === place;
    if (around.closest(UNREAD) || !around.getClientRects().length) continue;
    if (goesOn) parts.at(-1).text += data;
    else if (data.trim()) parts.push({ place, text: data });
  }
  sentences = parts.flatMap(({ place, text }) => {
    const plain = text.replace(/\s+/g, " ").trim();
    const box = place.matches(".option") && place.querySelector("input");
    return [
      ...cut(plain).map((text) => ({ place, text })),
      ...(box ? [{ place, text: reader.dataset.chosen, box }] : []),
    ];
  });
  at = 0;
};

const mark = (place) => {
  const marked = one("[data-reading]");
  if (marked === place) return;
  marked?.removeAttribute("data-reading");
  place?.setAttribute("data-reading", "");
  const { top, bottom } = place?.getBoundingClientRect() ?? {};
  if (top < 0 || bottom > innerHeight - reader.parentNode.offsetHeight) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place.scrollIntoView({ block: "start", behavior: still ? "instant" : "smooth" });
  }
};

const turn = (now) => {
  // The buttons leave the header for the foot of the window: nothing else moves for that.
  if (state === "off") header.style.minHeight = header.getBoundingClientRect().height + "px";
  if (now === "off") header.style.minHeight = "";
  state = now;
  reader.textContent = words[now] ?? words.ready;
  if (now === "off" && document.activeElement === stopper) reader.focus();
  stopper.hidden = now === "off";
  document.documentElement.toggleAttribute("data-aloud", now !== "off");
};

const hush = () => {
  spoken = null;
  clearTimeout(breath);
  speechSynthesis.cancel();
};

const say = () => {
  while (sentences[at]?.box?.checked === false) at += 1;
  const sentence = sentences[at];
  const voice = voices().find((voice) => voice.default) ?? voices()[0];
  mark(sentence?.place);
  if (!sentence || !voice) return turn("ready");
  const utterance = Object.assign(new SpeechSynthesisUtterance(sentence.text), {
    voice,
    lang: voice.lang,
    onend: () => {
      if (spoken !== utterance) return;
      at += 1;
      say();
    },
    // Another page may have taken the voice.
    onerror: () => spoken === utterance && pause(),
  });
  spoken = utterance;
  speechSynthesis.speak(utterance);
};

const read = () => {
  hush();
  turn("reading");
  breath = setTimeout(say, 100); // browsers swallow what is said in one breath with cancel()
};

// Not the browser's own pause(): on Android it ends the sentence and cannot be resumed.
const pause = () => {
  hush();
  turn("paused");
};

const stop = () => {
  hush();
  mark();
  turn("off");
};

const press = () => {
  if (state === "reading") return pause();
  if (state !== "paused") collect();
  read();
};

// The person answers, or goes elsewhere.
const leave = () => {
  hush();
  if (state === "reading") turn("ready");
};

// A new question. Who paused wants silence until they say so.
const arrive = () => {
  if (state === "off") return;
  collect();
  if (state !== "paused") read();
};

export const start = (given) => {
  voices = given;
  reader.onclick = press;
  press();
};

const style = document.createElement("link");
style.rel = "stylesheet";
style.href = reader.dataset.style;
document.head.append(style);

stopper.addEventListener("click", stop);
addEventListener("keydown", ({ key }) => key === "Escape" && state !== "off" && stop());
addEventListener("pagehide", leave);
for (const event of ["submit", "htmx:beforeSwap"]) document.addEventListener(event, leave);
document.addEventListener("htmx:afterSettle", arrive);
