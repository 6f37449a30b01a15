// Shows one artwork after the other. Two layers take turns, and nothing is ever added to the page, so that it can run for
// weeks; what cannot be loaded is passed over, and the artwork that is shown stays until the next one is there.

const query = new URLSearchParams(location.search);
const asked = Number(query.get("seconds"));
const seconds = asked >= 0.2 && asked <= 3600 ? asked : Number(document.body.dataset.seconds);
const still = matchMedia("(prefers-reduced-motion: reduce)");
const fade = Math.min(2.4, seconds / 3); // seconds
const READY = 10000; // milliseconds that a film may take until it can be played
const NEWS = Math.max(30, seconds) * 1000; // milliseconds between two looks for new artworks
const layers = [...document.querySelectorAll(".layer")];
const parts = layers.map((layer) => ({
  layer,
  sources: layer.querySelectorAll("source"),
  image: layer.querySelector("img"),
  picture: layer.querySelector("picture"),
  video: layer.querySelector("video"),
  lines: layer.querySelectorAll(".poem span"),
  note: layer.querySelector(".note"),
}));
const suffixes = ["avif", "webp"];
let works = [];
let shown = parts.findIndex(({ layer }) => layer.classList.contains("shown"));
let last = 0; // the id of the artwork that is shown
let place = -1;
let nextNews = 0;

document.documentElement.style.setProperty("--fade", `${fade}s`);

const pause = (time) => new Promise((done) => setTimeout(done, time));

function addresses(work, suffix) {
  return work.widths.map((width) => `/pictures/${work.id}/${width}.${suffix} ${width}w`).join(", ");
}

// What is new comes next; where the server does not answer, the artworks that are known go on.
async function look() {
  if (performance.now() < nextNews) return;
  nextNews = performance.now() + NEWS;
  try {
    const answer = await fetch("/wall/works.json", { cache: "no-cache" });
    if (!answer.ok) return;
    const found = (await answer.json()).works.filter((work) => work.widths.length);
    const known = new Set(works.map((work) => work.id));
    const isNew = works.length > 0 && found.length > 0 && !known.has(found[0].id);
    works = found;
    place = isNew ? -1 : works.findIndex((work) => work.id === last);
  } catch {
    // off-line
  }
}

// Let a film take its picture's place once it can be played; where it cannot, the picture stays.
async function play(part, work) {
  const { video, picture } = part;
  rest(part);
  if (!work.film || still.matches) return;
  video.width = work.width;
  video.height = work.height;
  video.src = work.film;
  const ready = new Promise((done) => { video.oncanplay = () => done(true); video.onerror = () => done(false); });
  if (await Promise.race([ready, pause(READY)]) !== true) return rest(part);
  try {
    await video.play();
    video.hidden = false;
    picture.hidden = true;
  } catch {
    rest(part);
  }
}

// The frame fits the picture, whatever its form: the style sheet needs to know it.
function proportion(image) {
  const { width, height } = image.attributes;
  if (height) image.closest(".frame").style.setProperty("--ratio", width.value / height.value);
}
proportion(document.querySelector(".layer img"));

// End a film and free what it holds.
function rest({ video, picture }) {
  video.oncanplay = video.onerror = null;
  if (video.hasAttribute("src")) {
    video.pause();
    video.removeAttribute("src");
    video.load();
  }
  video.hidden = true;
  picture.hidden = false;
}

// Load an artwork into the hidden layer; whether it is there to be shown.
async function load(part, work) {
  part.sources.forEach((source, number) => { source.srcset = addresses(work, suffixes[number]); });
  part.image.width = work.width;
  part.image.height = work.height;
  proportion(part.image);
  part.image.srcset = addresses(work, "jpg");
  part.image.src = `/pictures/${work.id}/${work.widths.at(-1)}.jpg`;
  part.image.alt = work.alt;
  part.lines.forEach((line, number) => { line.textContent = work.lines[number] ?? ""; });
  part.note.textContent = `${work.mood} · ${work.date}`;
  try {
    await part.image.decode();
    if (part.image.naturalWidth > 0) await play(part, work);
    return part.image.naturalWidth > 0;
  } catch {
    return false;
  }
}

// Fade the hidden layer in over the other one, which is hidden afterwards.
async function change() {
  const before = parts[shown];
  shown = 1 - Math.max(shown, 0);
  const { layer } = parts[shown];
  if (!still.matches) {
    layer.classList.add("waiting");
    void layer.offsetWidth;
    layer.classList.add("top");
    layer.classList.replace("waiting", "shown");
    const fading = layer.getAnimations();
    await Promise.race([Promise.allSettled(fading.map((one) => one.finished)), pause(fade * 1000 + 5000)]);
    for (const one of fading) one.finish(); // a page that nobody sees is animated late
  }
  layer.classList.add("shown");
  layer.classList.remove("top", "waiting");
  layer.removeAttribute("aria-hidden");
  if (before && before.layer !== layer) {
    before.layer.classList.remove("shown");
    before.layer.setAttribute("aria-hidden", "true");
    rest(before);
  }
  document.querySelector(".empty")?.setAttribute("hidden", "");
}

async function next() {
  for (let tries = 0; tries < works.length; tries += 1) {
    place = (place + 1) % works.length;
    const work = works[place];
    if (work.id === last) continue;
    if (await load(parts[1 - Math.max(shown, 0)], work)) {
      last = work.id;
      await change();
      return;
    }
  }
}

// Everything that the page needs is kept by a service worker, so that it goes on without a connection.
async function prepare() {
  if (!("serviceWorker" in navigator)) return;
  try {
    await navigator.serviceWorker.register("/wall/worker.js", { scope: "/wall" });
    await navigator.serviceWorker.ready;
    const needed = performance.getEntriesByType("resource").map((entry) => entry.name);
    await Promise.allSettled(needed.map((address) => fetch(address)));
  } catch {
    // no secure connection: the page works, but not off-line
  }
  performance.clearResourceTimings();
  performance.setResourceTimingBufferSize(0);
}

document.addEventListener("dblclick", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.().catch(() => {});
});
document.addEventListener("visibilitychange", awake);

async function awake() {
  if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen").catch(() => {});
}

await look();
if (shown >= 0) {
  const id = Number(/\/pictures\/(\d+)\//.exec(parts[shown].image.src)?.[1] ?? 0);
  last = id;
  place = works.findIndex((work) => work.id === id);
  if (place >= 0) play(parts[shown], works[place]);
}
awake();
prepare();
for (;;) {
  await pause(seconds * 1000);
  await look();
  await next();
}
