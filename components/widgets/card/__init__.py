"""What the card editor draws: findings, what is missing, facts, changes, and the card as the Hub shows it."""

#: A click on a button with `data-pick` tells the page its value.
PICKING = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-pick]");
  if (!button) return;
  element.dataset.picked = button.dataset.pick;
  trigger("select", { pick: button.dataset.pick });
});"""

#: Brings what was picked last in the list of what is missing into sight, and puts the cursor there.
TO_FIELD = """() => {
  const list = document.getElementById("card-lacking");
  const picked = (list.dataset.picked ? list : list.querySelector("[data-picked]")).dataset.picked;
  const [kind, place] = [picked.slice(0, picked.indexOf(" ")), picked.slice(picked.indexOf(" ") + 1)];
  let name = kind === "section" ? "card-section-text" : "card-f-" + place.replace(/[_.]/g, "-");
  if (place.startsWith("model-index")) name = "card-results-part";
  const go = (left) => {
    // What was folded is there a moment later.
    const target = document.getElementById(name);
    if (!target?.offsetParent) return left ? requestAnimationFrame(() => go(left - 1)) : undefined;
    target.scrollIntoView({ block: "center" });
    target.querySelector("input, textarea, button")?.focus({ preventScroll: true });
  };
  go(60);
}"""
