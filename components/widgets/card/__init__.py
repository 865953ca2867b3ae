"""What the card editor draws: findings, what is missing, facts, changes, and the card as the Hub shows it."""

#: A click on a button with `data-pick` tells the page its value.
PICKING = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-pick]");
  if (button) trigger("select", { pick: button.dataset.pick });
});"""
