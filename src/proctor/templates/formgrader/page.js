/* What a keyboard and a screen reader need, and nbgrader's pages do not say. Tables come after the page, so all of it is
done again when there is something new. */
(function () {
  function each(selector, mend) { document.querySelectorAll(selector).forEach(mend); }

  function mend() {
    document.documentElement.lang = "en";
    each("ul > ul", function (list) {
      list.setAttribute("role", "list");
      list.parentElement.setAttribute("role", "group");
    });
    each("ul > li[role=presentation], [role=tablist], [role=tab]", function (item) {
      ["role", "aria-multiselectable"].forEach(function (name) { item.removeAttribute(name); });
    });
    each("input.score, input.extra-credit, textarea.comment", function (field) {
      var what = field.classList.contains("score") ? ": points" : "";
      field.setAttribute("aria-label", field.id.replace(/[_-]/g, " ") + what);
    });
    each("td a", function (link) {  /* a picture only: its column says what it does */
      if (!link.textContent.trim()) {
        link.setAttribute("aria-label", link.parentElement.className.replace(/\bcenter\b/, "").replace(/-/g, " ").trim());
      }
    });
    each(".input_area, #notebook pre", function (area) { area.tabIndex = 0; });
  }

  document.addEventListener("DOMContentLoaded", function () {
    mend();
    new MutationObserver(mend).observe(document.body, {childList: true, subtree: true});
  });
})();
