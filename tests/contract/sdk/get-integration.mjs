// Asks with AWS SDK for JavaScript v3 for what exists and for what does not, and prints both as JSON.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const require = createRequire(resolve(process.env.CONTRACT_NODE_MODULES, "index.js"));
const { CustomerProfilesClient, GetIntegrationCommand } = require("@aws-sdk/client-customer-profiles");

const [endpoint, region, DomainName, Uri] = process.argv.slice(2);
const client = new CustomerProfilesClient({ endpoint, region });
const { $metadata, ...found } = await client.send(new GetIntegrationCommand({ DomainName, Uri }));
let missing = "an answer";
try {
  await client.send(new GetIntegrationCommand({ DomainName, Uri: "s3://unknown" }));
} catch (error) {
  missing = error.name;
}
console.log(JSON.stringify({ found, missing }));
