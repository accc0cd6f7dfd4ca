// Draws the charts from the JSON beside each, in the page's own colours. Everything the page says is in its markup
// already; without this script only the drawings are missing.
"use strict";
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const printing = matchMedia("print");
  const drawn = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const toneColour = (tone) => colour(tone === "muted" ? "grey" : tone);

  const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const full = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
  const axisText = {
    count: (value) => short.format(value),
    money: (value, sign) => sign + short.format(value),
    percent: (value) => `${+(value * 100).toPrecision(5)}%`,
    decimal: (value) => `${+value.toPrecision(6)}`,
  };
  const fullText = {
    count: (value) => full.format(value),
    money: (value, sign) => sign + full.format(value),
    percent: (value) => `${(value * 100).toFixed(2)}%`,
    decimal: (value) => value.toFixed(Math.abs(value) < 10 ? 4 : 1),
  };

  // Tooltips are built as elements, never as markup, since names come from the shop's data.
  const tooltip = (chart) => (points) => {
    const tip = document.createElement("div");
    tip.className = "tip";
    const title = document.createElement("b");
    const position = chart.positions[points[0].dataIndex];
    title.textContent = /^\d+$/.test(position) ? `${chart.axis} ${position}` : position;
    tip.append(title);
    for (const point of points) {
      const value = chart.series[point.seriesIndex].values[point.dataIndex];
      if (value === null || value === undefined) continue;
      const row = document.createElement("span");
      const name = document.createElement("span");
      const figure = document.createElement("span");
      const one = chart.series[point.seriesIndex];
      name.className = `key ${one.shape === "bar" ? "bars" : one.shape} tone-${one.tone}`;
      name.textContent = one.name;
      figure.textContent = fullText[chart.unit](value, chart.sign);
      row.append(name, figure);
      tip.append(row);
    }
    return tip;
  };

  // A mark near either end keeps its label inside the drawing.
  const markAlign = (chart) => {
    const last = chart.positions.length - 1;
    if (chart.mark[0] === last && last > 0) return "right";
    return chart.mark[0] === 0 && last > 0 ? "left" : "center";
  };

  const series = (one, chart, isFirst) => {
    const shade = toneColour(one.tone);
    const pale = new Set(one.pale || []);
    const data = one.values.map((value, i) =>
      pale.has(i) ? { value, itemStyle: { opacity: 0.4 } } : value);
    const common = { name: one.name, data, animation: false, emphasis: { disabled: true } };
    const mark = isFirst && chart.mark ? {
      markLine: {
        silent: true, symbol: "none", animation: false,
        data: [{ xAxis: chart.mark[0] }],
        lineStyle: { color: colour("third"), type: "dashed", width: 1.5 },
        label: { formatter: () => chart.mark[1], color: colour("third"), fontSize: 11.5, position: "end", align: markAlign(chart) },
      },
    } : {};
    if (one.shape === "bar") {
      return { type: "bar", barMaxWidth: 34, barCategoryGap: "28%", itemStyle: { color: shade, borderRadius: [2, 2, 0, 0] }, ...common, ...mark };
    }
    if (one.shape === "points") {
      return { type: "scatter", symbolSize: 7, itemStyle: { color: shade, opacity: 0.55 }, ...common, ...mark };
    }
    return {
      type: "line", symbol: "circle", symbolSize: 5, showSymbol: one.values.length <= 31 && one.shape === "line",
      lineStyle: { color: shade, width: 2, type: one.shape === "dashed" ? "dashed" : "solid" },
      itemStyle: { color: shade }, ...common, ...mark,
    };
  };

  const options = (chart) => {
    const text = { color: colour("muted"), fontSize: 11.5, fontFamily: colour("sans") };
    const bars = chart.series.some((one) => one.shape === "bar");
    return {
      animation: false,
      textStyle: { fontFamily: colour("sans") },
      grid: { left: 0, right: 4, top: chart.mark ? 24 : 10, bottom: 0, outerBoundsMode: "same", outerBoundsContain: "axisLabel" },
      xAxis: {
        type: "category", data: chart.positions, boundaryGap: bars || chart.positions.length < 2,
        axisLine: { lineStyle: { color: colour("line-strong") } }, axisTick: { show: false },
        axisLabel: { ...text, hideOverlap: true, margin: 9, alignMaxLabel: "right" },
      },
      yAxis: {
        type: "value", scale: !bars, splitNumber: 4,
        axisLabel: { ...text, formatter: (value) => axisText[chart.unit](value, chart.sign) },
        splitLine: { lineStyle: { color: colour("line") } },
      },
      tooltip: {
        trigger: "axis", confine: true, formatter: tooltip(chart), transitionDuration: 0,
        backgroundColor: colour("panel"), borderColor: colour("line-strong"), padding: [7, 10],
        textStyle: { color: colour("text"), fontSize: 12.5 },
        axisPointer: bars ? { type: "shadow", shadowStyle: { color: colour("line"), opacity: 0.5 } } : { type: "line", lineStyle: { color: colour("line-strong") } },
        extraCssText: "box-shadow:none;border-radius:8px;",
      },
      series: chart.series.map((one, i) => series(one, chart, i === 0)),
    };
  };

  // With a view box the drawing scales to the width of the paper.
  const fit = (one) => {
    one.instance.resize();
    const drawing = one.place.querySelector("svg");
    drawing.setAttribute("viewBox", `0 0 ${one.instance.getWidth()} ${one.instance.getHeight()}`);
  };

  const drawAll = () => {
    for (const one of drawn) {
      one.instance.setOption(options(one.chart), true);
      fit(one);
    }
  };

  for (const figure of document.querySelectorAll("figure.chart")) {
    const chart = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const place = figure.querySelector(".drawing");
    place.style.display = "block";
    const instance = echarts.init(place, null, { renderer: "svg" });
    const one = { instance, chart, place };
    drawn.push(one);
    new ResizeObserver(() => { if (!printing.matches) fit(one); }).observe(place);
  }
  drawAll();
  dark.addEventListener("change", drawAll);

  // Paper is white, whatever the screen is.
  printing.addEventListener("change", () => {
    for (const one of drawn) one.instance.setOption(options(one.chart), true);
  });

  // The contents show where the reader is.
  const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
  let current = null;
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      if (current) current.removeAttribute("aria-current");
      current = links.get(entry.target.id);
      if (current) current.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-20% 0px -70% 0px" });
  for (const section of document.querySelectorAll("main > .section")) seen.observe(section);

  // One channel's messages at a time.
  const filter = document.querySelector(".filter");
  if (filter) {
    filter.hidden = false;
    const buttons = [...filter.querySelectorAll("button")];
    filter.addEventListener("click", (event) => {
      const pressed = event.target.closest("button");
      if (!pressed) return;
      for (const button of buttons) button.setAttribute("aria-pressed", String(button === pressed));
      for (const message of document.querySelectorAll(".message")) {
        message.hidden = pressed.dataset.channel !== "" && message.dataset.channel !== pressed.dataset.channel;
      }
    });
  }
})();
