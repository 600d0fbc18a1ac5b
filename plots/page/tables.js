"use strict";
/* Tables that sort by a click on a column's title, and the filter boxes of the results table. */

function cellValue(row, column) {
  const cell = row.cells[column];
  if (!cell) return null;
  if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
  const text = cell.textContent.trim();
  return text === "" || text === "–" ? null : text;
}

/* Cells without a value stay at the end whatever the direction. */
function compareCells(a, b, direction) {
  if (a === null || b === null) return (a === null) - (b === null);
  if (typeof a === "number" && typeof b === "number") return direction * (a - b);
  return direction * String(a).localeCompare(String(b), "en", { numeric: true });
}

function sortTable(table, column, direction) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows, (row, place) => ({ row, place, value: cellValue(row, column) }));
  rows.sort((a, b) => compareCells(a.value, b.value, direction) || a.place - b.place);
  body.append(...rows.map((entry) => entry.row));
  table.querySelectorAll("thead th").forEach((th, i) => {
    if (i === column) th.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    else th.removeAttribute("aria-sort");
  });
}

function makeSortable(table) {
  table.querySelectorAll("thead th").forEach((th, column) => {
    th.querySelector("button").addEventListener("click", () => {
      sortTable(table, column, th.getAttribute("aria-sort") === "ascending" ? -1 : 1);
    });
  });
}

const FILTERS = ["map", "shape", "workload", "keys", "n"]; /* the first columns of the results table */

function makeFilters(section) {
  const table = section.querySelector("table.results");
  const box = section.querySelector(".filters");
  const rows = Array.from(table.tBodies[0].rows);
  const count = document.createElement("output");
  const inputs = FILTERS.map((name, column) => {
    const label = document.createElement("label");
    label.textContent = name;
    const values = Array.from(new Set(rows.map((row) => row.cells[column].textContent)));
    const input = document.createElement(column === 0 ? "input" : "select");
    if (column === 0) {
      input.type = "search";
      input.placeholder = "part of a name";
    } else {
      input.append(new Option("all", ""), ...values.map((value) => new Option(value, value)));
    }
    input.addEventListener("input", apply);
    label.append(input);
    box.append(label);
    return input;
  });

  function apply() {
    let shown = 0;
    for (const row of rows) {
      const visible = inputs.every((input, column) => {
        const text = row.cells[column].textContent;
        return input.value === "" || (column === 0 ? text.includes(input.value.trim()) : text === input.value);
      });
      row.hidden = !visible;
      shown += visible;
    }
    count.textContent = `${shown} of ${rows.length} rows`;
  }
  box.append(count);
  box.hidden = false;
  apply();
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
document.querySelectorAll("section").forEach((section) => {
  if (section.querySelector("table.results")) makeFilters(section);
});
