// Keeps what the page /wall needs: a service worker with two bounded caches.

const PAGE = "wall-page-1"; // the page, its list of artworks, styles, scripts and fonts
const PICTURES = "wall-pictures-1";
const MOST = { [PAGE]: 16, [PICTURES]: 60 };

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(PAGE).then((cache) => cache.addAll(["/wall", "/wall/works.json"])));
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("wall-") && !(name in MOST)) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function keep(name, key, answer) {
  if (!answer.ok) return;
  const cache = await caches.open(name);
  await cache.delete(key);
  await cache.put(key, answer);
  const keys = await cache.keys(); // the oldest first
  for (const old of keys.slice(0, Math.max(0, keys.length - MOST[name]))) {
    const path = new URL(old.url).pathname;
    if (path !== "/wall" && path !== "/wall/works.json") await cache.delete(old);
  }
}

// What changes: from the server, or else as it was.
async function fresh(event, key) {
  try {
    const answer = await fetch(event.request);
    event.waitUntil(keep(PAGE, key, answer.clone()));
    return answer;
  } catch {
    return (await caches.match(key)) ?? Response.error();
  }
}

// What never changes: as it is known, or else from the server.
async function lasting(event, name) {
  const known = await (await caches.open(name)).match(event.request.url);
  if (known) return known;
  const answer = await fetch(event.request);
  event.waitUntil(keep(name, event.request.url, answer.clone()));
  return answer;
}

self.addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname === "/wall" || pathname === "/wall/works.json") event.respondWith(fresh(event, pathname));
  else if (pathname.startsWith("/static/")) event.respondWith(lasting(event, PAGE));
  else if (pathname.startsWith("/pictures/")) event.respondWith(lasting(event, PICTURES));
});
