// What node-vault, the usual client of JavaScript, does against `pytest-resilience serve vault`.
//
//   npm install node-vault && node tools/conformance_node_vault.js
//
// with the variables of --env-file set. Prints a line a step, and fails at the first that fails.
const assert = require("node:assert");
const connect = require("node-vault");

const { VAULT_ADDR: endpoint, VAULT_TOKEN: root, VAULT_UNSEAL_KEYS: keys } = process.env;

async function main() {
  const vault = connect({ endpoint, token: root });
  const step = (name, got, wanted) => {
    assert.deepStrictEqual(got, wanted, name);
    console.log(`ok ${name}`);
  };
  step("health", (await vault.health()).initialized, true);
  await vault.write("secret/data/a", { data: { n: 1 } });
  step("write and read", (await vault.read("secret/data/a")).data.data, { n: 1 });
  step("list", (await vault.list("secret/metadata")).data.keys, ["a"]);
  const ids = { role_id: process.env.VAULT_ROLE_ID, secret_id: process.env.VAULT_SECRET_ID };
  const login = await vault.approleLogin(ids);
  vault.token = root; // a login of node-vault's takes the new token into use
  step("login", login.auth.policies, ["app", "default"]);
  const own = connect({ endpoint, token: login.auth.client_token });
  step("renew", (await own.tokenRenewSelf()).auth.renewable, true);
  const denied = await own.mounts().catch((error) => error);
  step("denied", denied.message, "1 error occurred:\n\t* permission denied\n\n");
  const missing = await vault.read("secret/data/none").catch((error) => error);
  step("missing", missing.message, "Status 404");
  const rules = 'path "secret/*" { capabilities = ["read"] }';
  await vault.addPolicy({ name: "p", rules });
  step("policies", (await vault.policies()).policies, ["app", "default", "p", "root"]);
  const made = await vault.tokenCreate({ policies: ["p"], ttl: "1h" });
  vault.token = root; // and so does the making of one
  step("create", made.auth.lease_duration, 3600);
  await vault.tokenRevoke({ token: made.auth.client_token });
  const headers = { "X-Vault-Wrap-TTL": "60", "X-Vault-Token": root };
  const wrapped = await vault.request({ method: "GET", path: "/secret/data/a", headers });
  const unwrapped = await vault.unwrap({ token: wrapped.wrap_info.token });
  step("unwrap", unwrapped.data.data, { n: 1 });
  vault.token = root;
  await vault.seal();
  step("seal", (await vault.status()).sealed, true);
  for (const key of keys.split(",").slice(0, 3)) await vault.unseal({ key });
  step("unseal", (await vault.status()).sealed, false);
}

main().catch((error) => {
  console.error(`FAILED ${error.message}`);
  process.exit(1);
});
