// Up and down go to the box above and below, as in a spreadsheet. Without this, Tab goes along a row.
document.addEventListener("keydown", (event) => {
  const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const cell = event.target.closest(".grid td");
  if (!step || !cell) return;
  const row = cell.parentElement.parentElement.rows[cell.parentElement.sectionRowIndex + step];
  const box = row?.cells[cell.cellIndex]?.querySelector(".probability");
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
