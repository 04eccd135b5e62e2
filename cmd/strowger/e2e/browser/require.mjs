// Loads CommonJS packages from node_modules without a bundler: enough of Node's require for JsSIP.
const mains = {
  jssip: "/node_modules/jssip/lib/JsSIP.js",
  events: "/node_modules/events/events.js",
  debug: "/node_modules/debug/src/browser.js",
  ms: "/node_modules/ms/index.js",
  "sdp-transform": "/node_modules/sdp-transform/lib/index.js",
};
const modules = new Map();

function fetchText(path) {
  const request = new XMLHttpRequest();
  request.open("GET", path, false); // require is synchronous
  request.send();
  if (request.status !== 200) throw new Error(`${path}: ${request.status}`);
  return request.responseText;
}

function load(path) {
  if (modules.has(path)) return modules.get(path).exports;
  const module = { exports: {} };
  modules.set(path, module);
  const text = fetchText(path);
  if (path.endsWith(".json")) module.exports = JSON.parse(text);
  else new Function("module", "exports", "require", `${text}\n//# sourceURL=${path}`)(module, module.exports, from(path));
  return module.exports;
}

const from = (here) => (name) => {
  if (mains[name]) return load(mains[name]);
  const path = new URL(name, location.origin + here).pathname;
  return load(/\.js(on)?$/.test(path) ? path : `${path}.js`);
};

window.require = from("/");
