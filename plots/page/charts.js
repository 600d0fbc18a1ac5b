"use strict";
/* What all interactive figures share: colours of the page, lines and points of a map, axes, and four small plugins for
 * Chart.js (whiskers, vertical and horizontal marks, stems, names beside points). */

const dark = window.matchMedia("(prefers-color-scheme: dark)");
let printing = false;

function theme() {
  const night = dark.matches && !printing;
  return night
    ? { night, ink: "#e6ebf0", grey: "#9aa7b4", line: "#313b46", paper: "#12171d" }
    : { night, ink: "#1c2430", grey: "#56616e", line: "#d9dee4", paper: "#ffffff" };
}

function colourOf(look) { return theme().night ? look.dark : look.light; }

/* As format_n in plots/rows/numbers.py: 1k is 1024, always exact. */
function formatN(n) {
  for (const [size, unit] of [[2 ** 30, "g"], [2 ** 20, "m"], [2 ** 10, "k"]])
    if (n && n % size === 0) return (n / size).toLocaleString("en") + unit;
  return n.toLocaleString("en");
}

/* As round_sizes in plots/draw/style.py: 0 and up to `most` multiples of a power of two. */
function roundSizes(last, most) {
  let step = 1;
  while (Math.floor(last / step) > most) step *= 2;
  return Array.from({ length: Math.floor(last / step) + 1 }, (_none, i) => i * step);
}

function formatNs(ns) {
  for (const [step, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]])
    if (ns >= step) return Number((ns / step).toPrecision(3)) + " " + unit;
  return Number(ns.toPrecision(3)) + " ns";
}

function formatPlain(value) { return Number(value.toPrecision(6)).toLocaleString("en"); }

function dataset(label, look, points, more) {
  const colour = colourOf(look);
  return Object.assign({
    label, data: points, showLine: true, borderColor: colour, backgroundColor: colour, borderWidth: 2,
    borderDash: look.dash.map((d) => d * 1.6), pointStyle: look.marker || "line", rotation: look.flip ? 180 : 0,
    pointRadius: look.marker ? 4 : 0, pointHoverRadius: look.marker ? 6 : 0, pointBorderWidth: 1.5, tension: 0,
    colour,
  }, more);
}

/* Puts every second, third ... label of the y axis aside until they fit; `values` are all tick candidates. */
function fixedTicks(values) {
  return (axis) => { axis.ticks = values.filter((v) => v >= axis.min && v <= axis.max).map((value) => ({ value })); };
}

function oneTwoFive(low, high) {
  const steps = high / low < 200 ? [1, 2, 5] : high / low < 5000 ? [1, 3] : [1];
  const values = [];
  for (let e = -3; e < 13; e++) for (const s of steps) values.push(Number((s * 10 ** e).toPrecision(3)));
  return values;
}

function axis(type, title, more) {
  const t = theme();
  return Object.assign({
    type, title: { display: true, text: title, color: t.grey },
    grid: { color: t.line, borderColor: t.grey, drawTicks: true, tickLength: 4 },
    ticks: { color: t.grey, maxRotation: 0, autoSkipPadding: 12 },
  }, more);
}

/* --- plugins ---------------------------------------------------------------------------------------------------- */

const whiskers = {
  id: "whiskers",
  beforeDatasetsDraw(chart) {
    const { ctx, scales } = chart;
    const flat = chart.options.indexAxis === "y";
    chart.data.datasets.forEach((set, i) => {
      if (!set.intervals || !chart.isDatasetVisible(i)) return;
      const scale = flat ? scales.x : scales.y;
      ctx.save();
      ctx.strokeStyle = flat ? theme().ink : set.borderColor;
      ctx.lineWidth = flat ? 1 : 5;
      ctx.globalAlpha = flat ? 1 : 0.3;
      chart.getDatasetMeta(i).data.forEach((point, k) => {
        const interval = set.intervals[k];
        if (!interval) return;
        const [a, b] = interval.map((v) => scale.getPixelForValue(v));
        ctx.beginPath();
        if (flat) { ctx.moveTo(a, point.y); ctx.lineTo(b, point.y); } else { ctx.moveTo(point.x, a); ctx.lineTo(point.x, b); }
        ctx.stroke();
      });
      ctx.restore();
    });
  },
};

