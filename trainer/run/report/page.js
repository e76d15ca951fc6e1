"use strict";
(function () {
  const palette = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#808080"];
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const format = (v) => (v == null ? "–" : String(Number(v.toPrecision(5))));

  // What a legend shows: the value under the cursor, else the series' last one.
  function value(u, v, series, i) {
    if (i == null) {
      const column = u.data[series];
      for (i = column.length - 1; i >= 0 && column[i] == null; i--);
      v = column[i];
    }
    return series === 0 ? String(v ?? "–") : format(v);
  }

  function options(chart, log, width) {
    const axis = (label, size) => ({
      label: label, labelSize: 20, labelGap: 0, labelFont: "12px system-ui, sans-serif",
      size: size, font: "11px system-ui, sans-serif", stroke: () => color("--faint"),
      grid: { stroke: () => color("--line"), width: 1 }, ticks: { stroke: () => color("--line"), width: 1, size: 4 },
    });
    return {
      width: width, height: 260,
      scales: { x: { time: false }, y: log ? { distr: 3 } : {} },
      axes: [axis("update", 34), axis(chart.axis, 56)],
      cursor: { sync: { key: "update" }, points: { size: 7 } },
      series: [{ label: "update", value: value }].concat(chart.names.map((name, i) => ({
        label: name, stroke: palette[i % palette.length], width: chart.data[0].length > 150 ? 1.1 : 1.6, spanGaps: true, value: value,
        points: { show: chart.data[0].length <= 30, size: 5 },
      }))),
    };
  }

  // A logarithmic axis has no room for what is not positive.
  const positive = (data) => data.map((column, i) => (i === 0 ? column : column.map((v) => (v > 0 ? v : null))));

  const cards = charts.map(function (chart) {
    const card = document.createElement("article");
    card.className = "card";
    const header = document.createElement("header");
    const title = document.createElement("h3");
    title.textContent = chart.title;
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    const canLog = chart.data.slice(1).some((column) => column.some((v) => v > 0));
    box.checked = chart.log && canLog;
    box.disabled = !canLog;
    label.append(box, " log");
    header.append(title, label);
    const place = document.createElement("div");
    card.append(header, place);
    document.getElementById("charts").append(card);

    let plot = null;
    function draw() {
      const zoom = plot && { min: plot.scales.x.min, max: plot.scales.x.max };
      if (plot) plot.destroy();
      plot = new uPlot(options(chart, box.checked, place.clientWidth), box.checked ? positive(chart.data) : chart.data, place);
      if (zoom) plot.setScale("x", zoom);
    }
    box.addEventListener("change", draw);
    draw();
    return { fit: () => plot.setSize({ width: place.clientWidth, height: 260 }), redraw: () => plot.redraw() };
  });

  addEventListener("resize", () => cards.forEach((card) => card.fit()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => cards.forEach((card) => card.redraw()));
})();
