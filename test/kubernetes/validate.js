// Reads [{apiVersion, kind, …}, …] from its input, and validates each by the API's schema for its kind. A line for each: valid KIND, or wrong KIND: why.
const path = require("path");
const { pathToFileURL } = require("url");

async function answer(manifest) {
  try {
    const file = path.join(process.argv[2], "node_modules/kubernetes-models", manifest.apiVersion, "index.js");
    const kinds = await import(pathToFileURL(file).href);
    new kinds[manifest.kind](manifest).validate();
    return "valid " + manifest.kind;
  } catch (error) {
    return "wrong " + manifest.kind + ": " + error.message;
  }
}

let text = "";
process.stdin.on("data", (piece) => (text += piece)).on("end", async () => {
  for (const manifest of JSON.parse(text)) console.log(await answer(manifest));
});
