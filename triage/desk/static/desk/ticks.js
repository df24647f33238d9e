// Browsers slow the clocks of a page that nobody looks at to one tick a minute, but not these.
onmessage = ({ data }) => setInterval(() => postMessage(0), data);
