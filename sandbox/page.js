// Draws what Slack draws and local-slack's page leaves as markup: `<!date^…>` and code blocks.
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
  const drawAll = () => document.querySelectorAll(".mrkdwn").forEach(draw);

  document.addEventListener("DOMContentLoaded", () => {
    const style = document.createElement("style");
    style.textContent =
      "pre{margin:4px 0;padding:8px;background:#f8f8f8;border:1px solid #ddd;border-radius:4px;" +
      "font-size:12px;white-space:pre-wrap;overflow-wrap:anywhere}";
    document.head.append(style);
    new MutationObserver(drawAll).observe(document.body, {
      childList: true, subtree: true, characterData: true,
    });
  });
})();