/* options.marks: [{axis: "x" or "y", value, text}] */
const marks = {
  id: "marks",
  afterDatasetsDraw(chart, _args, options) {
    const { ctx, chartArea: area, scales } = chart;
    const t = theme();
    ctx.save();
    ctx.strokeStyle = t.grey;
    ctx.fillStyle = t.grey;
    ctx.font = "11px sans-serif";
    ctx.setLineDash([3, 4]);
    for (const mark of options.list || []) {
      const scale = scales[mark.axis];
      if (!(mark.value > scale.min && mark.value < scale.max)) continue;
      const p = scale.getPixelForValue(mark.value);
      ctx.beginPath();
      if (mark.axis === "x") { ctx.moveTo(p, area.top); ctx.lineTo(p, area.bottom); } else { ctx.moveTo(area.left, p); ctx.lineTo(area.right, p); }
      ctx.stroke();
      if (mark.axis === "x") ctx.fillText(mark.text, p + 4, area.top + 11);
      else { ctx.textAlign = "right"; ctx.fillText(mark.text, area.right - 4, p - 4); ctx.textAlign = "left"; }
    }
    ctx.restore();
  },
};

const stems = {
  id: "stems",
  beforeDatasetsDraw(chart) {
    const { ctx, chartArea: area } = chart;
    chart.data.datasets.forEach((set, i) => {
      if (!set.stems || !chart.isDatasetVisible(i)) return;
      ctx.save();
      ctx.strokeStyle = set.borderColor;
      ctx.lineWidth = 1.2;
      ctx.globalAlpha = 0.6;
      chart.getDatasetMeta(i).data.forEach((point) => {
        ctx.beginPath();
        ctx.moveTo(point.x, area.bottom);
        ctx.lineTo(point.x, point.y);
        ctx.stroke();
      });
      ctx.restore();
    });
  },
};

/* Names beside single points: each takes the first of eight places around its point that nothing else covers. */
const names = {
  id: "names",
  afterDatasetsDraw(chart, _args, options) {
    if (!options.shown) return;
    const { ctx, chartArea: area } = chart;
    const points = [];
    chart.data.datasets.forEach((set, i) => {
      if (set.name && chart.isDatasetVisible(i)) points.push({ name: set.name, at: chart.getDatasetMeta(i).data[0] });
    });
    const taken = points.map(({ at }) => [at.x - 7, at.y - 7, at.x + 7, at.y + 7]);
    const clash = (a, b) => Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
    ctx.save();
    ctx.font = "12px sans-serif";
    ctx.fillStyle = theme().ink;
    ctx.textBaseline = "top";
    for (const { name, at } of points) {
      const w = ctx.measureText(name).width, h = 12;
      let best = null;
      for (const d of [9, 16, 26, 38]) {
        for (const [sx, sy] of [[1, 0], [1, -1], [1, 1], [0, -1], [0, 1], [-1, 0], [-1, -1], [-1, 1]]) {
          const x = at.x + sx * d - (sx < 0 ? w : sx === 0 ? w / 2 : 0), y = at.y + sy * d - h / 2;
          const box = [x, y, x + w, y + h];
          const inside = clash(box, [area.left, area.top, area.right, area.bottom]);
          const cost = taken.reduce((sum, other) => sum + clash(box, other), 0) + 3 * (w * h - inside) + d / 4;
          if (!best || cost < best.cost) best = { cost, box };
        }
      }
      taken.push(best.box);
      ctx.fillText(name, best.box[0], best.box[1]);
    }
    ctx.restore();
  },
};

/* --- highlighting ------------------------------------------------------------------------------------------------ */

function fade(chart, index) {
  chart.data.datasets.forEach((set, i) => {
    const faint = index !== null && i !== index;
    set.borderColor = faint ? set.colour + "30" : set.colour;
    set.backgroundColor = faint ? set.colour + "30" : set.fill_colour || set.colour;
    if (set.pointBackgroundColor) set.pointBackgroundColor = set.colours_of_points.map((c) => (faint ? c + "30" : c));
  });
  chart.update("none");
}

function legend(narrow) {
  return {
    position: narrow ? "bottom" : "right", align: "start",
    labels: { color: theme().ink, usePointStyle: true, boxWidth: 14, boxHeight: 8, padding: 10, filter: (item) => !item.text.startsWith("\u0000") },
    onHover: (_event, item, box) => fade(box.chart, item.datasetIndex),
    onLeave: (_event, _item, box) => fade(box.chart, null),
  };
}

function baseOptions(canvas, scales, more) {
  const narrow = canvas.parentNode.clientWidth < 720;
  return Object.assign({
    animation: false, responsive: true, maintainAspectRatio: false, scales,
    interaction: { mode: "nearest", intersect: true },
    plugins: { legend: legend(narrow), tooltip: {} },
  }, more);
}
