// Asks with AWS SDK for JavaScript v3 for what exists, what does not, and what is invalid; prints all of it as JSON.
// Ends with status 3 if node does not find the SDK from the folder that CONTRACT_NODE_MODULES names.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [endpoint, region, DomainName, Uri] = process.argv.slice(2);
const require = createRequire(resolve(process.env.CONTRACT_NODE_MODULES ?? ".", "index.js"));
let sdk;
try {
  sdk = require("@aws-sdk/client-customer-profiles");
} catch (error) {
  if (error.code !== "MODULE_NOT_FOUND") throw error;
  process.exit(3);
}
const client = new sdk.CustomerProfilesClient({ endpoint, region, maxAttempts: 3 });

async function ask(uri) {
  try {
    const { $metadata, ...members } = await client.send(new sdk.GetIntegrationCommand({ DomainName, Uri: uri }));
    return { members };
  } catch (error) {
    return { error: error.constructor.name, message: `${error.name}: ${error.message}` };
  }
}

console.log(
  JSON.stringify({
    found: await ask(Uri),
    missing: await ask("s3://unknown"),
    invalid: await ask("u".repeat(256)),
  }),
);
