// Improves the desk's pages; each works without it.

// Single keys, as in the terminal's review: a approve, r reason, u undo, n next.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const review = document.querySelector(".review");
  if (!review) return;
  if (event.key === "n" && review.dataset.next) location.assign(review.dataset.next);
  const form = ["a", "r", "u"].includes(event.key) && document.querySelector(`form[data-key="${event.key}"]`);
  if (!form) return;
  event.preventDefault();
  const reason = form.querySelector("input[name=reason]");
  if (reason) reason.focus();
  else form.requestSubmit();
});

// A swipe to the left or right on the picture goes to the next draft.
const picture = document.querySelector(".review .picture");
let start = null;
picture?.addEventListener("touchstart", (event) => { start = event.touches.length === 1 ? event.touches[0].clientX : null; }, { passive: true });
picture?.addEventListener("touchend", (event) => {
  const next = document.querySelector(".review").dataset.next;
  if (start !== null && Math.abs(event.changedTouches[0].clientX - start) > 80 && next) location.assign(next);
});

// Characters as they are typed, counted as people see them; the exact count of each platform stands there after saving.
for (const area of document.querySelectorAll("textarea[data-counter]")) {
  const counters = document.getElementById(area.dataset.counter).querySelectorAll("span");
  const segments = Intl.Segmenter ? new Intl.Segmenter() : null;
  const count = (text) => (segments ? [...segments.segment(text)].length : [...text].length);
  const before = count(area.value);
  const known = [...counters].map((counter) => Number(/(\d+)(?:\/\d+)?$/.exec(counter.textContent.trim())?.[1] ?? before));
  area.addEventListener("input", () => {
    counters.forEach((counter, at) => {
      const now = known[at] + count(area.value) - before;
      counter.textContent = counter.textContent.trim().replace(/\d+(\/\d+)?$/, (_, most) => now + (most ?? ""));
      counter.classList.toggle("over", counter.dataset.most !== "" && now > Number(counter.dataset.most));
    });
  });
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
