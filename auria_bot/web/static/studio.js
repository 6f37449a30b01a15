// Shows an artwork while it is being made. Without this the page loads itself anew; what it shows is the same.

const page = document.querySelector("[data-events]");
const easel = page.querySelector(".easel");
const status = page.querySelector(".status");
const poem = page.querySelector(".poem");
let busy = false; // a picture is being loaded
let latest = ""; // the newest one that is to be shown

// The next picture fades in over the last one, once it is there; those that came meanwhile are passed over.
async function show(address) {
  latest = address;
  if (busy) return;
  busy = true;
  while (latest) {
    const wanted = latest;
    latest = "";
    const [front, back] = easel.querySelectorAll("img");
    const next = front.classList.contains("shown") ? back : front;
    next.src = wanted;
    try {
      await next.decode();
    } catch {
      continue; // it is gone already, because the artwork is finished
    }
    easel.append(next); // above the other one
    next.hidden = false;
    void next.offsetWidth;
    next.classList.add("shown");
    easel.setAttribute("aria-label", easel.dataset.label);
    await new Promise((done) => setTimeout(done, 950));
    for (const image of easel.querySelectorAll("img")) image.classList.toggle("shown", image === next);
  }
  busy = false;
}

// The lines of the poem come one after the other.
function write(lines) {
  poem.replaceChildren(...lines.map((line, place) => {
    const span = document.createElement("span");
    span.textContent = line;
    span.className = "new";
    span.style.animationDelay = `${place * 0.8}s`;
    return span;
  }));
}

function mark(step, state, facts) {
  for (const item of page.querySelectorAll("[data-steps]")) {
    const steps = item.dataset.steps.split(" ");
    if (!steps.includes(step)) continue;
    const done = (state === "done" || state === "reused") && step === steps.at(-1);
    item.className = done ? "done" : state === "rejected" ? "" : "now";
    item.querySelector(".visually-hidden").textContent = done ? `, ${page.dataset.done}` : `, ${page.dataset.now}`;
    const fact = item.querySelector(".fact");
    if (step === "mood" && facts.mood_name) fact.textContent = facts.mood_name;
    if (facts.style) fact.textContent = facts.style;
    else if (facts.layer) fact.textContent = `${facts.layer}/${facts.layers}`;
  }
}

const source = new EventSource(page.dataset.events);
source.addEventListener("queue", (event) => {
  const { ahead, paused } = JSON.parse(event.data);
  const begun = page.querySelector(".stages .now, .stages .done");
  if (paused) status.textContent = page.dataset.paused;
  else if (ahead) status.textContent = ahead === 1 ? page.dataset.aheadOne : page.dataset.aheadOther.replace("%", ahead);
  else status.textContent = begun ? "" : page.dataset.next;
});
source.addEventListener("step", (event) => {
  const { step, state, facts, picture } = JSON.parse(event.data);
  status.textContent = "";
  mark(step, state, facts);
  if (facts.lines && (state === "done" || !poem.querySelector("span:not(.wait)"))) write(facts.lines);
  if (facts.alt_text) page.querySelector(".words > .alt").textContent = facts.alt_text;
  if (picture) show(picture);
});
source.addEventListener("end", () => {
  source.close();
  location.reload();
});
source.addEventListener("error", () => {
  status.textContent = page.dataset.lost;
  if (source.readyState === EventSource.CLOSED) setTimeout(() => location.reload(), 10000);
});
source.addEventListener("open", () => { if (status.textContent === page.dataset.lost) status.textContent = ""; });
