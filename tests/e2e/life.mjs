// Whole lives of orders through the official SDK, as a buyer and a merchant lead them. Prints what an order came to after each step.
import MedusaModule from "@medusajs/js-sdk"

const Medusa = MedusaModule.default ?? MedusaModule
const input = JSON.parse(process.argv[2])
const auth = { type: "jwt", jwtTokenStorageMethod: "memory" }
const opened = () => new Medusa({ baseUrl: input.base, publishableKey: input.key, auth })
const merchant = opened()
await merchant.auth.login("user", "emailpass", { email: input.admin[0], password: input.admin[1] })
const { admin } = merchant
const { store } = opened()
const seen = {}
const [first, second] = input.variants
const address = { first_name: "Ada", last_name: "L", address_1: "Quay 8", city: "Town", postal_code: "1000", country_code: input.country }

const FIELDS = "id,total,*summary,payment_status,fulfillment_status,status,customer_id,*items,*items.detail,*fulfillments,*payment_collections.payments"

async function look(step, id) {
  const { order } = await admin.order.retrieve(id, { fields: FIELDS })
  const { paid_total, refunded_total, pending_difference } = order.summary
  seen[step] = [order.total, paid_total, refunded_total, pending_difference, order.payment_status, order.fulfillment_status]
  return order
}

async function bought(items) {
  const { cart } = await store.cart.create({
    region_id: input.region, email: `guest-${input.handle}@example.com`, shipping_address: address, billing_address: address, items,
  })
  await store.cart.addShippingMethod(cart.id, { option_id: input.option })
  await store.payment.initiatePaymentSession(cart, { provider_id: "pp_system_default" })
  const { order } = await store.cart.complete(cart.id)
  return order.id
}

async function payments(id) {
  const { order } = await admin.order.retrieve(id, { fields: "*payment_collections,*payment_collections.payments" })
  return order.payment_collections
}

async function captured(id) {
  const [{ payments: [payment] }] = await payments(id)
  await admin.payment.capture(payment.id, {})
  return payment.id
}

async function send(id, line, quantity) {
  const body = { location_id: input.location, items: [{ id: line, quantity }] }
  const { order } = await admin.order.createFulfillment(id, body, { fields: "*fulfillments" })
  return order.fulfillments.map((each) => each.id)
}

const of = (line, quantity) => ({ items: [{ id: line, quantity }] })
const more = (variant_id, quantity, unit_price) => ({ items: [{ variant_id, quantity, ...(unit_price === undefined ? {} : { unit_price }) }] })

// Bought, sent in two parcels, given back in part, exchanged twice.
{
  const id = await bought([{ variant_id: first, quantity: 3 }])
  const { items: [line] } = await look("bought", id)
  const payment = await captured(id)
  await look("captured", id)
  const [one] = await send(id, line.id, 2)
  await look("sent in part", id)
  await send(id, line.id, 1)
  await admin.order.createShipment(id, one, { ...of(line.id, 2), labels: [] })
  await admin.order.markAsDelivered(id, one)
  await look("delivered in part", id)

  const { return: back } = await admin.return.initiateRequest({ order_id: id, location_id: input.location })
  await admin.return.addReturnItem(back.id, of(line.id, 2))
  await admin.return.addReturnShipping(back.id, { shipping_option_id: input.option })
  await admin.return.confirmRequest(back.id, {})
  const { return: asked } = await admin.return.retrieve(back.id, { fields: "*fulfillments" })
  seen.labels = asked.fulfillments.length
  await look("asked back", id)
  await admin.return.initiateReceive(back.id, {})
  await admin.return.receiveItems(back.id, of(line.id, 1))
  await admin.return.dismissItems(back.id, of(line.id, 1))
  await admin.return.confirmReceive(back.id, {})
  await look("received", id)
  await admin.payment.refund(payment, { amount: input.refunds.returned })
  await look("refunded", id)

  const dearer = (await admin.exchange.create({ order_id: id })).exchange.id
  await admin.exchange.addInboundItems(dearer, of(line.id, 1))
  await admin.exchange.addOutboundItems(dearer, more(second, 2))
  await admin.exchange.request(dearer, {})
  const { items } = await look("exchanged for more", id)
  const open = (await payments(id)).find((each) => each.status === "not_paid")
  await admin.paymentCollection.markAsPaid(open.id, { order_id: id })
  await look("paid for more", id)

  const sent = items.find((each) => each.variant_id === second)
  await send(id, sent.id, 2)
  const cheaper = (await admin.exchange.create({ order_id: id })).exchange.id
  await admin.exchange.addInboundItems(cheaper, of(sent.id, 2))
  await admin.exchange.addOutboundItems(cheaper, more(first, 1))
  await admin.exchange.request(cheaper, {})
  await look("exchanged for less", id)
  await admin.payment.refund(payment, { amount: input.refunds.unit })
  await look("refunded for less", id)
}

