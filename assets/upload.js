/* Micrographs dropped on (or chosen in) the drop zone go to the server one request each, streamed, with progress.
   dcc.Upload would send base64 through a callback, which fails silently above some hundred MB. */
(function () {
  "use strict";
  const AT_ONCE = 2;
  const TRIES = 3;
  const pause = (seconds) => new Promise((resolve) => setTimeout(resolve, 1000 * seconds));

  function row(list, file) {
    const item = document.createElement("li");
    item.className = "upload-row";
    const name = document.createElement("span");
    name.className = "upload-name";
    name.textContent = file.name;
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    const state = document.createElement("span");
    state.className = "upload-state";
    state.textContent = "waiting";
    item.append(name, bar, state);
    list.append(item);
    return { item, bar, state };
  }

  function received(answer) {
    const size = (nm, digits) => Number(nm.toPrecision(digits)) + " nm/px";
    const words = [answer.scale ? size(answer.scale, 5) : "no scale yet"];
    if (answer.offered) words.push("its scale bar says " + size(answer.offered, 4));
    if (answer.images > 1) words.push(answer.images + " images in the file");
    if (answer.remark) words.push(answer.remark);
    return words.join(" · ");
  }

  /* How long a server that takes no more uploads at the moment asks to wait, in seconds, and a little more, so that
     not all come back at once; 0 where it asks for nothing. */
  function asked(status, retryAfter) {
    return status === 503 && Number(retryAfter) > 0 ? Number(retryAfter) * (1 + Math.random()) : 0;
  }

  function answered(text, status, type) {
    try {
      return JSON.parse(text);
    } catch (error) {
      const plain = (type || "").startsWith("text/plain") && text.length < 1000;
      return { ok: false, error: plain ? text.trim() : "the server answered with status " + status };
    }
  }

  /* Whether the server would take the file now. It is asked before anything is sent: a server that refuses a body
     while it is still being sent is only seen to hang up. */
  async function ask(zone, file) {
    try {
      const address = "/upload/" + encodeURIComponent(zone.dataset.sample) + "?bytes=" + file.size;
      const answer = await fetch(address, { headers: { "X-Filename": encodeURIComponent(file.name) } });
      const wait = asked(answer.status, answer.headers.get("Retry-After"));
      if (wait) return { ok: false, wait };
      return answered(await answer.text(), answer.status, answer.headers.get("Content-Type"));
    } catch (error) {
      return { ok: false, error: "the server cannot be reached; drop the file again when it is back" };
    }
  }

  /* Show how an upload ended; whether the file was kept. */
  function settle(zone, file, view, answer) {
    const sample = zone.dataset.sample;
    if (answer.ok) {
      view.bar.value = 100;
      view.item.classList.add("upload-done");
      view.state.textContent = received(answer);
      window.antemaUploads.taken(sample);
    } else {
      // its reason stays above the list until it is dismissed
      view.item.remove();
      window.antemaUploads.refused(sample, file.name, answer.error, answer);
    }
    return answer.ok;
  }

  /* Send a file, waiting for a place as long as the server has none; whether it was kept. */
  async function send(zone, file, view) {
    if (file.error) return settle(zone, file, view, { ok: false, error: file.error });
    for (let tries = 1; ; ) {
      const leave = await ask(zone, file);
      const answer = leave.ok ? await put(zone, file, view) : leave;
      if (answer.isBroken && tries < TRIES) {
        tries += 1;
        answer.wait = 1 + Math.random();
      }
      if (!answer.wait) return settle(zone, file, view, answer);
      view.bar.value = 0;
      view.state.textContent = "waiting for a place";
      await pause(answer.wait);
    }
  }

  /* Send a file once; what the server answered, or how long it asks to wait. */
  function put(zone, file, view) {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest();
      request.open("PUT", "/upload/" + encodeURIComponent(zone.dataset.sample));
      request.setRequestHeader("X-Filename", encodeURIComponent(file.name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        view.bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
        view.state.textContent = Math.round(view.bar.value) + " %";
        if (event.loaded === event.total) view.state.textContent = "reading";
      };
      request.onload = () => {
        const wait = asked(request.status, request.getResponseHeader("Retry-After"));
        const type = request.getResponseHeader("Content-Type");
        resolve(wait ? { ok: false, wait } : answered(request.responseText, request.status, type));
      };
      request.onerror = async () => {
        // a server that had no place left may have hung up before its answer could be read; another of its processes
        // may have one
        const now = await ask(zone, file);
        const error = "the connection broke off; nothing was kept, drop the file again";
        resolve(now.ok ? { ok: false, error, isBroken: true } : now);
      };
      request.send(file);
    });
  }

  async function upload(zone, files) {
    const list = document.getElementById("upload-list");
    const most = Number(zone.dataset.maxFiles);
    if (files.length > most) {
      window.dash_clientside.set_props("message", {
        data: {
          text: "Drop at most " + most + " files at once; these are " + files.length + ". Nothing was uploaded.",
          kind: "danger",
          id: String(Date.now()),
        },
      });
      return;
    }
    if (!files.length) return;
    list.querySelectorAll(".upload-done").forEach((item) => item.remove());
    window.antemaUploads.begin(zone.dataset.sample, files.length);
    const waiting = Array.from(files).map((file) => ({ file, view: row(list, file) }));
    let changed = 0;
    async function worker() {
      while (waiting.length) {
        const next = waiting.shift();
        if (await send(zone, next.file, next.view)) {
          changed += 1;
          window.dash_clientside.set_props("uploaded", { data: { n: changed, at: Date.now() } });
        }
      }
    }
    zone.classList.add("uploading");
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    zone.classList.remove("uploading");
    window.dash_clientside.set_props("uploaded", { data: { n: changed, at: Date.now(), finished: true } });
  }

  const zoneOf = (event) => event.target.closest && event.target.closest(".drop-zone[data-sample]");

  document.addEventListener("dragover", (event) => {
    // beside the zone too: the browser would open the file and leave the page
    event.preventDefault();
    const zone = zoneOf(event);
    if (!zone) return;
    zone.classList.add("drop-over");
  });
  document.addEventListener("dragleave", (event) => {
    const zone = zoneOf(event);
    if (zone && !zone.contains(event.relatedTarget)) zone.classList.remove("drop-over");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    const zone = zoneOf(event);
    if (!zone) return;
    zone.classList.remove("drop-over");
    window.antemaDroppedFiles(event.dataTransfer).then((files) => upload(zone, files));
  });
  function choose(zone) {
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.id = "upload-input";
    input.hidden = true;
    input.addEventListener("change", () => {
      upload(zone, input.files);
      input.remove();
    });
    document.body.append(input);
    input.click();
  }
  document.addEventListener("click", (event) => {
    const zone = zoneOf(event);
    if (zone) choose(zone);
  });
  document.addEventListener("keydown", (event) => {
    const zone = zoneOf(event);
    if (zone && (event.key === "Enter" || event.key === " ")) {
      event.preventDefault();
      choose(zone);
    }
  });
})();
