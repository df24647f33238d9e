// Browsers slow the clocks of a page that nobody looks at to one tick a minute, but not these.
setInterval(() => postMessage(0), 3500);
