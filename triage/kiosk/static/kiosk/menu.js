// How long the network takes to the server and back: the middle of five.
{
  const line = document.querySelector("#pulses");
  const once = async () => {
    const started = performance.now();
    const { status } = await fetch(line.dataset.pulse, { cache: "no-store" });
    if (status !== 204) throw new Error(String(status));
    return performance.now() - started;
  };
  const measure = async () => {
    line.textContent = "The network is being timed.";
    try {
      const times = [];
      for (let time = 0; time < 5; time += 1) times.push(await once());
      times.sort((one, other) => one - other);
      line.textContent =
        `To the server and back it takes ${Math.round(times[2])} ms,` +
        ` at most ${Math.round(times[4])} ms.`;
    } catch {
      line.textContent = "The server could not be reached just now.";
    }
  };
  measure();
}
