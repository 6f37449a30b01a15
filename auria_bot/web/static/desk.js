// Improves the desk's pages; each works without it.

const review = document.querySelector(".review");
const typing = (target) => target.closest("input, textarea, select, [contenteditable]");

// Single keys, as in the terminal's review. A page names what a key does: data-key submits, data-focus opens and focuses, data-open follows.
const press = (key) => {
  const target = document.querySelector(`[data-key="${key}"], [data-focus="${key}"], [data-open="${key}"]`);
  if (!target) return false;
  if (target.dataset.open) location.assign(target.href);
  else if (target.dataset.focus) reveal(target);
  else if (target instanceof HTMLFormElement) target.requestSubmit();
  else target.click();
  return true;
};
const reveal = (target) => {
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.querySelector("input:not([type=hidden]), textarea")?.focus();
  } else target.focus();
  target.scrollIntoView({ block: "center" });
};
// Whether they do anything is chosen at the end of each page (WCAG 2.1.4); the server is told by a cookie, and renders the choice.
const shortcuts = document.getElementById("shortcuts");
shortcuts?.addEventListener("change", () => {
  document.cookie = `auria_shortcuts=${shortcuts.checked ? "on" : "off"}; path=/desk; max-age=31536000; samesite=strict`;
});
const go = (address) => { if (address) location.assign(address); };
const list = [...document.querySelectorAll("[data-list] > li a")];
document.addEventListener("keydown", (event) => {
  if (!shortcuts?.checked) return;
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key;
  const step = { j: 1, n: 1, k: -1, b: -1 }[key];
  if (step && review) go(step > 0 ? review.dataset.next : review.dataset.previous);
  else if (step && list.length) {
    const at = list.indexOf(document.activeElement);
    list[Math.min(Math.max(at + step, 0), list.length - 1)].focus();
  } else if (key === "?") document.getElementById("keys")?.showModal();
  else if (!/^[a-z]$/.test(key) || !press(key)) return;
  event.preventDefault();
});

// A swipe on the picture: to the right approves, to the left opens the reason of a rejection.
const picture = document.querySelector(".review [data-swipe]");
if (picture) {
  let from = null;
  const moved = (event) => event.changedTouches[0].clientX - from;
  const settle = () => { picture.style.removeProperty("transform"); picture.removeAttribute("data-would"); from = null; };
  picture.addEventListener("touchstart", (event) => { from = event.touches.length === 1 ? event.touches[0].clientX : null; }, { passive: true });
  picture.addEventListener("touchmove", (event) => {
    if (from === null) return;
    const way = moved(event);
    picture.style.transform = `translateX(${way}px) rotate(${way / 60}deg)`;
    picture.dataset.would = Math.abs(way) > 110 ? (way > 0 ? "approve" : "reject") : "";
  }, { passive: true });
  picture.addEventListener("touchend", (event) => {
    if (from === null) return;
    const would = Math.abs(moved(event)) > 110 ? picture.dataset.would : "";
    settle();
    if (would) press(would === "approve" ? "a" : "r");
  });
  picture.addEventListener("touchcancel", settle);
}

