// The history's plots: what /api/history answers, drawn by uPlot in the page's colours.
"use strict";
(() => {
  const form = document.getElementById("span");
  const METRICS = { requests: (s) => s.requests, tokens: (s) => s.input_tokens.map((n, i) => n + s.output_tokens[i]), cost_usd: (s) => s.cost_usd, saved_usd: (s) => s.saved_usd, fallbacks: (s) => s.fallbacks, errors: (s) => s.errors };
  const HUES = [187, 32, 262, 145, 345, 210, 75, 300, 10, 165];
  const COUNTS = Array.from({ length: 36 }, (_, place) => [1, 2, 5][place % 3] * 10 ** Math.floor(place / 3));
  let plots = [], told = null;

  const dark = () => getComputedStyle(document.documentElement).colorScheme === "dark" || (document.documentElement.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  const hue = (place) => `hsl(${HUES[place % HUES.length]} ${dark() ? "42% 58%" : "42% 52%"})`;
  const show = { cost_usd: dollars, saved_usd: dollars };

  // As many digits as tell one tick from the next.
  const prices = (ticks) => ticks.map(money(Math.min(8, Math.max(2, Math.ceil(-Math.log10(ticks[1] - ticks[0]))) || 2)).format);

  // Series lie on each other, so that the top edge is their sum and each band one's share.
  function stacked(series) {
    let below = series[0]?.map(() => 0) || [];
    return series.map((values) => (below = values.map((value, place) => value + below[place])));
  }

  function plot(figure, metric) {
    const series = told.series.map((each) => METRICS[metric](each));
    const format = show[metric] || amount, style = getComputedStyle(document.body);
    const [ink, line] = [style.getPropertyValue("--soft"), style.getPropertyValue("--line")].map(resolve);
    const sums = series.map((values) => values.reduce((a, b) => a + b, 0));
    figure.querySelector("b").textContent = format(sums.reduce((a, b) => a + b, 0));
    legend(figure.querySelector(".legend"), sums, format);
    const box = figure.querySelector(".plot");
    box.replaceChildren();
    const layers = stacked(series).reverse(), names = told.series.map((each) => each.name || say("nobody left")).reverse();
    const axis = { stroke: ink, grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "11px system-ui" };
    const stepped = uPlot.paths.bars({ size: [0.86, 60], align: 1 });
    plots.push(new uPlot({
      width: box.clientWidth, height: 200, legend: { show: false }, cursor: { points: { show: false }, y: false },
      scales: { x: { range: (_, from, to) => [from, to + told.step_s] }, y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] } },
      axes: [{ ...axis, grid: { show: false }, space: 70, values: (_, ticks) => ticks.map(tick()) }, { ...axis, size: 56, incrs: show[metric] ? undefined : COUNTS, values: (_, ticks) => show[metric] ? prices(ticks) : ticks.map(format) }],
      series: [{}, ...names.map((label, place) => ({ label, paths: stepped, points: { show: false }, width: 0, fill: hue(names.length - 1 - place) }))],
      hooks: { setCursor: [(u) => hover(figure, u.cursor.idx, series, format)] },
    }, [told.at, ...layers], box));
  }

  // A day's first tick says the day, the others the time.
  function tick() {
    const formats = { time: new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit" }), date: new Intl.DateTimeFormat(lang, { month: "short", day: "numeric" }) };
    return (at) => {
      const when = new Date(at * 1000);
      return formats[told.step_s >= 21600 || (when.getHours() === 0 && when.getMinutes() === 0) ? "date" : "time"].format(when);
    };
  }

  const resolve = (color) => { const probe = document.createElement("i"); probe.style.color = color; document.body.append(probe); const found = getComputedStyle(probe).color; probe.remove(); return found; };

  function legend(list, sums, format) {
    list.replaceChildren(...told.series.map((each, place) => {
      const item = document.createElement("li");
      item.innerHTML = '<svg aria-hidden="true"><rect width="10" height="10" rx="2"/></svg><span></span> <b></b>';
      item.querySelector("rect").setAttribute("fill", hue(place));
      item.querySelector("span").textContent = each.name || say("nobody left");
      item.querySelector("b").textContent = format(sums[place]);
      item.hidden = !sums[place];
      return item;
    }));
  }

  function hover(figure, index, series, format) {
    const text = index == null ? "" : day.format(told.at[index] * 1000) + " · " + format(series.reduce((sum, values) => sum + values[index], 0));
    figure.querySelector("output").textContent = text;
  }

  function draw() {
    plots.forEach((each) => each.destroy());
    plots = [];
    const empty = !told.series.length;
    document.getElementById("nothing").hidden = !empty;
    for (const figure of $$(".chart")) {
      const metric = figure.dataset.metric;
      figure.hidden = !told.series.some((each) => METRICS[metric](each).some(Boolean));
      if (!figure.hidden) plot(figure, metric);
    }
    document.getElementById("charts").dataset.drawn = told.span + told.by;
  }

  async function load() {
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", "?" + query);
    for (const link of $$("[data-export]")) link.href = link.dataset.export + "&" + query;
    told = await api("GET", "/api/history?" + query);
    draw();
  }

  // What is saved is what the table shows.
  const sought = document.getElementById("sought");
  sought.addEventListener("change", () => {
    const query = new URLSearchParams([...new FormData(sought)].filter(([, value]) => value));
    for (const link of $$("[data-sought]")) link.href = link.dataset.sought + "&" + query;
  });

  form.addEventListener("change", load);
  document.addEventListener("theme", () => told && draw());
  let sized = 0;
  addEventListener("resize", () => { clearTimeout(sized); sized = setTimeout(() => told && draw(), 120); });
  setInterval(() => document.hidden || load(), 60000);
  load();
})();
