"use strict";
/* The interactive figures. Each has a draw function: (canvas, records chosen, data of the run, ticks) -> what the
 * caption says and a Chart.js configuration. Select boxes appear for whatever has more than one value. */

const FAMILY_FIELDS = ["shape", "keys", "heap", "threads", "order", "policy", "job"];

function byLabel(records) {
  const groups = new Map();
  for (const record of records) {
    if (!groups.has(record.label)) groups.set(record.label, []);
    groups.get(record.label).push(record);
  }
  return groups;
}

function extent(values) { return [Math.min(...values), Math.max(...values)]; }

/* Maps first, by `key` downwards as their lines lie; the baseline last. */
function ordered(labels, data, key) {
  return Array.from(labels).sort((a, b) => (a === data.baseline) - (b === data.baseline) || key(b) - key(a));
}

function drawSpeed(canvas, records, data, ticks) {
  const sizes = Array.from(new Set(records.map((r) => r.n))).sort((a, b) => a - b);
  const groups = byLabel(records);
  const last = (label) => Math.max(...groups.get(label).map((r) => r.ns));
  const rivals = records.filter((r) => r.label !== data.baseline);
  if (sizes.length < 3) return drawBars(canvas, groups, data, sizes);
  const octave = sizes[sizes.length - 1] <= 2 * sizes[0];
  const [low, high] = extent((rivals.length ? rivals : records).map((r) => r.ns));
  const sets = ordered(groups.keys(), data, last).map((label) => {
    const points = groups.get(label).sort((a, b) => a.n - b.n);
    const set = dataset(label, data.looks[label], points.map((r) => ({ x: r.n, y: r.ns })));
    set.intervals = points.map((r) => r.ci);
    set.records = points;
    set.colours_of_points = points.map((r) => (r.stable ? set.colour : theme().paper));
    set.pointBackgroundColor = set.colours_of_points.slice();
    return set;
  });
  const family = data.families[records[0].f];
  const y = ticks.log
    ? axis("logarithmic", "ns per operation (lower is better)", { min: low * 0.6, max: high * 1.3, afterBuildTicks: fixedTicks(oneTwoFive(low, high)) })
    : axis("linear", "ns per operation (lower is better)", { min: 0, suggestedMax: high * 1.05 });
  y.ticks = Object.assign({}, y.ticks, { callback: formatPlain });
  const x = axis(octave ? "linear" : "logarithmic", octave ? "entries n (one octave, linear)" : "entries n",
    { min: sizes[0] / (octave ? 1.02 : 1.15), max: sizes[sizes.length - 1] * (octave ? 1.02 : 1.15) });
  x.afterBuildTicks = fixedTicks(sizes);
  x.ticks = Object.assign({}, x.ticks, { callback: formatTick });
  const options = baseOptions(canvas, { x, y });
  options.plugins.marks = { list: family.caches.map(([text, value]) => ({ axis: "x", value, text })) };
  options.plugins.tooltip.callbacks = {
    title: () => "",
    label: (item) => {
      const r = item.dataset.records[item.dataIndex];
      const interval = r.ci ? ` [${r.ci[0]} – ${r.ci[1]}]` : "";
      return `${r.label}, n = ${formatN(r.n)}: ${r.ns} ns${interval}${r.stable ? "" : ", unstable"}`;
    },
  };
  return { said: `n from ${formatN(sizes[0])} to ${formatN(sizes[sizes.length - 1])}`,
    config: { type: "scatter", data: { datasets: sets }, options, plugins: [whiskers, marks] } };
}

function drawBars(canvas, groups, data, sizes) {
  const labels = ordered(groups.keys(), data, (label) => -Math.max(...groups.get(label).map((r) => r.ns)));
  const named = (label) => label + (groups.get(label).every((r) => r.stable) ? "" : " (unstable)");
  const sets = sizes.map((n, i) => {
    const rows = labels.map((label) => groups.get(label).find((r) => r.n === n));
    const colours = labels.map((label) => colourOf(data.looks[label]) + (i + 1 < sizes.length ? "70" : "e0"));
    return { label: `n = ${formatN(n)}`, data: rows.map((r) => (r ? r.ns : null)), intervals: rows.map((r) => (r ? r.ci : null)),
      records: rows, backgroundColor: colours, borderWidth: 0, barPercentage: 0.9, categoryPercentage: 0.78 };
  });
  const options = baseOptions(canvas, {
    x: axis("linear", "ns per operation (lower is better)", { beginAtZero: true }),
    y: axis("category", "", { grid: { display: false } }),
  }, { indexAxis: "y" });
  options.plugins.legend = { display: false };
  options.plugins.tooltip.callbacks = {
    label: (item) => {
      const r = item.dataset.records[item.dataIndex];
      return `${item.dataset.label}: ${r.ns} ns${r.ci ? ` [${r.ci[0]} – ${r.ci[1]}]` : ""}${r.stable ? "" : ", unstable"}`;
    },
  };
  canvas.parentNode.style.height = Math.max(140, 70 + labels.length * (sizes.length > 1 ? 30 : 24)) + "px";
  const note = sizes.length > 1 ? " (pale: the smaller)" : "";
  return { said: `n = ${sizes.map(formatN).join(" and ")}${note}`,
    config: { type: "bar", data: { labels: labels.map(named), datasets: sets }, options, plugins: [whiskers] } };
}

