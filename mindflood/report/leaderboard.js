"use strict";
const table = document.querySelector("table");
const body = table.tBodies[0];
const selects = [...document.querySelectorAll("select")];
const count = document.querySelector("output");

function keep() {
  let shown = 0;
  for (const row of body.rows) {
    row.hidden = !selects.every(
      (select) => !select.value || row.cells[Number(select.dataset.column)].textContent === select.value
    );
    shown += !row.hidden;
  }
  count.textContent = `${shown} of ${body.rows.length} rows`;
}

function compare(column, numeric, sign) {
  return (one, other) => {
    const [a, b] = [one, other].map((row) => row.cells[column]);
    if (!numeric) return sign * a.textContent.localeCompare(b.textContent);
    const [x, y] = [a, b].map((cell) => cell.dataset.sort);
    if (x === "" || y === "") return (x === "") - (y === ""); // what is not known comes last
    return sign * (Number(x) - Number(y));
  };
}

function sort(header) {
  const descending = header.getAttribute("aria-sort") === "ascending" ||
    (header.classList.contains("n") && header.getAttribute("aria-sort") !== "descending");
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
  const order = compare(header.cellIndex, header.classList.contains("n"), descending ? -1 : 1);
  body.append(...[...body.rows].sort(order));
}

for (const header of table.tHead.rows[0].cells) {
  const button = document.createElement("button");
  button.textContent = header.textContent;
  button.addEventListener("click", () => sort(header));
  header.replaceChildren(button);
}
for (const select of selects) select.addEventListener("change", keep);
document.querySelector("form").hidden = false;
keep();
