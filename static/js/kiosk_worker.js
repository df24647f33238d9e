// Keeps one page, for when the server is away, and the files that it needs. Never a page of answers.

const KEPT = "kiosk";
const PATIENCE = 4000; // ms
const SILENT = [502, 504]; // what stands before the server says so in its place
const PLACE = "kiosk/offline";

const pages = new URL(location).searchParams.getAll("page");

const keep = async () => {
  const kept = await caches.open(KEPT);
  for (const page of pages) {
    const answer = await fetch(page, { cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(page);
    const text = await answer.clone().text();
    const files = [...text.matchAll(/(?:href|src)="(\/static\/[^"]+)"/g)].map(([, file]) => file);
    await kept.put(page, answer);
    await kept.addAll([...new Set(files)]);
  }
};

// The page in the language of the address: /es/kiosk/offline stands for all that begins with /es/.
const local = (address) => {
  const { pathname } = new URL(address);
  const fitting = pages.filter((page) => pathname.startsWith(page.slice(0, -PLACE.length)));
  return caches.match(fitting.sort((a, b) => b.length - a.length)[0]);
};

const answered = async (request) => {
  const waiting = new AbortController();
  const patience = setTimeout(() => waiting.abort(), PATIENCE);
  try {
    const answer = await fetch(request, { signal: waiting.signal });
    if (!SILENT.includes(answer.status)) return answer;
  } catch {
    // Away, or too slow.
  } finally {
    clearTimeout(patience);
  }
  return (await local(request.url)) ?? Response.error();
};

const file = async (request) => {
  try {
    const answer = await fetch(request);
    if (!SILENT.includes(answer.status)) return answer;
  } catch {
    // Away.
  }
  return (await caches.match(request)) ?? Response.error();
};

addEventListener("install", (event) => event.waitUntil(keep().then(() => skipWaiting())));
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(answered(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(file(request));
});
