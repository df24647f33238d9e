// A name that is pressed is written where the caret stands; the server is told where that is.

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-insert]");
  if (!button) return;
  const { insert, into, start, end } = button.dataset;
  const area = document.getElementById(into);
  area.setRangeText(insert, Number(start), Number(end), "end");
  area.focus();
  area.dispatchEvent(new Event("input", { bubbles: true }));
});

document.addEventListener("htmx:configRequest", (event) => {
  const area = event.detail.elt;
  if (area.matches("textarea[data-rule]")) event.detail.parameters.caret = area.selectionStart;
});
