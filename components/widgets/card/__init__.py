"""What the card editor draws: findings, what is missing, facts, changes, and the card as the Hub shows it."""

#: A click on a button with `data-pick` tells the page its value.
PICKING = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-pick]");
  if (!button) return;
  element.dataset.picked = button.dataset.pick;
  trigger("select", { pick: button.dataset.pick });
});"""

#: Brings what was picked last in a list into sight, and puts the cursor there: `line NUMBER` of the text, `field PATH`
#: or `section TITLE` of the form. `LIST` stands for the list's id.
_TO_PLACE = """() => {
  const list = document.getElementById("LIST");
  const picked = (list.dataset.picked ? list : list.querySelector("[data-picked]")).dataset.picked;
  const [kind, place] = [picked.slice(0, picked.indexOf(" ")), picked.slice(picked.indexOf(" ") + 1)];
  const names = { line: "card-editor", section: "card-section-text", field: "card-f-" + place.replace(/[_.]/g, "-") };
  const name = place.startsWith("model-index") ? "card-results-part" : names[kind];
  const go = (left) => {
    // What was folded, or stood in another tab, is there a moment later.
    const target = document.getElementById(name);
    if (!target?.offsetParent) return left ? requestAnimationFrame(() => go(left - 1)) : undefined;
    target.scrollIntoView({ block: kind === "line" ? "nearest" : "center" });
    // CodeMirror's own way from its element to its view, EditorView.findFromDOM, is not to be had from here.
    const view = target.querySelector(".cm-content")?.cmTile?.root.view;
    if (kind !== "line") return target.querySelector("input, textarea, button")?.focus({ preventScroll: true });
    const line = view.state.doc.line(Math.min(Number(place), view.state.doc.lines));
    view.dispatch({ selection: { anchor: line.from, head: line.to }, scrollIntoView: true });
    view.focus();
  };
  if (name) go(60);
}"""


def to_place(elem_id: str) -> str:
    """JavaScript that leads to what was picked last in the list of that id."""
    return _TO_PLACE.replace("LIST", elem_id)
