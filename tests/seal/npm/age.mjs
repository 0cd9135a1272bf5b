// An age that is not ours: the npm package age-encryption, asked by tests.
//
//   node age.mjs < jobs.json               [{"act": "open" | "seal", "data": base64, …}] → [{"data": base64} | {"error"}]
//   node age.mjs -d [-i KEYS] FILE         as the public tool does; without -i it asks for the passphrase

import { readFileSync, writeSync } from "node:fs"
import { webcrypto } from "node:crypto"

globalThis.crypto ??= webcrypto // Node 18 has it, but not under this name
const age = await import("age-encryption")

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----"

function opener({ identities = [], passphrase }) {
  const decrypter = new age.Decrypter()
  identities.forEach((identity) => decrypter.addIdentity(identity))
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase)
  return decrypter
}

function sealer({ recipients = [], passphrase }) {
  const encrypter = new age.Encrypter()
  recipients.forEach((recipient) => encrypter.addRecipient(recipient))
  if (passphrase !== undefined) {
    encrypter.setScryptWorkFactor(10)
    encrypter.setPassphrase(passphrase)
  }
  return encrypter
}

const unarmored = (file) => {
  const text = Buffer.from(file).toString("latin1")
  return text.startsWith(BEGIN) ? age.armor.decode(text) : file
}

async function done(job) {
  const data = new Uint8Array(Buffer.from(job.data, "base64"))
  if (job.act === "open") return opener(job).decrypt(unarmored(data))
  const sealed = await sealer(job).encrypt(data)
  return job.armored ? Buffer.from(age.armor.encode(sealed)) : sealed
}

async function jobs() {
  const answers = []
  for (const job of JSON.parse(readFileSync(0, "utf8"))) {
    try {
      answers.push({ data: Buffer.from(await done(job)).toString("base64") })
    } catch (error) {
      answers.push({ error: String(error) })
    }
  }
  return JSON.stringify(answers)
}

async function tool(words) {
  const keys = words.includes("-i") ? readFileSync(words[words.indexOf("-i") + 1], "utf8") : ""
  const identities = keys.split("\n").filter((line) => line && !line.startsWith("#"))
  const passphrase = keys ? undefined : readFileSync(0, "utf8").split("\n")[0]
  const file = new Uint8Array(readFileSync(words.at(-1)))
  return opener({ identities, passphrase }).decrypt(unarmored(file))
}

let answer = Buffer.from(process.argv.includes("-d") ? await tool(process.argv.slice(2)) : await jobs())
while (answer.length) answer = answer.subarray(writeSync(1, answer))
