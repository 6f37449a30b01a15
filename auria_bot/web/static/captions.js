// Words light up their region on hover and focus; a tap keeps it, the arrow keys walk from word to word, Escape shows the whole picture.
const stage = document.querySelector(".stage");
const words = [...document.querySelectorAll(".word")];
let kept = null;

const show = (word) => {
  stage.classList.toggle("choosing", true);
  for (const other of words) {
    const isNow = other === word;
    other.classList.toggle("now", isNow);
    document.getElementById(other.hash.slice(1)).classList.toggle("shown", isNow);
  }
};

for (const word of words) {
  word.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && show(word));
  word.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && show(kept));
  word.addEventListener("focus", () => show(word));
  word.addEventListener("blur", () => show(kept));
  word.addEventListener("click", (event) => {
    event.preventDefault();
    kept = kept === word ? null : word;
    show(kept);
  });
  word.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const visible = words.filter((one) => one.checkVisibility?.() ?? one.offsetParent);
    visible[(visible.indexOf(word) + step + visible.length) % visible.length].focus();
  });
}

const whole = () => {
  kept = null;
  if (stage) show(null);
};
document.querySelector(".whole")?.addEventListener("click", (event) => {
  event.preventDefault();
  whole();
});
document.addEventListener("keydown", (event) => event.key === "Escape" && whole());
