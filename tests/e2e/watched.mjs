// The official SDK, watched: what is called is written down, with the requests it made and how they were answered.
import MedusaModule from "@medusajs/js-sdk"

const Medusa = MedusaModule.default ?? MedusaModule

// upload.create asks whether it was given one, which only browsers have
globalThis.FileList ??= class FileList {}

export const calls = []
let requests = []
let cookie = "" // a browser keeps the session's; Node doesn't

const plain = globalThis.fetch
globalThis.fetch = async (url, init = {}) => {
  if (cookie && init.credentials === "include") init.headers.set("cookie", cookie)
  const response = await plain(url, init)
  for (const given of response.headers.getSetCookie()) [cookie] = given.split(";")
  const text = await response.clone().text()
  requests.push({
    method: init.method ?? "GET",
    path: new URL(url).pathname,
    sent: typeof init.body === "string" ? JSON.parse(init.body) : null,
    status: response.status,
    answer: response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text.slice(0, 200),
  })
  return response
}

async function call(method, run) {
  const seen = { method, requests: (requests = []), error: null }
  calls.push(seen)
  try {
    return await run()
  } catch (error) {
    seen.error = String(error)
    throw error
  } finally {
    requests = []
  }
}

function watched(part, path) {
  return new Proxy(part, {
    get(_, key) {
      const value = part[key]
      if (typeof value === "function") return (...args) => call(`${path}.${key}`, () => value.apply(part, args))
      return typeof value === "object" ? watched(value, `${path}.${key}`) : value
    },
  })
}

// One who uses the SDK; calls of `plain` aren't written down.
export function opened(options) {
  const sdk = new Medusa(options)
  return { admin: watched(sdk.admin, "admin"), store: watched(sdk.store, "store"), auth: watched(sdk.auth, "auth"), plain: sdk }
}

// Names of all methods of the SDK's three parts.
export function methods({ plain: sdk }) {
  const found = []
  const look = (part, path) => {
    for (const key of Object.getOwnPropertyNames(Object.getPrototypeOf(part))) {
      if (Object.getPrototypeOf(part) !== Object.prototype && key !== "constructor") found.push(`${path}.${key}`)
    }
    for (const [key, value] of Object.entries(part)) {
      if (typeof value === "function") found.push(`${path}.${key}`)
      else if (key !== "client" && key !== "config") look(value, `${path}.${key}`)
    }
  }
  for (const part of ["admin", "store", "auth"]) look(sdk[part], part)
  return found
}

// Walk through the areas; one that breaks off doesn't keep the others from being walked. Returns why they broke off.
export async function walk(areas) {
  const broken = []
  for (const area of areas) {
    try {
      await area()
    } catch (error) {
      broken.push(`${area.name}: ${error.stack}`)
    }
  }
  return broken
}