// Claimed: one is replaced for nothing, one is given back.
{
  const id = await bought([{ variant_id: first, quantity: 2 }])
  const { items: [line] } = await look("bought to claim", id)
  const payment = await captured(id)
  await send(id, line.id, 2)
  const replace = (await admin.claim.create({ order_id: id, type: "replace" })).claim.id
  await admin.claim.addItems(replace, of(line.id, 1))
  await admin.claim.addOutboundItems(replace, more(first, 1, 0))
  await admin.claim.request(replace, {})
  await look("replaced", id)
  const refund = (await admin.claim.create({ order_id: id, type: "refund" })).claim.id
  await admin.claim.addItems(refund, of(line.id, 1))
  await admin.claim.addInboundItems(refund, of(line.id, 1))
  await admin.claim.request(refund, {})
  await look("claimed", id)
  await admin.payment.refund(payment, { amount: input.refunds.unit })
  await look("refunded a claim", id)
}

// Edited: one more of one line, the other one removed, and another one added; then handed over.
{
  const id = await bought([{ variant_id: first, quantity: 2 }, { variant_id: second, quantity: 1 }])
  await captured(id)
  const { items } = await look("bought to edit", id)
  const line = (variant) => items.find((each) => each.variant_id === variant).id
  await admin.orderEdit.initiateRequest({ order_id: id })
  await admin.orderEdit.updateOriginalItem(id, line(first), { quantity: 3 })
  await admin.orderEdit.updateOriginalItem(id, line(second), { quantity: 0 })
  await admin.orderEdit.addItems(id, more(second, 1))
  await admin.orderEdit.request(id)
  const { order: preview } = await admin.order.retrievePreview(id)
  seen.preview = [preview.total, preview.summary.pending_difference]
  await look("edit requested", id)
  await admin.orderEdit.confirm(id)
  await look("edited", id)

  const buyer = opened()
  const email = `${input.handle}@example.com`
  const token = await buyer.auth.register("customer", "emailpass", { email, password: "correct horse" })
  const { customer } = await buyer.store.customer.create({ email }, {}, { authorization: `Bearer ${token}` })
  await buyer.auth.login("customer", "emailpass", { email, password: "correct horse" })
  await buyer.store.order.requestTransfer(id, {})
  const { order_changes: changes } = await admin.order.listChanges(id)
  const handover = changes.find((each) => each.status === "requested").actions[0].details.token
  await buyer.store.order.acceptTransfer(id, { token: handover })
  seen.handed = (await look("handed over", id)).customer_id === customer.id
}

// A draft with a promotion becomes an order.
{
  const body = {
    email: "carol@example.com", region_id: input.region, sales_channel_id: input.channel, shipping_address: address,
    items: [{ variant_id: first, quantity: 2 }],
  }
  const { draft_order: draft } = await admin.draftOrder.create(body)
  await admin.draftOrder.beginEdit(draft.id)
  await admin.draftOrder.addShippingMethod(draft.id, { shipping_option_id: input.option })
  await admin.draftOrder.addPromotions(draft.id, { promo_codes: [input.code] })
  await admin.draftOrder.confirmEdit(draft.id)
  seen.drafted = (await admin.draftOrder.retrieve(draft.id)).draft_order.total
  await admin.draftOrder.convertToOrder(draft.id)
  await look("converted", draft.id)
}

// Cancelled, paid as it was.
{
  const id = await bought([{ variant_id: first, quantity: 1 }])
  await captured(id)
  await look("bought to cancel", id)
  await admin.order.cancel(id)
  seen.status = (await look("cancelled", id)).status
}
console.log(JSON.stringify(seen))
