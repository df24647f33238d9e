// Everything here is an extra: each page does its whole work without it.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // "None of these" and "Not sure" hold alone. The server checks it again.
  const keepExclusive = (box) => {
    if (box.type !== "checkbox" || !box.checked) return;
    const alone = "exclusive" in box.dataset;
    for (const other of all("[type=checkbox]", box.form)) {
      if (other !== box && (alone || "exclusive" in other.dataset)) other.checked = false;
    }
  };

  const showInPicture = () => {
    for (const region of all("[data-picture] [data-option]")) {
      const input = inputOf(region);
      region.toggleAttribute("data-on", Boolean(input && input.checked));
    }
  };

  const inputOf = (region) =>
    document.querySelector(`#main input[name=reply][value="${CSS.escape(region.dataset.option)}"]`);

  const prepare = () => {
    // The one thing htmx keeps in the browser even with its page cache off.
    sessionStorage.removeItem("htmx-current-path-for-history");
    for (const button of all("[data-print]")) button.hidden = false;
    for (const picture of all("[data-picture]")) picture.classList.add("live");
    showInPicture();
  };

  // Beside the button, where the eye is. Made anew each time, so that it is read out each time.
  const trouble = () => {
    document.getElementById("trouble")?.remove();
    const box = document.createElement("div");
    box.id = "trouble";
    box.className = "alert";
    box.setAttribute("role", "alert");
    const heading = document.createElement("h2");
    heading.textContent = "This answer was not saved";
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = "load this page again";
    const text = document.createElement("p");
    text.append("It is still filled in: press the button again. If that does not help, ", again, ".");
    box.append(heading, text);
    const buttons = document.querySelector("#main form .actions");
    if (buttons) buttons.before(box);
    else document.getElementById("main").prepend(box);
    box.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("change", ({ target }) => {
    if (target.name !== "reply") return;
    keepExclusive(target);
    showInPicture();
  });

  document.addEventListener("click", ({ target }) => {
    const region = target.closest("[data-picture] [data-option]");
    if (region) inputOf(region)?.click();
    if (target.closest("[data-print]")) print();
  });

  // What is folded away on the screen still belongs on paper.
  const folded = new Set();
  addEventListener("beforeprint", () => {
    for (const part of all("details:not([open])")) folded.add(part).has(part) && (part.open = true);
  });
  addEventListener("afterprint", () => {
    for (const part of folded) part.open = false;
    folded.clear();
  });

  document.addEventListener("htmx:afterSettle", () => {
    prepare();
    const first = document.querySelector("#main [data-focus]") || document.querySelector("#main h1");
    first?.focus({ preventScroll: true });
  });
  for (const failure of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
    document.addEventListener(failure, trouble);
  }
  // A page from the back/forward cache may show answers that were deleted since.
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());

  prepare();
})();