/* Unstable rows have hollow points, as in every figure. */
function hollowUnless(stable, set) {
  if (!stable) {
    set.colours_of_points = set.data.map(() => theme().paper);
    set.pointBackgroundColor = set.colours_of_points.slice();
  }
  return set;
}

function formatTick(value) { return formatN(value); } /* Chart.js passes more arguments */

function drawLatency(canvas, records, data) {
  const worst = (label) => Math.max(...groups.get(label)[0].points.map((p) => p[1]));
  const groups = byLabel(records);
  const sets = ordered(groups.keys(), data, worst).map((label) =>
    hollowUnless(groups.get(label)[0].stable, dataset(label, data.looks[label], groups.get(label)[0].points.map(([x, y]) => ({ x, y })),
      { pointRadius: (context) => (context.dataIndex === context.dataset.data.length - 1 ? 4 : 0), pointHitRadius: 4,
        unstable: groups.get(label)[0].stable ? "" : ", unstable" })));
  const x = axis("logarithmic", "share of operations at or below", { min: 1 });
  x.afterBuildTicks = fixedTicks([2, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7]);
  const share = (v) => Number((100 * (1 - 1 / v)).toFixed(6)) + " %";
  x.ticks = Object.assign({}, x.ticks, { callback: share });
  const y = axis("logarithmic", "duration of one operation (lower is better)");
  y.afterBuildTicks = fixedTicks([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]);
  y.ticks = Object.assign({}, y.ticks, { callback: formatNs });
  const timer = Math.max(...records.map((r) => r.timer || 0));
  if (timer) y.suggestedMin = timer * 0.8;
  y.suggestedMax = 2 * Math.max(...Array.from(groups.keys(), worst));
  const options = baseOptions(canvas, { x, y });
  options.plugins.marks = { list: timer ? [{ axis: "y", value: timer, text: `timer ${formatNs(timer)}` }] : [] };
  options.plugins.tooltip.callbacks = {
    title: () => "", label: (item) => `${item.dataset.label}: ${share(item.parsed.x)} took at most ${formatNs(item.parsed.y)}${item.dataset.unstable}`,
  };
  return { said: "", config: { type: "scatter", data: { datasets: sets }, options, plugins: [marks] } };
}

function drawGrowth(canvas, records, data) {
  const groups = byLabel(records);
  const worst = (label) => Math.max(...groups.get(label)[0].events.map((e) => e[1]));
  const sets = ordered(groups.keys(), data, worst).map((label) => {
    const events = groups.get(label)[0].events;
    return hollowUnless(groups.get(label)[0].stable, dataset(label, data.looks[label], events.map(([op, ns]) => ({ x: op, y: Math.max(1, ns) })),
      { showLine: false, stems: true, events, unstable: groups.get(label)[0].stable ? "" : ", unstable" }));
  });
  const y = axis("logarithmic", "duration of that operation (lower is better)");
  y.afterBuildTicks = fixedTicks([1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10]);
  y.ticks = Object.assign({}, y.ticks, { callback: formatNs });
  y.suggestedMax = 2 * Math.max(...Array.from(groups.keys(), worst));
  const x = axis("linear", "operation", { min: 0 });
  x.afterBuildTicks = (scale) => fixedTicks(roundSizes(scale.max, 8))(scale);
  x.ticks = Object.assign({}, x.ticks, { callback: formatTick });
  const options = baseOptions(canvas, { x, y });
  options.plugins.tooltip.callbacks = {
    title: () => "",
    label: (item) => {
      const [op, ns, before, after] = item.dataset.events[item.dataIndex];
      const grown = after === null || after === undefined ? "" : `, capacity ${formatN(before)} → ${formatN(after)}`;
      return `${item.dataset.label}: operation ${op.toLocaleString("en")} took ${formatNs(ns)}${grown}${item.dataset.unstable}`;
    },
  };
  return { said: "", config: { type: "scatter", data: { datasets: sets }, options, plugins: [stems] } };
}

