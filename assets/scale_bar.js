/* A scale bar of a round length (1, 2 or 5 times a power of ten) in the corner of each viewer of a micrograph, drawn anew
   when the viewer is zoomed. The figure says in its layout's meta that its axes are in nm. */
(function () {
  "use strict";
  const SHARE = 0.2;
  const UNITS = [[1e6, "mm"], [1e3, "µm"], [1, "nm"], [1e-3, "pm"]];
  const EDGE_PX = 12;

  function round(target) {
    const power = 10 ** Math.floor(Math.log10(target));
    const lengths = [1, 2, 5, 10].map((step) => step * power);
    const off = (length) => Math.abs(Math.log(length / target));
    return lengths.reduce((best, length) => (off(length) < off(best) ? length : best));
  }

  function label(nm) {
    const [size, unit] = UNITS.find(([size]) => nm >= size * (1 - 1e-9)) || UNITS[UNITS.length - 1];
    return Number((nm / size).toPrecision(4)) + " " + unit;
  }

  function draw(graph) {
    let bar = graph.querySelector(":scope > .drawn-bar");
    const layout = graph._fullLayout;
    const isInNm = layout && layout.meta && layout.meta.nm && layout.xaxis && layout.xaxis._length > 0;
    if (!isInNm) {
      if (bar) bar.remove();
      return;
    }
    if (!bar) {
      bar = document.createElement("div");
      bar.className = "drawn-bar";
      bar.append(Object.assign(document.createElement("div"), { className: "drawn-bar-line" }));
      bar.append(document.createElement("span"));
      graph.append(bar);
    }
    const x = layout.xaxis, y = layout.yaxis;
    const nmPerPx = Math.abs(x.range[1] - x.range[0]) / x._length;
    const nm = round(SHARE * x._length * nmPerPx);
    const width = nm / nmPerPx;
    bar.querySelector("span").textContent = label(nm);
    bar.style.width = width + "px";
    bar.style.left = x._offset + x._length - EDGE_PX - width + "px";
    bar.style.top = y._offset + y._length - EDGE_PX - bar.offsetHeight + "px";
  }

  function attach(graph) {
    if (graph.dataset.scaleBar || !graph.on) return;
    graph.dataset.scaleBar = "on";
    // Plotly settles the axes of a figure of fixed proportions only after it has told of a redraw
    const later = () => [0, 150, 600].forEach((ms) => setTimeout(() => draw(graph), ms));
    for (const event of ["plotly_afterplot", "plotly_relayout"]) graph.on(event, later);
    graph.on("plotly_relayouting", () => draw(graph));
    new ResizeObserver(later).observe(graph);
    later();
  }

  new MutationObserver(() => document.querySelectorAll(".viewer .js-plotly-plot").forEach(attach)).observe(
    document.documentElement,
    { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] },
  );
})();
