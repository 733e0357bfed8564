// The playground: sends a prompt through a chain and lights up the ladder by what the events tell.
"use strict";
(() => {
  const form = document.getElementById("ask"), answer = document.getElementById("answer"), facts = document.getElementById("facts");
  const steps = document.getElementById("steps");
  let asked = null, leaving = null;

  const step = (name) => $$(".step", steps).find((each) => each.dataset.profile === name);
  function mark(name, kind, text) {
    const found = step(name);
    if (!found) return;
    found.classList.remove("lit", "done", "missed");
    if (kind) found.classList.add(kind);
    $(".told", found).textContent = text || "";
  }
  const clear = () => $$(".step", steps).forEach((each) => mark(each.dataset.profile));

  document.addEventListener("happened", ({ detail }) => {
    for (const each of detail) {
      if (each.request_id !== asked) continue;
      if (each.type === "request.fallback") {
        mark(each.from, "missed", words.reasons[each.cause] || each.cause.replaceAll("_", " "));
        if (each.to) mark(each.to, "lit", say("is asked"));
      }
      if (each.type === "request.done" && each.profile) mark(each.profile, each.outcome === "served" ? "done" : "missed", say("answered in %(time)s", { time: millis(each.took_ms) }));
      if (each.type === "request.done") document.getElementById("trace").href = "/trace/" + asked;
    }
  });

  async function send(event) {
    event.preventDefault();
    leaving?.abort();
    leaving = new AbortController();
    clear();
    asked = "pg-" + crypto.getRandomValues(new Uint32Array(2)).join("-");
    answer.textContent = "";
    facts.hidden = true;
    const chain = form.elements.chain.value, begun = performance.now();
    const explained = await api("POST", "/api/explain", { model: chain, messages: [{ role: "user", content: form.elements.prompt.value }] }).catch(() => null);
    if (explained?.serves) mark(explained.serves, "lit", say("is asked"));
    for (const each of explained?.skipped || []) mark(each.profile, "missed", words.reasons[each.reason] || each.reason);
    const headers = { "content-type": "application/json", "x-spillover-request-id": asked, "x-spillover-cache": "no" };
    if (form.elements.spend.checked) headers["x-spillover-spend"] = "yes";
    const body = JSON.stringify({ model: chain, stream: true, messages: [{ role: "user", content: form.elements.prompt.value }] });
    try {
      const reply = await fetch("/api/ask", { method: "POST", headers, body, signal: leaving.signal });
      if (!reply.ok) throw new Error(await problem(await reply.json(), reply.status));
      await read(reply);
      const profile = reply.headers.get("x-spillover-profile");
      mark(profile, "done", say("answered in %(time)s", { time: millis(performance.now() - begun) }));
      $("#who").textContent = profile;
      $("#trail").textContent = reply.headers.get("x-spillover-trail");
    } catch (error) {
      if (error.name !== "AbortError") { answer.textContent = error.message; }
    }
    document.getElementById("trace").href = "/trace/" + asked;
    facts.hidden = false;
  }

  async function read(reply) {
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = ""; ;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split("\n");
      rest = lines.pop();
      for (const line of lines.filter((each) => each.startsWith("data: {"))) {
        const event = JSON.parse(line.slice(6));
        if (event.error) throw new Error(await problem(event));
        answer.textContent += event.choices?.[0]?.delta?.content || "";
      }
    }
  }

  form.addEventListener("submit", send);
  form.elements.prompt.addEventListener("keydown", (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  form.elements.chain.addEventListener("change", () => { location.search = "?chain=" + encodeURIComponent(form.elements.chain.value); });
})();
