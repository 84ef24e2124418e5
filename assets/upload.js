/* Micrographs dropped on (or chosen in) the drop zone go to the server one request each, streamed, with progress.
   dcc.Upload would send base64 through a callback, which fails silently above some hundred MB. */
(function () {
  "use strict";
  const AT_ONCE = 2;

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

  function send(zone, file, view) {
    return new Promise((resolve) => {
      const mostMb = Number(zone.dataset.maxMb);
      const sample = zone.dataset.sample;
      if (file.size > mostMb * 1e6) {
        // said here: a server that refuses the body while it is still being sent is only seen to hang up
        window.antemaUploads.refused(sample, file.name, "larger than the " + mostMb + " MB this server takes for one file");
        view.item.remove();
        resolve(false);
        return;
      }
      const request = new XMLHttpRequest();
      request.open("PUT", "/upload/" + encodeURIComponent(zone.dataset.sample));
      request.setRequestHeader("X-Filename", encodeURIComponent(file.name));
      request.setRequestHeader("Content-Type", "application/octet-stream");
      request.upload.onprogress = (event) => {
        view.bar.value = event.lengthComputable ? (100 * event.loaded) / event.total : 0;
        view.state.textContent = Math.round(view.bar.value) + " %";
        if (event.loaded === event.total) view.state.textContent = "reading";
      };
      const finish = (ok, text, there) => {
        view.bar.value = 100;
        if (ok) {
          view.item.classList.add("upload-done");
          view.state.textContent = text;
          window.antemaUploads.taken(sample);
        } else {
          // its reason stays above the list until it is dismissed
          view.item.remove();
          window.antemaUploads.refused(sample, file.name, text, there);
        }
        resolve(ok);
      };
      request.onload = () => {
        let answer;
        try {
          answer = JSON.parse(request.responseText);
        } catch (error) {
          finish(false, "the server answered with status " + request.status);
          return;
        }
        if (answer.ok) {
          finish(true, received(answer));
        } else {
          finish(false, answer.error, answer);
        }
      };
      request.onerror = () => finish(false, "the connection broke off; nothing was kept, drop the file again");
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