function drawMemory(canvas, records, data, ticks) {
  const groups = byLabel(records);
  const curve = (label) => groups.get(label).reduce((a, b) => (a.n > b.n ? a : b)).curve;
  const end = Math.max(...records.map((r) => r.n));
  const floor = data.families[records[0].f].floor;
  let top = floor || 0;
  for (const label of groups.keys())
    for (const [e, live] of curve(label)) if (e >= end / 64) top = Math.max(top, live);
  const sets = [];
  const lasts = (label) => curve(label)[curve(label).length - 1][1];
  for (const label of ordered(groups.keys(), data, lasts)) {
    const points = curve(label);
    sets.push(dataset(label, data.looks[label], points.map(([x, y]) => ({ x, y })), { pointRadius: points.length === 1 ? 4 : 0, pointHitRadius: 4 }));
    if (ticks.resident && points.some((p) => p[2] !== null))
      sets.push(dataset("\u0000" + label, data.looks[label], points.map(([x, , y]) => ({ x, y })), { pointRadius: 0, borderWidth: 0.8, borderDash: [] }));
  }
  const x = axis("logarithmic", "entries", { min: end >= 512 ? 8 : 1, max: Math.max(end, 2) });
  x.afterBuildTicks = fixedTicks(Array.from({ length: 11 }, (_none, i) => 8 ** i).concat(end < 8 ? [end] : []));
  x.ticks = Object.assign({}, x.ticks, { callback: formatTick });
  const options = baseOptions(canvas, { x, y: axis("linear", "bytes per entry (lower is better)", { min: 0, max: Math.ceil(top * 0.112) * 10 }) });
  options.plugins.marks = { list: floor ? [{ axis: "y", value: floor, text: `key + value: ${floor} bytes` }] : [] };
  options.plugins.tooltip.callbacks = {
    title: () => "",
    label: (item) => `${item.dataset.label.replace("\u0000", "resident, ")}: ${formatPlain(item.parsed.y)} bytes per entry at ${formatN(item.parsed.x)} entries`,
  };
  return { said: `1 to ${formatN(end)} entries`, config: { type: "scatter", data: { datasets: sets }, options, plugins: [marks] } };
}

function drawTradeoff(canvas, records, data) {
  const record = records[0];
  const points = Object.entries(record.points).map(([label, [x, times]]) => {
    const ns = record.chosen === ALL_WORKLOADS ? Object.values(times) : [times[record.chosen]];
    return { label, x, y: Math.exp(ns.reduce((sum, v) => sum + Math.log(v), 0) / ns.length) };
  });
  let lowest = Infinity;
  const stairs = [], onFront = [];
  for (const p of points.slice().sort((a, b) => a.x - b.x || a.y - b.y)) {
    if (p.y >= lowest) continue;
    if (stairs.length) stairs.push({ x: p.x, y: lowest });
    onFront[stairs.length] = true;
    stairs.push({ x: p.x, y: p.y });
    lowest = p.y;
  }
  const sets = points.map((p) => dataset(p.label, data.looks[p.label], [{ x: p.x, y: p.y }], { showLine: false, pointRadius: 7, pointHoverRadius: 9, name: p.label }));
  sets.push({ label: "\u0000front", data: stairs, showLine: true, borderColor: theme().grey, colour: theme().grey, borderWidth: 1,
    backgroundColor: "transparent", pointRadius: stairs.map((_p, i) => (onFront[i] ? 13 : 0)), pointHitRadius: 0, pointHoverRadius: 0 });
  const scale = (values, title) => {
    const [low, high] = extent(values);
    return high > 8 * low ? axis("logarithmic", title, { min: low / 1.4, max: high * 1.4, afterBuildTicks: fixedTicks(oneTwoFive(low, high)) })
      : axis("linear", title, { grace: "12%" });
  };
  const options = baseOptions(canvas, { x: scale(points.map((p) => p.x), "bytes per entry (lower is better)"), y: scale(points.map((p) => p.y), "ns per operation (lower is better)") });
  for (const key of ["x", "y"]) options.scales[key].ticks = Object.assign({}, options.scales[key].ticks, { callback: formatPlain });
  options.plugins.legend = { display: false };
  options.plugins.names = { shown: true };
  const floor = data.families[record.f].floor;
  options.plugins.marks = { list: floor ? [{ axis: "x", value: floor, text: `key + value: ${floor} bytes` }] : [] };
  options.plugins.tooltip = {
    filter: (item) => Boolean(item.dataset.name),
    callbacks: { title: () => "", label: (item) => `${item.dataset.label}: ${formatPlain(item.parsed.x)} bytes per entry, ${formatNs(item.parsed.y)}` },
  };
  const over = record.chosen === ALL_WORKLOADS ? `geometric mean over ${record.workloads.join(", ")}` : record.chosen;
  return { said: `n = ${formatN(record.n)}; ${over}`, config: { type: "scatter", data: { datasets: sets }, options, plugins: [marks, names] } };
}

