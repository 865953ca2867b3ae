// `element` is the guide, `trigger` asks the server to fill in an example; what is remembered stays in this browser.
const KEY = "workbench-guide";
const remembered = () => { try { return JSON.parse(localStorage.getItem(KEY)) || {}; } catch { return {}; } };
const remember = (what) => { try { localStorage.setItem(KEY, JSON.stringify({ ...remembered(), ...what })); } catch { /* a browser that keeps nothing */ } };
const nav = element.querySelector(".wb-guide"), dialog = element.querySelector("dialog");
const steps = [...element.querySelectorAll("[data-step]")];
const tabOf = (id) => document.querySelector(`#tabs > .tab-wrapper [role=tab][data-tab-id="${id}"]`);
const told = new Map();  // what each view said last, by its id
let view = "", press = "";  // the view that is to be opened as soon as it is there, and the button to be pressed then

const unfold = (open) => {
  nav.classList.toggle("wb-unfolded", open);
  element.querySelector("[data-guide=open]").setAttribute("aria-expanded", String(open));
};
// A screen reader hears of a view that was drawn anew only through a region that was there before.
const news = () => {
  const heard = [];
  for (const id of told.keys()) if (!document.getElementById(id)?.querySelector("[data-says]")) told.delete(id);
  for (const part of document.querySelectorAll("[data-says]")) {
    const { id } = part.closest("[id]"), said = part.dataset.says;
    if (!part.parentElement.offsetParent || told.get(id) === said) continue;
    told.set(id, said);
    heard.push(said);
  }
  return heard;
};
const follow = () => {
  const heard = news();
  const done = remembered().done || [];
  for (const step of steps) {
    const id = step.dataset.step, name = step.querySelector(".wb-step-name");
    if (!done.includes(id) && document.querySelector(step.dataset.done)) {
      done.push(id);
      remember({ done });
      const title = name.querySelector("span").textContent.trim();
      heard.push(`Done: ${title}, ${done.length} of ${steps.length} steps`);
    }
    step.classList.toggle("wb-done", done.includes(id));
    const said = done.includes(id) ? " (done)" : "";
    if (name.querySelector("i").textContent !== said) name.querySelector("i").textContent = said;
    if (tabOf(id)?.getAttribute("aria-selected") === "true") name.setAttribute("aria-current", "step");
    else name.removeAttribute("aria-current");
  }
  if (heard.length) nav.querySelector("[role=status]").textContent = heard.join(". ");
  if (view) open();
  else if (press && document.getElementById(press)?.offsetParent) {
    const button = document.getElementById(press);
    press = "";
    button.click();
  }
};
const open = () => {
  const named = [...document.querySelectorAll("#tabs [role=tabpanel] [role=tab]")];
  const found = named.find((tab) => tab.textContent.trim() === view && tab.offsetParent);
  if (!found) return;
  view = "";
  found.click();
  requestAnimationFrame(follow);  // once what was filled in has been drawn
};
const lookUp = (term) => {
  search.value = "";
  sift();
  if (!dialog.open) dialog.showModal();
  const entry = term && dialog.querySelector(`[id="${CSS.escape(term)}"]`);
  if (!entry) return;
  dialog.querySelector(".wb-found")?.classList.remove("wb-found");
  entry.classList.add("wb-found");
  entry.scrollIntoView({ block: "center" });
  entry.focus();
};
const search = dialog.querySelector("input"), entries = [...dialog.querySelectorAll(".wb-term")];
const sift = () => {
  const words = search.value.trim().toLowerCase();
  for (const entry of entries) entry.hidden = !entry.textContent.toLowerCase().includes(words);
  dialog.querySelector(".wb-none").hidden = entries.some((entry) => !entry.hidden);
};

search.addEventListener("input", sift);
dialog.addEventListener("click", (event) => {
  if (event.target === dialog || event.target.closest("[data-close]")) dialog.close();
});
element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { guide, to, open } = button.dataset;
  if (guide) {
    const opens = guide === "open" && !nav.classList.contains("wb-unfolded");
    unfold(opens);
    remember({ folded: !opens });
    if (guide === "close") element.querySelector("[data-guide=open]").focus();
  }
  if (button.dataset.glossary !== undefined) lookUp();
  if (to) { view = press = ""; tabOf(to)?.click(); }
  if (!open) return;
  if (to === "playground") trigger("refill");
  Object.assign(nav.dataset, { wants: button.dataset.view, presses: button.dataset.press });
  trigger("select", { number: Number(open) });
});
// The server has filled the example in.
nav.addEventListener("filled", () => {
  [view, press] = [nav.dataset.wants || "", nav.dataset.presses || ""];
  document.getElementById("tabs").scrollIntoView({ block: "start" });
  follow();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.('a[href^="#term-"]');
  if (!link) return;
  event.preventDefault();
  lookUp(link.getAttribute("href").slice(1));
});

let waiting = false;
new MutationObserver(() => {
  if (waiting) return;
  waiting = true;
  setTimeout(() => { waiting = false; follow(); }, 200);
}).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["aria-selected"] });
unfold(!remembered().folded);
nav.hidden = false;
follow();
if (location.hash.startsWith("#term-")) lookUp(location.hash.slice(1));
