"use strict";
// Sorting by a click on a column's head, and a filter. The page is complete without either.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => sort(table, heads, head, column));
  });
}
function sort(table, heads, head, column) {
  const down = head.getAttribute("aria-sort") === "ascending";
  heads.forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const value = (row) => row.cells[column].dataset.sort ?? row.cells[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [value(a), value(b)];
    if ((x === "") !== (y === "")) return x === "" ? 1 : -1; // what is missing comes last, both ways
    const order = x === "" || isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  };
  table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
}
const search = document.getElementById("search");
if (search) {
  const rows = [...document.querySelectorAll("#students tbody tr")];
  const texts = rows.map((row) => row.textContent.toLocaleLowerCase());
  search.addEventListener("input", () => {
    const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      shown += !row.hidden;
    });
    document.getElementById("found").textContent = `${shown} of ${rows.length}`;
  });
}