/* --- choosing what to show ---------------------------------------------------------------------------------------- */

const ALL_WORKLOADS = "geomean of all";
const FIGURES = {
  speed: { draw: drawSpeed, fields: ["workload"], ticks: { log: "logarithmic time" } },
  tradeoff: { draw: drawTradeoff, fields: ["chosen"], titles: { chosen: "workload" }, ticks: {} },
  latency: { draw: drawLatency, fields: ["workload", "n"], ticks: {} },
  growth: { draw: drawGrowth, fields: ["workload", "n"], ticks: {} },
  memory: { draw: drawMemory, fields: ["workload"], ticks: { resident: "resident memory too (thin)" } },
};
const figures = []; /* {name, chart, redraw}; the browser test looks here */

function recordsOf(name, data) {
  const whole = (record) => Object.assign({}, data.families[record.f], record);
  if (name !== "tradeoff") return data[name].map(whole);
  return data.tradeoff.flatMap((record) => [ALL_WORKLOADS, ...record.workloads].map((chosen) => whole(Object.assign({ chosen }, record))));
}

function makeFigure(element, data) {
  const name = element.dataset.figure, kind = FIGURES[name];
  const canvas = element.querySelector("canvas"), controls = element.querySelector(".controls");
  const records = recordsOf(name, data);
  const fields = [...FAMILY_FIELDS, ...kind.fields].filter((field) => new Set(records.map((r) => String(r[field]))).size > 1);
  const chosen = Object.fromEntries([...FAMILY_FIELDS, ...kind.fields].map((field) => [field, String(records[0][field])]));
  if (name === "latency" || name === "growth") chosen.n = String(Math.max(...records.map((r) => r.n)));
  const ticks = {}, selects = {}, tickLabels = [];
  const entry = { name, chart: null, redraw };

  /* After a choice that leaves nothing to show, the other boxes move to the first record that has the new value. */
  function matching(changed) {
    const fits = (r) => Object.entries(chosen).every(([field, value]) => String(r[field]) === value);
    if (!records.some(fits)) {
      const other = records.find((r) => !changed || String(r[changed]) === chosen[changed]);
      for (const field of Object.keys(chosen)) chosen[field] = String(other[field]);
    }
    for (const [field, select] of Object.entries(selects)) select.value = chosen[field];
    return records.filter(fits);
  }

  function redraw(changed) {
    const picked = matching(changed);
    if (entry.chart) entry.chart.destroy();
    canvas.parentNode.style.height = "";
    const { said, config } = kind.draw(canvas, picked, data, ticks);
    const lines = config.type === "scatter" && config.options.plugins.legend.display !== false ? config.data.datasets.length : 0;
    const below = config.options.plugins.legend.position === "bottom";
    if (!below && lines > 20) canvas.parentNode.style.height = `${30 + 22 * lines}px`; /* a legend of one column */
    const first = picked[0];
    const what = name === "tradeoff" ? "" : `${first.workload}, `;
    const at = name === "latency" || name === "growth" ? `n = ${formatN(first.n)}` : said;
    element.querySelector(".shown").textContent = `${what}${first.title}; ${at}`;
    canvas.setAttribute("aria-label", `${element.querySelector(".shown").textContent}; the numbers are in the tables of this page`);
    tickLabels.forEach((label) => { label.hidden = config.type === "bar"; });
    entry.chart = new Chart(canvas, config);
  }

  for (const field of fields) {
    const label = document.createElement("label"), select = document.createElement("select");
    label.textContent = (kind.titles && kind.titles[field]) || field;
    for (const value of new Set(records.map((r) => String(r[field])))) select.append(new Option(field === "n" ? formatN(Number(value)) : value, value));
    select.addEventListener("change", () => { chosen[field] = select.value; redraw(field); });
    selects[field] = select;
    label.append(select);
    controls.append(label);
  }
  for (const [tick, title] of Object.entries(kind.ticks)) {
    const label = document.createElement("label"), box = document.createElement("input");
    label.className = "tick";
    box.type = "checkbox";
    box.addEventListener("change", () => { ticks[tick] = box.checked; redraw(); });
    label.append(box, title);
    controls.append(label);
    tickLabels.push(label);
  }
  redraw();
  figures.push(entry);
}

if (typeof Chart !== "undefined") {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("main.run").forEach((main) => {
    const data = JSON.parse(document.getElementById("data" + main.dataset.run).textContent);
    main.querySelectorAll("figure[data-figure]").forEach((element) => makeFigure(element, data));
  });
  const redrawAll = () => figures.forEach((figure) => figure.redraw());
  dark.addEventListener("change", redrawAll);
  window.addEventListener("beforeprint", () => { printing = true; redrawAll(); });
  window.addEventListener("afterprint", () => { printing = false; redrawAll(); });
}
