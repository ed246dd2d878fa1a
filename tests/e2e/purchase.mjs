// One purchase through the official SDK: what a storefront does from the first page to the paid order.
// Reads {base, key, region, country, email} from its argument, prints what it saw as JSON.
import MedusaModule from "@medusajs/js-sdk"

const Medusa = MedusaModule.default ?? MedusaModule
const input = JSON.parse(process.argv[2])
const sdk = new Medusa({ baseUrl: input.base, publishableKey: input.key, auth: { type: "jwt", jwtTokenStorageMethod: "memory" } })
const seen = {}

// a customer registers, then logs in
const registration = await sdk.auth.register("customer", "emailpass", { email: input.email, password: "correct horse" })
await sdk.store.customer.create(
  { email: input.email, first_name: "Ada", last_name: "Lovelace" },
  {},
  { authorization: `Bearer ${registration}` },
)
await sdk.auth.login("customer", "emailpass", { email: input.email, password: "correct horse" })
const { customer } = await sdk.store.customer.retrieve()
seen.customer = { email: customer.email, has_account: customer.has_account }

// products with the region's prices
const { products, count } = await sdk.store.product.list({
  region_id: input.region,
  handle: input.handle,
  fields: "*variants.calculated_price,+variants.inventory_quantity",
})
seen.count = count
const variant = products[0].variants[0]
seen.price = variant.calculated_price.calculated_amount
seen.currency = variant.calculated_price.currency_code

// a cart with an address, two lines' worth of one variant, shipping and a payment session
const address = { first_name: "Ada", last_name: "Lovelace", address_1: "Street 1", city: "City", postal_code: "1000", country_code: input.country }
let { cart } = await sdk.store.cart.create({ region_id: input.region })
await sdk.store.cart.createLineItem(cart.id, { variant_id: variant.id, quantity: input.quantity })
;({ cart } = await sdk.store.cart.update(cart.id, { email: input.email, shipping_address: address, billing_address: address }))
const { shipping_options } = await sdk.store.fulfillment.listCartOptions({ cart_id: cart.id })
seen.options = shipping_options.map((option) => [option.name, option.amount])
;({ cart } = await sdk.store.cart.addShippingMethod(cart.id, { option_id: shipping_options[0].id }))
const pick = ({ total, subtotal, tax_total, item_total, item_subtotal, item_tax_total, shipping_total, shipping_subtotal, shipping_tax_total }) => ({
  total, subtotal, tax_total, item_total, item_subtotal, item_tax_total, shipping_total, shipping_subtotal, shipping_tax_total,
})
seen.cart = pick(cart)
const { payment_providers } = await sdk.store.payment.listPaymentProviders({ region_id: input.region })
seen.providers = payment_providers.map((provider) => provider.id)
const { payment_collection } = await sdk.store.payment.initiatePaymentSession(cart, { provider_id: "pp_system_default" })
seen.payment = { amount: payment_collection.amount, currency: payment_collection.currency_code, sessions: payment_collection.payment_sessions.length }

// done
const completed = await sdk.store.cart.complete(cart.id)
seen.type = completed.type
seen.order = { ...pick(completed.order), display_id: completed.order.display_id, email: completed.order.email, items: completed.order.items.length }
const again = await sdk.store.cart.complete(cart.id)
seen.same_order = again.type === "order" && again.order.id === completed.order.id
const { order } = await sdk.store.order.retrieve(completed.order.id)
seen.retrieved = order.id === completed.order.id && order.total === completed.order.total
const { orders } = await sdk.store.order.list()
seen.listed = orders.map((row) => row.id).includes(order.id)
await sdk.auth.logout()
console.log(JSON.stringify(seen))
