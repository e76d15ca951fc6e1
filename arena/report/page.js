"use strict";

// Tables sort by the column whose head is clicked: numbers from the largest, texts
// from a to z, and the other way round at the next click. A cell's data-value goes
// before its text; what has no value comes last.
function valueOf(row, column) {
  const cell = row.cells[column];
  const text = "value" in cell.dataset ? cell.dataset.value : cell.textContent.trim();
  const number = Number(text);
  return text === "" ? null : Number.isNaN(number) ? text : number;
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b));
}

function sortBy(table, head) {
  const column = head.cellIndex, body = table.tBodies[0], rows = [...body.rows];
  const numbers = rows.some(row => typeof valueOf(row, column) === "number");
  const before = head.getAttribute("aria-sort");
  const descending = before ? before === "ascending" : numbers;
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", descending ? "descending" : "ascending");
  rows.sort((p, q) => {
    const a = valueOf(p, column), b = valueOf(q, column);
    if (a === null || b === null) return (a === null) - (b === null);
    return descending ? compare(b, a) : compare(a, b);
  });
  body.append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  table.tHead.addEventListener("click", event => {
    const head = event.target.closest("th");
    if (head) sortBy(table, head);
  });
}

// The browser of games: at step n of a game, n moves were made.
const byId = id => document.getElementById(id);
let game = null, at = 0;

function element(name, text, parent) {
  const made = document.createElement(name);
  made.textContent = text;
  parent.append(made);
  return made;
}

function listGames() {
  const who = byId("who").value, body = byId("games").tBodies[0];
  body.replaceChildren();
  for (const g of page.games) {
    if (who && !g.agents.includes(who)) continue;
    const row = body.insertRow();
    row.title = g.note || "";
    row.insertCell().textContent = g.n + (g.note ? " *" : "");
    row.cells[0].dataset.value = g.n;
    for (const agent of g.agents) row.insertCell().textContent = agent;
    const returns = row.insertCell();
    returns.textContent = g.returns.join(", ");
    returns.dataset.value = g.returns[0];
    row.insertCell().textContent = g.steps.filter(s => s.seat >= 0).length;
    row.addEventListener("click", () => open(g, row));
  }
  if (body.rows.length) body.rows[0].click();
}

function open(g, row) {
  for (const other of byId("games").tBodies[0].rows) other.classList.toggle("open", other === row);
  game = g;
  byId("title").textContent = `Game ${g.n}: ${g.agents.map((a, i) => `${a} (${page.roles[i]})`).join(", ")}`;
  byId("note").textContent = [g.start && `from ${g.start}`, g.note].filter(Boolean).join("; ");
  byId("slider").max = g.steps.length;
  const moves = byId("moves");
  moves.replaceChildren();
  g.steps.forEach((step, i) => {
    const item = element("li", step.name, moves);
    item.title = step.seat < 0 ? "chance" : `${page.roles[step.seat]}: ${g.agents[step.seat]}`;
    item.classList.toggle("chance", step.seat < 0);
    item.addEventListener("click", () => show(i + 1));
  });
  show(0);
}

function show(n) {
  if (!game) return;
  at = Math.max(0, Math.min(game.steps.length, n));
  const step = at ? game.steps[at - 1] : null;
  byId("slider").value = at;
  byId("ply").textContent = `${at} of ${game.steps.length}` + (at === game.steps.length ? `; returns ${game.returns.join(", ")}` : "");
  byId("said").textContent = step && step.text ? `${game.agents[step.seat]}: ${step.text}` : "";
  [...byId("moves").children].forEach((item, i) => {
    item.classList.toggle("open", i === at - 1);
    if (i === at - 1) item.parentNode.scrollTop = item.offsetTop - item.parentNode.offsetTop - 60;
  });
  const board = byId("board");
  board.replaceChildren();
  if (game.board) {
    board.append(draw(position(at), game.slanted, step && step.cells || []));
  } else {
    const view = step ? step.view : game.view;
    if (view) element("pre", view, board).className = "text";
  }
}

// position is the board after n moves.
function position(n) {
  const cells = game.board.map(row => [...row]);
  for (const step of game.steps.slice(0, n)) for (const c of step.cells || []) cells[c.r][c.c] = c.m;
  return cells;
}

const size = 48;

function shape(name, attributes, parent) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const key in attributes) made.setAttribute(key, attributes[key]);
  if (parent) parent.append(made);
  return made;
}

// draw draws a board, of squares or of hexagons; what has just changed is marked.
function draw(cells, slanted, changed) {
  const rows = cells.length, columns = cells[0].length, side = size / Math.sqrt(3);
  const width = columns * size + (slanted ? (rows - 1) * size / 2 : 0);
  const height = slanted ? (rows * 1.5 + 0.5) * side : rows * size;
  const picture = shape("svg", {viewBox: `-2 -2 ${width + 4} ${height + 4}`});
  cells.forEach((row, r) => row.forEach((mark, c) => {
    const x = (c + 0.5) * size + (slanted ? r * size / 2 : 0);
    const y = slanted ? side + r * 1.5 * side : (r + 0.5) * size;
    const kind = changed.some(d => d.r === r && d.c === c) ? "cell new" : "cell";
    if (slanted) {
      const corner = k => `${x + side * Math.cos(Math.PI * (k / 3 + 0.5))},${y + side * Math.sin(Math.PI * (k / 3 + 0.5))}`;
      shape("polygon", {class: kind, points: [0, 1, 2, 3, 4, 5].map(corner).join(" ")}, picture);
    } else {
      shape("rect", {class: kind, x: x - size / 2, y: y - size / 2, width: size, height: size}, picture);
    }
    if (mark === "x" || mark === "o") {
      shape("circle", {class: mark, cx: x, cy: y, r: size * 0.36 - (mark === "o" ? 2.5 : 0)}, picture);
    } else if (mark) {
      shape("text", {class: "piece", x, y, "text-anchor": "middle", "dominant-baseline": "central"}, picture).textContent = mark;
    }
  }));
  return picture;
}

byId("who").addEventListener("change", listGames);
byId("first").addEventListener("click", () => show(0));
byId("back").addEventListener("click", () => show(at - 1));
byId("next").addEventListener("click", () => show(at + 1));
byId("last").addEventListener("click", () => show(Infinity));
byId("slider").addEventListener("input", event => show(Number(event.target.value)));
document.addEventListener("keydown", event => {
  if (["INPUT", "SELECT"].includes(event.target.tagName)) return;
  if (event.key === "ArrowRight") show(at + 1);
  else if (event.key === "ArrowLeft") show(at - 1);
  else return;
  event.preventDefault();
});
listGames();
