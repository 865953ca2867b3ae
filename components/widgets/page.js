() => {
  // Gradio's code editor draws what it highlights in colours that are too pale to read on white. Its style sheet is
  // written anew whenever an editor appears, so the colours are replaced whenever it is.
  const darker = {
    "#5e81ac": "#3b5f8c", "#d08770": "#9a4526", "#81a1c1": "#47698c", "#8fbcbb": "#2f6f6d", "#88c0d0": "#1f6a80",
    "#a3be8c": "#4d6b33", "#ebcb8b": "#7a5a10", "#b48ead": "#855a7d", "#bf616a": "#a3424c",
  };
  const pale = new RegExp(Object.keys(darker).join("|"), "gi");
  const recolour = (style) => {
    if (document.body.classList.contains("dark") || !style.textContent.includes(".cm-")) return;
    const text = style.textContent.replace(pale, (colour) => darker[colour.toLowerCase()]);
    if (text !== style.textContent) style.textContent = text;
  };
  document.head.querySelectorAll("style").forEach(recolour);
  new MutationObserver((records) => {
    for (const record of records)
      for (const node of [record.target, ...record.addedNodes])
        if (node.nodeName === "STYLE") recolour(node);
  }).observe(document.head, { childList: true, subtree: true });
  // What scrolls can be scrolled by keyboard alone only where it takes the focus.
  let waiting = false;
  const reach = () => {
    waiting = false;
    document.querySelectorAll(".cm-content, .code_wrap > pre, #card-preview").forEach((part) => {
      if (!part.hasAttribute("tabindex")) part.tabIndex = 0;
    });
    // Gradio names the frame of its table, and gives it no role that a name can belong to.
    document.querySelectorAll("#card-results .wrapper[aria-label]:not([role])").forEach((part) => part.setAttribute("role", "group"));
  };
  new MutationObserver(() => {
    if (!waiting) waiting = Boolean(setTimeout(reach, 500));
  }).observe(document.body, { childList: true, subtree: true });
  // Gradio takes ?view=api for the page of the API being open, and fetches it only when its link is pressed.
  if (new URLSearchParams(location.search).get("view") === "api") {
    const link = document.querySelector("button.show-api");
    link?.click();
    link?.click();
  }
}
