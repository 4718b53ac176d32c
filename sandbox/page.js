// Draws what Slack draws and local-slack's page leaves as markup: `<!date^…>` and code blocks.
// Puts the tour at the side, and what may be said here into the empty box and channel.
// The page sets a message's text as HTML, escaped; this rewrites that text whenever it changes.
(() => {
  const date = /&lt;!date\^(\d+)\^([^|]*?)\|[^&]*?&gt;/g;
  const block = /```(?:<br>)?([\s\S]*?)(?:<br>)?```(?:<br>)?/g;

  const two = (number) => String(number).padStart(2, "0");
  const said = (seconds, pattern) => {
    const at = new Date(Number(seconds) * 1000);
    const day = at.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    return pattern
      .replace("{time}", `${two(at.getHours())}:${two(at.getMinutes())}`)
      .replace("{date_short}", day);
  };
  const draw = (element) => {
    const html = element.innerHTML
      .replace(date, (_, seconds, pattern) => said(seconds, pattern))
      .replace(block, (_, body) => `<pre>${body.replace(/<br>/g, "\n")}</pre>`);
    if (html !== element.innerHTML) element.innerHTML = html;
  };
  // React keeps a value of its own: the setter of the element's class tells it of ours.
  const write = (box, words) => {
    Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, words);
    box.dispatchEvent(new Event("input", { bubbles: true }));
    box.focus();
  };
  const make = (kind, name, text) => {
    const element = document.createElement(kind);
    element.className = name;
    element.textContent = text;
    return element;
  };
  const tour = make("div", "tour", "");
  tour.append(make("div", "sidebar-section", "Try: a click writes it for you"));
  for (const stop of TOUR) {
    tour.append(make("div", "tour-title", stop.title), make("div", "tour-how", stop.how));
    for (const each of stop.tries) {
      const button = make("button", "tour-try", each.words.replaceAll("-", "\u2011"));
      button.title = each.note;
      button.addEventListener("click", () => write(document.querySelector(".composer-input"), each.words));
      tour.append(button);
      if (each.note) tour.append(make("div", "tour-how", each.note));
    }
  }
  const guide = () => {
    const side = document.querySelector(".sidebar");
    if (side && side.lastElementChild !== tour) side.append(tour);
    const box = document.querySelector(".composer-input");
    if (box && box.placeholder.includes("/echo hi")) {
      box.placeholder = box.placeholder.replace("/echo hi", "/hms help");
    }
    const empty = document.querySelector(".messages > .empty");
    const words = "Nothing was shipped yet. Try what stands at the left, or /hms help.";
    if (empty && empty.textContent.startsWith("No messages")) empty.textContent = words;
  };
  const drawAll = () => {
    document.querySelectorAll(".mrkdwn").forEach(draw);
    guide();
  };

  document.addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent =
      "pre{margin:4px 0;padding:8px;background:#f8f8f8;border:1px solid #ddd;border-radius:4px;" +
      "font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere}" +
      ".sidebar{overflow-y:auto}.tour{padding:0 0 16px;font-size:12px}" +
      ".tour-title{padding:8px 16px 0;font-weight:bold;color:#fff}" +
      ".tour-how{padding:0 16px 2px;color:#c9b8ca}" +
      ".tour-try{display:block;width:100%;padding:2px 16px;border:0;background:none;text-align:left;" +
      "color:#9fd3ff;font:12px monospace;cursor:pointer}.tour-try:hover{background:#5b2c5c}";
    document.head.append(style);
    new MutationObserver(drawAll).observe(document.body, {
      childList: true, subtree: true, characterData: true, attributeFilter: ["placeholder"],
    });
    drawAll();
  });
})();