// Characters as they are typed: at once as people see them, and a moment later as each platform counts, from the server.
const editor = document.querySelector("form[data-check]");
if (editor) {
  const segments = Intl.Segmenter ? new Intl.Segmenter() : null;
  const count = (text) => (segments ? [...segments.segment(text)].length : [...text].length);
  const show = (counter, characters) => {
    counter.querySelector("b").textContent = characters;
    counter.classList.toggle("over", characters > Number(counter.dataset.most || Infinity));
  };
  for (const area of editor.querySelectorAll("textarea")) {
    const counters = [...area.closest(".field").querySelectorAll("[data-counter]")];
    let before = count(area.value);
    area.addEventListener("input", () => {
      const now = count(area.value);
      for (const counter of counters) {
        const own = "own" in counter.dataset && !area.value.trim();
        if (!own) show(counter, (counter.dataset.now = Number(counter.dataset.now) + now - before));
      }
      before = now;
    });
  }
  let timer = 0;
  let asked = 0;
  const check = async () => {
    const number = (asked += 1);
    const answer = await fetch(editor.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(editor)) }).catch(() => null);
    if (!answer?.ok || number !== asked) return;
    for (const [channel, found] of Object.entries(await answer.json())) {
      const own = editor.elements[`text_${channel}`]?.value.trim();
      for (const counter of editor.querySelectorAll(`[data-counter="${CSS.escape(channel)}"]`)) {
        if ("own" in counter.dataset !== Boolean(own) && "own" in counter.dataset) continue;
        counter.hidden = Boolean(own) && !("own" in counter.dataset);
        counter.dataset.now = found.characters;
        show(counter, found.characters);
        counter.title = found.problems.join("\n");
      }
      const preview = document.querySelector(`.preview[data-channel="${CSS.escape(channel)}"]`);
      preview?.querySelector("[data-text]")?.replaceChildren(found.text);
      preview?.querySelector("[data-alt]")?.replaceChildren(found.alt_text);
      preview?.querySelector("[data-problems]")?.replaceChildren(...found.problems.map((words) => {
        const line = document.createElement("p");
        line.className = "warning";
        line.textContent = words;
        return line;
      }));
    }
  };
  editor.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(check, 400); });
}

// The progress of a run; the browser connects again by itself and goes on where it stopped.
const progress = document.querySelector("[data-events]");
if (progress?.dataset.events) {
  const source = new EventSource(progress.dataset.events);
  source.addEventListener("step", (event) => {
    const { step, state } = JSON.parse(event.data);
    const item = progress.querySelector(`[data-step="${CSS.escape(step)}"]`);
    item?.classList.toggle("done", state === "done" || state === "reused");
    item?.classList.toggle("now", state === "started");
  });
  source.addEventListener("end", () => { source.close(); location.reload(); });
}

// The calendar: an entry is dragged to another day, or picked up with m and moved with the arrow keys; both send its form.
const month = document.querySelector(".month");
if (month) {
  const days = [...month.querySelectorAll(".day")];
  const said = document.getElementById("said");
  const say = (key, day = "") => { said.textContent = said.dataset[key].replace("{day}", day); };
  const open = (day) => day.dataset.date >= month.dataset.today;
  const move = (entry, day) => {
    const form = entry.querySelector("form");
    if (day === entry.closest(".day") || !open(day)) return false;
    form.elements.date.value = day.dataset.date;
    form.requestSubmit();
    return true;
  };
  let picked = null;
  let target = null;
  const aim = (day) => {
    target?.classList.remove("target");
    target = day;
    target?.classList.add("target");
  };
  const leave = () => { picked?.classList.remove("picked"); picked = null; aim(null); };
  for (const entry of month.querySelectorAll("[draggable]")) {
    entry.addEventListener("dragstart", (event) => { picked = entry; entry.classList.add("picked"); event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", ""); });
    entry.addEventListener("dragend", leave);
    entry.addEventListener("keydown", (event) => {
      if (event.target !== entry.querySelector("a")) return;
      if (event.key === "m" && !picked) {
        picked = entry;
        entry.classList.add("picked");
        aim(entry.closest(".day"));
        say("picked");
      } else if (picked === entry) {
        const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }[event.key];
        if (step) {
          const day = days[days.indexOf(target) + step];
          if (day && open(day)) { aim(day); say("over", day.querySelector("h2").textContent.replace(/\s+/g, " ").trim()); }
        } else if (event.key === "Enter") {
          if (!move(entry, target)) { leave(); say("left"); }
        } else if (event.key === "Escape") { leave(); say("left"); } else return;
      } else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }
  for (const day of days) {
    day.addEventListener("dragover", (event) => { if (picked && open(day)) { event.preventDefault(); aim(day); } });
    day.addEventListener("drop", (event) => { event.preventDefault(); if (picked) move(picked, day); leave(); });
  }
}
